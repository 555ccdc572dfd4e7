"""An existing network as the EC2 and IAM APIs describe it; nothing is changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from mlops_foundation.config.network import ImportedVpc
from mlops_foundation.plan.network_view import (
    Endpoint,
    NetworkView,
    Route,
    Rule,
    SecurityGroup,
    Subnet,
    workload_group,
)

Ec2 = Any
"""A boto3 client of EC2."""


def describe(ec2: Ec2, imported: ImportedVpc) -> NetworkView:
    """Return an existing VPC with the subnets and groups that the configuration names.

    Args:
        ec2: A client in the account and region of the VPC.
        imported: The ids.
    """
    wanted_groups = [*filter(None, [imported.security_group_id]), *imported.extra_security_group_ids]
    subnets = _by_id(ec2, "subnets", "SubnetId", "subnet-id", imported.private_subnet_ids)
    groups = _by_id(ec2, "security_groups", "GroupId", "group-id", wanted_groups)
    vpcs = _by_id(ec2, "vpcs", "VpcId", "vpc-id", [imported.vpc_id])
    missing = {each: "VPC" for each in [imported.vpc_id] if each not in vpcs}
    missing |= {each: "subnet" for each in imported.private_subnet_ids if each not in subnets}
    missing |= {each: "security group" for each in wanted_groups if each not in groups}
    if missing:
        return NetworkView(imported.vpc_id, False, False, (), (), (), missing)  # noqa: FBT003  nothing is known of it
    tables = _all(ec2, "describe_route_tables", "RouteTables", imported.vpc_id)
    own = () if imported.security_group_id else (workload_group(imported.vpc_id),)
    return NetworkView(
        vpc_id=imported.vpc_id,
        dns_support=_attribute(ec2, imported.vpc_id, "EnableDnsSupport"),
        dns_hostnames=_attribute(ec2, imported.vpc_id, "EnableDnsHostnames"),
        subnets=tuple(_subnet(each, tables) for each in subnets.values()),
        groups=(*own, *(_group(each) for each in groups.values())),
        endpoints=tuple(_endpoints(ec2, imported.vpc_id)),
    )


def _by_id(ec2: Ec2, what: str, key: str, name: str, ids: Iterable[str]) -> Mapping[str, Any]:
    """Return resources by id, in the order asked; a filter leaves out what does not exist, where ids would raise."""
    wanted = list(ids)
    if not wanted:
        return {}
    list_of = {"subnets": "Subnets", "security_groups": "SecurityGroups", "vpcs": "Vpcs"}[what]
    found = getattr(ec2, f"describe_{what}")(Filters=[{"Name": name, "Values": wanted}])[list_of]
    by_id = {each[key]: each for each in found}
    return {each: by_id[each] for each in wanted if each in by_id}


def _all(ec2: Ec2, operation: str, key: str, vpc_id: str) -> list[Any]:
    pages = ec2.get_paginator(operation).paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    return [each for page in pages for each in page[key] if each["VpcId"] == vpc_id]


def _attribute(ec2: Ec2, vpc_id: str, name: str) -> bool:
    attribute = name[0].lower() + name[1:]
    return bool(ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)[name]["Value"])


def _subnet(found: Mapping[str, Any], tables: list[Any]) -> Subnet:
    table = _table_of(found["SubnetId"], tables)
    return Subnet(
        id=found["SubnetId"],
        vpc_id=found["VpcId"],
        zone=found["AvailabilityZone"],
        cidr=found["CidrBlock"],
        free_addresses=found["AvailableIpAddressCount"],
        route_table_id=table.get("RouteTableId", ""),
        routes=tuple(_route(route) for route in table.get("Routes", []) if route.get("State") != "blackhole"),
    )


def _table_of(subnet_id: str, tables: list[Any]) -> Mapping[str, Any]:
    """Return the route table of a subnet: its own, else the main one of the VPC."""
    main: Mapping[str, Any] = {}
    for table in tables:
        for association in table["Associations"]:
            if association.get("SubnetId") == subnet_id:
                return dict(table)
            if association.get("Main"):
                main = table
    return main


_TARGETS = ("NatGatewayId", "TransitGatewayId", "GatewayId", "NetworkInterfaceId", "InstanceId", "CoreNetworkArn",
            "VpcPeeringConnectionId", "LocalGatewayId", "CarrierGatewayId")  # fmt: skip


def _route(route: Mapping[str, Any]) -> Route:
    destination = route.get("DestinationCidrBlock") or route.get("DestinationPrefixListId") or ""
    return Route(destination, next((str(route[key]) for key in _TARGETS if route.get(key)), ""))


def _group(found: Mapping[str, Any]) -> SecurityGroup:
    return SecurityGroup(
        found["GroupId"],
        found["VpcId"],
        tuple(_rules(found["IpPermissions"])),
        tuple(_rules(found["IpPermissionsEgress"])),
    )


def _rules(permissions: Iterable[Mapping[str, Any]]) -> Iterable[Rule]:
    for each in permissions:
        peers = [found["CidrIp"] for found in each.get("IpRanges", [])]
        peers += [found["GroupId"] for found in each.get("UserIdGroupPairs", [])]
        peers += [found["PrefixListId"] for found in each.get("PrefixListIds", [])]
        protocol = each["IpProtocol"]
        for peer in peers:
            yield Rule(protocol, each.get("FromPort", 0), each.get("ToPort", 65535), peer)


def _endpoints(ec2: Ec2, vpc_id: str) -> Iterable[Endpoint]:
    found = _all(ec2, "describe_vpc_endpoints", "VpcEndpoints", vpc_id)
    group_ids = list(dict.fromkeys(group["GroupId"] for each in found for group in each.get("Groups", [])))
    groups = {
        name: _group(each) for name, each in _by_id(ec2, "security_groups", "GroupId", "group-id", group_ids).items()
    }
    for each in found:
        kind = each["VpcEndpointType"].lower()
        if kind not in {"gateway", "interface"}:
            continue
        rules = [rule for group in each.get("Groups", []) for rule in groups[group["GroupId"]].ingress]
        yield Endpoint(
            service=each["ServiceName"],
            kind=kind,
            private_dns=kind == "gateway" or bool(each.get("PrivateDnsEnabled")),
            available=each["State"].lower() == "available",
            route_table_ids=tuple(each.get("RouteTableIds", [])),
            ingress=tuple(rules),
        )


def trust_lacks(iam: Any, name: str, service: str, actions: Sequence[str]) -> list[str] | None:  # noqa: ANN401  boto3 clients
    """Return what a role's trust does not allow a service; None when there is no such role.

    Args:
        iam: A client in the role's account.
        name: Name of the role, without its path.
        service: Service principal, for example ``sagemaker.amazonaws.com``.
        actions: For example ``sts:AssumeRole``; a wildcard in the trust is not looked into.
    """
    try:
        document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return None
        raise
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = trust["Statement"] if isinstance(trust["Statement"], list) else [trust["Statement"]]
    allowed = {
        action
        for statement in statements
        if statement["Effect"] == "Allow" and service in _as_list((statement.get("Principal") or {}).get("Service", []))
        for action in _as_list(statement["Action"])
    }
    return [action for action in actions if action not in allowed]


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
