"""The VPC that everything runs in: private subnets for workloads, public ones for NAT, endpoints for AWS services."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlops_foundation.config.network import ImportedVpc
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge
from mlops_foundation.constructs.parameters import publish, publish_list
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import PRIVATE_SUBNET_IDS, VPC_ID, WORKLOAD_SECURITY_GROUP_ID
from mlops_foundation.stacks.network.endpoints import add_endpoints

_RETENTION = {
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
}


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build the network of one account."""
    stack = FoundationStack(scope, context)
    network = context.network
    if network.imported:
        _publish_imported(stack, context, network.imported)
        return stack
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(network.cidr),
        max_azs=network.az_count,
        nat_gateways=network.nat_gateways,
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
        ],
    )
    workloads = _workload_group(stack, vpc)
    add_endpoints(stack, context, vpc, workloads)
    if network.flow_logs.enabled:
        _flow_logs(stack, context, vpc)
    else:
        acknowledge(vpc, "AwsSolutions-VPC7", "Flow logs are switched off in mlops.yaml.")
    publish(stack, "VpcId", VPC_ID, vpc.vpc_id)
    publish_list(stack, "PrivateSubnetIds", PRIVATE_SUBNET_IDS, [subnet.subnet_id for subnet in vpc.private_subnets])
    publish(stack, "SecurityGroupId", WORKLOAD_SECURITY_GROUP_ID, workloads.security_group_id)
    return stack


def _publish_imported(stack: FoundationStack, context: StackContext, imported: ImportedVpc) -> None:
    """Say where an existing VPC is; nothing of it is changed, and only a group that it lacks is made."""
    group_id = imported.security_group_id
    if group_id is None:
        # One zone stands for all: the group asks the VPC for nothing but its id.
        zones = [f"{context.region}a"]
        vpc = ec2.Vpc.from_vpc_attributes(stack, "Imported", vpc_id=imported.vpc_id, availability_zones=zones)
        group_id = _workload_group(stack, vpc).security_group_id
    publish(stack, "VpcId", VPC_ID, imported.vpc_id)
    publish_list(stack, "PrivateSubnetIds", PRIVATE_SUBNET_IDS, imported.private_subnet_ids)
    publish(stack, "SecurityGroupId", WORKLOAD_SECURITY_GROUP_ID, group_id)


def _workload_group(stack: FoundationStack, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """Studio apps, builds and jobs: they talk to one another and out over HTTPS."""
    group = ec2.SecurityGroup(
        stack, "Workloads", vpc=vpc, description="Studio, builds and jobs", allow_all_outbound=False
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS services and package indexes over TLS")
    # Rules of their own resources, because a group cannot name itself; add_ingress_rule would put the set's name into
    # their logical ids.
    among = "Workloads among themselves: distributed jobs and the file system of Studio"
    ec2.CfnSecurityGroupIngress(
        stack,
        "WorkloadsIn",
        group_id=group.security_group_id,
        source_security_group_id=group.security_group_id,
        ip_protocol="-1",
        description=among,
    )
    ec2.CfnSecurityGroupEgress(
        stack,
        "WorkloadsOut",
        group_id=group.security_group_id,
        destination_security_group_id=group.security_group_id,
        ip_protocol="-1",
        description=among,
    )
    return group


def _flow_logs(stack: FoundationStack, context: StackContext, vpc: ec2.Vpc) -> None:
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
