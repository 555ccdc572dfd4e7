"""Whether what runs in some subnets reaches more than its VPC: what the route tables say, as on AWS."""

from typing import Any

_TARGETS = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")
"""Where a default route may lead; an internet gateway needs a public address, which a build has not."""


def leads_out(ec2: Any, vpc_id: str, subnet_ids: list[str]) -> bool:  # noqa: ANN401  a boto3 client
    """Return whether every subnet has a default route that leads somewhere.

    Args:
        ec2: Client in the VPC's account and region.
        vpc_id: The VPC.
        subnet_ids: Its subnets.
    """
    none: Any = {"Routes": []}
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"]
    own = {each["SubnetId"]: table for table in tables for each in table["Associations"] if each.get("SubnetId")}
    main = next((table for table in tables for each in table["Associations"] if each.get("Main")), none)
    return all(_leads_out(own.get(subnet_id, main)) for subnet_id in subnet_ids)


def _leads_out(table: Any) -> bool:  # noqa: ANN401  botocore's structure
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and any(route.get(target) for target in _TARGETS)
        for route in table["Routes"]
    )
