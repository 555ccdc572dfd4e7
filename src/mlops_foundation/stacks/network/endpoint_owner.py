"""The side that owns shared endpoints: their names as private hosted zones, and the role that others join with."""

from collections.abc import Mapping

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import IConstruct

from mlops_foundation.config.endpoints import ENDPOINTS, EndpointName
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.parameters import publish_list
from mlops_foundation.constructs.policies import allow, narrowed
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import PRIVATE_SUBNET_IDS, SHARED_ZONES, VPC_ID, role_arn
from mlops_foundation.plan.sharing import Sharing
from mlops_foundation.stacks.network.connection import attach, private_route_tables
from mlops_foundation.stacks.network.security import let_in_block


def share(
    stack: FoundationStack,
    context: StackContext,
    shared: Sharing,
    vpc: ec2.Vpc,
    made: tuple[ec2.SecurityGroup, Mapping[EndpointName, ec2.InterfaceVpcEndpoint]],
) -> None:
    """Let the VPCs of other accounts reach the endpoints; called when the network's own parameters are there.

    Args:
        stack: Where.
        context: What it is built from.
        shared: Who they are.
        vpc: The owner's VPC.
        made: The endpoints' security group, and the endpoints.
    """
    group, endpoints = made
    for member in shared.members:
        name = member.name
        let_in_block(stack, f"From{name.capitalize()}", group, member.vpc.cidr, f"Workloads of {name}")
    zones, records = _zones(stack, context, vpc, endpoints)
    before: list[IConstruct] = [_role(stack, context, shared, vpc, zones), *records]
    if shared.settings.connection == "transit_gateway":
        blocks: dict[str, str] = {member.name: member.vpc.cidr for member in shared.members}
        before += attach(stack, vpc, str(shared.settings.transit_gateway_id), blocks)
    ids = [f"{name}={zone.hosted_zone_id}" for name, zone in zones.items()]
    told = publish_list(stack, "SharedZones", SHARED_ZONES, ids)
    # Who waits for this parameter goes on as soon as it is there: everything else has to be there before it.
    before += [stack.node.find_child(each) for each in ("VpcId", "PrivateSubnetIds")]
    told.node.add_dependency(*before)


def _zones(
    stack: FoundationStack,
    context: StackContext,
    vpc: ec2.Vpc,
    endpoints: Mapping[EndpointName, ec2.InterfaceVpcEndpoint],
) -> tuple[dict[str, route53.PrivateHostedZone], list[IConstruct]]:
    """Make a zone for each name, with an alias record to the endpoint."""
    zones: dict[str, route53.PrivateHostedZone] = {}
    records: list[IConstruct] = []
    for endpoint_name, endpoint in endpoints.items():
        known = ENDPOINTS[endpoint_name]
        for name in known.private_names(context.region):
            zone_name = name.removeprefix("*.")
            title = known.id if len(known.private_names(context.region)) == 1 else f"{known.id}{len(records)}"
            if zone_name not in zones:
                zones[zone_name] = route53.PrivateHostedZone(
                    stack, f"{title}Zone", zone_name=zone_name, vpc=vpc, add_trailing_dot=False
                )
            target = route53.RecordTarget.from_alias(targets.InterfaceVpcEndpointTarget(endpoint))
            zone = zones[zone_name]
            # A VPC cannot have a zone and an endpoint with private DNS for one name: the endpoint gives it up first.
            zone.node.add_dependency(endpoint)
            records.append(route53.ARecord(stack, f"{title}Name", zone=zone, record_name=f"{name}.", target=target))
    return zones, records


def _role(
    stack: FoundationStack,
    context: StackContext,
    shared: Sharing,
    vpc: ec2.Vpc,
    zones: Mapping[str, route53.PrivateHostedZone],
) -> iam.Role:
    """Make the role that the other accounts take, from their function and, to accept a peering, from CloudFormation."""
    names, region = context.names, context.region
    trusted = [
        narrowed(
            member.account,
            [
                role_arn(member.account, names.endpoint_link(region), names.role_path),
                role_arn(member.account, names.cdk_role("cfn-exec-role", member.account, region)),
            ],
        )
        for member in shared.members
    ]
    told = [context.arn("ssm", f"parameter{name}") for name in (VPC_ID, PRIVATE_SUBNET_IDS, SHARED_ZONES)]
    authorize = ["route53:CreateVPCAssociationAuthorization", "route53:DeleteVPCAssociationAuthorization"]
    statements = [
        allow("Told", ["ssm:GetParameter"], told),
        allow("Zones", authorize, [zone.hosted_zone_arn for zone in zones.values()]),
    ]
    if shared.settings.connection == "peering":
        tables = [context.arn("ec2", f"route-table/{table}") for table in private_route_tables(vpc)]
        peerings = [context.arn("ec2", "vpc-peering-connection/*"), context.arn("ec2", f"vpc/{vpc.vpc_id}")]
        statements += [
            allow("Accept", ["ec2:AcceptVpcPeeringConnection"], peerings),
            allow("RoutesBack", ["ec2:CreateRoute", "ec2:DeleteRoute"], tables),
            allow("ReadRoutes", ["ec2:DescribeRouteTables"], ["*"], {"StringEquals": {"aws:RequestedRegion": region}}),
        ]
    role = iam.Role(
        stack,
        "EndpointOwnerRole",
        role_name=names.endpoint_owner_role(region),
        path=names.role_path,
        description="Joins other accounts' VPCs to the endpoints of this one",
        assumed_by=iam.CompositePrincipal(*trusted),
        inline_policies={"join": iam.PolicyDocument(statements=statements)},
    )
    reason = "A peering has no id before it is asked for, and EC2's describing actions know no resource."
    acknowledge_wildcards(role, statements, reason)
    return role
