"""The CloudFormation type AWS::CodePipeline::Pipeline.

Source: "AWS::CodePipeline::Pipeline" in the CloudFormation template reference.
"""

from typing import Any

from mlops_foundation.core.clock import new_token
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, StackCall, not_supported

_KNOWN = frozenset(
    {
        *("ArtifactStore", "ArtifactStores", "DisableInboundStageTransitions", "ExecutionMode", "Name"),
        *("PipelineType", "RestartExecutionOnUpdate", "RoleArn", "Stages", "Tags", "Triggers", "Variables"),
    }
)
_DECLARED = ("ArtifactStore", "ExecutionMode", "PipelineType", "RoleArn", "Stages", "Triggers", "Variables")


def _declaration(properties: Json, name: str) -> Json:
    for key in properties:
        if key not in _KNOWN:
            raise not_supported(f"{key} of AWS::CodePipeline::Pipeline")
    pipeline: Json = _lower({key: properties[key] for key in _DECLARED if properties.get(key)})
    if "ArtifactStores" in properties:
        stores = {item["Region"]: _lower(item["ArtifactStore"]) for item in properties["ArtifactStores"]}
        pipeline["artifactStores"] = stores
    for stage in pipeline["stages"]:
        for action in stage["actions"]:
            if "runOrder" in action:
                action["runOrder"] = int(action["runOrder"])
    return {"name": name, **pipeline}


def _lower(value: Any) -> Any:  # noqa: ANN401  JSON
    """Turn CloudFormation's spelling of properties into the API's; a configuration keeps its keys, values as text."""
    if isinstance(value, list):
        return [_lower(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key[:1].lower() + key[1:]: _texts(item) if key == "Configuration" else _lower(item)
        for key, item in value.items()
    }


def _texts(configuration: Json) -> dict[str, str]:
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in configuration.items()}


def _tags(properties: Json) -> list[Json]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])]


def _disabled(properties: Json) -> dict[str, str]:
    return {item["StageName"]: item["Reason"] for item in properties.get("DisableInboundStageTransitions", [])}


def _create(stack: StackCall, properties: Json) -> Provisioned:
    name = properties.get("Name") or stack.physical_name(100, new_token(12))
    request = {"pipeline": _declaration(properties, name), "tags": _tags(properties)}
    made = stack.invoke("codepipeline", "CreatePipeline", request)["pipeline"]
    _set_transitions(stack, name, {}, _disabled(properties))
    return Provisioned(name, {"Version": str(made["version"])})


def _update(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    pipeline = _declaration(new, physical_id)
    if pipeline != _declaration(old, physical_id):
        stack.invoke("codepipeline", "UpdatePipeline", {"pipeline": pipeline})
    arn = stack.call.arn("codepipeline", physical_id)
    before, after = _tags(old), _tags(new)
    gone = [tag["key"] for tag in before if tag["key"] not in {item["key"] for item in after}]
    if gone:
        stack.invoke("codepipeline", "UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if after != before and after:
        stack.invoke("codepipeline", "TagResource", {"resourceArn": arn, "tags": after})
    _set_transitions(stack, physical_id, _disabled(old), _disabled(new))
    if str(new.get("RestartExecutionOnUpdate", "")).lower() == "true":
        stack.invoke("codepipeline", "StartPipelineExecution", {"name": physical_id})
    found = stack.invoke("codepipeline", "GetPipeline", {"name": physical_id})["pipeline"]
    return Provisioned(physical_id, {"Version": str(found["version"])})


def _set_transitions(stack: StackCall, name: str, before: dict[str, str], after: dict[str, str]) -> None:
    for stage in [stage for stage in before if stage not in after]:
        place = {"pipelineName": name, "stageName": stage, "transitionType": "Inbound"}
        stack.invoke("codepipeline", "EnableStageTransition", place)
    for stage, reason in after.items():
        if before.get(stage) != reason:
            place = {"pipelineName": name, "stageName": stage, "transitionType": "Inbound"}
            stack.invoke("codepipeline", "DisableStageTransition", {**place, "reason": reason})


def _delete(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    stack.invoke("codepipeline", "DeletePipeline", {"name": physical_id})


PIPELINE_TYPE = ResourceType(create=_create, update=_update, delete=_delete, replaced_by=frozenset({"Name"}))
