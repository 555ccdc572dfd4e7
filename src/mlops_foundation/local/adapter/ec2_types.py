"""CloudFormation types of the network that ministack has an API for but no provisioner.

The table in ``type_actions`` has decided whether the stack's role may make one, before these call the EC2 API.
"""

from typing import Any

from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, StackCall


def _ec2(stack: StackCall) -> Any:
    call = stack.call
    return call.cloud.client(iam.root_of(call.account), "ec2", call.region)


def _tags(kind: str, properties: Json) -> list[Json]:
    return [{"ResourceType": kind, "Tags": properties["Tags"]}] if properties.get("Tags") else []


def _without_tags(properties: Json) -> Json:
    return {name: value for name, value in properties.items() if name != "Tags"}


def _create_address(stack: StackCall, properties: Json) -> Provisioned:
    made = _ec2(stack).allocate_address(
        Domain=properties.get("Domain", "vpc"), TagSpecifications=_tags("elastic-ip", properties)
    )
    return Provisioned(made["PublicIp"], {"AllocationId": made["AllocationId"], "PublicIp": made["PublicIp"]})


def _delete_address(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    ec2 = _ec2(stack)
    for address in ec2.describe_addresses()["Addresses"]:
        if address["PublicIp"] == physical_id:
            ec2.release_address(AllocationId=address["AllocationId"])


def _create_nat_gateway(stack: StackCall, properties: Json) -> Provisioned:
    made = _ec2(stack).create_nat_gateway(
        **_without_tags(properties), TagSpecifications=_tags("natgateway", properties)
    )["NatGateway"]
    return Provisioned(made["NatGatewayId"], {"NatGatewayId": made["NatGatewayId"]})


def _delete_nat_gateway(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    _ec2(stack).delete_nat_gateway(NatGatewayId=physical_id)


def _create_flow_log(stack: StackCall, properties: Json) -> Provisioned:
    request = _without_tags(properties)
    request["ResourceIds"] = [request.pop("ResourceId")]
    made = _ec2(stack).create_flow_logs(**request, TagSpecifications=_tags("vpc-flow-log", properties))
    flow_log_id = made["FlowLogIds"][0]
    return Provisioned(flow_log_id, {"Id": flow_log_id})


def _delete_flow_log(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    _ec2(stack).delete_flow_logs(FlowLogIds=[physical_id])


def _rule(properties: Json, peer: str) -> Json:
    permission: Json = {"IpProtocol": str(properties["IpProtocol"])}
    permission |= {name: int(properties[name]) for name in ("FromPort", "ToPort") if name in properties}
    described = {"Description": properties["Description"]} if "Description" in properties else {}
    if properties.get("CidrIp"):
        permission["IpRanges"] = [{"CidrIp": properties["CidrIp"], **described}]
    elif properties.get("CidrIpv6"):
        permission["Ipv6Ranges"] = [{"CidrIpv6": properties["CidrIpv6"], **described}]
    else:
        permission["UserIdGroupPairs"] = [{"GroupId": properties[peer], **described}]
    return {"GroupId": properties["GroupId"], "IpPermissions": [permission]}


def _security_group_rule(direction: str, peer: str) -> ResourceType:
    def create(stack: StackCall, properties: Json) -> Provisioned:
        made = _call(stack, "authorize", properties)
        rules = made.get("SecurityGroupRules") or [{"SecurityGroupRuleId": f"sgr-{stack.logical_id}"}]
        return Provisioned(rules[0]["SecurityGroupRuleId"], {"Id": rules[0]["SecurityGroupRuleId"]})

    def delete(stack: StackCall, physical_id: str, properties: Json) -> None:
        del physical_id
        _call(stack, "revoke", properties)

    def _call(stack: StackCall, verb: str, properties: Json) -> Any:
        method = getattr(_ec2(stack), f"{verb}_security_group_{direction}")
        return method(**_rule(properties, peer))

    return ResourceType(create, delete, tags="")


TYPES = {
    "AWS::EC2::EIP": ResourceType(_create_address, _delete_address),
    "AWS::EC2::NatGateway": ResourceType(_create_nat_gateway, _delete_nat_gateway),
    "AWS::EC2::FlowLog": ResourceType(_create_flow_log, _delete_flow_log),
    "AWS::EC2::SecurityGroupIngress": _security_group_rule("ingress", "SourceSecurityGroupId"),
    "AWS::EC2::SecurityGroupEgress": _security_group_rule("egress", "DestinationSecurityGroupId"),
}
