"""How VPCs of different accounts reach each other: peering, or an existing transit gateway."""

from collections.abc import Mapping

from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct

from mlops_foundation.constructs.stack import FoundationStack


def private_route_tables(vpc: ec2.Vpc) -> list[str]:
    """Return the ids of the private subnets' route tables."""
    return [subnet.route_table.route_table_id for subnet in (*vpc.private_subnets, *vpc.isolated_subnets)]


def attach(
    stack: FoundationStack, vpc: ec2.Vpc, transit_gateway_id: str, blocks: Mapping[str, str]
) -> list[IConstruct]:
    """Attach a VPC to a transit gateway, with a route to each block.

    The gateway's own route table has to know every attachment: with default association and propagation, which a new
    transit gateway has, it does.

    Args:
        stack: Where.
        vpc: The VPC.
        transit_gateway_id: Id of a transit gateway that is shared with the account.
        blocks: Name -> block of addresses behind the gateway.

    Returns:
        The routes.
    """
    attachment = ec2.CfnTransitGatewayAttachment(
        stack,
        "TransitGatewayAttachment",
        transit_gateway_id=transit_gateway_id,
        vpc_id=vpc.vpc_id,
        subnet_ids=[subnet.subnet_id for subnet in (*vpc.private_subnets, *vpc.isolated_subnets)],
    )
    routes: list[IConstruct] = []
    for name, block in blocks.items():
        for number, table in enumerate(private_route_tables(vpc), 1):
            route = ec2.CfnRoute(
                stack,
                f"To{name.capitalize()}{number}",
                route_table_id=table,
                destination_cidr_block=block,
                transit_gateway_id=transit_gateway_id,
            )
            route.add_resource_dependency(attachment)
            routes.append(route)
    return routes


def peer(stack: FoundationStack, vpc: ec2.Vpc, accepter: ec2.CfnVPCPeeringConnection, block: str) -> list[IConstruct]:
    """Lead a block of addresses to the other side of a peering.

    Args:
        stack: Where.
        vpc: The VPC that asked for it.
        accepter: The peering connection.
        block: The other VPC's block.

    Returns:
        The routes.
    """
    return [
        ec2.CfnRoute(
            stack,
            f"ToEndpoints{number}",
            route_table_id=table,
            destination_cidr_block=block,
            vpc_peering_connection_id=accepter.ref,
        )
        for number, table in enumerate(private_route_tables(vpc), 1)
    ]
