"""VPC flow logs in an encrypted log group."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import NIST, acknowledge
from mlops_foundation.constructs.stack import FoundationStack

_RETENTION = {
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
}


def add_flow_logs(stack: FoundationStack, context: StackContext, vpc: ec2.Vpc) -> None:
    """Record the VPC's traffic, unless the configuration switches it off."""
    if not context.network.flow_logs.enabled:
        for rule in ("AwsSolutions-VPC7", f"{NIST}-VPCFlowLogsEnabled"):
            acknowledge(vpc, rule, "Flow logs are switched off in mlops.yaml.")
        return
    log_group_name = f"/{context.names.prefix}/vpc-flow-logs"
    key = kms.Key(
        stack,
        "FlowLogKey",
        description="VPC flow logs",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.DESTROY,
    )
    key.grant_encrypt_decrypt(
        iam.ServicePrincipal(
            f"logs.{context.region}.amazonaws.com",
            conditions={
                "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": context.arn("logs", f"log-group:{log_group_name}")}
            },
        )
    )
    group = logs.LogGroup(
        stack,
        "FlowLogGroup",
        log_group_name=log_group_name,
        encryption_key=key,
        retention=_RETENTION[context.network.flow_logs.retention_days],
        removal_policy=RemovalPolicy.DESTROY,
    )
    role = iam.Role(
        stack,
        "FlowLogRole",
        role_name=f"{context.names.prefix}-flow-logs-{context.region}",
        path=context.names.role_path,
        assumed_by=iam.ServicePrincipal(
            "vpc-flow-logs.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": context.account}}
        ),
    )
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role))
