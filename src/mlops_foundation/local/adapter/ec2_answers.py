"""What ministack leaves out of EC2's answers, though a check of a network depends on it.

Subnets say how many addresses are free; endpoints say their names, groups and policy, and are found by filters.
"""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_region
from ministack.services import ec2

from mlops_foundation.local.contract import ServiceError
from mlops_foundation.local.wire_errors import Answer, write_error

_RESERVED = 5
"""AWS keeps the first four addresses of a subnet and its last one."""
_ENDPOINTS_ZONE = "Z00000000000000ENDPOINT"
"""Stands for the hosted zone of endpoints' own names, which AWS has in each region."""
_FILTERS: Mapping[str, str] = {
    "service-name": "ServiceName",
    "vpc-endpoint-id": "VpcEndpointId",
    "vpc-endpoint-state": "State",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-id": "VpcId",
}


def ec2_error(code: str, message: str) -> Answer:
    """Return an error as EC2 sends it."""
    return write_error(ServiceError(code, message), "ec2")


def count_free_addresses(_cloud: object) -> None:
    """Say how many addresses of a subnet are free."""
    fields = ec2._subnet_fields_xml

    def subnet_fields(subnet: Mapping[str, Any], tag: str = "item") -> str:
        return str(fields({**subnet, "AvailableIpAddressCount": free_addresses(subnet)}, tag))

    ec2._subnet_fields_xml = subnet_fields


def free_addresses(subnet: Mapping[str, Any]) -> int:
    """Return how many addresses of a subnet nobody has: each endpoint and NAT gateway has one."""
    subnet_id = subnet["SubnetId"]
    gateways = sum(each.get("SubnetId") == subnet_id for each in ec2._nat_gateways.values())
    endpoints = sum(subnet_id in each.get("SubnetIds", []) for each in ec2._vpc_endpoints.values())
    size: int = ipaddress.IPv4Network(subnet["CidrBlock"]).num_addresses
    taken: int = gateways + endpoints
    return max(0, size - _RESERVED - taken)


def describe_endpoints_whole(_cloud: object) -> None:
    """Keep and say the groups, policy and private name of endpoints, and find them by AWS's filters."""
    fields, create = ec2._vpce_fields_xml, ec2._create_vpc_endpoint

    def endpoint_fields(endpoint: Mapping[str, Any], tag: str = "item") -> str:
        text = str(fields(endpoint, tag))
        return text.removesuffix(f"</{tag}>") + _further_fields(endpoint) + f"</{tag}>"

    def create_endpoint(parameters: Any) -> Any:
        before = set(ec2._vpc_endpoints)
        create(parameters)
        (made,) = set(ec2._vpc_endpoints) - before
        endpoint = ec2._vpc_endpoints[made]
        endpoint["SecurityGroupIds"] = ec2._parse_member_list(parameters, "SecurityGroupId")
        interface = endpoint["VpcEndpointType"] == "Interface"
        endpoint["PrivateDnsEnabled"] = interface and ec2._p(parameters, "PrivateDnsEnabled", "true") == "true"
        endpoint["PolicyDocument"] = ec2._p(parameters, "PolicyDocument")
        return ec2._xml(200, "CreateVpcEndpointResponse", endpoint_fields(endpoint, "vpcEndpoint"))

    def describe_endpoints(parameters: Any) -> Any:
        wanted = ec2._parse_member_list(parameters, "VpcEndpointId")
        for name in wanted:
            if name not in ec2._vpc_endpoints:
                return ec2_error("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{name}' does not exist")
        filters = ec2._parse_filters(parameters)
        unknown = [name for name in filters if name not in _FILTERS and not name.startswith("tag")]
        if unknown:
            return ec2_error("InvalidParameterValue", f"The filter '{unknown[0]}' is invalid")
        described = [
            endpoint_fields(each)
            for name, each in ec2._vpc_endpoints.items()
            if (not wanted or name in wanted) and _matches(each, filters)
        ]
        items = f"<vpcEndpointSet>{''.join(described)}</vpcEndpointSet>"
        return ec2._xml(200, "DescribeVpcEndpointsResponse", items)

    ec2._vpce_fields_xml = endpoint_fields
    ec2._ACTION_MAP["CreateVpcEndpoint"] = create_endpoint
    ec2._ACTION_MAP["DescribeVpcEndpoints"] = describe_endpoints


def _matches(endpoint: Mapping[str, Any], filters: Mapping[str, list[str]]) -> bool:
    if not ec2._resource_matches_tag_filters(endpoint["VpcEndpointId"], filters):
        return False
    return all(endpoint[_FILTERS[name]] in values for name, values in filters.items() if name in _FILTERS)


def _further_fields(endpoint: Mapping[str, Any]) -> str:
    groups = "".join(_group(group_id) for group_id in endpoint.get("SecurityGroupIds") or [])
    private = "true" if endpoint.get("PrivateDnsEnabled") else "false"
    policy = endpoint.get("PolicyDocument") or ""
    text = policy if isinstance(policy, str) else json.dumps(policy)
    return (
        f"<groupSet>{groups}</groupSet><privateDnsEnabled>{private}</privateDnsEnabled>"
        f"<policyDocument>{escape(text)}</policyDocument><dnsEntrySet>{_names(endpoint)}</dnsEntrySet>"
    )


def _names(endpoint: Mapping[str, Any]) -> str:
    """Return the names of an interface endpoint; a gateway endpoint has none."""
    if endpoint["VpcEndpointType"] != "Interface":
        return ""
    service = ".".join(reversed(endpoint["ServiceName"].split(".")[3:])) or endpoint["ServiceName"]
    host = f"{endpoint['VpcEndpointId']}.{service}.{get_region()}.vpce.amazonaws.com"
    return f"<item><dnsName>{escape(host)}</dnsName><hostedZoneId>{_ENDPOINTS_ZONE}</hostedZoneId></item>"


def _group(group_id: str) -> str:
    name = (ec2._security_groups.get(group_id) or {}).get("GroupName", "")
    return f"<item><groupId>{escape(group_id)}</groupId><groupName>{escape(name)}</groupName></item>"
