"""CloudFormation types of networks that reach each other: peering connections and private hosted zones.

The table in ``type_actions`` has decided whether the stack's role may make one, before these call the EC2 and Route 53
APIs. A transit gateway is not offered: ministack has none.
"""

from typing import Any

from mlops_foundation.core.arns import Region
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, ServiceError, StackCall


def _client(stack: StackCall, service: str) -> Any:
    call = stack.call
    return call.cloud.client(iam.root_of(call.account), service, call.region)


def _create_peering(stack: StackCall, properties: Json) -> Provisioned:
    ec2 = _client(stack, "ec2")
    request = {
        name: properties[name] for name in ("VpcId", "PeerVpcId", "PeerOwnerId", "PeerRegion") if name in properties
    }
    tags = [{"ResourceType": "vpc-peering-connection", "Tags": properties["Tags"]}] if properties.get("Tags") else []
    made = ec2.create_vpc_peering_connection(**request, TagSpecifications=tags)["VpcPeeringConnection"]
    peering_id = made["VpcPeeringConnectionId"]
    try:
        _accepter(stack, properties).accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    except Exception:
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
        raise
    return Provisioned(peering_id, {"Id": peering_id})


def _accepter(stack: StackCall, properties: Json) -> Any:
    """Return a client of who accepts: a role of the peer's account, else the stack's own account."""
    call = stack.call
    role_arn = properties.get("PeerRoleArn")
    region = Region(properties.get("PeerRegion", call.region))
    if role_arn:
        return call.cloud.client(
            call.cloud.assume_role(call.principal, role_arn, "CloudFormation", region=region), "ec2", region
        )
    if properties.get("PeerOwnerId", call.account) != call.account:
        raise ServiceError("ValidationError", "PeerRoleArn is required to peer with a VPC of another account")
    return _client(stack, "ec2")


def _delete_peering(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    ec2 = _client(stack, "ec2")
    found = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[physical_id])["VpcPeeringConnections"]
    if found and found[0]["Status"]["Code"] != "deleted":
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=physical_id)


def _create_zone(stack: StackCall, properties: Json) -> Provisioned:
    route53 = _client(stack, "route53")
    vpcs = properties.get("VPCs", [])
    answer = route53.create_hosted_zone(
        Name=properties["Name"],
        CallerReference=f"{stack.stack_id}/{stack.logical_id}/{properties['Name']}",
        HostedZoneConfig={
            "Comment": (properties.get("HostedZoneConfig") or {}).get("Comment", ""),
            "PrivateZone": bool(vpcs),
        },
        **({"VPC": vpcs[0]} if vpcs else {}),
    )
    zone_id = answer["HostedZone"]["Id"].rpartition("/")[2]
    for vpc in vpcs[1:]:
        route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=vpc)
    _tag_zone(route53, zone_id, properties)
    return Provisioned(zone_id, {"Id": zone_id})


def _update_zone(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    route53 = _client(stack, "route53")
    before, after = old.get("VPCs", []), new.get("VPCs", [])
    for vpc in [each for each in after if each not in before]:
        route53.associate_vpc_with_hosted_zone(HostedZoneId=physical_id, VPC=vpc)
    for vpc in [each for each in before if each not in after]:
        route53.disassociate_vpc_from_hosted_zone(HostedZoneId=physical_id, VPC=vpc)
    comment = (new.get("HostedZoneConfig") or {}).get("Comment", "")
    route53.update_hosted_zone_comment(Id=physical_id, Comment=comment)
    _tag_zone(route53, physical_id, new)
    return Provisioned(physical_id, {"Id": physical_id})


def _tag_zone(route53: Any, zone_id: str, properties: Json) -> None:
    tags = [tag for tag in properties.get("HostedZoneTags", []) if not tag["Key"].startswith("aws:")]
    if tags:
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=tags)


def _delete_zone(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    route53 = _client(stack, "route53")
    try:
        route53.delete_hosted_zone(Id=physical_id)
    except route53.exceptions.NoSuchHostedZone:
        return


TYPES = {
    "AWS::EC2::VPCPeeringConnection": ResourceType(_create_peering, _delete_peering),
    "AWS::Route53::HostedZone": ResourceType(
        _create_zone, _delete_zone, _update_zone, replaced_by=frozenset({"Name"}), tags=""
    ),
}
