"""Executions of a project's pipelines: start one, stop one, run what failed again, look at those there were."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

from mlops_foundation.core.clock import now
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases import models
from mlops_foundation.usecases.known_project import project_errors
from mlops_foundation.usecases.pipeline_state import PipelineState, short
from mlops_foundation.usecases.pipeline_view import PipelineView
from mlops_foundation.usecases.project_pipelines import promotes, promoting
from mlops_foundation.usecases.workspace import Workspace

_AT_ONCE: Final = 8
_OPEN: Final = {"InProgress", "Stopping"}
_TRIGGERS: Final = {"StartPipelineExecution": "start", "CreatePipeline": "created", "PutActionRevision": "push"}
_RULES: Final = {"-push": "push", "-approved": "approval"}
"""How the names of the rules end that start a project's pipelines."""


@dataclass(frozen=True)
class Execution:
    """One execution of a pipeline.

    Attributes:
        execution_id: Its id.
        subject: What it is about: ``version 2``, or ``commit 0a1b2c3d``.
        trigger: What started it: ``push``, ``approval``, ``start`` by somebody, ``created`` with the pipeline.
        triggered_by: ARN of the rule or the person.
        status: CodePipeline's status.
        started: ISO 8601.
        seconds: How long it took, so far.
        reason: Why it was stopped or what superseded it, when it says so.
    """

    execution_id: str
    subject: str
    trigger: str
    status: str
    started: str
    seconds: float
    reason: str = ""
    triggered_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


def history(workspace: Workspace, project: str, kind: str, persona: str, limit: int) -> list[Execution]:
    """Return the newest executions of a pipeline, newest first.

    Raises:
        ConfigError: When there is no such project.
    """
    view = PipelineView(workspace, project, kind, persona)
    client = workspace.client("codepipeline", "dev", persona)
    with project_errors(workspace, project, persona, f"pipeline {view.name}"):
        pages = client.get_paginator("list_pipeline_executions").paginate(
            pipelineName=view.name, PaginationConfig={"MaxItems": limit}
        )
        found = [each for page in pages for each in page["pipelineExecutionSummaries"]]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            subjects = list(pool.map(view.subject, found))
    return [_execution(each, subject) for each, subject in zip(found, subjects, strict=True)]


def _execution(found: Mapping[str, Any], subject: str) -> Execution:
    ended = now() if found["status"] in _OPEN else found.get("lastUpdateTime", found["startTime"])
    return Execution(
        execution_id=found["pipelineExecutionId"],
        subject=subject,
        trigger=_trigger(found.get("trigger", {})),
        status=found["status"],
        started=found["startTime"].isoformat(),
        seconds=round((ended - found["startTime"]).total_seconds(), 1),
        reason=found.get("stopTrigger", {}).get("reason", "") or found.get("statusSummary", ""),
        triggered_by=found.get("trigger", {}).get("triggerDetail", ""),
    )


def _trigger(found: Mapping[str, str]) -> str:
    """Return in a word what started an execution; what we have no word for stays CodePipeline's own."""
    kind, rule = found.get("triggerType", ""), found.get("triggerDetail", "")
    if kind == "CloudWatchEvent":
        return next((word for end, word in _RULES.items() if rule.endswith(end)), "event")
    return _TRIGGERS.get(kind, kind)


def start(workspace: Workspace, project: str, kind: str, persona: str, version: str = "") -> str:
    """Start a pipeline with the newest source, and return the execution's id.

    Args:
        workspace: Where.
        project: Project name.
        kind: Of its pipelines, for example build or deploy.
        persona: Who starts it.
        version: Of the model, to deploy: number, latest or ARN; the latest approved one when empty.

    Raises:
        AccessDenied: When the persona may not.
        ConfigError: When there is no such project or version, or a version is given for a build.
    """
    view = PipelineView(workspace, project, kind, persona)
    variables: list[dict[str, str]] = []
    if version and not promotes(workspace, kind):
        kinds = promoting(workspace, project, persona)
        raise ConfigError(
            f"only a pipeline that deploys takes a version: {kind} makes a new one",
            where="--version",
            got=version,
            expected="no version",
            fix=f"mlops pipeline start {project} {next(iter(kinds), 'deploy')} --version {version}",
        )
    if version:
        arn = models.resolve(workspace, project, version, persona)
        variables = [{"name": "ModelPackageArn", "value": arn}]
    client = workspace.client("codepipeline", "dev", persona)
    with project_errors(workspace, project, persona, f"pipeline {view.name}"):
        given = {"variables": variables} if variables else {}
        execution_id: str = client.start_pipeline_execution(name=view.name, **given)["pipelineExecutionId"]
    return execution_id


def stop(  # noqa: PLR0913  each is an option
    workspace: Workspace,
    project: str,
    kind: str,
    persona: str,
    *,
    execution_id: str = "",
    reason: str = "",
    abandon: bool = False,
) -> PipelineState:
    """Stop an execution that is under way, and return it.

    Args:
        workspace: Where.
        project: Project name.
        kind: Of its pipelines, for example build or deploy.
        persona: Who stops it.
        execution_id: The execution, or the beginning of its id; the only one under way when empty.
        reason: Why; kept in the execution's history.
        abandon: Do not wait for its running actions.

    Raises:
        AccessDenied: When the persona may not.
        ConfigError: When nothing is under way, or several executions and none is named.
    """
    view = PipelineView(workspace, project, kind, persona)
    chosen = execution_id or _only_one(view, workspace, project, kind, persona)
    found = view.state(chosen)
    if found.status not in _OPEN:
        raise ConfigError(
            f"execution {short(found.execution_id)} is over",
            where=view.name,
            got=found.status,
            expected="an execution that is under way",
            fix=f"mlops pipeline history {project} {kind}",
        )
    client = workspace.client("codepipeline", "dev", persona)
    with project_errors(workspace, project, persona, f"pipeline {view.name}"):
        given = {"reason": reason} if reason else {}
        client.stop_pipeline_execution(
            pipelineName=view.name, pipelineExecutionId=found.execution_id, abandon=abandon, **given
        )
    return view.state(found.execution_id)


def _only_one(view: PipelineView, workspace: Workspace, project: str, kind: str, persona: str) -> str:
    under_way = [each for each in history(workspace, project, kind, persona, 100) if each.status in _OPEN]
    if len(under_way) == 1:
        return under_way[0].execution_id
    raise ConfigError(
        "several executions are under way" if under_way else "no execution is under way",
        where=view.name,
        got=_listed(under_way) or "none",
        expected="--execution with one of them" if under_way else "an execution that is under way",
        fix=f"mlops pipeline {'stop' if under_way else 'history'} {project} {kind}"
        + (f" --execution {short(under_way[0].execution_id)}" if under_way else ""),
    )


def _listed(found: Sequence[Execution]) -> str:
    return ", ".join(f"{short(each.execution_id)} {each.subject}".strip() for each in found)


def retry(
    workspace: Workspace,
    project: str,
    kind: str,
    persona: str,
    *,
    execution_id: str = "",
    all_actions: bool = False,
) -> tuple[PipelineState, str]:
    """Run the failed actions of a failed stage again; return the execution and the stage.

    Args:
        workspace: Where.
        project: Project name.
        kind: Of its pipelines, for example build or deploy.
        persona: Who asks for it.
        execution_id: The execution, or the beginning of its id; the newest when empty.
        all_actions: Run the actions that succeeded again too.

    Raises:
        AccessDenied: When the persona may not.
        ConfigError: When no stage of it failed.
    """
    view = PipelineView(workspace, project, kind, persona)
    found = view.state(execution_id)
    stage = next((each.name for each in found.stages if each.status in {"Failed", "Stopped"}), "")
    if not stage or found.status in _OPEN:
        raise ConfigError(
            "there is nothing to run again",
            where=f"{view.name}, execution {short(found.execution_id) or 'none'}",
            got=found.status or "it never ran",
            expected="an execution with a stage that failed",
            fix=f"mlops pipeline start {project} {kind}",
        )
    client = workspace.client("codepipeline", "dev", persona)
    with project_errors(workspace, project, persona, f"{view.name}/{stage}"):
        client.retry_stage_execution(
            pipelineName=view.name,
            stageName=stage,
            pipelineExecutionId=found.execution_id,
            retryMode="ALL_ACTIONS" if all_actions else "FAILED_ACTIONS",
        )
    return view.state(found.execution_id), stage
