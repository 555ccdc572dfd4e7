"""Keys and their other names."""

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import (
    CalledType,
    Put,
    Request,
    Tags,
    Target,
    as_text,
    members,
    pairs,
)

_MADE_WITH = ("Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin", "BypassPolicyLockoutSafetyCheck")


def _create_key(target: Target, properties: Json) -> Request:
    del target
    request = members(properties, *_MADE_WITH)
    if "KeyPolicy" in properties:
        request["Policy"] = as_text(properties["KeyPolicy"])
    if properties.get("Tags"):
        request["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties["Tags"]]
    return Request("create_key", request)


def _rotation(target: Target, properties: Json) -> Request:
    if not properties.get("EnableKeyRotation"):
        return Request("disable_key_rotation", {"KeyId": target.id})
    days = members(properties, "RotationPeriodInDays")
    return Request("enable_key_rotation", {"KeyId": target.id, **days})


def _policy(target: Target, properties: Json) -> Request:
    document = as_text(properties["KeyPolicy"])
    return Request("put_key_policy", {"KeyId": target.id, "PolicyName": "default", "Policy": document})


def _delete_key(target: Target) -> Request:
    days = members(target.properties, "PendingWindowInDays")
    return Request("schedule_key_deletion", {"KeyId": target.id, **days})


KEY = CalledType(
    "AWS::KMS::Key",
    "kms",
    create=_create_key,
    delete=_delete_key,
    made_with=(*_MADE_WITH, "PendingWindowInDays"),
    heeded_later=frozenset({"PendingWindowInDays"}),
    physical_id="KeyMetadata.KeyId",
    attributes={"Arn": lambda target: target.arn("kms", f"key/{target.id}"), "KeyId": lambda target: target.id},
    steps=(
        Put(
            ("Description",),
            lambda target, properties: Request(
                "update_key_description", {"KeyId": target.id, "Description": properties.get("Description", "")}
            ),
            on_create=False,
        ),
        Put(("KeyPolicy",), _policy, on_create=False),
        Put(("EnableKeyRotation", "RotationPeriodInDays"), _rotation),
        Put(
            ("Enabled",),
            lambda target, properties: Request(
                "enable_key" if properties.get("Enabled", True) else "disable_key", {"KeyId": target.id}
            ),
        ),
        Tags(
            lambda target, tags: Request(
                "tag_resource", {"KeyId": target.id, "Tags": pairs(tags, "TagKey", "TagValue")}
            ),
            lambda target, keys: Request("untag_resource", {"KeyId": target.id, "TagKeys": keys}),
        ),
    ),
    gone=r"NotFound|KMSInvalidState",
)

ALIAS = CalledType(
    "AWS::KMS::Alias",
    "kms",
    create=lambda _target, properties: Request("create_alias", members(properties, "AliasName", "TargetKeyId")),
    delete=lambda target: Request("delete_alias", {"AliasName": target.id}),
    made_with=("AliasName",),
    physical_id=lambda target, _answer: str(target.properties["AliasName"]),
    steps=(
        Put(
            ("TargetKeyId",),
            lambda target, properties: Request(
                "update_alias", {"AliasName": target.id, "TargetKeyId": properties["TargetKeyId"]}
            ),
            on_create=False,
        ),
    ),
)

TYPES = (KEY, ALIAS)
