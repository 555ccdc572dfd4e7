"""The side that reaches shared endpoints: the connection, the routes, and the function that joins the owner's zones."""

from pathlib import Path
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.custom_resource import ResourceFunction, Work
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
    owner = shared.owner.account
    owner_role = role_arn(owner, context.names.endpoint_owner_role(context.region), context.names.role_path)
    work = Work(
        name=context.names.endpoint_link(context.region),
        description="Joins this VPC to the endpoints of another account",
        code=_CODE,
        timeout_s=TIMEOUT_S,
        statements=_statements(owner_role),
        wildcards="The owner's zones have ids that only the owner knows, and the describing actions know no resource.",
    )
    function = ResourceFunction(stack, "EndpointLinkFunction", context, work)
    zones = {"OwnerRoleArn": owner_role, "Zones": list(shared.zones)}
    ready = function.resource("EndpointOwner", "EndpointOwner", {**zones, "OwnerCidr": shared.owner.vpc.cidr})
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
    link = function.resource(
        "EndpointLink",
        "EndpointLink",
        {**zones, "VpcId": vpc.vpc_id, "Cidr": context.network.cidr, "PeeringConnectionId": connection},
    )
    link.node.add_dependency(ready, *routes)


def _statements(owner_role: str) -> list[iam.PolicyStatement]:
    return [
        allow("Owner", ["sts:AssumeRole"], [owner_role]),
        allow(
            "Associate",
            ["route53:AssociateVPCWithHostedZone", "route53:DisassociateVPCFromHostedZone"],
            ["arn:aws:route53:::hostedzone/*"],
        ),
        allow("Associated", ["ec2:DescribeVpcs", "route53:ListHostedZonesByVPC"], ["*"]),
    ]
