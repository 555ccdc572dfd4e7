"""Hosted zones and their records."""

from collections.abc import Callable, Iterator

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import CalledType, Items, Put, Request, Tags, Target, members, pairs


def _create_zone(target: Target, properties: Json) -> Request:
    stack = target.stack
    vpcs = properties.get("VPCs") or []
    comment = (properties.get("HostedZoneConfig") or {}).get("Comment", "")
    request: Json = {
        "Name": properties["Name"],
        "CallerReference": f"{stack.stack_id}/{stack.logical_id}/{properties['Name']}"[-128:],
        "HostedZoneConfig": {"Comment": comment, "PrivateZone": bool(vpcs)},
    }
    return Request("create_hosted_zone", request | ({"VPC": vpcs[0]} if vpcs else {}))


class _Vpcs(Items):
    """The VPCs of a private zone, the first of which it is made with."""

    def changes(self, target: Target, old: Json, new: Json) -> Iterator[Request]:
        """Yield what joins and leaves; a zone never is without a VPC in between."""
        if not old:
            old = {"VPCs": (new.get("VPCs") or [])[:1]}
        yield from sorted(super().changes(target, old, new), key=lambda request: request.operation)


def _join(operation: str) -> Callable[[Target, Json], Request]:
    return lambda target, vpc: Request(operation, {"HostedZoneId": target.id, "VPC": vpc})


HOSTED_ZONE = CalledType(
    "AWS::Route53::HostedZone",
    "route53",
    create=_create_zone,
    delete=lambda target: Request("delete_hosted_zone", {"Id": target.id}),
    made_with=("Name",),
    physical_id=lambda _target, answer: str(answer["HostedZone"]["Id"]).rpartition("/")[2],
    read=lambda target: Request("get_hosted_zone", {"Id": target.id}),
    attributes={"Id": lambda target: target.id, "NameServers": "DelegationSet.NameServers"},
    steps=(
        _Vpcs(("VPCs",), _join("associate_vpc_with_hosted_zone"), _join("disassociate_vpc_from_hosted_zone")),
        Put(
            ("HostedZoneConfig",),
            lambda target, properties: Request(
                "update_hosted_zone_comment",
                {"Id": target.id, "Comment": (properties.get("HostedZoneConfig") or {}).get("Comment", "")},
            ),
            on_create=False,
        ),
        Tags(
            lambda target, tags: Request(
                "change_tags_for_resource",
                {"ResourceType": "hostedzone", "ResourceId": target.id, "AddTags": pairs(tags)},
            ),
            lambda target, keys: Request(
                "change_tags_for_resource",
                {"ResourceType": "hostedzone", "ResourceId": target.id, "RemoveTagKeys": keys},
            ),
            name="HostedZoneTags",
            on_create=True,
        ),
    ),
)


def _record(target: Target, properties: Json) -> Json:
    del target
    record = members(
        properties, "Name", "Type", "AliasTarget", "Failover", "GeoLocation", "HealthCheckId", "MultiValueAnswer",
        "Region", "SetIdentifier", "Weight",
    )  # fmt: skip
    if "AliasTarget" in record:
        record["AliasTarget"] = {"EvaluateTargetHealth": False, **record["AliasTarget"]}
    if "TTL" in properties:
        record["TTL"] = int(properties["TTL"])
    if "ResourceRecords" in properties:
        record["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
    return record


def _change(action: str, target: Target, properties: Json) -> Request:
    changes = [{"Action": action, "ResourceRecordSet": _record(target, properties)}]
    return Request(
        "change_resource_record_sets",
        {"HostedZoneId": _zone(target, properties), "ChangeBatch": {"Changes": changes}},
    )


def _zone(target: Target, properties: Json) -> str:
    """Return the zone that a record is in: named by its id, or by its name."""
    if "HostedZoneId" in properties:
        return str(properties["HostedZoneId"])
    found = target.call(Request("list_hosted_zones_by_name", {"DNSName": properties["HostedZoneName"]}))["HostedZones"]
    return next(str(zone["Id"]).rpartition("/")[2] for zone in found if zone["Name"] == properties["HostedZoneName"])


_SET = ("AliasTarget", "ResourceRecords", "TTL", "Weight", "Region", "Failover", "GeoLocation", "HealthCheckId",
        "MultiValueAnswer", "SetIdentifier")  # fmt: skip

RECORD_SET = CalledType(
    "AWS::Route53::RecordSet",
    "route53",
    create=lambda target, properties: _change("CREATE", target, properties),
    delete=lambda target: _change("DELETE", target, target.properties),
    made_with=("Name", "Type", "HostedZoneId", "HostedZoneName"),
    physical_id=lambda target, _answer: str(target.properties["Name"]),
    steps=(Put(_SET, lambda target, properties: _change("UPSERT", target, properties), on_create=False),),
    gone=r"NoSuchHostedZone|InvalidChangeBatch",
    also_replaced_by=frozenset({"Name"}),
)

TYPES = (HOSTED_ZONE, RECORD_SET)
