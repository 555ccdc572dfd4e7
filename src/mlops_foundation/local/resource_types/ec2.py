"""Networks: VPCs and what is in them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from mlops_foundation.core.arns import Region
from mlops_foundation.local.contract import Json, ServiceError
from mlops_foundation.local.resource_types.called import (
    CalledType,
    Items,
    Name,
    Put,
    Request,
    Step,
    Tags,
    Target,
    as_text,
    members,
    pairs,
)

_GONE: Final = r"NotFound|NotAssociated|Gateway.NotAttached"
_READY_S: Final = 60.0
_POLL_S: Final = 0.05


def _tagged(kind: str, properties: Json) -> Json:
    """Return the tags of a resource that is made, as EC2 takes them."""
    tags = properties.get("Tags")
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


_TAGS: Final = Tags(
    lambda target, tags: Request("create_tags", {"Resources": [_tagged_id(target)], "Tags": pairs(tags)}),
    lambda target, keys: Request(
        "delete_tags", {"Resources": [_tagged_id(target)], "Tags": [{"Key": k} for k in keys]}
    ),
)


def _tagged_id(target: Target) -> str:
    """Return what carries the tags: of an address its allocation, whose ``Ref`` is the address itself."""
    return _allocation(target) if "." in target.id else target.id


def _type(  # noqa: PLR0913  what a type is
    name: str,
    kind: str,
    create: str,
    answer: str,
    delete: str,
    *,
    made_with: Sequence[str],
    member: str = "",
    steps: Sequence[Step] = (),
    **more: object,
) -> CalledType:
    """Return a type whose id EC2 gives, and which is made with its tags.

    Args:
        name: After ``AWS::EC2::``.
        kind: EC2's name of the kind of resource, in tag specifications.
        create: The operation that makes it.
        answer: Where its id stands in the answer.
        delete: The operation that ends it.
        made_with: The properties that ``create`` carries.
        member: The member of ``delete`` that takes the id; left out, it is the id's name in the answer.
        steps: What else is called, besides tags.
        more: Further attributes of the type.
    """
    identifier = member or answer.rpartition(".")[2]
    more.setdefault("attributes", {identifier: lambda target: target.id})
    return CalledType(
        f"AWS::EC2::{name}",
        "ec2",
        create=lambda _target, properties: Request(
            create, {**members(properties, *made_with), **_tagged(kind, properties)}
        ),
        delete=lambda target: Request(delete, {identifier: target.id}),
        made_with=made_with,
        physical_id=answer,
        steps=(*steps, _TAGS),
        gone=_GONE,
        **more,  # type: ignore[arg-type]
    )


def _attribute(operation: str, member: str, name: str, *, default: bool) -> Put:
    """Return the step that sets a switch which no operation that makes a resource takes."""
    return Put(
        (name,),
        lambda target, properties: Request(
            operation, {member: target.id, name: {"Value": properties.get(name, default)}}
        ),
    )


def _filtered(key: str, place: str) -> Callable[[Target], str]:
    """Return what finds something that EC2 makes together with a VPC."""
    operation, _, path = place.partition(" ")

    def find(target: Target) -> str:
        filters = [{"Name": "vpc-id", "Values": [target.id]}, {"Name": key, "Values": ["true"]}]
        if key == "group-name":
            filters[1]["Values"] = ["default"]
        found = target.call(Request(operation, {"Filters": filters}))
        listed, member = path.split(".")
        return str(found[listed][0][member]) if found[listed] else ""

    return find


VPC = _type(
    "VPC",
    "vpc",
    "create_vpc",
    "Vpc.VpcId",
    "delete_vpc",
    made_with=("CidrBlock", "InstanceTenancy"),
    steps=(
        _attribute("modify_vpc_attribute", "VpcId", "EnableDnsSupport", default=True),
        _attribute("modify_vpc_attribute", "VpcId", "EnableDnsHostnames", default=False),
    ),
    attributes={
        "VpcId": lambda target: target.id,
        "CidrBlock": lambda target: str(target.properties["CidrBlock"]),
        "DefaultSecurityGroup": _filtered("group-name", "describe_security_groups SecurityGroups.GroupId"),
        "DefaultNetworkAcl": _filtered("default", "describe_network_acls NetworkAcls.NetworkAclId"),
    },
)

SUBNET = _type(
    "Subnet",
    "subnet",
    "create_subnet",
    "Subnet.SubnetId",
    "delete_subnet",
    made_with=("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"),
    steps=(_attribute("modify_subnet_attribute", "SubnetId", "MapPublicIpOnLaunch", default=False),),
    attributes={
        "SubnetId": lambda target: target.id,
        "VpcId": lambda target: str(target.properties["VpcId"]),
        "CidrBlock": lambda target: str(target.properties.get("CidrBlock", "")),
        "AvailabilityZone": "Subnet.AvailabilityZone || Subnets[0].AvailabilityZone",
    },
    read=lambda target: Request("describe_subnets", {"SubnetIds": [target.id]}),
)

ROUTE_TABLE = _type(
    "RouteTable", "route-table", "create_route_table", "RouteTable.RouteTableId", "delete_route_table",
    made_with=("VpcId",),
)  # fmt: skip

INTERNET_GATEWAY = _type(
    "InternetGateway", "internet-gateway", "create_internet_gateway", "InternetGateway.InternetGatewayId",
    "delete_internet_gateway", made_with=(),
)  # fmt: skip


# --- routes and what joins two things ---------------------------------------------------------------------------------

_DESTINATIONS: Final = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_WAYS: Final = ("GatewayId", "NatGatewayId", "VpcPeeringConnectionId", "TransitGatewayId", "VpcEndpointId",
                "NetworkInterfaceId", "InstanceId", "EgressOnlyInternetGatewayId", "LocalGatewayId",
                "CarrierGatewayId")  # fmt: skip


def _route(operation: str) -> Callable[[Target, Json], Request]:
    return lambda _target, properties: Request(operation, members(properties, "RouteTableId", *_DESTINATIONS, *_WAYS))


def _destination(properties: Json) -> str:
    return str(next(properties[name] for name in _DESTINATIONS if name in properties))


ROUTE = CalledType(
    "AWS::EC2::Route",
    "ec2",
    create=_route("create_route"),
    delete=lambda target: Request("delete_route", members(target.properties, "RouteTableId", *_DESTINATIONS)),
    made_with=("RouteTableId", *_DESTINATIONS),
    physical_id=lambda target, _answer: f"{target.properties['RouteTableId']}|{_destination(target.properties)}",
    attributes={"CidrBlock": lambda target: _destination(target.properties)},
    steps=(Put(_WAYS, _route("replace_route"), on_create=False),),
    gone=_GONE,
)

SUBNET_ROUTE_TABLE_ASSOCIATION = CalledType(
    "AWS::EC2::SubnetRouteTableAssociation",
    "ec2",
    create=lambda _target, properties: Request(
        "associate_route_table", members(properties, "RouteTableId", "SubnetId")
    ),
    delete=lambda target: Request("disassociate_route_table", {"AssociationId": target.id}),
    made_with=("RouteTableId", "SubnetId"),
    physical_id="AssociationId",
    attributes={"Id": lambda target: target.id},
    gone=_GONE,
)

VPC_GATEWAY_ATTACHMENT = CalledType(
    "AWS::EC2::VPCGatewayAttachment",
    "ec2",
    create=lambda _target, properties: Request(
        "attach_internet_gateway", members(properties, "InternetGatewayId", "VpcId")
    ),
    delete=lambda target: Request("detach_internet_gateway", members(target.properties, "InternetGatewayId", "VpcId")),
    made_with=("InternetGatewayId", "VpcId"),
    physical_id=lambda target, _answer: f"IGW|{target.properties['VpcId']}",
    attributes={"AttachmentType": lambda _target: "IGW"},
    gone=_GONE,
)


# --- security groups --------------------------------------------------------------------------------------------------

_EVERYTHING: Final = {"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}
"""The rule that every new group has for what goes out."""
_PEERS: Final = ("SourceSecurityGroupId", "DestinationSecurityGroupId")
_PREFIX_LISTS: Final = ("SourcePrefixListId", "DestinationPrefixListId")
_GROUP_NAME: Final = Name("GroupName", 255)
_RULE: Final = ("IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "Description")


def _permission(rule: Json) -> Json:
    """Return a rule as EC2 takes it, from a template's."""
    made: Json = {"IpProtocol": str(rule["IpProtocol"])}
    made |= {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    described = members(rule, "Description")
    if rule.get("CidrIp"):
        made["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if rule.get("CidrIpv6"):
        made["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    for name in _PEERS:
        if rule.get(name):
            made["UserIdGroupPairs"] = [{"GroupId": rule[name], **described}]
    for name in _PREFIX_LISTS:
        if rule.get(name):
            made["PrefixListIds"] = [{"PrefixListId": rule[name], **described}]
    return made


def _rules(direction: str, verb: str) -> Callable[[Target, Json], Request]:
    return lambda target, rule: Request(
        f"{verb}_security_group_{direction}", {"GroupId": target.id, "IpPermissions": [_permission(rule)]}
    )


def _egress_items(properties: Json) -> Sequence[Json]:
    """Return what a group lets out: what its template says, else everything."""
    return properties.get("SecurityGroupEgress") or [_EVERYTHING]


SECURITY_GROUP = CalledType(
    "AWS::EC2::SecurityGroup",
    "ec2",
    create=lambda target, properties: Request(
        "create_security_group",
        {
            "GroupName": _GROUP_NAME.of(target.stack, properties),
            "Description": properties["GroupDescription"],
            **members(properties, "VpcId"),
            **_tagged("security-group", properties),
        },
    ),
    delete=lambda target: Request("delete_security_group", {"GroupId": target.id}),
    made_with=("GroupName", "GroupDescription", "VpcId"),
    physical_id="GroupId",
    attributes={
        "GroupId": lambda target: target.id,
        "Id": lambda target: target.id,
        "VpcId": lambda target: str(target.properties.get("VpcId", "")),
    },
    steps=(
        Items(("SecurityGroupIngress",), _rules("ingress", "authorize"), _rules("ingress", "revoke")),
        Items(("SecurityGroupEgress",), _rules("egress", "authorize"), _rules("egress", "revoke"), items=_egress_items),
        _TAGS,
    ),
    gone=_GONE,
)


def _rule_type(direction: str, peer: str, prefix_list: str) -> CalledType:
    """Return a rule of a group that stands by itself."""

    def request(verb: str, properties: Json) -> Request:
        return Request(
            f"{verb}_security_group_{direction}",
            {"GroupId": properties["GroupId"], "IpPermissions": [_permission(properties)]},
        )

    return CalledType(
        f"AWS::EC2::SecurityGroup{direction.capitalize()}",
        "ec2",
        create=lambda _target, properties: request("authorize", properties),
        delete=lambda target: request("revoke", target.properties),
        made_with=("GroupId", *_RULE, peer, prefix_list),
        physical_id="SecurityGroupRules[0].SecurityGroupRuleId",
        attributes={"Id": lambda target: target.id},
        gone=_GONE,
    )


INGRESS = _rule_type("ingress", "SourceSecurityGroupId", "SourcePrefixListId")
EGRESS = _rule_type("egress", "DestinationSecurityGroupId", "DestinationPrefixListId")


# --- ways out ---------------------------------------------------------------------------------------------------------

_ENDPOINT_LISTS: Final = {"RouteTableIds": "RouteTableIds", "SubnetIds": "SubnetIds",
                          "SecurityGroupIds": "SecurityGroupIds"}  # fmt: skip


def _create_endpoint(target: Target, properties: Json) -> Request:
    del target
    request = members(
        properties, "VpcId", "ServiceName", "VpcEndpointType", "PrivateDnsEnabled", "IpAddressType", *_ENDPOINT_LISTS
    )
    if "PolicyDocument" in properties:
        request["PolicyDocument"] = as_text(properties["PolicyDocument"])
    return Request("create_vpc_endpoint", {**request, **_tagged("vpc-endpoint", properties)})


def _endpoint_list(name: str) -> Items:
    def change(prefix: str) -> Callable[[Target, str], Request]:
        return lambda target, item: Request(
            "modify_vpc_endpoint", {"VpcEndpointId": target.id, f"{prefix}{name}": [item]}
        )

    return Items((name,), change("Add"), change("Remove"), on_create=False)


def _modify_endpoint(target: Target, properties: Json) -> Request:
    request = members(properties, "PrivateDnsEnabled")
    if "PolicyDocument" in properties:
        request["PolicyDocument"] = as_text(properties["PolicyDocument"])
    else:
        request["ResetPolicy"] = True
    return Request("modify_vpc_endpoint", {"VpcEndpointId": target.id, **request})


def _endpoint_state(target: Target) -> None:
    """Wait until an endpoint is available."""
    _wait(target, Request("describe_vpc_endpoints", {"VpcEndpointIds": [target.id]}), "VpcEndpoints", "available")


def _wait(target: Target, request: Request, listed: str, wanted: str) -> None:
    """Wait until the one resource that an operation describes is in a state, or gone."""
    end = time.monotonic() + _READY_S
    while True:
        found = target.call(request)[listed]
        state = str(found[0]["State"]) if found else "deleted"
        if state == wanted or not found or state.startswith("delet"):
            return
        if state in ("failed", "rejected") or time.monotonic() > end:
            raise ServiceError("NotStabilized", f"{target.id} is {state}: {found[0].get('FailureMessage', '')}")
        time.sleep(_POLL_S)


_ENDPOINT: Final = "(VpcEndpoint || VpcEndpoints[0])"

ENDPOINT = CalledType(
    "AWS::EC2::VPCEndpoint",
    "ec2",
    create=_create_endpoint,
    delete=lambda target: Request("delete_vpc_endpoints", {"VpcEndpointIds": [target.id]}),
    made_with=("VpcId", "ServiceName", "VpcEndpointType", "IpAddressType"),
    physical_id="VpcEndpoint.VpcEndpointId",
    read=lambda target: Request("describe_vpc_endpoints", {"VpcEndpointIds": [target.id]}),
    attributes={
        "Id": lambda target: target.id,
        "DnsEntries": f"{_ENDPOINT}.DnsEntries[].join(':', [HostedZoneId, DnsName])",
    },
    steps=(
        *(_endpoint_list(name) for name in _ENDPOINT_LISTS),
        Put(("PolicyDocument", "PrivateDnsEnabled"), _modify_endpoint, on_create=False),
        _TAGS,
    ),
    stable=_endpoint_state,
    gone=_GONE,
)


def _allocation(target: Target) -> str:
    found = target.call(Request("describe_addresses", {"PublicIps": [target.id]}))["Addresses"]
    return str(found[0]["AllocationId"]) if found else ""


ADDRESS = CalledType(
    "AWS::EC2::EIP",
    "ec2",
    create=lambda _target, properties: Request(
        "allocate_address",
        {"Domain": properties.get("Domain", "vpc"), **_tagged("elastic-ip", properties)},
    ),
    delete=lambda target: Request("release_address", {"AllocationId": _allocation(target)}),
    made_with=("Domain",),
    physical_id="PublicIp",
    attributes={"AllocationId": _allocation, "PublicIp": lambda target: target.id},
    steps=(_TAGS,),
    gone=r"NotFound|InvalidAddress",
)

NAT_GATEWAY = _type(
    "NatGateway",
    "natgateway",
    "create_nat_gateway",
    "NatGateway.NatGatewayId",
    "delete_nat_gateway",
    made_with=("SubnetId", "AllocationId", "ConnectivityType"),
    stable=lambda target: _wait(
        target, Request("describe_nat_gateways", {"NatGatewayIds": [target.id]}), "NatGateways", "available"
    ),
)


def _create_flow_log(target: Target, properties: Json) -> Request:
    del target
    request = members(properties, *_FLOW_LOG)
    request["ResourceIds"] = [properties["ResourceId"]]
    return Request("create_flow_logs", {**request, **_tagged("vpc-flow-log", properties)})


_FLOW_LOG: Final = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName", "LogFormat",
                    "DeliverLogsPermissionArn", "MaxAggregationInterval")  # fmt: skip

FLOW_LOG = CalledType(
    "AWS::EC2::FlowLog",
    "ec2",
    create=_create_flow_log,
    delete=lambda target: Request("delete_flow_logs", {"FlowLogIds": [target.id]}),
    made_with=(*_FLOW_LOG, "ResourceId"),
    physical_id="FlowLogIds[0]",
    attributes={"Id": lambda target: target.id},
    steps=(_TAGS,),
    gone=_GONE,
)


# --- networks that reach each other -----------------------------------------------------------------------------------


def _accept(target: Target) -> None:
    """Accept the connection as the role of the peer's account, else as the stack itself, once it waits for that."""
    properties, call = target.properties, target.stack.call
    found = target.call(Request("describe_vpc_peering_connections", {"VpcPeeringConnectionIds": [target.id]}))[
        "VpcPeeringConnections"
    ]
    if not found or found[0]["Status"]["Code"] != "pending-acceptance":
        return
    accept = {"VpcPeeringConnectionId": target.id}
    if not properties.get("PeerRoleArn"):
        if properties.get("PeerOwnerId", call.account) != call.account:
            raise ServiceError("ValidationError", "PeerRoleArn is required to peer with a VPC of another account")
        target.call(Request("accept_vpc_peering_connection", accept))
        return
    region = Region(properties.get("PeerRegion", call.region))
    peer = call.cloud.assume_role(call.principal, properties["PeerRoleArn"], "CloudFormation", region=region)
    call.cloud.client(peer, "ec2", region).accept_vpc_peering_connection(**accept)


_PEERS_WITH: Final = ("VpcId", "PeerVpcId", "PeerOwnerId", "PeerRegion")

PEERING = replace(
    _type(
        "VPCPeeringConnection",
        "vpc-peering-connection",
        "create_vpc_peering_connection",
        "VpcPeeringConnection.VpcPeeringConnectionId",
        "delete_vpc_peering_connection",
        made_with=_PEERS_WITH,
        attributes={"Id": lambda target: target.id},
        stable=_accept,
    ),
    made_with=(*_PEERS_WITH, "PeerRoleArn"),
)

TYPES = (VPC, SUBNET, ROUTE_TABLE, ROUTE, SUBNET_ROUTE_TABLE_ASSOCIATION, INTERNET_GATEWAY, VPC_GATEWAY_ATTACHMENT,
         SECURITY_GROUP, INGRESS, EGRESS, ENDPOINT, ADDRESS, NAT_GATEWAY, FLOW_LOG, PEERING)  # fmt: skip
