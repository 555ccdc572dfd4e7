"""Where an execution of a pipeline stands, and what it waits for: plain values that the command line shows."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from mlops_foundation.usecases.training import Step

_ENDED: Final = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
_ID_SHOWN: Final = 8
APPROVE: Final = "Approve"
"""How the stages begin that wait for a person: ``ApprovePreprod``."""


@dataclass(frozen=True)
class Action:
    """One action of a stage.

    Attributes:
        name: Action name.
        status: CodePipeline's status, ``Waiting`` for an approval, empty when it did not run.
        summary: What it says, or why it failed.
        execution: External id: of a build, or of a stack.
        token: Of a waiting approval.
        steps: Of the training run that it started; empty for any other action.
    """

    name: str
    status: str = ""
    summary: str = ""
    execution: str = ""
    token: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class StageState:
    """One stage of a pipeline for one execution."""

    name: str
    status: str
    execution_id: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Wait:
    """What an execution waits for before it enters a stage.

    Attributes:
        stage: The stage that it cannot enter.
        holder: The execution that holds the stage; empty when the way into it is closed.
        holder_subject: What that one is about: ``version 1``.
        approval: Whether the holder itself waits for a person.
        reason: All of it, as a sentence.
        command: What to do about it.
    """

    stage: str
    holder: str
    holder_subject: str
    approval: bool
    reason: str
    command: str

    @property
    def needs_a_person(self) -> bool:
        """Whether it goes on only when somebody does something."""
        return self.approval or not self.holder


@dataclass(frozen=True)
class Pending:
    """Another execution than the one that is looked at, which waits for an approval."""

    stage: str
    execution_id: str
    subject: str


@dataclass(frozen=True)
class PipelineState:
    """A pipeline with one of its executions, the newest unless another was asked for.

    Attributes:
        name: Pipeline name.
        execution_id: The execution, empty when there was none.
        status: Of that execution.
        reason: Why it was stopped, or what superseded it.
        started: ISO 8601.
        stages: In order.
        subject: What it is about: ``version 2``, or ``commit 0a1b2c3d``; empty while that is not known.
        wait: What it waits for before the next stage; None when it waits for nothing there.
        superseded_by: The execution that took its place, empty when none did.
        pending: Other executions that wait for an approval.
    """

    name: str
    execution_id: str
    status: str
    reason: str
    started: str
    stages: tuple[StageState, ...]
    subject: str = ""
    wait: Wait | None = None
    superseded_by: str = ""
    pending: tuple[Pending, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the execution goes no further by itself."""
        return self.status in _ENDED

    @property
    def waiting(self) -> StageState | None:
        """The stage that waits for an approval."""
        return next((stage for stage in self.stages if any(action.token for action in stage.actions)), None)

    @property
    def needs_a_person(self) -> bool:
        """Whether it goes on only when somebody does something."""
        return self.waiting is not None or (self.wait is not None and self.wait.needs_a_person)

    @property
    def failed(self) -> tuple[StageState, Action] | None:
        """The first action that failed in this execution."""
        found = ((stage, action) for stage in self.stages for action in stage.actions if action.status == "Failed")
        return next(found, None)

    @property
    def rejected(self) -> str:
        """The stage before which somebody rejected this execution, or did not answer in time; empty when none."""
        failed = self.failed
        name = failed[0].name if failed else ""
        return asked_stage(name) if name.startswith(APPROVE) else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


@dataclass(frozen=True)
class Decision:
    """What was decided about an execution.

    Attributes:
        execution_id: The execution.
        subject: What it is about: ``version 1``.
        stage: preprod or prod.
        approved: Or rejected.
        behind: What waits behind it and comes next, ``version 2 (execution 0a1b2c3d)``; empty when nothing does.
        kind: The pipeline that it goes through.
    """

    execution_id: str
    subject: str
    stage: str
    approved: bool
    behind: str = ""
    kind: str = "deploy"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


def asked_stage(approval: str) -> str:
    """Return the stage that an approval lets a version go on to, as people name it: ``preprod`` of ApprovePreprod."""
    return approval.removeprefix(APPROVE).lower()


def short(execution_id: str) -> str:
    """Return the part of an execution's id that people use; ``--execution`` takes it too."""
    return execution_id[:_ID_SHOWN]


def label(subject: str, execution_id: str) -> str:
    """Return ``version 2 (execution 0a1b2c3d)``."""
    return f"{subject} (execution {short(execution_id)})" if subject else f"execution {short(execution_id)}"
