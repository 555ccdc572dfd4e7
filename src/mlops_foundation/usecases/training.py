"""The steps of the SageMaker pipeline that a build runs: Preprocess, Train, Evaluate, their jobs and last lines."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.core.clock import now
from mlops_foundation.usecases.logs import Place, job_place, last_line

_JOBS: Final = ("TrainingJob", "ProcessingJob")
_ENDED: Final = {"Succeeded", "Failed", "Stopped"}
_SHOWN: Final = {"Starting": "InProgress", "Executing": "InProgress", "Stopping": "InProgress"}
"""SageMaker's words for what CodePipeline calls in progress; the others are the same."""


@dataclass(frozen=True)
class Step:
    """One step of a training run.

    Attributes:
        name: As the project's definition calls it.
        status: ``InProgress``, ``Succeeded``, ``Failed`` or ``Stopped``.
        seconds: How long it took, so far.
        last_line: Of its job's log; empty when it has none.
        job: Name of its job; empty when it runs none.
        job_kind: ``TrainingJob`` or ``ProcessingJob``.
        reason: Why it failed.
    """

    name: str
    status: str
    seconds: float
    last_line: str = ""
    job: str = ""
    job_kind: str = ""
    reason: str = ""

    @property
    def place(self) -> Place:
        """Where the log of its job is."""
        return job_place(self.job_kind, self.job)


@dataclass(frozen=True)
class BuildRun:
    """The build whose training run is looked for.

    Attributes:
        commit: Commit that is built.
        started: When the build started.
        ended: When it ended; None while it runs.
    """

    commit: str
    started: dt.datetime
    ended: dt.datetime | None = None


class Training:
    """Finds the training run of a build, and looks at its steps.

    Args:
        sagemaker: SageMaker client.
        logs: CloudWatch Logs client.
        pipeline: Name of the project's SageMaker pipeline.
    """

    def __init__(self, sagemaker: Any, logs: Any, pipeline: str) -> None:  # noqa: ANN401  boto3 clients
        self._sagemaker = sagemaker
        self._logs = logs
        self._pipeline = pipeline
        self._runs: dict[BuildRun, str] = {}
        self._ended: dict[tuple[str, str], Step] = {}

    def steps(self, build: BuildRun) -> tuple[Step, ...]:
        """Return the steps that have started, oldest first; none while there is no run, or it may not be seen."""
        try:
            arn = self._runs.get(build) or self._find(build)
            if not arn:
                return ()
            self._runs[build] = arn
            pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=arn, SortOrder="Ascending"
            )
            found = [step for page in pages for step in page["PipelineExecutionSteps"]]
        except ClientError:
            return ()
        return tuple(self._step(arn, step) for step in sorted(found, key=lambda step: step.get("StartTime", now())))

    def _find(self, build: BuildRun) -> str:
        """Return the run that the build started: within its time, and of its commit where the run names one.

        One build of a project runs at a time, but a data scientist may start the same pipeline by hand meanwhile: the
        commit, which the project's ``run.py`` writes into the description, tells them apart.
        """
        found = self._sagemaker.list_pipeline_executions(PipelineName=self._pipeline, SortOrder="Descending")
        runs = [
            run
            for run in found["PipelineExecutionSummaries"]
            if run["StartTime"] >= build.started and (build.ended is None or run["StartTime"] <= build.ended)
        ]
        same = [run for run in runs if build.commit and build.commit in run.get("PipelineExecutionDescription", "")]
        return next((str(run["PipelineExecutionArn"]) for run in same or runs), "")

    def _step(self, run: str, found: Mapping[str, Any]) -> Step:
        key = (run, found["StepName"])
        if key in self._ended:
            return self._ended[key]
        kind = next((each for each in _JOBS if each in found.get("Metadata", {})), "")
        job = found["Metadata"][kind]["Arn"].rsplit("/", 1)[-1] if kind else ""
        status, started = found["StepStatus"], found.get("StartTime")
        seconds = ((found.get("EndTime") or now()) - started).total_seconds() if started else 0.0
        step = Step(
            name=found["StepName"],
            status=_SHOWN.get(status, status),
            seconds=round(max(seconds, 0.0), 1),
            last_line=last_line(self._logs, job_place(kind, job)) if job else "",
            job=job,
            job_kind=kind,
            reason=found.get("FailureReason", ""),
        )
        if status in _ENDED:
            self._ended[key] = step
        return step
