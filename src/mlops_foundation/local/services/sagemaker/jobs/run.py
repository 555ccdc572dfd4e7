"""Kinds of jobs, and one run of one job: session of its role, inputs, container, outputs, end state, events."""

import json
import re
import shutil
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mlops_foundation.core import clock
from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Json, Principal, Scope, ServiceError, VpcWorkload
from mlops_foundation.local.runtimes import RuntimeBuildError, UnknownImageError
from mlops_foundation.local.sandbox import Workload
from mlops_foundation.local.services.sagemaker.jobs.storage import TransferError
from mlops_foundation.local.services.sagemaker.logs import LogFollower
from mlops_foundation.local.services.sagemaker.machine import Machine
from mlops_foundation.local.services.sagemaker.resources import SERVICE_PRINCIPAL, Kind, Resources, timestamp
from mlops_foundation.local.services.sagemaker.vpc import attach, vpc_of, way_out

DEFAULT_RUNTIME_S: Final = 86_400
_REASON_MAX: Final = 1024
_TRACEBACK: Final = "Traceback (most recent call last):"
_EXCEPTION: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?::\s.*)?")
_WRAPPER: Final = "subprocess.CalledProcessError"
_KILLED: Final = frozenset({-signal.SIGKILL, 128 + signal.SIGKILL})
_KILLED_CHILD: Final = re.compile(r"died with <Signals\.SIGKILL|^(?:.*: )?(?:line \d+: +\d+ )?Killed\b", re.MULTILINE)
_OUT_OF_MEMORY: Final = (
    "ClientError: The container was killed (SIGKILL), as happens when memory runs out. Please use an instance type "
    "with more memory, or reduce the size of job data processed on an instance"
)


class JobFailedError(Exception):
    """The job ends as Failed; the message is its FailureReason."""


class JobStoppedError(Exception):
    """The job ends as Stopped."""


@dataclass(frozen=True)
class JobKind(Kind):
    """One kind of job, whole: operations, pipeline steps and the clean-up after a restart follow from it.

    Its operations are ``Create<prefix>``, ``Describe<prefix>``, ``Stop<prefix>`` and ``List<prefix>s``.

    Attributes:
        step: Type of the pipeline steps that run such a job.
        log_group: Where its log goes.
        event: Detail type of its state changes.
        admit: Takes a create request: refuses what the local cloud does not do, returns the record's first members.
        run: How a job of this kind runs.
    """

    step: str
    log_group: str
    event: str
    admit: Callable[[Json], Json]
    run: "type[JobRun]"


class JobRun(ABC):
    """What the runs of all kinds of jobs have in common.

    Args:
        service: The service that owns the job's record.
        machine: Runtimes and sandbox.
        kind: The kind of job.
        scope: Account and region of the job.
        name: Its name.
    """

    def __init__(self, service: Resources, machine: Machine, kind: JobKind, scope: Scope, name: str) -> None:
        self.service, self.machine, self.kind, self.scope, self.name = service, machine, kind, scope, name
        self.cloud = service.cloud
        self.job: Json = service.records.get(scope, kind.path, name) or {}
        self.arn: str = self.job["Arn"]
        self.folder: Path = self.cloud.folder("sagemaker", kind.path, scope.account, name)

    @abstractmethod
    def execute(self) -> Json:
        """Do the work and return what the record of a completed job gets.

        Raises:
            JobFailedError: With the reason.
            JobStoppedError: When somebody asked it to stop.
        """

    def run(self) -> None:
        """Run to the end; whatever happens, the record tells."""
        try:
            changes = self.execute() | {"Status": "Completed"}
        except JobStoppedError:
            changes = {"Status": "Stopped"}
        except JobFailedError as error:
            changes = {"Status": "Failed", "FailureReason": str(error)[:_REASON_MAX]}
        except Exception as error:
            self.end({"Status": "Failed", "FailureReason": f"InternalServerError: {error}"[:_REASON_MAX]})
            raise
        self.end(changes)

    def end(self, changes: Json) -> None:
        """Leave the end state in the record, for everybody who waits for it."""
        if self.service.closing.is_set():
            return  # the next start says that the job was interrupted
        self.service.stopping.discard(self.arn)
        self.finish(changes)
        with self.service.changed:
            self.service.changed.notify_all()

    def finish(self, changes: Json) -> None:
        """Write the end state and send the event."""
        self.job = self.service.change(self.scope, self.kind, self.name, changes)
        self.emit()

    def emit(self) -> None:
        """Send the state change event, with the record as Describe shows it."""
        operation = f"Describe{self.kind.prefix}"
        detail = self.kind.answer(operation, self.job) | {"Tags": self.service.tags(self.arn)}
        self.cloud.emit(self.scope, "aws.sagemaker", self.kind.event, event_detail(detail), [self.arn])

    def check_stopping(self) -> None:
        """Leave a run that somebody asked to stop.

        Raises:
            JobStoppedError: When it is to stop.
        """
        if self.arn in self.service.stopping:
            raise JobStoppedError

    @cached_property
    def principal(self) -> Principal:
        """The session of the job's role."""
        role, vpc = self.job["RoleArn"], vpc_of(self.job)
        return self.cloud.assume_service_role(
            role,
            SERVICE_PRINCIPAL,
            "SageMaker",
            source_arn=self.arn,
            region=self.scope.region,
            workload=VpcWorkload(self.kind.path, Arn.parse(role).name, tuple(vpc["Subnets"])) if vpc else None,
        )

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 clients
        """Return a client that acts as the job's role."""
        return self.cloud.client(self.principal, service, self.scope.region)


class ContainerRun(JobRun):
    """A job that is one container: inputs, a command in an image's runtime, outputs."""

    def __init__(self, service: Resources, machine: Machine, kind: JobKind, scope: Scope, name: str) -> None:
        super().__init__(service, machine, kind, scope, name)
        self.root = self.folder / "ml"
        self.log = self.folder / "log.txt"

    # --- what a kind of job brings ------------------------------------------------------------------------------------

    @abstractmethod
    def prepare(self) -> None:
        """Lay out ``/opt/ml``: configuration and inputs."""

    @abstractmethod
    def argv(self) -> Sequence[str]:
        """Return the container's command."""

    @abstractmethod
    def variables(self) -> Mapping[str, str]:
        """Return the container's own environment variables."""

    @abstractmethod
    def advance(self, phase: str) -> None:
        """Take note of a phase: Downloading, Running, Uploading."""

    @abstractmethod
    def collect(self, *, succeeded: bool) -> Json:
        """Upload outputs; return what the record gets."""

    @property
    @abstractmethod
    def image(self) -> str:
        """The image's URI."""

    @property
    @abstractmethod
    def isolated(self) -> bool:
        """Whether the container has no network."""

    def failure_text(self) -> str:
        """Return why the container failed: the user's exception in its log, and what it left in ``output/failure``."""
        log = self.log.read_text(errors="replace")
        file = self.root / "output" / "failure"
        words = file.read_text(errors="replace").strip() if file.is_file() else ""
        words = last_exception(words) if _TRACEBACK in words else words
        raised = last_exception(log) if not words or _TRACEBACK in log else ""
        return raised if words in raised or words.startswith(_WRAPPER) else f"{raised} {words}".strip()

    # --- the run ------------------------------------------------------------------------------------------------------

    def execute(self) -> Json:
        """Run the container between its inputs and its outputs."""
        follower = None
        try:
            with self.log.open("a") as log:
                log.write(f"{clock.now():%Y-%m-%dT%H:%M:%SZ} {self.kind.prefix} {self.name}: image {self.image}\n")
            stream = f"{self.name}/algo-1-{int(timestamp())}"
            follower = LogFollower(self.client("logs"), self.kind.log_group, stream, self.log)
            if vpc := vpc_of(self.job):
                attach(self.cloud, self.principal, self.scope, vpc)
            self.advance("Downloading")
            self.prepare()
            self.check_stopping()
            code = self._run_container()
            self.check_stopping()
            self.advance("Uploading")
            changes = self.collect(succeeded=code == 0)
        except TransferError as error:
            raise JobFailedError(f"ClientError: {error}") from error
        except (UnknownImageError, RuntimeBuildError) as error:
            raise JobFailedError(f"ClientError: {error}") from error
        except ServiceError as error:
            raise JobFailedError(f"ClientError: {error.code}: {error.message}") from error
        finally:
            if follower:
                follower.close()
        if was_killed(code, self.log.read_text(errors="replace")):
            raise JobFailedError(f"{_OUT_OF_MEMORY}, exit code: {code}")
        if code:
            raise JobFailedError(f"AlgorithmError: {self.failure_text()}, exit code: {code}")
        return changes

    def _run_container(self) -> int:
        runtime = self.machine.runtimes.get(self.image, self._say)
        self.advance("Running")
        environment = {**self.machine.environment(runtime), **self.variables()}
        if not self.isolated:
            environment |= self.cloud.environment(self.principal, self.scope.region)
            environment |= way_out(self.cloud, self.scope, vpc_of(self.job))
        workload = Workload(
            self.root,
            tuple(self.argv()),
            environment,
            self.log,
            readable=(runtime.folder, runtime.base),
            network=not self.isolated,
        )
        running = self.machine.sandbox.start(workload)
        self.service.running[self.arn] = running
        try:
            return running.wait(self.job["StoppingCondition"]["MaxRuntimeInSeconds"])
        except TimeoutError as error:
            message = "ClientError: the job ran longer than MaxRuntimeInSeconds and was ended"
            raise JobFailedError(message) from error
        finally:
            self.service.running.pop(self.arn, None)

    def _say(self, line: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{line}\n")

    def end(self, changes: Json) -> None:
        """Remove the container's files, then leave the end state."""
        shutil.rmtree(self.root, ignore_errors=True)
        super().end(changes)

    # --- tools --------------------------------------------------------------------------------------------------------

    def inside(self, path: str) -> Path:
        """Return the file on this machine that is ``path`` in the container.

        Raises:
            JobFailedError: When it is not below ``/opt/ml``.
        """
        relative = path.removeprefix("/opt/ml/")
        if relative == path or ".." in Path(relative).parts:
            raise JobFailedError(f"ClientError: LocalPath {path!r} is not below /opt/ml")
        return self.root / relative

    def write(self, relative: str, content: Json) -> None:
        """Write a configuration file of the container."""
        file = self.root / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=2))


def was_killed(code: int, log: str) -> bool:
    """Tell whether a container, or the program that it started, was killed from outside: nothing of it says why.

    Args:
        code: Exit code of the container.
        log: What it said.
    """
    return code in _KILLED or (code != 0 and bool(_KILLED_CHILD.search(log)))


def last_exception(text: str) -> str:
    """Return the exception of the last traceback, else the last line: what a person wants to read first.

    A program that only started another one, which failed, has nothing to say of its own.
    """
    found = _exceptions(text)
    own = [line for line in found if not line.startswith(_WRAPPER)]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (own or found or lines or [""])[-1]


def _exceptions(text: str) -> list[str]:
    """Return the line that ends each traceback; some programs print tracebacks without their indentation."""
    exceptions, inside = [], False
    for line in text.splitlines():
        if _TRACEBACK in line:
            inside = True
        elif inside and _EXCEPTION.fullmatch(line):
            exceptions.append(line)
            inside = False
    return exceptions


def event_detail(detail: Json) -> Json:
    """Return an answer as SageMaker puts it into events: times in milliseconds."""
    return {key: int(value * 1000) if isinstance(value, float) and key.endswith("Time") else value
            for key, value in detail.items()}  # fmt: skip
