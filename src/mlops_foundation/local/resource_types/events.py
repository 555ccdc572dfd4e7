"""Rules that send events to targets."""

import json
from collections.abc import Callable
from typing import Any

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import (
    CalledType,
    Items,
    Name,
    Put,
    Request,
    Tags,
    Target,
    members,
    pairs,
)

_CARRIED = ("EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")


def _bus(target: Target) -> Json:
    return members(target.properties, "EventBusName")


def _rule(target: Target, properties: Json) -> Request:
    request = members(properties, "ScheduleExpression", "State", "Description", "RoleArn", "EventBusName")
    if "EventPattern" in properties:
        pattern = properties["EventPattern"]
        request["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return Request("put_rule", {"Name": target.id, **request})


def _created_rule(target: Target, properties: Json) -> Request:
    tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
    request = _rule(target, properties)
    return Request(request.operation, {**request.members, **tags})


def _arn(target: Target) -> str:
    bus = target.properties.get("EventBusName", "default")
    name = target.id if bus == "default" else f"{bus.rpartition('/')[2]}/{target.id}"
    return target.arn("events", f"rule/{name}")


def _targets(operation: str, request: Callable[[Any], Json]) -> Callable[[Target, Any], Request]:
    return lambda target, item: Request(operation, {"Rule": target.id, **_bus(target), **request(item)})


RULE = CalledType(
    "AWS::Events::Rule",
    "events",
    create=_created_rule,
    delete=lambda target: Request("delete_rule", {"Name": target.id, **_bus(target)}),
    made_with=("EventBusName",),
    name=Name("Name", 64),
    attributes={"Arn": _arn},
    steps=(
        Put(_CARRIED, _rule, on_create=False),
        Items(
            ("Targets",),
            _targets("put_targets", lambda item: {"Targets": [item]}),
            _targets("remove_targets", lambda item: {"Ids": [item["Id"]]}),
            key=lambda item: item["Id"],
            on_delete=True,
        ),
        Tags(
            lambda target, tags: Request("tag_resource", {"ResourceARN": _arn(target), "Tags": pairs(tags)}),
            lambda target, keys: Request("untag_resource", {"ResourceARN": _arn(target), "TagKeys": keys}),
        ),
    ),
)

TYPES = (RULE,)
