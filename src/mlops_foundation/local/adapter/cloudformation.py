"""CloudFormation with rights: every resource is made with what the stack's role, or the caller, is allowed to do.

ministack's engine reads templates, orders resources and rolls back; its provisioners write past its own API and are
not used. Here a stack operation first settles whose rights it has (the role it was given, which the caller must be
allowed to pass, else the caller's own); every type then calls its service's operations as that principal.
"""

import contextvars
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlparse

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation as stacks_state
from ministack.services import secretsmanager, ssm
from ministack.services.cloudformation import helpers, provisioners, stacks

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.adapter import custom_resources, iam, nested_stacks, storage
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
from mlops_foundation.local.resource_types import resource_types
from mlops_foundation.local.resource_types.schemas import schema_of
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
_caller: contextvars.ContextVar[Principal | None] = contextvars.ContextVar("stack_caller", default=None)
_RECORD_KIND = "stack-role"
_CUSTOM = "AWS::CloudFormation::CustomResource"
WITHOUT_OPERATIONS = (_CUSTOM, "AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition",
                       "AWS::CloudFormation::WaitConditionHandle")  # fmt: skip
"""Types that call nothing, and the one whose function does."""

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Any]]


def provision_by_operations(cloud: Any) -> None:
    """Make every type by the operations of its service, on threads: they call the cloud. There are no other types."""
    types: dict[str, ResourceType] = {**resource_types(), **cloud.resource_types, **nested_stacks.TYPES}
    kept = {name: provisioners._RESOURCE_HANDLERS[name] for name in WITHOUT_OPERATIONS}
    provisioners._RESOURCE_HANDLERS.clear()
    provisioners._RESOURCE_HANDLERS.update(kept)
    provisioners._STACK_TAG_PROPERTY.clear()
    for name, resource_type in types.items():
        provisioners._RESOURCE_HANDLERS[name] = _handlers(cloud, name, resource_type)
        if resource_type.tags:
            provisioners._STACK_TAG_PROPERTY[name] = (resource_type.tag_property, resource_type.tags)
    runs_on_worker_thread = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name in types or runs_on_worker_thread(name)


def provision_custom_resources(cloud: Any) -> None:
    """Let a custom resource be its function's work: invoked as any client would, with the stack's rights."""

    def create(logical_id: str, properties: Json, stack_name: str, resource_type: str = _CUSTOM) -> Any:
        stack = _stack_call(cloud, stack_name, logical_id)
        return custom_resources.ask(stack, resource_type, "Create", properties)

    def update(
        physical_id: str,
        old: Json,
        new: Json,
        stack_name: str,
        logical_id: str | None = None,
        resource_type: str = _CUSTOM,
    ) -> Any:
        stack = _stack_call(cloud, stack_name, logical_id or "")
        return custom_resources.ask(stack, resource_type, "Update", new, physical_id, old)

    def delete(
        physical_id: str,
        properties: Json,
        stack_name: str | None = None,
        logical_id: str | None = None,
        resource_type: str = _CUSTOM,
    ) -> None:
        stack = _stack_call(cloud, stack_name or "", logical_id or "")
        custom_resources.ask(stack, resource_type, "Delete", properties, physical_id)

    provisioners._custom_resource_create = create
    provisioners._custom_resource_update = update
    provisioners._custom_resource_delete = delete
    provisioners._RESOURCE_HANDLERS[_CUSTOM] = {"create": create, "update": update}


def replace_by_schema(_cloud: object) -> None:
    """Let the registry schemas say which changes replace a resource, in change sets and in updates."""
    provisioners._custom_named_replacement_error = _named_replacement
    provisioners._property_recreation = _recreation
    stacks._custom_named_replacement_error = _named_replacement
    stacks._property_recreation = _recreation


def _recreation(type_name: str, name: str) -> str:
    """Return whether a change of a property makes a new resource: as change sets say it."""
    schema = schema_of(type_name)
    if schema is None:
        return "Never"
    if name in schema.create_only:
        return "Always"
    return "Conditionally" if any(each.startswith(f"{name}/") for each in schema.create_only) else "Never"


def _named_replacement(type_name: str, old: Json, new: Json, physical_id: str | None = None) -> str | None:
    """Return why what has a name of its own cannot be replaced while it keeps it, or None when it can."""
    schema = schema_of(type_name)
    if schema is None or len(schema.identifier) != 1:
        return None
    (name,) = schema.identifier
    if name not in schema.create_only or not old.get(name) or old.get(name) != new.get(name):
        return None
    if not any(_at(old, each) != _at(new, each) for each in schema.create_only):
        return None
    return (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {physical_id or new[name]} and update the stack again."
    )


def read_with_rights(cloud: Any) -> None:
    """Read templates with the rights of the caller, parameters and secrets with those of the stack operation."""
    document = helpers._resolve_document
    parameter, secret = ssm.resolve_parameter_value, secretsmanager.resolve_secret_string

    def read_document(params: Any, body_key: str, url_key: str, label: str) -> Any:
        caller = _caller.get()
        url = helpers._p(params, url_key)
        if caller is not None and url and not helpers._p(params, body_key):
            bucket, _, key = urlparse(url).path.lstrip("/").partition("/")
            try:
                for check in storage.checks_to_read(bucket, key):
                    cloud.authorize(caller, check, region=Region(get_region()))
            except ServiceError as error:
                return None, helpers._error("ValidationError", f"S3 error: Access Denied. {error.message}")
        return document(params, body_key, url_key, label)

    def read_parameter(name: str, *args: Any, **named: Any) -> Any:
        _allowed(cloud, "ssm:GetParameters", f"parameter/{name.lstrip('/')}")
        return parameter(name, *args, **named)

    def read_secret(secret_id: str, *args: Any, **named: Any) -> Any:
        _allowed(cloud, "secretsmanager:GetSecretValue", f"secret:{secret_id}")
        return secret(secret_id, *args, **named)

    helpers._resolve_document = read_document
    ssm.resolve_parameter_value = read_parameter
    secretsmanager.resolve_secret_string = read_secret


def _allowed(cloud: Cloud, action: str, resource: str) -> None:
    """Ask for what a stack operation reads; ministack tells the caller what a ValueError says."""
    rights = _rights.get()
    if rights is None:
        return
    named = resource.partition(":")[2]
    own = f"arn:aws:{action.partition(':')[0]}:{get_region()}:{get_account_id()}:{resource}"
    try:
        check = Check(action, named if named.startswith("arn:") else own)
        cloud.authorize(rights, check, region=Region(get_region()))
    except ServiceError as error:
        raise ValueError(error.message) from error


def let_service_catalog_tag(_cloud: object) -> None:
    """Let Service Catalog's sessions of a launch role set its ``aws:servicecatalog:`` tags, which nobody else may."""
    validate = helpers._validate_stack_tags

    def check(tags: list[Json]) -> Any:
        rights = _rights.get()
        if rights is not None and "/SC-pp-" in rights.arn:
            tags = [tag for tag in tags if not str(tag.get("Key", "")).startswith("aws:servicecatalog:")]
        return validate(tags)

    helpers._validate_stack_tags = check


def _handlers(cloud: Cloud, name: str, resource_type: ResourceType) -> Json:
    def create(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
        checked = _checked(name, logical_id, properties, resource_type.tag_property)
        return _result(resource_type.create(_stack_call(cloud, stack_name, logical_id), checked))

    def update(physical_id: str, old: Json, new: Json, stack_name: str, logical_id: str) -> tuple[str, Json]:
        stack = _stack_call(cloud, stack_name, logical_id)
        new = _checked(name, logical_id, new, resource_type.tag_property)
        old = _coerced(name, without_system_tags(old, resource_type.tag_property))
        if resource_type.update is None or _replaces(resource_type, old, new):
            return _result(resource_type.create(stack, new))
        return _result(resource_type.update(stack, physical_id, old, new))

    def delete(physical_id: str, properties: Json, logical_id: str | None = None) -> None:
        own = _coerced(name, without_system_tags(properties, resource_type.tag_property))
        resource_type.delete(_stack_call(cloud, "", logical_id or ""), physical_id, own)

    return {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
        "delete_with_logical_id": True,
    }


def _coerced(type_name: str, properties: Json) -> Json:
    schema = schema_of(type_name)
    return properties if schema is None else schema.coerced(properties)


def _checked(type_name: str, logical_id: str, properties: Json, tag_property: str) -> Json:
    """Return properties as the type's schema has them, without the tags that AWS sets itself.

    Raises:
        ServiceError: ``ValidationError`` with all that is wrong, in CloudFormation's words.
    """
    schema = schema_of(type_name)
    own = _coerced(type_name, without_system_tags(properties, tag_property))
    problems = schema.problems(own) if schema else []
    if problems:
        text = f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(problems)
        raise ServiceError("ValidationError", text)
    return own


def _replaces(resource_type: ResourceType, old: Json, new: Json) -> bool:
    return any(_at(old, pointer) != _at(new, pointer) for pointer in resource_type.replaced_by)


def _at(properties: Json, pointer: str) -> object:
    found: Any = properties
    for name in pointer.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _result(made: Provisioned) -> tuple[str, Json]:
    return made.physical_id, made.attributes


def _stack_call(cloud: Cloud, stack_name: str, logical_id: str) -> StackCall:
    record = stacks_state._stacks.get(stack_name) or {}
    call = Call(cloud, current_rights(), Scope(AccountId(get_account_id()), Region(get_region())))
    return StackCall(call, stack_name, record.get("StackId", ""), logical_id)


def current_rights() -> Principal:
    """Return whose rights the stack operation under way has."""
    return _rights.get() or iam.root_of(AccountId(get_account_id()))


def with_rights(cloud: Cloud, handler: Handler, principal_of: Callable[[Mapping[str, str]], Principal]) -> Handler:
    """Wrap CloudFormation's request handler: settle the rights of a stack operation before it starts."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        params = {**query, **parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)}
        action = params.get("Action", [""])[0]
        caller = principal_of(headers)
        _caller.set(caller)
        if action not in _WITH_RIGHTS:
            return await handler(method, path, headers, body, query)
        try:
            rights = _settle(cloud, params, caller)
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
