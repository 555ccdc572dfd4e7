"""The pipelines of a project: see where an execution stands, wait for it, approve a stage, tell why it failed."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from mlops_foundation.core.errors import ConfigError, DeployError, UserCodeError
from mlops_foundation.usecases import build_logs, log_reasons
from mlops_foundation.usecases.known_project import project_errors
from mlops_foundation.usecases.pipeline_state import (
    Action,
    Decision,
    PipelineState,
    StageState,
    Wait,
    label,
    short,
)
from mlops_foundation.usecases.pipeline_view import Approval, PipelineView
from mlops_foundation.usecases.project_pipelines import name_of, of_project, promoting
from mlops_foundation.usecases.workspace import Workspace

__all__ = ["Action", "Decision", "PipelineState", "StageState", "Wait", "label", "name_of", "short"]

_POLL_S: Final = 1.0
_POLL_MAX_S: Final = 5.0
_STILL: Final = 10
"""Looks that find nothing new, before the next ones come at longer intervals: each look is several calls."""
_SLOWER: Final = 1.25
_OWN_POLL_S: Final = 0.2
"""The first pause after something went on, where nobody limits calls: at an endpoint of one's own."""
_OWN_SLOWER: Final = 1.5
_PATIENCE_S: Final = 120.0
"""Seconds that a new execution may take to start; events take a few."""
_FIRST_S: Final = 10.0
"""Seconds that a pipeline without any execution is given: a new pipeline starts by itself."""


def list_pipelines(workspace: Workspace, project: str, persona: str) -> dict[str, PipelineState]:
    """Return the pipelines of a project by their kind."""
    return {kind: state(workspace, project, kind, persona) for kind in of_project(workspace, project, persona)}


def state(workspace: Workspace, project: str, kind: str, persona: str, execution_id: str = "") -> PipelineState:
    """Return a pipeline with its newest execution, or with one that is named by its id or the beginning of it."""
    return PipelineView(workspace, project, kind, persona).state(execution_id)


def watch(
    workspace: Workspace, project: str, kind: str, persona: str, after: Sequence[str] = (), execution_id: str = ""
) -> Iterator[PipelineState]:
    """Yield the state of an execution whenever it may have changed, until it ends or waits for a person.

    A pipeline that never ran is one state without an execution.

    Args:
        workspace: Where.
        project: Project name.
        kind: Of its pipelines, for example build or deploy.
        persona: Who looks.
        after: Executions that are old: wait for another one to start.
        execution_id: Follow this one; the newest when empty.

    Raises:
        DeployError: When no new execution starts.
    """
    view, pace = PipelineView(workspace, project, kind, persona), _Pace(own=workspace.sessions.endpoint_url is not None)
    followed, until = execution_id, time.monotonic() + (_PATIENCE_S if after else _FIRST_S)
    while True:
        now = view.state(followed)
        if now.execution_id and now.execution_id not in after:
            followed = now.execution_id
            yield now
            if now.ended or now.needs_a_person:
                return
        elif time.monotonic() > until:
            if after:
                raise _never_started(now.name, project, kind)
            yield now
            return
        time.sleep(pace.until_next(now))


class _Pace:
    """How long to wait before the next look: longer, the longer nothing has gone on; a line more of a log is none.

    Args:
        own: The endpoint is one's own, which has no limits of calls: a second is the longest pause.
    """

    def __init__(self, *, own: bool) -> None:
        self._own = own
        self._last: object = None
        self._still = 0
        self._wait_s = self._first_s = min(_OWN_POLL_S, _POLL_S) if own else _POLL_S

    def until_next(self, now: PipelineState) -> float:
        """Return the seconds until the next look, after one that found this."""
        stands = _where(now)
        if stands != self._last:
            self._last, self._still, self._wait_s = stands, 0, self._first_s
            return self._wait_s
        self._still += 1
        if self._own:
            self._wait_s = min(self._wait_s * _OWN_SLOWER, _POLL_S)
        elif self._still > _STILL:
            self._wait_s = min(self._wait_s * _SLOWER, _POLL_MAX_S)
        return self._wait_s


def _where(now: PipelineState) -> object:
    """Return where an execution stands, without what a running action or step says meanwhile."""
    actions = [(stage.name, stage.status, action.name, action.status)
               for stage in now.stages for action in stage.actions]  # fmt: skip
    steps = [(step.name, step.status) for stage in now.stages for action in stage.actions for step in action.steps]
    return now.execution_id, now.status, now.subject, now.wait, now.pending, actions, steps


def _never_started(name: str, project: str, kind: str) -> DeployError:
    return DeployError(
        f"no new execution of {name} has started in {_PATIENCE_S:.0f} s",
        where=name,
        expected="an execution that a push or an approval starts",
        fix=f"mlops pipeline start {project} {kind}",
    )


def executions(workspace: Workspace, project: str, kind: str, persona: str) -> list[str]:
    """Return the ids of all executions, newest first."""
    name = name_of(workspace, project, kind)
    client = workspace.client("codepipeline", "dev", persona)
    with project_errors(workspace, project, persona, f"pipeline {name}"):
        found = client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return [each["pipelineExecutionId"] for each in found]


def check(workspace: Workspace, state_now: PipelineState, persona: str) -> None:
    """Raise when an execution failed, with the reason first and at most ten lines of its log.

    Raises:
        UserCodeError: With the reason that the failed job or build gave, and where the rest of its log is.
    """
    failed = state_now.failed
    if failed is None or state_now.status != "Failed":
        return
    stage, action = failed
    project, kind, _ = state_now.name.split("_")
    step = next((each for each in action.steps if each.status == "Failed"), None)
    place = build_logs.place_of(workspace, action.execution, step, persona)
    told = log_reasons.read(build_logs.lines(workspace, place, persona)) if place else log_reasons.Failure("", ())
    said = told.reason or (step.reason if step else "") or action.summary or "no reason given"
    reason = log_reasons.without_long_lists(said)
    raise UserCodeError(
        f"{stage.name}/{action.name} failed{f' in {step.name}' if step else ''}: {reason}",
        where=f"{state_now.name}, {label(state_now.subject, state_now.execution_id)}",
        got="\n".join(told.excerpt),
        expected="Succeeded",
        fix=_what_to_do(state_now, stage, f"{project} {kind}", step.name if step else "", has_log=place is not None),
    )


def _what_to_do(state_now: PipelineState, stage: StageState, pipeline: str, job: str, *, has_log: bool) -> str:
    execution = short(state_now.execution_id)
    if has_log:
        part = f"--job {job}" if job else f"--stage {stage.name}"
        return f"the whole log: mlops pipeline logs {pipeline} --execution {execution} {part}"
    return f"put the reason right, then: mlops pipeline retry {pipeline} --execution {execution}"


def logs(  # noqa: PLR0913  each is an option
    workspace: Workspace,
    project: str,
    kind: str,
    persona: str,
    part: build_logs.Part,
    *,
    execution_id: str = "",
    follow: bool = False,
) -> Iterator[tuple[str, str]]:
    """Yield the lines of an execution's logs, each with the name of the build or job that wrote it.

    Args:
        workspace: Where.
        project: Project name.
        kind: Of its pipelines, for example build or deploy.
        persona: Who reads.
        part: Whose log is wanted.
        execution_id: The execution, or the beginning of its id; the newest when empty.
        follow: Go on until the execution ends or waits for a person.

    Raises:
        ConfigError: When there is no such execution, stage or job.
    """
    view, pace = PipelineView(workspace, project, kind, persona), _Pace(own=workspace.sessions.endpoint_url is not None)
    reading = build_logs.ExecutionLogs(workspace, persona, part)
    while True:
        now = view.state(execution_id)
        execution_id = now.execution_id
        last = not follow or now.ended or now.needs_a_person
        yield from reading.new_lines(now, last=last)
        if last:
            return
        time.sleep(pace.until_next(now))


def put_approval(  # noqa: PLR0913  each is an option
    workspace: Workspace,
    project: str,
    stage: str,
    *,
    approve: bool,
    summary: str,
    persona: str,
    execution_id: str = "",
) -> Decision:
    """Approve or reject the promotion of the execution that holds a stage's approval.

    Args:
        workspace: Where.
        project: Project name.
        stage: preprod or prod, or whatever the project's pipeline asks people about.
        approve: Or reject.
        summary: Why; kept in the execution's history.
        persona: The lead for preprod, the prod approver for prod.
        execution_id: The execution that is meant; decided on only when it is the one that waits there.

    Raises:
        AccessDenied: When the persona may not.
        ConfigError: When nothing waits there, or another execution than the one that is meant.
    """
    kind, view, approval = _approval(workspace, project, stage, persona, execution_id)
    client = workspace.client("codepipeline", "dev", persona)
    with project_errors(workspace, project, persona, f"{view.name}/{approval.stage}"):
        client.put_approval_result(
            pipelineName=view.name,
            stageName=approval.stage,
            actionName=approval.action,
            result={"summary": summary, "status": "Approved" if approve else "Rejected"},
            token=approval.token,
        )
    return Decision(approval.execution_id, approval.subject, stage, approve, approval.behind, kind)


def _approval(
    workspace: Workspace, project: str, stage: str, persona: str, execution_id: str
) -> tuple[str, PipelineView, Approval]:
    """Return the approval that waits before a stage, in whichever of a project's pipelines to production it does."""
    refused: ConfigError | None = None
    for kind in promoting(workspace, project, persona):
        view = PipelineView(workspace, project, kind, persona)
        try:
            return kind, view, view.approval(stage, execution_id)
        except ConfigError as error:
            refused = refused or error
    raise refused or ConfigError(
        f"no pipeline of {project} goes to production",
        where=f"project {project}",
        got=stage,
        expected="a template with a pipeline that people approve",
        fix=f"mlops project describe {project}",
    )
