"""Operations of CodePipeline.

Source: CodePipeline API reference; service authorization reference (actions on pipelines, stages and actions).
"""

import json
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import (
    Call,
    Check,
    Cloud,
    Json,
    ResourceType,
    Scope,
    Service,
    ServiceError,
    operation,
)
from mlops_foundation.local.services.codepipeline import declaration as declared
from mlops_foundation.local.services.codepipeline import records as rec
from mlops_foundation.local.services.codepipeline.actions.approval import Decision
from mlops_foundation.local.services.codepipeline.engine import Engine
from mlops_foundation.local.services.codepipeline.records import ACTION, EXECUTION, PIPELINE, pipeline_arn
from mlops_foundation.local.services.codepipeline.resource import PIPELINE_TYPE

CODEPIPELINE = "codepipeline.amazonaws.com"


def _named(*path: str) -> Callable[["CodePipeline", Call, Json], str]:
    """Return what gives the ARN of a pipeline whose name is at a path of the request."""

    def arn(_service: "CodePipeline", call: Call, request: Json) -> str:
        value = request
        for key in path[:-1]:
            value = value[key]
        return pipeline_arn(call.scope, value[path[-1]])

    return arn


def _stage(_service: object, call: Call, request: Json) -> str:
    return pipeline_arn(call.scope, request["pipelineName"], request["stageName"])


def _action(_service: object, call: Call, request: Json) -> str:
    return pipeline_arn(call.scope, request["pipelineName"], request["stageName"], request["actionName"])


def _tagged(_service: object, _call: Call, request: Json) -> str:
    return str(request["resourceArn"])


def _any(_service: object, call: Call, _request: Json) -> str:
    return pipeline_arn(call.scope, "*")


_PAGE_MAX: Final = 100


class CodePipeline(Service):
    """Pipelines and their executions."""

    name = "codepipeline"
    models = ("codepipeline",)
    namespace = "codepipeline"
    resource_types: ClassVar[Mapping[str, ResourceType]] = {"AWS::CodePipeline::Pipeline": PIPELINE_TYPE}

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._engine = Engine(cloud, self.records)

    def start(self) -> None:
        """Go on with the executions that were under way."""
        for scope in self.records.scopes():
            self._engine.resume(scope)

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a pipeline, also for its stages and actions."""
        where = Arn.parse(arn)
        scope = Scope(AccountId(where.account), Region(where.region))
        record = self.records.get(scope, PIPELINE, where.resource.partition("/")[0])
        return {tag["key"]: tag["value"] for tag in record["tags"]} if record else {}

    # --- pipelines

    @operation(resource=_named("pipeline", "name"), passes={"pipeline.roleArn": CODEPIPELINE})
    def create_pipeline(self, call: Call, request: Json) -> Json:
        """Make a pipeline; its first execution starts at once, as on AWS."""
        pipeline = {**request["pipeline"], "version": 1}
        name = pipeline["name"]
        if self.records.get(call.scope, PIPELINE, name):
            raise ServiceError("PipelineNameInUseException", f"A pipeline with the name '{name}' already exists")
        self._check(call, pipeline)
        stamp = now().timestamp()
        record = {
            "declaration": pipeline,
            "created": stamp,
            "updated": stamp,
            "tags": request.get("tags", []),
            "transitions": {},
            "entered": {},
        }
        self.records.put(call.scope, PIPELINE, name, record)
        self._start(call, record, {"triggerType": "CreatePipeline", "triggerDetail": call.principal.arn}, {})
        return {"pipeline": pipeline, "tags": record["tags"]}

    @operation(resource=_named("pipeline", "name"), passes={"pipeline.roleArn": CODEPIPELINE})
    def update_pipeline(self, call: Call, request: Json) -> Json:
        """Replace the definition of a pipeline; executions that are under way are cancelled."""
        before = rec.pipeline_of(self.records, call.scope, request["pipeline"]["name"])
        pipeline = {**request["pipeline"], "version": before["declaration"]["version"] + 1}
        self._check(call, pipeline)
        self._engine.cancel(call.scope, pipeline["name"])
        stamp = now().timestamp()
        self.records.change(
            call.scope, PIPELINE, pipeline["name"], lambda record: record.update(declaration=pipeline, updated=stamp)
        )
        return {"pipeline": pipeline}

    def _check(self, call: Call, pipeline: Json) -> None:
        declared.check(pipeline, call.region)
        arn = pipeline_arn(call.scope, pipeline["name"])
        try:
            self.cloud.assume_service_role(
                pipeline["roleArn"], CODEPIPELINE, "check", source_arn=arn, region=call.region
            )
        except ServiceError as error:
            raise ServiceError(
                "InvalidStructureException",
                f"CodePipeline is not authorized to perform AssumeRole on role {pipeline['roleArn']}: {error.message}",
            ) from error

    @operation(resource=_named("name"))
    def get_pipeline(self, call: Call, request: Json) -> Json:
        """Return a pipeline's definition; older versions are not kept."""
        record = rec.pipeline_of(self.records, call.scope, request["name"])
        if request.get("version", record["declaration"]["version"]) != record["declaration"]["version"]:
            raise ServiceError("PipelineVersionNotFoundException", f"There is no version {request['version']}")
        dates = {"created": record["created"], "updated": record["updated"]}
        return {
            "pipeline": record["declaration"],
            "metadata": {"pipelineArn": pipeline_arn(call.scope, request["name"]), **dates},
        }

    @operation(resource=_any)
    def list_pipelines(self, call: Call, request: Json) -> Json:
        """List all pipelines."""
        del request
        records = sorted(self.records.all(call.scope, PIPELINE), key=lambda record: record["declaration"]["name"])
        return {"pipelines": [_summary(record) for record in records]}

    @operation(resource=_named("name"))
    def delete_pipeline(self, call: Call, request: Json) -> Json:
        """Remove a pipeline and its history; one that is gone is no error, as on AWS."""
        name = request["name"]
        self._engine.cancel(call.scope, name)
        self.records.pop(call.scope, PIPELINE, name)
        for execution in rec.executions_of(self.records, call.scope, name):
            key = execution["pipelineExecutionId"]
            for action in rec.actions_of_execution(self.records, call.scope, key):
                self.records.pop(call.scope, ACTION, action["actionExecutionId"])
            self.records.pop(call.scope, EXECUTION, key)
        return {}

    # --- executions

    @operation(resource=_named("name"))
    def start_pipeline_execution(self, call: Call, request: Json) -> Json:
        """Start an execution; the same request token starts nothing new."""
        record = rec.pipeline_of(self.records, call.scope, request["name"])
        trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": call.principal.arn}
        return {"pipelineExecutionId": self._start_checked(call, record, trigger, request)}

    def receive_event(self, call: Call, target: Json, event: Json) -> None:
        """Start the pipeline that a rule targets, with the variables and revisions its input names."""
        arn = Arn.parse(target["Arn"])
        scope = Scope(AccountId(arn.account), Region(arn.region))
        check = Check("codepipeline:StartPipelineExecution", target["Arn"])
        self.cloud.authorize(call.principal, check, region=scope.region)
        record = rec.pipeline_of(self.records, scope, arn.resource)
        trigger = {"triggerType": "CloudWatchEvent", "triggerDetail": target.get("RuleArn", target["Arn"])}
        self._start_checked(Call(self.cloud, call.principal, scope), record, trigger, _event_input(event))

    def _start_checked(self, call: Call, record: Json, trigger: Json, request: Json) -> str:
        name, token = record["declaration"]["name"], request.get("clientRequestToken")
        for execution in rec.executions_of(self.records, call.scope, name) if token else ():
            if execution["_token"] == token:
                return str(execution["pipelineExecutionId"])
        known = {item["name"] for item in record["declaration"].get("variables", [])}
        for item in request.get("variables", []):
            if item["name"] not in known:
                raise ServiceError("ValidationException", f"The pipeline {name} has no variable {item['name']}")
        sources = {action["name"] for action in record["declaration"]["stages"][0]["actions"]}
        for item in request.get("sourceRevisions", []):
            if item["actionName"] not in sources:
                raise ServiceError("ValidationException", f"The pipeline has no source action {item['actionName']}")
        missing = _missing(record, request)
        if missing:
            raise ServiceError("ValidationException", missing)
        return self._start(call, record, trigger, request)

    def _start(self, call: Call, record: Json, trigger: Json, request: Json) -> str:
        execution = rec.new_execution(record, trigger, _values(record, request), request)
        missing = _missing(record, request)
        if missing:
            self._engine.fail_at_start(call.scope, execution, missing)
        else:
            self._engine.start(call.scope, execution)
        return str(execution["pipelineExecutionId"])

    @operation(resource=_named("pipelineName"))
    def stop_pipeline_execution(self, call: Call, request: Json) -> Json:
        """Stop an execution: when its actions have ended, or now."""
        execution = self._execution(call, request)
        if execution["status"] not in rec.OPEN:
            raise ServiceError(
                "PipelineExecutionNotStoppableException", f"The execution is {execution['status']}, not InProgress"
            )
        self._engine.stop(call.scope, execution, request.get("reason", ""), abandon=request.get("abandon", False))
        return {"pipelineExecutionId": execution["pipelineExecutionId"]}

    @operation(resource=_named("pipelineName"))
    def get_pipeline_execution(self, call: Call, request: Json) -> Json:
        """Describe an execution."""
        return {"pipelineExecution": rec.visible(self._execution(call, request))}

    @operation(resource=_named("pipelineName"))
    def list_pipeline_executions(self, call: Call, request: Json) -> Json:
        """List the executions of a pipeline, newest first."""
        rec.pipeline_of(self.records, call.scope, request["pipelineName"])
        executions = rec.executions_of(self.records, call.scope, request["pipelineName"])[::-1]
        stage = request.get("filter", {}).get("succeededInStage", {}).get("stageName")
        if stage:
            executions = [item for item in executions if item["_stages"].get(stage) == "Succeeded"]
        shown = [rec.execution_summary(item) for item in executions]
        return _page("pipelineExecutionSummaries", shown, request)

    @operation(resource=_named("pipelineName"))
    def list_action_executions(self, call: Call, request: Json) -> Json:
        """List the actions that ran, newest first."""
        name, wanted = request["pipelineName"], request.get("filter", {})
        rec.pipeline_of(self.records, call.scope, name)
        only = wanted.get("pipelineExecutionId") or wanted.get("latestInPipelineExecution", {}).get(
            "pipelineExecutionId"
        )
        if only:
            rec.execution_of(self.records, call.scope, name, only)
        found = [item for item in self.records.all(call.scope, ACTION) if item["_pipeline"] == name]
        shown = [rec.visible(item) for item in found if not only or item["pipelineExecutionId"] == only][::-1]
        return _page("actionExecutionDetails", shown, request)

    @operation(resource=_named("name"))
    def get_pipeline_state(self, call: Call, request: Json) -> Json:
        """Show every stage and action with its latest execution."""
        name = request["name"]
        record = rec.pipeline_of(self.records, call.scope, name)
        executions = rec.executions_of(self.records, call.scope, name)
        actions = [item for item in self.records.all(call.scope, ACTION) if item["_pipeline"] == name]
        stages = record["declaration"]["stages"]
        return {
            "pipelineName": name,
            "pipelineVersion": record["declaration"]["version"],
            "stageStates": [rec.stage_state(record, stage, executions, actions) for stage in stages],
            "created": record["created"],
            "updated": record["updated"],
        }

    def _execution(self, call: Call, request: Json) -> Json:
        name = request["pipelineName"]
        rec.pipeline_of(self.records, call.scope, name)
        return rec.execution_of(self.records, call.scope, name, request["pipelineExecutionId"])

    # --- decisions of people

    @operation(resource=_action)
    def put_approval_result(self, call: Call, request: Json) -> Json:
        """Approve or reject what waits at a manual approval."""
        name, stage, action = request["pipelineName"], request["stageName"], request["actionName"]
        record = rec.pipeline_of(self.records, call.scope, name)
        declared.action_named(record["declaration"], stage, action)
        waiting = [item for item in self.records.all(call.scope, ACTION) if item["_token"] == request["token"]]
        where = [(item["_pipeline"], item["stageName"], item["actionName"]) for item in waiting]
        if where != [(name, stage, action)]:
            raise ServiceError("InvalidApprovalTokenException", "The approval token is not valid for this action")
        if waiting[0]["status"] != "InProgress" or "updatedBy" in waiting[0]:
            raise ServiceError("ApprovalAlreadyCompletedException", "The approval action has already been decided")
        result, key = request["result"], waiting[0]["actionExecutionId"]
        arn = call.principal.arn
        self.records.change(call.scope, ACTION, key, lambda item: item.update(updatedBy=arn))
        decision = Decision(approved=result["status"] == "Approved", summary=result["summary"], by=arn)
        self._engine.runner.approvals.decide(key, decision)
        return {"approvedAt": now().timestamp()}

    @operation(resource=_stage)
    def retry_stage_execution(self, call: Call, request: Json) -> Json:
        """Run the failed actions, or all actions, of a failed stage again."""
        stage, execution = request["stageName"], self._execution(call, request)
        record = rec.pipeline_of(self.records, call.scope, request["pipelineName"])
        declared.stage_named(record["declaration"], stage)
        key = execution["pipelineExecutionId"]
        if record["entered"].get(stage) != key:
            raise ServiceError("NotLatestPipelineExecutionException", f"{key} is not the latest execution of {stage}")
        if execution["_stages"].get(stage) not in ("Failed", "Stopped") or execution["status"] in rec.OPEN:
            raise ServiceError("StageNotRetryableException", f"The stage {stage} has not failed")
        self._engine.retry(call.scope, execution, stage, everything=request["retryMode"] == "ALL_ACTIONS")
        return {"pipelineExecutionId": key}

    @operation(resource=_stage)
    def disable_stage_transition(self, call: Call, request: Json) -> Json:
        """Let no execution into a stage."""
        self._set_transition(call, request, enabled=False)
        return {}

    @operation(resource=_stage)
    def enable_stage_transition(self, call: Call, request: Json) -> Json:
        """Let executions into a stage again."""
        self._set_transition(call, request, enabled=True)
        self._engine.admit_all(call.scope, request["pipelineName"])
        return {}

    def _set_transition(self, call: Call, request: Json, *, enabled: bool) -> None:
        record = rec.pipeline_of(self.records, call.scope, request["pipelineName"])
        declared.stage_named(record["declaration"], request["stageName"])
        if request["transitionType"] != "Inbound":
            raise ServiceError("ValidationException", "Only the inbound transition of a stage can be changed")
        state = {"enabled": enabled, "lastChangedBy": call.principal.arn, "lastChangedAt": now().timestamp()}
        if not enabled:
            state["disabledReason"] = request["reason"]
        self.records.change(
            call.scope,
            PIPELINE,
            request["pipelineName"],
            lambda found: found["transitions"].update({request["stageName"]: state}),
        )

    # --- tags

    @operation(resource=_tagged)
    def tag_resource(self, call: Call, request: Json) -> Json:
        """Add tags to a pipeline."""
        added = {tag["key"]: tag["value"] for tag in request["tags"]}
        self._change_tags(call, request, lambda tags: tags | added)
        return {}

    @operation(resource=_tagged)
    def untag_resource(self, call: Call, request: Json) -> Json:
        """Remove tags of a pipeline."""
        gone = set(request["tagKeys"])
        self._change_tags(call, request, lambda tags: {key: tags[key] for key in tags if key not in gone})
        return {}

    @operation(resource=_tagged)
    def list_tags_for_resource(self, call: Call, request: Json) -> Json:
        """List the tags of a pipeline."""
        return {"tags": self._tagged_pipeline(call, request)["tags"]}

    def _tagged_pipeline(self, call: Call, request: Json) -> Json:
        try:
            name = Arn.parse(request["resourceArn"]).resource
        except ValueError as error:
            raise ServiceError("InvalidArnException", str(error)) from error
        record = self.records.get(call.scope, PIPELINE, name)
        if record is None:
            raise ServiceError("ResourceNotFoundException", f"{request['resourceArn']} does not exist")
        return record

    def _change_tags(self, call: Call, request: Json, change: "Callable[[dict[str, str]], dict[str, str]]") -> None:
        record = self._tagged_pipeline(call, request)
        tags = change({tag["key"]: tag["value"] for tag in record["tags"]})
        shown = [{"key": key, "value": value} for key, value in tags.items()]
        self.records.change(call.scope, PIPELINE, record["declaration"]["name"], lambda found: found.update(tags=shown))


def _page(key: str, shown: list[Json], request: Json) -> Json:
    """Return a page of a list, with the token of the next one when there is more; 100 at most, as AWS documents."""
    try:
        start = int(request.get("nextToken", "0"))
    except ValueError as error:
        raise ServiceError("InvalidNextTokenException", "The next token is not one that was returned before") from error
    end = start + int(request.get("maxResults", _PAGE_MAX))
    return {key: shown[start:end], **({"nextToken": str(end)} if end < len(shown) else {})}


def _summary(record: Json) -> Json:
    pipeline = record["declaration"]
    return {
        "name": pipeline["name"],
        "version": pipeline["version"],
        "pipelineType": pipeline.get("pipelineType", "V1"),
        "executionMode": pipeline.get("executionMode", "SUPERSEDED"),
        "created": record["created"],
        "updated": record["updated"],
    }


def _values(record: Json, request: Json) -> dict[str, str]:
    """Return the value of every variable that has one: from the request, else its default."""
    variables = record["declaration"].get("variables", [])
    given = {item["name"]: item["value"] for item in request.get("variables", [])}
    return {item["name"]: item["defaultValue"] for item in variables if "defaultValue" in item} | given


def _missing(record: Json, request: Json) -> str:
    values = _values(record, request)
    names = [item["name"] for item in record["declaration"].get("variables", []) if item["name"] not in values]
    return f"The variable {names[0]} has no default value and none was given" if names else ""


def _event_input(event: Json) -> Json:
    """Return variables and source revisions from what an input transformer made of an event."""
    if "input" not in event:
        return {}
    given = event["input"]
    found = json.loads(given) if isinstance(given, str) else given
    return {key: found[key] for key in ("variables", "sourceRevisions") if found.get(key)}
