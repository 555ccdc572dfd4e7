"""CloudFormation with rights: every resource is made with what the stack's role, or the caller, is allowed to do.

ministack provisions without asking anybody. Here a stack operation first settles whose rights it has (the role it was
given, which the caller must be allowed to pass, else the caller's own). Types that ministack provisions go through
the table in ``type_actions``; types of ours call their service's operations as that principal.
"""

import contextvars
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation as stacks_state
from ministack.services.cloudformation import helpers, provisioners, stacks

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.adapter import ec2_types, iam, nested_stacks, shared_network_types
from mlops_foundation.local.adapter.type_actions import checks_for
from mlops_foundation.local.contract import (
    Call,
    Check,
    Cloud,
    Json,
    Principal,
    Provisioned,
    ResourceType,
    Scope,
    ServiceError,
    StackCall,
)
from mlops_foundation.local.members import without_system_tags
from mlops_foundation.local.wire_errors import write_error

_SERVICE = "cloudformation.amazonaws.com"
_WITH_RIGHTS = frozenset(
    {
        "CreateStack",
        "UpdateStack",
        "DeleteStack",
        "CreateChangeSet",
        "ExecuteChangeSet",
        "ContinueUpdateRollback",
        "RollbackStack",
    }
)
_rights: contextvars.ContextVar[Principal | None] = contextvars.ContextVar("stack_rights", default=None)
_RECORD_KIND = "stack-role"

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Any]]


def provision_our_types(cloud: Any) -> None:
    """Make our services' types, and those of the network that ministack lacks, on threads: they call the cloud."""
    _provision(cloud, {**cloud.resource_types, **ec2_types.TYPES, **shared_network_types.TYPES})


def provision_nested_stacks(cloud: Any) -> None:
    """Make a nested stack by the operations on stacks, with the rights of the one around it."""
    _provision(cloud, nested_stacks.TYPES)


def _provision(cloud: Any, types: Mapping[str, ResourceType]) -> None:
    for name, resource_type in types.items():
        provisioners._RESOURCE_HANDLERS[name] = _handlers(cloud, resource_type)
        if resource_type.tags:
            provisioners._STACK_TAG_PROPERTY[name] = ("Tags", resource_type.tags)
    runs_on_worker_thread = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name in types or runs_on_worker_thread(name)


def let_service_catalog_tag(_cloud: object) -> None:
    """Let Service Catalog's sessions of a launch role set its ``aws:servicecatalog:`` tags, which nobody else may."""
    validate = helpers._validate_stack_tags

    def check(tags: list[Json]) -> Any:
        rights = _rights.get()
        if rights is not None and "/SC-pp-" in rights.arn:
            tags = [tag for tag in tags if not str(tag.get("Key", "")).startswith("aws:servicecatalog:")]
        return validate(tags)

    helpers._validate_stack_tags = check


def _handlers(cloud: Cloud, resource_type: ResourceType) -> Json:
    def create(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
        return _result(
            resource_type.create(_stack_call(cloud, stack_name, logical_id), without_system_tags(properties))
        )

    def update(physical_id: str, old: Json, new: Json, stack_name: str, logical_id: str) -> tuple[str, Json]:
        stack = _stack_call(cloud, stack_name, logical_id)
        old, new = without_system_tags(old), without_system_tags(new)
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if resource_type.update is None or changed & resource_type.replaced_by:
            return _result(resource_type.create(stack, new))
        return _result(resource_type.update(stack, physical_id, old, new))

    def delete(physical_id: str, properties: Json, logical_id: str | None = None) -> None:
        resource_type.delete(_stack_call(cloud, "", logical_id or ""), physical_id, properties)

    return {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
        "delete_with_logical_id": True,
    }


def _result(made: Provisioned) -> tuple[str, Json]:
    return made.physical_id, made.attributes


def _stack_call(cloud: Cloud, stack_name: str, logical_id: str) -> StackCall:
    record = stacks_state._stacks.get(stack_name) or {}
    call = Call(cloud, current_rights(), Scope(AccountId(get_account_id()), Region(get_region())))
    return StackCall(call, stack_name, record.get("StackId", ""), logical_id)


def current_rights() -> Principal:
    """Return whose rights the stack operation under way has."""
    return _rights.get() or iam.root_of(AccountId(get_account_id()))


def ask_before_provisioning(cloud: Any) -> None:
    """Check the table before ministack provisions one of its own types; ours ask for themselves."""
    ours = frozenset({**cloud.resource_types, **nested_stacks.TYPES})
    provision, update, delete = stacks._provision_resource, stacks._update_resource, stacks._delete_resource

    def ask(
        verb: str, resource_type: str, logical: tuple[str, str], properties: Json, before: Json | None = None
    ) -> None:
        if resource_type not in ours:
            region = Region(get_region())
            for needed in checks_for(verb, resource_type, properties, (region, get_account_id(), *logical), before):
                cloud.authorize(current_rights(), needed, region=region)

    @functools.wraps(provision)
    def guarded_provision(resource_type: str, logical_id: str, properties: Json, stack_name: str) -> Any:
        ask("create", resource_type, (stack_name, logical_id), properties)
        return provision(resource_type, logical_id, properties, stack_name)

    @functools.wraps(update)
    def guarded_update(  # noqa: PLR0913, PLR0917  ministack's own signature
        resource_type: str,
        physical_id: str,
        old: Json,
        new: Json,
        stack_name: str,
        logical_id: str | None = None,
        old_attributes: Json | None = None,
    ) -> Any:
        if old != new:
            ask("update", resource_type, (stack_name, logical_id or ""), new, old)
        return update(resource_type, physical_id, old, new, stack_name, logical_id, old_attributes)

    @functools.wraps(delete)
    def guarded_delete(
        resource_type: str,
        physical_id: str,
        properties: Json,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> Any:
        ask("delete", resource_type, (stack_name or "", logical_id or ""), properties)
        return delete(resource_type, physical_id, properties, stack_name, logical_id)

    stacks._provision_resource = guarded_provision
    stacks._update_resource = guarded_update
    stacks._delete_resource = guarded_delete


def with_rights(cloud: Cloud, handler: Handler, principal_of: Callable[[Mapping[str, str]], Principal]) -> Handler:
    """Wrap CloudFormation's request handler: settle the rights of a stack operation before it starts."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        params = {**query, **parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)}
        action = params.get("Action", [""])[0]
        if action not in _WITH_RIGHTS:
            return await handler(method, path, headers, body, query)
        try:
            rights = _settle(cloud, params, principal_of(headers))
        except ServiceError as error:
            return write_error(ServiceError("AccessDenied", error.message, 403), "query")
        token = _rights.set(rights)
        try:
            return await handler(method, path, headers, body, query)
        finally:
            _rights.reset(token)

    return handle


def _settle(cloud: Cloud, params: Mapping[str, list[str]], caller: Principal) -> Principal:
    scope = Scope(AccountId(get_account_id()), Region(get_region()))
    stack = _stack_name(params)
    records = cloud.store("cloudformation")
    role_arn = params.get("RoleARN", [""])[0]
    if role_arn:
        passing = Check("iam:PassRole", role_arn, {"iam:PassedToService": _SERVICE})
        cloud.authorize(caller, passing, region=scope.region)
        records.put(scope, _RECORD_KIND, stack, {"RoleARN": role_arn})
    else:
        role_arn = (records.get(scope, _RECORD_KIND, stack) or {}).get("RoleARN", "")
    if not role_arn:
        return caller
    return cloud.assume_service_role(role_arn, _SERVICE, "AWSCloudFormation", region=scope.region)


def _stack_name(params: Mapping[str, list[str]]) -> str:
    name = params.get("StackName", [""])[0]
    if not name:
        change_set = stacks_state._change_sets.get(params.get("ChangeSetName", [""])[0]) or {}
        name = change_set.get("StackName", "")
    return name.split("/")[1] if name.startswith("arn:") else name
