"""The CloudFormation type AWS::CodeBuild::Project.

Source: "AWS::CodeBuild::Project" in the CloudFormation template reference.
"""

from typing import Any

from mlops_foundation.core.clock import new_token
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, StackCall, not_supported
from mlops_foundation.local.services.codebuild.records import project_arn

_KNOWN = frozenset(
    {
        *("Artifacts", "BadgeEnabled", "Cache", "Description", "EncryptionKey", "Environment", "LogsConfig", "Name"),
        *("QueuedTimeoutInMinutes", "ServiceRole", "Source", "SourceVersion", "Tags", "TimeoutInMinutes", "VpcConfig"),
    }
)
_RENAMED = {"BuildSpec": "buildspec"}
_BOOLEANS = frozenset({"BadgeEnabled", "EncryptionDisabled", "OverrideArtifactName", "PrivilegedMode"})


def _request(properties: Json, name: str) -> Json:
    for key in properties:
        if key not in _KNOWN:
            raise not_supported(f"{key} of AWS::CodeBuild::Project")
    request: Json = _lower({key: value for key, value in properties.items() if key != "Name"})
    for key in ("timeoutInMinutes", "queuedTimeoutInMinutes"):
        if key in request:
            request[key] = int(request[key])
    return {"name": name, **request}


def _lower(value: Any) -> Any:  # noqa: ANN401  JSON
    """Turn CloudFormation's spelling of properties into the API's; a boolean may come as text."""
    if isinstance(value, list):
        return [_lower(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        _RENAMED.get(key, key[:1].lower() + key[1:]): str(item).lower() == "true" if key in _BOOLEANS else _lower(item)
        for key, item in value.items()
    }


def _create(stack: StackCall, properties: Json) -> Provisioned:
    name = properties.get("Name") or stack.physical_name(150, new_token(12))
    stack.invoke("codebuild", "CreateProject", _request(properties, name))
    return Provisioned(name, {"Arn": project_arn(stack.call.scope, name)})


def _update(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    del old
    stack.invoke("codebuild", "UpdateProject", _request(new, physical_id))
    return Provisioned(physical_id, {"Arn": project_arn(stack.call.scope, physical_id)})


def _delete(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    stack.invoke("codebuild", "DeleteProject", {"name": physical_id})


PROJECT_TYPE = ResourceType(create=_create, update=_update, delete=_delete, replaced_by=frozenset({"Name"}))
