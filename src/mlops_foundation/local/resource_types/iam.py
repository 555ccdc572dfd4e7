"""Roles and policies."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import (
    CalledType,
    Items,
    Name,
    Put,
    Request,
    Tags,
    Target,
    as_text,
    members,
    pairs,
)

_VERSIONS_KEPT: Final = 4
"""IAM keeps five versions of a managed policy; a sixth is refused."""


def _on_role(operation: str, **renamed: str) -> Callable[[Target, Json], Request]:
    """Return an operation on a role, with some of its properties."""
    return lambda target, properties: Request(operation, {"RoleName": target.id, **members(properties, **renamed)})


def _create_role(target: Target, properties: Json) -> Request:
    request = members(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
    trust = as_text(properties["AssumeRolePolicyDocument"])
    return Request("create_role", {"RoleName": target.id, "AssumeRolePolicyDocument": trust, **request})


def _trust(target: Target, properties: Json) -> Request:
    document = as_text(properties["AssumeRolePolicyDocument"])
    return Request("update_assume_role_policy", {"RoleName": target.id, "PolicyDocument": document})


ROLE = CalledType(
    "AWS::IAM::Role",
    "iam",
    create=_create_role,
    delete=lambda target: Request("delete_role", {"RoleName": target.id}),
    made_with=("Path",),
    name=Name("RoleName", 64),
    read=lambda target: Request("get_role", {"RoleName": target.id}),
    attributes={"Arn": "Role.Arn", "RoleId": "Role.RoleId"},
    steps=(
        Put(("AssumeRolePolicyDocument",), _trust, on_create=False),
        Put(
            ("Description", "MaxSessionDuration"),
            _on_role("update_role", Description="Description", MaxSessionDuration="MaxSessionDuration"),
            on_create=False,
        ),
        Put(
            ("PermissionsBoundary",),
            _on_role("put_role_permissions_boundary", PermissionsBoundary="PermissionsBoundary"),
            lambda target: Request("delete_role_permissions_boundary", {"RoleName": target.id}),
            on_create=False,
        ),
        Items(
            ("Policies",),
            lambda target, policy: Request(
                "put_role_policy",
                {
                    "RoleName": target.id,
                    "PolicyName": policy["PolicyName"],
                    "PolicyDocument": as_text(policy["PolicyDocument"]),
                },
            ),
            lambda target, policy: Request(
                "delete_role_policy", {"RoleName": target.id, "PolicyName": policy["PolicyName"]}
            ),
            key=lambda policy: policy["PolicyName"],
            on_delete=True,
        ),
        Items(
            ("ManagedPolicyArns",),
            lambda target, arn: Request("attach_role_policy", {"RoleName": target.id, "PolicyArn": arn}),
            lambda target, arn: Request("detach_role_policy", {"RoleName": target.id, "PolicyArn": arn}),
            on_delete=True,
        ),
        Tags(
            lambda target, tags: Request("tag_role", {"RoleName": target.id, "Tags": pairs(tags)}),
            lambda target, keys: Request("untag_role", {"RoleName": target.id, "TagKeys": keys}),
        ),
    ),
)


_HOLDERS: Final = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}


def _holders(properties: Json) -> list[tuple[str, str]]:
    """Return who has a policy: property of the template and name."""
    return [(kind, name) for kind in _HOLDERS for name in properties.get(kind) or ()]


def _inline(properties: Json) -> Sequence[Json]:
    return [
        {"kind": kind, "holder": name, "policy": properties["PolicyName"], "document": properties["PolicyDocument"]}
        for kind, name in _holders(properties)
    ]


def _on_holder(verb: str, item: Json, more: Json) -> Request:
    noun, member = _HOLDERS[item["kind"]]
    return Request(f"{verb}_{noun}_policy", {member: item["holder"], "PolicyName": item["policy"], **more})


POLICY = CalledType(
    "AWS::IAM::Policy",
    "iam",
    name=Name("Id", 128),
    steps=(
        Items(
            ("PolicyName", "PolicyDocument", *_HOLDERS),
            lambda _target, item: _on_holder("put", item, {"PolicyDocument": as_text(item["document"])}),
            lambda _target, item: _on_holder("delete", item, {}),
            key=lambda item: (item["kind"], item["holder"], item["policy"]),
            items=lambda properties: _inline(properties) if properties else [],
            on_delete=True,
        ),
    ),
)


def _attachment(verb: str) -> Callable[[Target, tuple[str, str]], Request]:
    def request(target: Target, holder: tuple[str, str]) -> Request:
        noun, member = _HOLDERS[holder[0]]
        return Request(f"{verb}_{noun}_policy", {member: holder[1], "PolicyArn": target.id})

    return request


class _Version:
    """A managed policy's document: a new default version, and room for it."""

    properties = ("PolicyDocument",)
    on_create = False
    on_delete = False

    def changes(self, target: Target, old: Json, new: Json) -> Iterator[Request]:
        """Yield the oldest versions' removal and the new version."""
        if old.get("PolicyDocument") == new.get("PolicyDocument"):
            return
        yield from list(_old_versions(target))[_VERSIONS_KEPT - 1 :]
        document = as_text(new["PolicyDocument"])
        yield Request(
            "create_policy_version", {"PolicyArn": target.id, "PolicyDocument": document, "SetAsDefault": True}
        )


def _old_versions(target: Target) -> Iterator[Request]:
    """Yield the removal of every version but the default one, newest first."""
    versions = target.call(Request("list_policy_versions", {"PolicyArn": target.id}))["Versions"]
    for version in sorted(versions, key=lambda version: int(version["VersionId"][1:]), reverse=True):
        if not version["IsDefaultVersion"]:
            yield Request("delete_policy_version", {"PolicyArn": target.id, "VersionId": version["VersionId"]})


MANAGED_POLICY = CalledType(
    "AWS::IAM::ManagedPolicy",
    "iam",
    create=lambda target, properties: Request(
        "create_policy",
        {
            "PolicyName": target.id,
            "PolicyDocument": as_text(properties["PolicyDocument"]),
            **members(properties, "Path", "Description"),
        },
    ),
    delete=lambda target: Request("delete_policy", {"PolicyArn": target.id}),
    made_with=("Path", "Description"),
    name=Name("ManagedPolicyName", 128),
    physical_id="Policy.Arn",
    attributes={"PolicyArn": lambda target: target.id},
    steps=(
        _Version(),
        Items(tuple(_HOLDERS), _attachment("attach"), _attachment("detach"), items=_holders, on_delete=True),
    ),
    before_delete=_old_versions,
)

TYPES = (ROLE, POLICY, MANAGED_POLICY)
