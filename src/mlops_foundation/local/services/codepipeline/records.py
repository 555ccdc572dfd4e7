"""Records of pipelines, executions and actions, and how the API shows them. Keys with an underscore stay inside."""

from collections.abc import Callable, Iterable
from typing import Final

from mlops_foundation.core.clock import new_id, new_token, now
from mlops_foundation.local.contract import Json, Scope, ServiceError, Store

PIPELINE: Final = "pipeline"
EXECUTION: Final = "execution"
ACTION: Final = "action"
Change = Callable[[Json], None]
OPEN: Final = ("InProgress", "Stopping")


def pipeline_arn(scope: Scope, name: str, *parts: str) -> str:
    """Return the ARN of a pipeline, or of a stage or action in it."""
    return f"arn:aws:codepipeline:{scope.region}:{scope.account}:{'/'.join((name, *parts))}"


def pipeline_of(records: Store, scope: Scope, name: str) -> Json:
    """Return the record of a pipeline.

    Raises:
        ServiceError: ``PipelineNotFoundException``.
    """
    record = records.get(scope, PIPELINE, name)
    if record is None:
        raise ServiceError(
            "PipelineNotFoundException", f"Account '{scope.account}' does not have a pipeline with name '{name}'"
        )
    return record


def execution_of(records: Store, scope: Scope, name: str, execution_id: str) -> Json:
    """Return the record of an execution of a pipeline.

    Raises:
        ServiceError: ``PipelineExecutionNotFoundException``.
    """
    record = records.get(scope, EXECUTION, execution_id)
    if record is None or record["pipelineName"] != name:
        raise ServiceError("PipelineExecutionNotFoundException", f"The pipeline {name} has no execution {execution_id}")
    return record


def executions_of(records: Store, scope: Scope, name: str) -> list[Json]:
    """Return the executions of a pipeline, oldest first."""
    return [record for record in records.all(scope, EXECUTION) if record["pipelineName"] == name]


def actions_of_execution(records: Store, scope: Scope, execution_id: str) -> list[Json]:
    """Return the action executions of an execution, oldest first."""
    return [record for record in records.all(scope, ACTION) if record["pipelineExecutionId"] == execution_id]


def new_execution(pipeline: Json, trigger: Json, variables: dict[str, str], request: Json) -> Json:
    """Return the record of an execution that waits before the first stage."""
    declaration, stamp = pipeline["declaration"], now().timestamp()
    return {
        "pipelineName": declaration["name"],
        "pipelineVersion": declaration["version"],
        "pipelineExecutionId": new_id(),
        "status": "InProgress",
        "executionMode": declaration.get("executionMode", "SUPERSEDED"),
        "executionType": "STANDARD",
        "trigger": trigger,
        "variables": [{"name": name, "resolvedValue": value} for name, value in variables.items()],
        "artifactRevisions": [],
        "_declaration": declaration,
        "_token": request.get("clientRequestToken", ""),
        "_revisions": {item["actionName"]: item for item in request.get("sourceRevisions", [])},
        "_sourceRevisions": [],
        "_started": stamp,
        "_updated": stamp,
        "_stage": 0,
        "_waiting": True,
        "_stages": {},
        "_succeeded": {},
        "_namespaces": {},
        "_artifacts": {},
    }


def new_action(execution: Json, stage: str, action: Json) -> Json:
    """Return the record of an action that starts now."""
    stamp = now().timestamp()
    shown = ("configuration", "roleArn", "region", "namespace")
    return {
        "pipelineExecutionId": execution["pipelineExecutionId"],
        "actionExecutionId": new_id(),
        "pipelineVersion": execution["pipelineVersion"],
        "stageName": stage,
        "actionName": action["name"],
        "startTime": stamp,
        "lastUpdateTime": stamp,
        "status": "InProgress",
        "input": {
            "actionTypeId": action["actionTypeId"],
            **{key: action[key] for key in shown if key in action},
            "resolvedConfiguration": {},
            "inputArtifacts": _located(execution, action.get("inputArtifacts", [])),
        },
        "output": {"outputArtifacts": [], "executionResult": {}, "outputVariables": {}},
        "_pipeline": execution["pipelineName"],
        "_token": new_id() if action["actionTypeId"]["category"] == "Approval" else "",
    }


def _located(execution: Json, artifacts: Iterable[Json]) -> list[Json]:
    places = execution["_artifacts"]
    return [{"name": item["name"], "s3location": places[item["name"]]} for item in artifacts if item["name"] in places]


def new_location(declaration: Json, region: str, artifact: str) -> Json:
    """Return where an output artifact goes: ``<pipeline, 20>/<artifact, 10>/<7 characters>``, as AWS names it."""
    store = store_of(declaration, region)
    return {"bucket": store["location"], "key": f"{declaration['name'][:20]}/{artifact[:10]}/{new_token(7)}"}


def store_of(declaration: Json, region: str) -> Json:
    """Return the artifact store of a pipeline."""
    return dict(declaration.get("artifactStore") or declaration["artifactStores"][region])


def visible(record: Json) -> Json:
    """Return what the API shows of a record."""
    return {key: value for key, value in record.items() if not key.startswith("_")}


def execution_summary(record: Json) -> Json:
    """Return an execution as ListPipelineExecutions shows it."""
    keys = (
        "pipelineExecutionId",
        "status",
        "statusSummary",
        "trigger",
        "executionMode",
        "executionType",
        "stopTrigger",
    )
    return {
        **{key: record[key] for key in keys if key in record},
        "startTime": record["_started"],
        "lastUpdateTime": record["_updated"],
        "sourceRevisions": record["_sourceRevisions"],
    }


def stage_state(pipeline: Json, stage: Json, executions: list[Json], actions: list[Json]) -> Json:
    """Return one stage as GetPipelineState shows it."""
    name, index = stage["name"], [item["name"] for item in pipeline["declaration"]["stages"]].index(stage["name"])
    state: Json = {
        "stageName": name,
        "inboundTransitionState": pipeline["transitions"].get(name, {"enabled": True}),
        "actionStates": [_action_state(action, name, actions) for action in stage["actions"]],
    }
    waiting = [item for item in executions if item["_waiting"] and item["_stage"] == index and item["status"] in OPEN]
    if waiting:
        inbound = [{"pipelineExecutionId": item["pipelineExecutionId"], "status": "InProgress"} for item in waiting]
        state |= {"inboundExecution": inbound[-1], "inboundExecutions": inbound}
    last = pipeline["entered"].get(name)
    entered = next((item for item in executions if item["pipelineExecutionId"] == last), None)
    if entered:
        state["latestExecution"] = {"pipelineExecutionId": last, "status": entered["_stages"][name], "type": "STANDARD"}
    return state


def _action_state(action: Json, stage: str, actions: list[Json]) -> Json:
    state: Json = {"actionName": action["name"]}
    mine = [item for item in actions if (item["stageName"], item["actionName"]) == (stage, action["name"])]
    if not mine:
        return state
    last = mine[-1]
    result = last["output"]["executionResult"]
    latest = {
        "actionExecutionId": last["actionExecutionId"],
        "status": last["status"],
        "summary": result.get("externalExecutionSummary") or None,
        "lastStatusChange": last["lastUpdateTime"],
        "lastUpdatedBy": last.get("updatedBy"),
        "externalExecutionId": result.get("externalExecutionId"),
        "externalExecutionUrl": result.get("externalExecutionUrl"),
        "errorDetails": result.get("errorDetails"),
        "logStreamARN": result.get("logStreamARN"),
        "token": last["_token"] if last["_token"] and last["status"] == "InProgress" else None,
    }
    state["latestExecution"] = {key: value for key, value in latest.items() if value is not None}
    return state
