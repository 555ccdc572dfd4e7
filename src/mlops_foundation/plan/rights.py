"""What project templates may need of the platform's roles, as plain data: it is checked in the plan, before any synth.

Each template says in its ``rights.py`` what it needs; a stack gives its role the union over the templates in use.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import PROJECT_TAG, STAGES, Environment, PlatformNames, Stage, pascal

Conditions = Mapping[str, Mapping[str, Any]]
_NONE: Final[Conditions] = {}
IN_A_PROJECT: Final[Conditions] = {"Null": {f"aws:ResourceTag/{PROJECT_TAG}": "false"}}
"""The resource belongs to some project."""


@dataclass(frozen=True)
class Right:
    """One statement of a policy.

    Attributes:
        sid: What it is for, unique in its policy.
        actions: What may be done.
        resources: On what.
        conditions: When.
        effect: Whether it allows or denies.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"


def right(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Conditions = _NONE, *, deny: bool = False
) -> Right:
    """Return a right from lists."""
    return Right(sid, tuple(actions), tuple(resources), conditions, "Deny" if deny else "Allow")


@dataclass(frozen=True)
class RightsScope:
    """Where rights hold, for their ARNs.

    Attributes:
        names: Names of what the prefix owns.
        account: The account of the role that gets them.
        region: The region.
        accounts: The set's accounts by environment.
        stages: The stages that the account serves.
        boundary_arn: The permissions boundary of every role of a project in the account.
        endpoint_key_arn: The key of the endpoints' volumes in the account.
    """

    names: PlatformNames
    account: AccountId
    region: Region
    accounts: Mapping[Environment, AccountId]
    stages: tuple[Stage, ...]
    boundary_arn: str
    endpoint_key_arn: str = "arn:aws:kms:*:*:key/planned"

    @property
    def project_accounts(self) -> list[str]:
        """The accounts that a project reaches, sorted."""
        return sorted({self.account, *(self.accounts[stage] for stage in STAGES)})

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN of a regional service in the account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def roles(self, pattern: str) -> str:
        """Return an ARN of roles below the platform's path in the account."""
        return f"arn:aws:iam::{self.account}:role{self.names.role_path}{pattern}"


@dataclass(frozen=True)
class TemplateRights:
    """What one template needs of the platform's roles.

    Attributes:
        launch: Of the launch role, which makes and removes a project in dev; by the name of its inline policy.
        deployment: Of CloudFormation's role in each stage's account, which deploys what the project's pipeline brings.
        boundary: The most that the project's own roles may do; nothing that another template's projects may not.
        working: Of data scientists and leads who work in such a project.
    """

    launch: Mapping[str, Sequence[Right]]
    deployment: Sequence[Right]
    boundary: Sequence[Right]
    working: Sequence[Right] = ()


def union(groups: Mapping[str, Iterable[Right]]) -> list[Right]:
    """Return the rights of all templates together, none of them wider than one of theirs.

    Two rights of one name become one where that adds nothing: their actions or their resources are the same. Otherwise
    both stand, the later one with its template's name.

    Args:
        groups: The rights by template, in the order of the templates.
    """
    found: dict[str, Right] = {}
    for template, rights in groups.items():
        for each in rights:
            before = found.get(each.sid, each)
            joined = _joined(before, each)
            if joined is not None:
                found[each.sid] = joined
            else:
                own = f"{each.sid}{pascal(template)}"
                found[own] = replace(each, sid=own)
    return list(found.values())


def _joined(before: Right, after: Right) -> Right | None:
    """Return both as one right, None where that would be wider than the two."""
    if (before.effect, before.conditions) != (after.effect, after.conditions):
        return None
    if set(before.actions) == set(after.actions):
        return replace(before, resources=tuple(dict.fromkeys((*before.resources, *after.resources))))
    if set(before.resources) == set(after.resources):
        return replace(before, actions=tuple(dict.fromkeys((*before.actions, *after.actions))))
    return None


def beyond(rights: Iterable[Right], scope: RightsScope) -> Iterator[tuple[Right, str]]:
    """Yield the rights that no template may ask for, each with the reason.

    A template may not touch the boundary, make a role without it, hand on a role of somebody else, decide on versions,
    or ask for all actions of a service.
    """
    for each in rights:
        if each.effect == "Allow":
            reason = next((why for test, why in _REASONS if test(each, scope)), "")
            if reason:
                yield each, reason


def _wide(each: Right, scope: RightsScope) -> bool:
    del scope
    return any(action == "*" or action.endswith(":*") for action in each.actions)


def _boundary(each: Right, scope: RightsScope) -> bool:
    del scope
    return bool(_TOUCH_BOUNDARY & set(each.actions))


def _unbounded(each: Right, scope: RightsScope) -> bool:
    bounded = each.conditions.get("StringEquals", {}).get("iam:PermissionsBoundary") == scope.boundary_arn
    return bool(_MAKE_ROLES & set(each.actions)) and not bounded


def _others_roles(each: Right, scope: RightsScope) -> bool:
    ours = f":role{scope.names.role_path}"
    about_roles = [action for action in each.actions if action.startswith("iam:") or action == "sts:AssumeRole"]
    return bool(about_roles) and any(ours not in resource for resource in each.resources)


def _handed_to_any(each: Right, scope: RightsScope) -> bool:
    del scope
    return "iam:PassRole" in each.actions and not any(
        "iam:PassedToService" in condition for condition in each.conditions.values()
    )


def _approval(each: Right, scope: RightsScope) -> bool:
    del scope
    status = each.conditions.get("StringEquals", {}).get("sagemaker:ModelApprovalStatus")
    return "codepipeline:PutApprovalResult" in each.actions or (
        "sagemaker:UpdateModelPackage" in each.actions and status != "PendingManualApproval"
    )


_TOUCH_BOUNDARY: Final = frozenset(
    {
        "iam:CreatePolicyVersion",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
        "iam:DeleteRolePermissionsBoundary",
        "iam:SetDefaultPolicyVersion",
    }
)
_MAKE_ROLES: Final = frozenset(
    {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
)
_REASONS: Final = (
    (_wide, "all actions of a service"),
    (_boundary, "it could change the boundary of projects"),
    (_unbounded, "it could make a role without the boundary of projects"),
    (_others_roles, "it reaches roles that belong to no project"),
    (_handed_to_any, "it hands roles to any service: iam:PassedToService names none"),
    (_approval, "it could decide on versions or on stages, which people do"),
)
