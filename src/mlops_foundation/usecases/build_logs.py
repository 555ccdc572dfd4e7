"""The logs of an execution: of its builds, and of the jobs of the training run that a build started."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.logs import LogReader, Place
from mlops_foundation.usecases.pipeline_state import Action, PipelineState, short
from mlops_foundation.usecases.training import Step
from mlops_foundation.usecases.workspace import Workspace

_BUILD_ID: Final = re.compile(r"[A-Za-z0-9_-]+:[0-9a-f-]+")


@dataclass(frozen=True)
class Part:
    """Whose log is wanted.

    Attributes:
        stage: Only this stage; all when empty.
        job: Only this job of the training run, by the name of its step or its own; builds when empty.
    """

    stage: str = ""
    job: str = ""


@dataclass
class ExecutionLogs:
    """The logs of one execution, read on from where they were read last.

    Attributes:
        workspace: Where.
        persona: Who reads.
        part: Whose log is wanted.
    """

    workspace: Workspace
    persona: str
    part: Part
    _readers: dict[str, LogReader | None] = field(default_factory=dict)

    def new_lines(self, now: PipelineState, *, last: bool) -> Iterator[tuple[str, str]]:
        """Yield what was written since the last look: the name of build or job, and a line.

        Args:
            now: Where the execution stands.
            last: Whether nobody looks again: a job that is not there will not come.

        Raises:
            ConfigError: When the pipeline has no such stage, or the execution no such job.
        """
        if self.part.stage:
            self._check_stage(now)
        places = dict(self._jobs(now) if self.part.job else self._builds(now))
        if self.part.job and last and not places:
            raise self._no_job(now)
        for name, (execution, step) in places.items():
            with aws_errors(f"log of {name}"):
                if name not in self._readers:
                    place = place_of(self.workspace, execution, step, self.persona)
                    if place is None:
                        continue
                    self._readers[name] = LogReader(self.workspace.client("logs", "dev", self.persona), place)
                reader = self._readers[name]
                for line in reader.read() if reader else ():
                    yield name, line

    def _builds(self, now: PipelineState) -> Iterator[tuple[str, tuple[str, Step | None]]]:
        for stage in now.stages:
            if self.part.stage.lower() in {"", stage.name.lower()}:
                for action in stage.actions:
                    yield f"{stage.name}/{action.name}", (action.execution, None)

    def _jobs(self, now: PipelineState) -> Iterator[tuple[str, tuple[str, Step | None]]]:
        for step in _steps(now):
            if step.job and self.part.job.lower() in {step.name.lower(), step.job.lower()}:
                yield f"{step.name} {step.job}", ("", step)

    def _check_stage(self, now: PipelineState) -> None:
        names = [stage.name for stage in now.stages]
        if self.part.stage.lower() not in {name.lower() for name in names}:
            raise ConfigError(
                f"{now.name} has no stage {self.part.stage}",
                where="--stage",
                got=self.part.stage,
                expected=f"one of {', '.join(names)}",
            )

    def _no_job(self, now: PipelineState) -> ConfigError:
        jobs = [step.name for step in _steps(now) if step.job]
        return ConfigError(
            f"execution {short(now.execution_id)} ran no job {self.part.job}",
            where="--job",
            got=self.part.job,
            expected=f"one of {', '.join(jobs)}" if jobs else "it ran no job",
        )


def place_of(workspace: Workspace, execution: str, step: Step | None, persona: str) -> Place | None:
    """Return where the log of a job or a build is; None when it has none.

    Args:
        workspace: Where.
        execution: External id of an action: only a build has a log.
        step: Of a training run; its job's log is meant when it has one.
        persona: Who reads.
    """
    if step is not None and step.job:
        return step.place
    if not _BUILD_ID.fullmatch(execution):
        return None
    codebuild = workspace.client("codebuild", "dev", persona)
    with aws_errors(f"build {execution}"):
        found = codebuild.batch_get_builds(ids=[execution])["builds"][0]["logs"]
    return Place(found["groupName"], found["streamName"]) if "groupName" in found else None


def lines(workspace: Workspace, place: Place, persona: str) -> list[str]:
    """Return the whole log at a place."""
    with aws_errors(f"log {place.group} {place.prefix}"):
        return LogReader(workspace.client("logs", "dev", persona), place).read()


def _steps(now: PipelineState) -> list[Step]:
    actions: list[Action] = [action for stage in now.stages for action in stage.actions]
    return [step for action in actions for step in action.steps]
