"""Looks at one pipeline and says where its executions stand, what they are about, and who waits for whom.

What an execution waits for is part of its state, so that nothing ever waits without saying for what: for a person who
approves, for an older execution that holds the next stage, for somebody who opens a transition again.

Source: "How pipeline executions work" in the CodePipeline user guide (a stage holds one execution at a time; the newest
one that waits before it supersedes the older ones there), and the shapes of GetPipelineState.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mlops_foundation.core.errors import ConfigError, FoundationError
from mlops_foundation.usecases.build_logs import place_of
from mlops_foundation.usecases.known_project import project_errors
from mlops_foundation.usecases.logs import Place, last_line
from mlops_foundation.usecases.pipeline_state import (
    APPROVE,
    Action,
    Pending,
    PipelineState,
    StageState,
    Wait,
    asked_stage,
    label,
    short,
)
from mlops_foundation.usecases.project_pipelines import name_of, promotes
from mlops_foundation.usecases.training import BuildRun, Step, Training
from mlops_foundation.usecases.workspace import Workspace

_BUILD: Final = "Build"
"""The stage of the build pipeline that runs the project's SageMaker pipeline."""
_VERSION_VARIABLES: Final = ("ModelPackageArn", "MODEL_PACKAGE_ARN")
_SUPERSEDED_BY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OPEN: Final = {"InProgress", "Stopping"}
_STAMP: Final = re.compile(r"^\[Container\] \S+ \S+ ")
"""How CodeBuild's own lines begin."""
_NEVER_WENT_ON: Final = {"Failed", "Stopped", "Cancelled"}

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Approval:
    """An approval that waits: what is needed to decide, and what the decision is about."""

    stage: str
    action: str
    token: str
    execution_id: str
    subject: str
    behind: str


class PipelineView:
    """One pipeline, seen by one persona; what never changes is asked for once.

    Args:
        workspace: Where.
        project: Project name.
        kind: Of its template's pipelines, for example build or deploy.
        persona: Who looks.
        steps: Look at the steps of the training run too; some calls more.
    """

    def __init__(self, workspace: Workspace, project: str, kind: str, persona: str, *, steps: bool = True) -> None:
        self._wants_steps = steps
        self.name = name_of(workspace, project, kind)
        self._workspace = workspace
        self._project = project
        self._kind = kind
        self._promotes = promotes(workspace, kind)
        self._persona = persona
        self._client = workspace.client("codepipeline", "dev", persona)
        self._subjects: dict[str, str] = {}
        self._training: Training | None = None
        self._places: dict[str, Place] = {}

    # --- one execution ------------------------------------------------------------------------------------------------

    def state(self, execution_id: str = "") -> PipelineState:
        """Return the pipeline with its newest execution, or with the one whose id begins like this.

        Raises:
            ConfigError: When there is no such execution, or no such project.
        """
        with project_errors(self._workspace, self._project, self._persona, f"pipeline {self.name}"):
            known = self._client.list_pipeline_executions(pipelineName=self.name)["pipelineExecutionSummaries"]
            stages = self._client.get_pipeline_state(name=self.name)["stageStates"]
            wanted = self._chosen(known, execution_id)
            key = wanted.get("pipelineExecutionId", "")
            live = not known or key == known[0]["pipelineExecutionId"]
            history = () if live else self.history(key)
            state = PipelineState(
                name=self.name,
                execution_id=key,
                status=wanted.get("status", ""),
                reason=wanted.get("stopTrigger", {}).get("reason", ""),
                started=wanted["startTime"].isoformat() if "startTime" in wanted else "",
                stages=tuple(_stage(each, key, history) for each in stages),
                subject=self.subject(wanted) if key else "",
                wait=self._wait(stages, known, wanted),
                pending=tuple(self._pending(stages, known, key)),
            )
            state = self._with_steps(self._with_successor(state, known, wanted), wanted)
            return self._with_last_lines(state)

    def _chosen(self, known: Sequence[Found], execution_id: str) -> Found:
        if not execution_id:
            return known[0] if known else {}
        found = [each for each in known if each["pipelineExecutionId"].startswith(execution_id)]
        if len(found) == 1:
            return found[0]
        raise ConfigError(
            f"{'several executions begin' if found else 'no execution begins'} with {execution_id}",
            where=self.name,
            got=execution_id,
            expected=", ".join(short(each["pipelineExecutionId"]) for each in known[:10]) or "none ran yet",
            fix=f"mlops pipeline history {self._project} {self._kind}",
        )

    def history(self, execution_id: str) -> tuple[Found, ...]:
        """Return the actions of an execution, newest first."""
        pages = self._client.get_paginator("list_action_executions").paginate(
            pipelineName=self.name, filter={"pipelineExecutionId": execution_id}
        )
        return tuple(action for page in pages for action in page["actionExecutionDetails"])

    # --- what an execution is about -----------------------------------------------------------------------------------

    def subject(self, execution: Found) -> str:
        """Return what an execution is about: ``version 2`` of the model, or ``commit 0a1b2c3d``.

        Args:
            execution: As ListPipelineExecutions has it.
        """
        key = execution["pipelineExecutionId"]
        if key not in self._subjects:
            found = self._version(key) if self._promotes else self._commit(execution)
            if not found:
                return ""
            self._subjects[key] = found
        return self._subjects[key]

    @staticmethod
    def _commit(execution: Found) -> str:
        revision = next((each.get("revisionId", "") for each in execution.get("sourceRevisions", [])), "")
        return f"commit {short(revision)}" if revision else ""

    def _version(self, execution_id: str) -> str:
        """Return the version that was asked for, else the one that the stage Synth has chosen."""
        found = self._client.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution_id)
        given = {each["name"]: each["resolvedValue"] for each in found["pipelineExecution"].get("variables", [])}
        values = [given.get(name, "") for name in _VERSION_VARIABLES]
        if not any(value.startswith("arn:") for value in values):
            made = [action.get("output", {}).get("outputVariables", {}) for action in self.history(execution_id)]
            values = [each.get(name, "") for each in made for name in _VERSION_VARIABLES]
        arn = next((value for value in values if value.startswith("arn:")), "")
        return f"version {arn.rsplit('/', 1)[-1]}" if arn else ""

    def _label(self, known: Sequence[Found], execution_id: str) -> str:
        execution = next((each for each in known if each["pipelineExecutionId"] == execution_id), None)
        return label(self.subject(execution or {"pipelineExecutionId": execution_id}), execution_id)

    # --- who waits for whom -------------------------------------------------------------------------------------------

    def _wait(self, stages: Sequence[Found], known: Sequence[Found], wanted: Found) -> Wait | None:
        """Return what an execution waits for before a stage; None when it waits nowhere."""
        key = wanted.get("pipelineExecutionId", "")
        stage = next((each for each in stages if key and key in _inbound(each)), None)
        if stage is None or wanted.get("status") not in _OPEN:
            return None
        name, who = stage["stageName"], self._label(known, key)
        transition = stage.get("inboundTransitionState", {})
        if not transition.get("enabled", True):
            why = transition.get("disabledReason", "no reason given")
            reason = f"{who} waits before {name}, whose transition is disabled: {why}"
            enable = f"--pipeline-name {self.name} --stage-name {name} --transition-type Inbound"
            return Wait(name, "", "", approval=False, reason=reason, command=_ENABLE + enable)
        holder = stage.get("latestExecution", {})
        if holder.get("status") not in _OPEN:
            return None  # it enters the stage just now
        held_by = holder["pipelineExecutionId"]
        approval = any(_token(action) for action in stage.get("actionStates", []))
        asked = asked_stage(name)
        command = (
            f"mlops pipeline approve {self._project} {asked}"
            if approval
            else f"mlops pipeline watch {self._project} {self._kind} --execution {short(held_by)}"
        )
        other = self._label(known, held_by)
        then = ": approve or reject that one" if approval else " and goes on by itself"
        reason = f"{who} waits behind {other}, which holds {name}{then}"
        subject = self._subjects.get(held_by, "")
        return Wait(name, held_by, subject, approval=approval, reason=reason, command=command)

    def _pending(self, stages: Sequence[Found], known: Sequence[Found], but: str) -> Iterator[Pending]:
        """Yield what waits for an approval, but for one execution."""
        for stage in stages:
            holder = stage.get("latestExecution", {}).get("pipelineExecutionId", "")
            if holder != but and any(_token(action) for action in stage.get("actionStates", [])):
                self._label(known, holder)
                yield Pending(stage["stageName"], holder, self._subjects.get(holder, ""))

    def _with_successor(self, state: PipelineState, known: Sequence[Found], wanted: Found) -> PipelineState:
        """Name the execution that superseded this one.

        CodePipeline says so in the summary of the status; where it does not, it is the next one that came and went on.
        """
        if state.status != "Superseded":
            return state
        told = _SUPERSEDED_BY.search(wanted.get("statusSummary", ""))
        newer = known[: [each["pipelineExecutionId"] for each in known].index(state.execution_id)]
        went_on = (each["pipelineExecutionId"] for each in reversed(newer) if each["status"] not in _NEVER_WENT_ON)
        successor = told[0] if told else next(went_on, "")
        if not successor:
            return replace(state, reason="superseded by a newer execution")
        return replace(state, superseded_by=successor, reason=f"superseded by {self._label(known, successor)}")

    # --- approvals ----------------------------------------------------------------------------------------------------

    def approval(self, stage: str, execution_id: str = "") -> Approval:
        """Return the approval that waits before a stage, whichever execution it belongs to.

        Args:
            stage: preprod or prod, or whatever the pipeline asks people about.
            execution_id: The execution that is meant, or the beginning of its id; any when empty.

        Raises:
            ConfigError: When the pipeline asks nobody there, nothing waits, or another execution than the one meant.
        """
        with project_errors(self._workspace, self._project, self._persona, f"pipeline {self.name}"):
            known = self._client.list_pipeline_executions(pipelineName=self.name)["pipelineExecutionSummaries"]
            stages = self._client.get_pipeline_state(name=self.name)["stageStates"]
            found = self._approval_stage(stages, stage)
            action = next((each for each in found.get("actionStates", []) if _token(each)), None)
            if action is None:
                raise self._nothing_waits(stages, known, stage)
            holder = found["latestExecution"]["pipelineExecutionId"]
            if not holder.startswith(execution_id):
                raise self._another_waits(known, stage, holder, execution_id)
            execution = next((each for each in known if each["pipelineExecutionId"] == holder), None)
            behind = [self._label(known, each) for each in _inbound(found)]
            return Approval(
                stage=found["stageName"],
                action=action["actionName"],
                token=_token(action),
                execution_id=holder,
                subject=self.subject(execution or {"pipelineExecutionId": holder}),
                behind=behind[-1] if behind else "",
            )

    def _approval_stage(self, stages: Sequence[Found], stage: str) -> Found:
        asked = {asked_stage(each["stageName"]): each for each in stages if each["stageName"].startswith(APPROVE)}
        if stage in asked:
            return asked[stage]
        raise ConfigError(
            f"nobody is asked before {stage}: {self.name} goes there by itself, or has no such stage",
            where=self.name,
            got=stage,
            expected=f"one of {', '.join(asked)}" if asked else "this pipeline asks nobody",
            fix=f"mlops pipeline watch {self._project} deploy",
        )

    def _nothing_waits(self, stages: Sequence[Found], known: Sequence[Found], stage: str) -> ConfigError:
        others = [
            f"{self._label(known, each['latestExecution']['pipelineExecutionId'])} waits in {each['stageName']}"
            for each in stages
            if any(_token(action) for action in each.get("actionStates", []))
        ]
        newest = known[0]["status"] if known else "no execution"
        return ConfigError(
            f"nothing waits for an approval before {stage}",
            where=f"{self.name}, {newest}",
            got="; ".join(others) or "no stage waits",
            expected=f"an execution that waits in {APPROVE}{stage.capitalize()}",
            fix=f"mlops pipeline watch {self._project} deploy",
        )

    def _another_waits(self, known: Sequence[Found], stage: str, holder: str, execution_id: str) -> ConfigError:
        return ConfigError(
            f"execution {execution_id} does not wait for an approval before {stage}: another one does",
            where=self.name,
            got=f"{self._label(known, holder)} waits there",
            expected=f"--execution {short(holder)}, or none",
            fix=f"mlops pipeline history {self._project} deploy",
        )

    # --- what runs now ------------------------------------------------------------------------------------------------

    def _with_last_lines(self, state: PipelineState) -> PipelineState:
        """Let builds that run say what they do: the last line of their log, which is all there is before any step."""
        if not self._wants_steps or state.status not in _OPEN:
            return state
        stages = tuple(
            replace(stage, actions=tuple(map(self._telling, stage.actions))) if stage.status == "InProgress" else stage
            for stage in state.stages
        )
        return replace(state, stages=stages)

    def _telling(self, action: Action) -> Action:
        if action.status != "InProgress" or action.summary or action.steps:
            return action
        if action.execution not in self._places:
            place = self._place(action.execution)
            if place is None:
                return action
            self._places[action.execution] = place
        line = last_line(self._workspace.client("logs", "dev", self._persona), self._places[action.execution])
        return replace(action, summary=_STAMP.sub("", line))

    def _place(self, execution: str) -> Place | None:
        try:
            return place_of(self._workspace, execution, None, self._persona)
        except FoundationError:
            return None  # who may not see the build follows the pipeline all the same

    # --- the training run of a build ----------------------------------------------------------------------------------

    def _with_steps(self, state: PipelineState, wanted: Found) -> PipelineState:
        """Add the steps of the SageMaker pipeline that the stage Build runs."""
        if (
            not self._wants_steps
            or self._promotes
            or not any(each.name == _BUILD and each.status for each in state.stages)
        ):
            return state
        steps = self._steps(state.execution_id, wanted)
        stages = tuple(_with(stage, steps) if stage.name == _BUILD else stage for stage in state.stages)
        return replace(state, stages=stages)

    def _steps(self, execution_id: str, wanted: Found) -> tuple[Step, ...]:
        build = next((each for each in self.history(execution_id) if each["stageName"] == _BUILD), None)
        if build is None:
            return ()
        if self._training is None:
            self._training = Training(
                self._workspace.client("sagemaker", "dev", self._persona),
                self._workspace.client("logs", "dev", self._persona),
                self._workspace.project(self._project).training_pipeline,
            )
        commit = next((each.get("revisionId", "") for each in wanted.get("sourceRevisions", [])), "")
        ended = None if build["status"] in _OPEN else build["lastUpdateTime"]
        return self._training.steps(BuildRun(commit, build["startTime"], ended))


_ENABLE: Final = "aws codepipeline enable-stage-transition "


def _inbound(stage: Found) -> list[str]:
    """Return the executions that wait before a stage, oldest first."""
    several = stage.get("inboundExecutions") or [stage.get("inboundExecution", {})]
    return [each["pipelineExecutionId"] for each in several if "pipelineExecutionId" in each]


def _token(action: Found) -> str:
    """Return the token of an approval that waits; an action that is over keeps none."""
    latest = action.get("latestExecution", {})
    return str(latest.get("token", "")) if latest.get("status") == "InProgress" else ""


def _stage(found: Found, execution_id: str, history: Sequence[Found]) -> StageState:
    latest = found.get("latestExecution", {})
    own = latest.get("pipelineExecutionId") == execution_id
    if own or not history:
        actions = tuple(_action(each, own=own) for each in found.get("actionStates", []))
        return StageState(found["stageName"], latest.get("status", "") if own else "", execution_id, actions)
    return _past_stage(found, execution_id, history)


def _action(found: Found, *, own: bool) -> Action:
    latest = found.get("latestExecution", {}) if own else {}
    error = latest.get("errorDetails", {}).get("message", "")
    return Action(
        name=found["actionName"],
        status="Waiting" if own and _token(found) else latest.get("status", ""),
        summary=error or latest.get("summary", ""),
        execution=latest.get("externalExecutionId", ""),
        token=_token(found) if own else "",
    )


def _past_stage(found: Found, execution_id: str, history: Sequence[Found]) -> StageState:
    """Return a stage that a newer execution has entered since, from what ran in it."""
    ran = {each["actionName"]: each for each in reversed(history) if each["stageName"] == found["stageName"]}
    actions = tuple(
        _past_action(each["actionName"], ran.get(each["actionName"])) for each in found.get("actionStates", [])
    )
    statuses = {each.status for each in actions}
    status = next((each for each in ("Failed", "InProgress", "Abandoned") if each in statuses), "")
    return StageState(
        found["stageName"], status or ("Succeeded" if "Succeeded" in statuses else ""), execution_id, actions
    )


def _past_action(name: str, found: Found | None) -> Action:
    if found is None:
        return Action(name)
    result = found.get("output", {}).get("executionResult", {})
    error = result.get("errorDetails", {}).get("message", "")
    summary = error or result.get("externalExecutionSummary", "")
    return Action(name, found["status"], summary, result.get("externalExecutionId", ""))


def _with(stage: StageState, steps: tuple[Step, ...]) -> StageState:
    first, *others = stage.actions
    return replace(stage, actions=(replace(first, steps=steps), *others))
