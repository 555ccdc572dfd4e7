"""The two pipelines of a project: see where an execution stands, wait for it, approve a stage, read a log."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from mlops_foundation.core.errors import ConfigError, UserCodeError
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace

Kind = Literal["build", "deploy"]
_POLL_S: Final = 1.0
_LOG_LINES: Final = 20
_ENDED: Final = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}


@dataclass(frozen=True)
class Action:
    """One action of a stage.

    Attributes:
        name: Action name.
        status: CodePipeline's status, ``Waiting`` for an approval, empty when it did not run.
        summary: What it says, or why it failed.
        execution: External id: of a build, or of a stack.
        token: Of a waiting approval.
    """

    name: str
    status: str = ""
    summary: str = ""
    execution: str = ""
    token: str = ""


@dataclass(frozen=True)
class StageState:
    """One stage of a pipeline for one execution."""

    name: str
    status: str
    execution_id: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class PipelineState:
    """A pipeline with its newest execution.

    Attributes:
        name: Pipeline name.
        execution_id: Newest execution, empty when there was none.
        status: Of that execution.
        reason: Why it was stopped.
        started: ISO 8601.
        stages: In order.
    """

    name: str
    execution_id: str
    status: str
    reason: str
    started: str
    stages: tuple[StageState, ...]

    @property
    def ended(self) -> bool:
        """Whether the execution goes no further by itself."""
        return self.status in _ENDED

    @property
    def waiting(self) -> StageState | None:
        """The stage that waits for an approval."""
        return next((stage for stage in self.stages if any(action.token for action in stage.actions)), None)

    @property
    def failed(self) -> tuple[StageState, Action] | None:
        """The first action that failed in this execution."""
        found = ((stage, action) for stage in self.stages for action in stage.actions if action.status == "Failed")
        return next(found, None)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


def name_of(workspace: Workspace, project: str, kind: str) -> str:
    """Return the name of a project's pipeline.

    Raises:
        ConfigError: When the kind is neither build nor deploy.
    """
    names = workspace.project(project)
    pipelines = {"build": names.build_pipeline, "deploy": names.deploy_pipeline}
    if kind not in pipelines:
        raise ConfigError(f"there is no pipeline {kind}", got=kind, expected="build or deploy")
    return pipelines[kind]


def list_pipelines(workspace: Workspace, project: str, persona: str) -> list[PipelineState]:
    """Return both pipelines of a project."""
    return [state(workspace, project, kind, persona) for kind in ("build", "deploy")]


def state(workspace: Workspace, project: str, kind: str, persona: str, execution_id: str = "") -> PipelineState:
    """Return a pipeline with its newest execution, or with one that is named."""
    name = name_of(workspace, project, kind)
    client = workspace.client("codepipeline", "dev", persona)
    with aws_errors(f"pipeline {name}"):
        executions = client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
        found = client.get_pipeline_state(name=name)
    newest: Mapping[str, Any] = next(
        (each for each in executions if execution_id in {"", each["pipelineExecutionId"]}), {}
    )
    wanted = newest.get("pipelineExecutionId", "")
    stages = tuple(_stage(each, wanted) for each in found["stageStates"])
    return PipelineState(
        name=name,
        execution_id=wanted,
        status=newest.get("status", ""),
        reason=newest.get("stopTrigger", {}).get("reason", ""),
        started=newest["startTime"].isoformat() if "startTime" in newest else "",
        stages=stages,
    )


def _stage(found: Mapping[str, Any], execution_id: str) -> StageState:
    latest = found.get("latestExecution", {})
    own = latest.get("pipelineExecutionId") == execution_id
    actions = tuple(_action(each, own=own) for each in found.get("actionStates", []))
    return StageState(found["stageName"], latest.get("status", "") if own else "", execution_id, actions)


def _action(found: Mapping[str, Any], *, own: bool) -> Action:
    latest = found.get("latestExecution", {}) if own else {}
    token = latest.get("token", "") if latest.get("status") == "InProgress" else ""
    error = latest.get("errorDetails", {}).get("message", "")
    return Action(
        name=found["actionName"],
        status="Waiting" if token else latest.get("status", ""),
        summary=error or latest.get("summary", ""),
        execution=latest.get("externalExecutionId", ""),
        token=token,
    )


def watch(
    workspace: Workspace, project: str, kind: str, persona: str, after: Sequence[str] = ()
) -> Iterator[PipelineState]:
    """Yield the state of the newest execution whenever it may have changed, until it ends or waits for a person.

    Args:
        workspace: Where.
        project: Project name.
        kind: build or deploy.
        persona: Who looks.
        after: Executions that are old: wait for another one to start.
    """
    followed = ""
    while True:
        now = state(workspace, project, kind, persona, followed)
        if now.execution_id and now.execution_id not in after:
            followed = now.execution_id
            yield now
            if now.ended or now.waiting:
                return
        time.sleep(_POLL_S)


def executions(workspace: Workspace, project: str, kind: str, persona: str) -> list[str]:
    """Return the ids of all executions, newest first."""
    name = name_of(workspace, project, kind)
    client = workspace.client("codepipeline", "dev", persona)
    with aws_errors(f"pipeline {name}"):
        found = client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return [each["pipelineExecutionId"] for each in found]


def check(workspace: Workspace, state_now: PipelineState, persona: str) -> None:
    """Raise when an execution failed, with what the failed action said.

    Raises:
        UserCodeError: With the action's reason and the end of its log.
    """
    failed = state_now.failed
    if failed is None or state_now.status != "Failed":
        return
    stage, action = failed
    lines = log_lines(workspace, action, persona, _LOG_LINES)
    reason = next((line for line in reversed(lines) if "Error" in line), action.summary)
    project, kind, _ = state_now.name.split("_")
    raise UserCodeError(
        f"{stage.name}/{action.name} failed: {reason}",
        where=f"{state_now.name}, execution {state_now.execution_id}",
        got="\n".join(lines),
        expected="Succeeded",
        fix=f"put it right, then push again; the whole log: mlops pipeline logs {project} {kind}",
    )


def put_approval(
    workspace: Workspace, project: str, stage: str, *, approve: bool, summary: str, persona: str
) -> StageState:
    """Approve or reject the promotion to a stage.

    Args:
        workspace: Where.
        project: Project name.
        stage: preprod or prod.
        approve: Or reject.
        summary: Why; kept in the execution's history.
        persona: The lead for preprod, the prod approver for prod.

    Raises:
        AccessDenied: When the persona may not.
        ConfigError: When nothing waits there.
    """
    now = state(workspace, project, "deploy", persona)
    wanted = f"Approve{stage.capitalize()}"
    waiting = next((each for each in now.stages if each.name == wanted), None)
    action = next((each for each in waiting.actions if each.token), None) if waiting else None
    if waiting is None or action is None:
        raise ConfigError(
            f"nothing waits for an approval before {stage}",
            where=f"{now.name}, {now.status or 'no execution'}",
            got=now.waiting.name if now.waiting else "no stage waits",
            expected=f"an execution that waits in {wanted}",
            fix=f"mlops pipeline watch {project} deploy",
        )
    client = workspace.client("codepipeline", "dev", persona)
    with aws_errors(f"{now.name}/{wanted}"):
        client.put_approval_result(
            pipelineName=now.name,
            stageName=wanted,
            actionName=action.name,
            result={"summary": summary, "status": "Approved" if approve else "Rejected"},
            token=action.token,
        )
    return waiting


def log_lines(workspace: Workspace, action: Action, persona: str, last: int = 0) -> list[str]:
    """Return the log of a build, the last lines of it, or nothing when the action has none."""
    if ":" not in action.execution or action.execution.startswith("arn:aws:cloudformation"):
        return []
    codebuild = workspace.client("codebuild", "dev", persona)
    logs = workspace.client("logs", "dev", persona)
    with aws_errors(f"log of {action.execution}"):
        build = codebuild.batch_get_builds(ids=[action.execution])["builds"][0]
        place = build["logs"]
        if "groupName" not in place:
            return []
        lines = list(_events(logs, place["groupName"], place["streamName"]))
    return lines[-last:] if last else lines


def _events(logs: Any, group: str, stream: str) -> Iterator[str]:  # noqa: ANN401  boto3 clients
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        yield from (event["message"].rstrip("\n") for event in page["events"])
        if not page["events"] or token.get("nextToken") == page["nextForwardToken"]:
            return
        token = {"nextToken": page["nextForwardToken"]}
