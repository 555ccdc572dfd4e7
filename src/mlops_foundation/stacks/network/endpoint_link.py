"""The side that reaches shared endpoints: the connection, the routes, and the function that joins the owner's zones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import NIST, acknowledge, acknowledge_function, acknowledge_wildcards
from mlops_foundation.constructs.policies import allow
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import role_arn
from mlops_foundation.plan.sharing import Sharing
from mlops_foundation.stacks.network.connection import attach, peer

TIMEOUT_S: Final = 900
"""Lambda's longest: the owner's endpoints are made at the same time, and take some minutes."""
_CODE: Final = Path(__file__).parent / "functions" / "endpoint_link"


def join(stack: FoundationStack, context: StackContext, shared: Sharing, vpc: ec2.Vpc) -> None:
    """Reach the owner's endpoints from a VPC.

    Args:
        stack: Where.
        context: What it is built from.
        shared: Whose endpoints they are.
        vpc: The VPC that has none of its own.
    """
    owner = shared.owner.foundation.account
    owner_role = role_arn(owner, context.names.endpoint_owner_role(context.region), context.names.role_path)
    function = _function(stack, context, owner_role)
    zones = {"OwnerRoleArn": owner_role, "Zones": list(shared.zones)}
    ready = _resource(stack, "EndpointOwner", function, zones)
    connection = ""
    if shared.settings.connection == "transit_gateway":
        blocks = {"Endpoints": shared.owner.vpc.cidr}
        routes = attach(stack, vpc, str(shared.settings.transit_gateway_id), blocks)
    else:
        peering = ec2.CfnVPCPeeringConnection(
            stack,
            "Peering",
            vpc_id=vpc.vpc_id,
            # Known only once the owner has made it, in another account: the function reads it there.
            peer_vpc_id=ready.get_att_string("VpcId"),
            peer_owner_id=owner,
            peer_region=context.region,
            peer_role_arn=owner_role,
        )
        connection = peering.ref
        routes = peer(stack, vpc, peering, shared.owner.vpc.cidr)
    link = _resource(
        stack,
        "EndpointLink",
        function,
        {**zones, "VpcId": vpc.vpc_id, "Cidr": context.network.cidr, "PeeringConnectionId": connection},
    )
    link.node.add_dependency(ready, *routes)


def _resource(
    stack: FoundationStack, name: str, function: lambda_.Function, properties: Mapping[str, object]
) -> cdk.CustomResource:
    return cdk.CustomResource(
        stack,
        name,
        service_token=function.function_arn,
        service_timeout=cdk.Duration.seconds(TIMEOUT_S + 60),
        resource_type=f"Custom::{name}",
        properties=dict(properties),
    )


def _function(stack: FoundationStack, context: StackContext, owner_role: str) -> lambda_.Function:
    name = context.names.endpoint_link(context.region)
    log_group = logs.LogGroup(
        stack,
        "EndpointLinkLog",
        log_group_name=f"/aws/lambda/{name}",
        retention=logs.RetentionDays.ONE_YEAR,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    reason = "CloudWatch encrypts it with its own key: the log says which zones were joined, and holds no data."
    acknowledge(log_group, f"{NIST}-CloudWatchLogGroupEncrypted", reason)
    function = lambda_.Function(
        stack,
        "EndpointLinkFunction",
        function_name=name,
        description="Joins this VPC to the endpoints of another account",
        code=lambda_.Code.from_asset(str(_CODE), exclude=["__pycache__", "*.pyc"]),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        timeout=cdk.Duration.seconds(TIMEOUT_S),
        memory_size=256,
        role=_role(stack, context, owner_role, name),
        log_group=log_group,
    )
    acknowledge_function(function)
    return function


def _role(stack: FoundationStack, context: StackContext, owner_role: str, name: str) -> iam.Role:
    statements = [
        allow("Owner", ["sts:AssumeRole"], [owner_role]),
        allow(
            "Associate",
            ["route53:AssociateVPCWithHostedZone", "route53:DisassociateVPCFromHostedZone"],
            ["arn:aws:route53:::hostedzone/*"],
        ),
        allow("Associated", ["ec2:DescribeVpcs", "route53:ListHostedZonesByVPC"], ["*"]),
        allow(
            "Log",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [context.arn("logs", f"log-group:/aws/lambda/{name}:*")],
        ),
    ]
    role = iam.Role(
        stack,
        "EndpointLinkRole",
        role_name=name,
        path=context.names.role_path,
        description="Joins this VPC to the endpoints of another account",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"join": iam.PolicyDocument(statements=statements)},
    )
    reason = "The owner's zones have ids that only the owner knows, and the describing actions know no resource."
    acknowledge_wildcards(role, statements, reason)
    return role
