"""What a VPC lets its workloads reach: what its routes, endpoints and private zones say at the moment.

A service is reached by a default route out of every subnet, by a gateway endpoint that every subnet's route table leads
to, by an interface endpoint with a private name, or by a private zone of that name, which leads to an endpoint of
another VPC. Security groups, network ACLs and the routes between VPCs are not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ministack.core.responses import request_scope
from ministack.services import ec2, route53

from mlops_foundation.local.contract import Scope

_WAYS_OUT: Final = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")
"""Where a default route may lead; an internet gateway needs a public address, which a workload has not."""
_HOSTS: Final[Mapping[str, str]] = {
    "codeartifact.api": "codeartifact",
    "codeartifact.repositories": "d.codeartifact",
    "ecr.api": "api.ecr",
    "ecr.dkr": "dkr.ecr",
    "sagemaker.api": "api.sagemaker",
    "sagemaker.runtime": "runtime.sagemaker",
}
"""Name of an endpoint -> its host's name before the region, where they differ."""


def leads_out(scope: Scope, subnet_ids: Sequence[str]) -> bool:
    """Return whether every subnet has a default route that leads somewhere.

    Args:
        scope: Where the subnets are.
        subnet_ids: The subnets.
    """
    with request_scope(scope.account, scope.region):
        tables = list(_tables(subnet_ids))
    return len(tables) == len(subnet_ids) and all(_has_way_out(table) for table in tables)


def reaches(scope: Scope, subnet_ids: Sequence[str], service: str) -> bool:
    """Return whether what runs in subnets reaches a service.

    Args:
        scope: Where the subnets are.
        subnet_ids: The subnets.
        service: Its endpoint's name after the region, for example ``sagemaker.runtime``.
    """
    if leads_out(scope, subnet_ids):
        return True
    with request_scope(scope.account, scope.region):
        vpc_ids = {ec2._subnets[each]["VpcId"] for each in subnet_ids if each in ec2._subnets}
        tables = {table["RouteTableId"] for table in _tables(subnet_ids)}
        name = f"com.amazonaws.{scope.region}.{service}"
        endpoints = [each for each in ec2._vpc_endpoints.values() if each["VpcId"] in vpc_ids]
    if any(each["ServiceName"] == name and _serves(each, tables) for each in endpoints):
        return True
    host = f"{_HOSTS.get(service, service)}.{scope.region}.amazonaws.com"
    vpcs = [{"VPCRegion": scope.region, "VPCId": vpc_id} for vpc_id in vpc_ids]
    zones = list(route53._zones._data.values())
    return any(zone["name"].rstrip(".") == host and vpc in zone.get("vpcs", []) for zone in zones for vpc in vpcs)


def fault(scope: Scope, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> str:
    """Return why a workload cannot have interfaces in these subnets with these groups, empty when it can.

    Args:
        scope: Where they have to be.
        subnet_ids: The subnets.
        group_ids: The security groups.
    """
    with request_scope(scope.account, scope.region):
        for subnet_id in subnet_ids:
            if subnet_id not in ec2._subnets:
                return f"The subnet ID '{subnet_id}' does not exist"
        for group_id in group_ids:
            if group_id not in ec2._security_groups:
                return f"The security group '{group_id}' does not exist"
        vpcs = {ec2._subnets[each]["VpcId"] for each in subnet_ids}
        vpcs |= {ec2._security_groups[each]["VpcId"] for each in group_ids}
    return "You have specified two resources that belong to different networks." if len(vpcs) > 1 else ""


def _tables(subnet_ids: Sequence[str]) -> Iterator[Any]:
    """Yield the route table of each subnet that exists: its own, else its VPC's main one."""
    tables = list(ec2._route_tables.values())
    own = {each.get("SubnetId"): table for table in tables for each in table["Associations"]}
    main = {table["VpcId"]: table for table in tables for each in table["Associations"] if each.get("Main")}
    for subnet_id in subnet_ids:
        if subnet_id in own:
            yield own[subnet_id]
        elif subnet_id in ec2._subnets:
            yield main[ec2._subnets[subnet_id]["VpcId"]]


def _has_way_out(table: Mapping[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and any(route.get(way) for way in _WAYS_OUT)
        for route in table["Routes"]
    )


def _serves(endpoint: Mapping[str, Any], tables: set[str]) -> bool:
    if endpoint["VpcEndpointType"] == "Gateway":
        return tables <= set(endpoint["RouteTableIds"])
    return bool(endpoint.get("PrivateDnsEnabled"))
