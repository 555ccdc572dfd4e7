"""What an operation of ministack's services needs besides its own action, and the condition keys that IAM itself has.

Handing a role to a service needs ``iam:PassRole``; making something with tags needs the tagging action too. ministack
asks for the operation's own action only. Source: the service authorization reference, "dependent actions" and
"condition keys" of each service.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

import ministack.app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from mlops_foundation.core.arns import Region
from mlops_foundation.local.adapter.requests import principal_of
from mlops_foundation.local.adapter.resource_names import MADE_BY
from mlops_foundation.local.contract import Check, Json, ServiceError
from mlops_foundation.local.members import texts_at
from mlops_foundation.local.wire_errors import protocol_of, write_error


@dataclass(frozen=True)
class Dependent:
    """What one operation needs besides.

    Attributes:
        tagging: The action for tags in the request, without its service; empty where it takes none.
        passes: Member path (lists are entered) -> the service that a role is handed to.
        also_on: The member that names the key which the action is asked for too.
    """

    tagging: str = ""
    passes: Mapping[str, str] = field(default_factory=dict)
    also_on: str = ""


_LAMBDA: Final = {"Role": "lambda.amazonaws.com"}
DEPENDENT: Final[Mapping[str, Dependent]] = {
    "iam:CreateRole": Dependent("TagRole"),
    "iam:CreatePolicy": Dependent("TagPolicy"),
    "ssm:PutParameter": Dependent("AddTagsToResource"),
    "kms:CreateKey": Dependent("TagResource"),
    "kms:CreateAlias": Dependent(also_on="TargetKeyId"),
    "kms:UpdateAlias": Dependent(also_on="TargetKeyId"),
    "logs:CreateLogGroup": Dependent("TagResource"),
    "ecr:CreateRepository": Dependent("TagResource"),
    "sns:CreateTopic": Dependent("TagResource"),
    "sqs:CreateQueue": Dependent("TagQueue"),
    "events:PutRule": Dependent("TagResource", {"RoleArn": "events.amazonaws.com"}),
    "events:PutTargets": Dependent(passes={"Targets.RoleArn": "events.amazonaws.com"}),
    "lambda:CreateFunction": Dependent("TagResource", _LAMBDA),
    "lambda:UpdateFunctionConfiguration": Dependent(passes=_LAMBDA),
    "ec2:CreateFlowLogs": Dependent("CreateTags", {"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"}),
    **{f"ec2:{name}": Dependent("CreateTags") for name in MADE_BY if name != "CreateFlowLogs"},
}  # fmt: skip
_SERVICES: Final = frozenset(action.partition(":")[0] for action in DEPENDENT)
_BOUNDARY_ACTIONS: Final = frozenset({
    "AttachRolePolicy", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy",
})  # fmt: skip
"""On a role that has a boundary, these carry its name in ``iam:PermissionsBoundary``."""


def ask_for_dependent_actions(cloud: Any) -> None:
    """Ask for what an operation needs besides its own action, before the service sees it."""
    for service in _SERVICES:
        ministack.app.SERVICE_HANDLERS[service] = _asking(cloud, service, ministack.app.SERVICE_HANDLERS[service])


def _asking(cloud: Any, service: str, handler: Any) -> Any:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
        dependent = DEPENDENT.get(action or "")
        if dependent is not None:
            principal = principal_of(headers)
            try:
                for check in checks_of(dependent, str(action), (method, path, headers, body, query)):
                    cloud.authorize(principal, check, region=Region(get_region()))
            except ServiceError as error:
                return write_error(ServiceError(_DENIED.get(service, "AccessDeniedException"), error.message, 403),
                                   protocol_of(headers))  # fmt: skip
        return await handler(method, path, headers, body, query)

    return handle


_DENIED: Final = {"iam": "AccessDenied", "sns": "AuthorizationError", "sqs": "AccessDenied",
                  "ec2": "UnauthorizedOperation"}  # fmt: skip

HttpRequest = tuple[str, str, dict[str, str], bytes, dict[str, list[str]]]
"""Method, path, headers, body and query of a request."""


def checks_of(dependent: Dependent, action: str, request: HttpRequest) -> Iterator[Check]:
    """Yield what an operation asks for besides its own action."""
    service, _, operation = action.partition(":")
    method, path, headers, body, query = request
    members = _members(body, query)
    tags = iam_actions.request_tag_context(service, action, body, _flat(body, query))
    if dependent.tagging and "aws:TagKeys" in tags:
        if service == "ec2":
            resource = f"arn:aws:ec2:{get_region()}:{get_account_id()}:{MADE_BY[operation]}/*"
            tags |= {"ec2:CreateAction": operation}
        elif service == "kms":
            resource = f"arn:aws:kms:{get_region()}:{get_account_id()}:key/*"
        else:
            resource = iam_actions.extract_resource_arn(
                service, method, path, headers, body, _flat(body, query), get_region(), get_account_id()
            )
        yield Check(f"{service}:{dependent.tagging}", resource, tags)
    key = members.get(dependent.also_on, "")
    if key:
        arn = key if key.startswith("arn:") else f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{key}"
        yield Check(action, arn)
    for place, passed_to in dependent.passes.items():
        for role_arn in texts_at(members, place):
            yield Check("iam:PassRole", role_arn, {"iam:PassedToService": passed_to})


def _members(body: bytes, query: Mapping[str, list[str]]) -> Json:
    """Return the members of a request: as sent in JSON, flat for a form."""
    if body[:1] == b"{":
        try:
            found: Json = json.loads(body)
        except ValueError:
            return {}
        return found
    return {name: values[0] for name, values in _flat(body, query).items()}


def _flat(body: bytes, query: Mapping[str, list[str]]) -> dict[str, list[str]]:
    if body[:1] == b"{":
        return dict(query)
    return {**query, **parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)}


def know_condition_keys(_cloud: object) -> None:
    """Give IAM's operations their own condition keys, and EC2's operations the tags that they are sent with."""
    request_tags = iam_actions.request_tag_context
    tag_operations = iam_actions._tag_operations

    def with_specifications(service: str) -> frozenset[str]:
        found: frozenset[str] = tag_operations(service)
        if service != "ec2":
            return found
        return found | {action.partition(":")[2] for action in DEPENDENT if action.startswith("ec2:")}

    def context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> Json:
        found: Json = request_tags(service, iam_action, body, params)
        return found | (_keys_of_iam(iam_action, params) if service == "iam" else {})

    iam_actions._tag_operations = with_specifications
    iam_actions.request_tag_context = context


def _keys_of_iam(action: str, params: Mapping[str, Any]) -> Json:
    """Return ``iam:PermissionsBoundary`` and ``iam:PolicyARN`` of a request."""
    operation = action.partition(":")[2]
    keys: Json = {}
    boundary = _first(params, "PermissionsBoundary")
    if not boundary and operation in _BOUNDARY_ACTIONS:
        role = iam._roles.get_scoped(get_account_id(), None, _first(params, "RoleName")) or {}
        boundary = _boundary_of(role)
    if boundary:
        keys["iam:PermissionsBoundary"] = boundary
    if operation in ("AttachRolePolicy", "DetachRolePolicy"):
        keys["iam:PolicyARN"] = _first(params, "PolicyArn")
    return keys


def _boundary_of(role: Json) -> str:
    found = role.get("PermissionsBoundary") or ""
    return str(found.get("PermissionsBoundaryArn", "")) if isinstance(found, dict) else str(found)


def _first(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")
