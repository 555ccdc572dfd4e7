"""One pipeline execution: what runs when, with which values, and what the record says about it."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Call, Json, Scope, ServiceError
from mlops_foundation.local.services.sagemaker.jobs import JOB_KINDS
from mlops_foundation.local.services.sagemaker.jobs.operations import JobOperations
from mlops_foundation.local.services.sagemaker.jobs.storage import TransferError, read_object
from mlops_foundation.local.services.sagemaker.pipelines import cache
from mlops_foundation.local.services.sagemaker.pipelines.definition import Definition, dependencies
from mlops_foundation.local.services.sagemaker.pipelines.expressions import Evaluator, ExpressionError
from mlops_foundation.local.services.sagemaker.pipelines.steps import RUN, StepFailedError, StepRun
from mlops_foundation.local.services.sagemaker.resources import SERVICE_PRINCIPAL, Kind, timestamp

EXECUTION: Final = Kind("PipelineExecution", "pipeline-execution")
EVENT: Final = "SageMaker Model Building Pipeline Execution Status Change"
_PARALLEL: Final = 4
_POLL_S: Final = 0.2
_JOBS: Final = frozenset(kind.prefix for kind in JOB_KINDS)
"""What a step's metadata names a job by."""


class Execution:
    """Runs one execution to its end.

    Args:
        service: The service, for records and jobs.
        scope: Account and region.
        execution_id: Key of the execution's record.
    """

    def __init__(self, service: JobOperations, scope: Scope, execution_id: str) -> None:
        self._service, self._scope, self._id = service, scope, execution_id
        self._record: Json = service.records.get(scope, EXECUTION.path, execution_id) or {}
        self._arn: str = self._record["Arn"]
        self._definition = Definition.parse(self._record["Definition"])
        self._lock = threading.Lock()
        self._reason = ""
        self._todo: dict[str, Json] = {}
        self._running: dict[Future[list[Json]], str] = {}
        self._succeeded: set[str] = set()
        self._not_taken: set[str] = set()

    def run(self) -> None:
        """Run all steps; the record tells the outcome whatever happens."""
        try:
            self._call = self._assume_role()
            self._evaluator = self._make_evaluator()
            self._todo = {step["Name"]: step for step in self._definition.top_level()}
            self._schedule()
        except ServiceError as error:
            self._reason = f"{error.code}: {error.message}"
        finally:
            self._end()

    # --- scheduling ---------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        parallel = self._record.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", _PARALLEL)
        with ThreadPoolExecutor(min(parallel, _PARALLEL), thread_name_prefix=f"pipeline-{self._id}") as pool:
            while True:
                if self._stopping:
                    self._stop_jobs()
                elif not self._reason:
                    for step in self._ready():
                        self._running[pool.submit(self._run_step, step)] = step["Name"]
                if not self._running:
                    return
                for future in wait(self._running, _POLL_S, FIRST_COMPLETED).done:
                    self._take(future)

    def _ready(self) -> list[Json]:
        """Take the steps out of the queue whose dependencies succeeded; drop those behind a branch not taken."""
        ready = []
        for name, step in list(self._todo.items()):
            needs = dependencies(step)
            if needs & self._not_taken:
                self._todo.pop(name)
                self._not_taken.add(name)
            elif needs <= self._succeeded:
                ready.append(self._todo.pop(name))
        return ready

    def _take(self, future: "Future[list[Json]]") -> None:
        name = self._running.pop(future)
        try:
            branch = future.result()
        except StepFailedError as error:
            status = "Stopped" if self._stopping else "Failed"
            self._note(name, {"StepStatus": status, "FailureReason": str(error), "EndTime": timestamp()})
            self._reason = self._reason or f"Step failure: One or multiple steps failed. {name}: {error}"
            return
        self._note(name, {"StepStatus": "Succeeded", "EndTime": timestamp()})
        self._succeeded.add(name)
        self._todo.update({step["Name"]: step for step in branch})

    # --- one step -----------------------------------------------------------------------------------------------------

    def _run_step(self, step: Json) -> list[Json]:
        """Run a step, with caching and retries; return the steps it releases, which only a condition does."""
        name = step["Name"]
        self._note(name, {"StepName": name, "StartTime": timestamp(), "StepStatus": "Executing", "AttemptCount": 1})
        for optional in ("DisplayName", "Description"):
            if value := step.get(optional):
                self._note(name, {f"Step{optional}": value})
        try:
            if step["Type"] == "Condition":
                return self._choose(step)
            cache_key = cache.key(self._record["PipelineName"], step, self._evaluator)
            if found := cache.find(self._service.records, self._scope, cache_key, step):
                self._note(name, {"CacheHitResult": {"SourcePipelineExecutionArn": found["ExecutionArn"]}})
                properties = found["Properties"]
            else:
                properties = self._attempts(step, self._evaluator.resolve(step.get("Arguments", {})))
                cache.keep(self._service.records, self._scope, cache_key, properties, self._arn)
            self._evaluator.finished(step, properties)
        except (ExpressionError, TransferError) as error:
            raise StepFailedError(f"ClientError: {error}") from error
        return []

    def _choose(self, step: Json) -> list[Json]:
        arguments = step["Arguments"]
        holds = all(self._evaluator.holds(condition) for condition in arguments["Conditions"])
        self._note(step["Name"], {"Metadata": {"Condition": {"Outcome": "True" if holds else "False"}}})
        branches = arguments.get("IfSteps", []), arguments.get("ElseSteps", [])
        taken, other = branches if holds else branches[::-1]
        self._not_taken |= {inner["Name"] for inner in other}
        return list(taken)

    def _attempts(self, step: Json, arguments: Json) -> Json:
        attempt = 0
        began = time.monotonic()
        while True:
            run = StepRun(self._service, self._call, self._id, step["Name"], attempt, self._metadata(step["Name"]))
            try:
                return RUN[step["Type"]](run, arguments)
            except StepFailedError as error:
                pause = _retry_pause_s(step, error.retryable_as, attempt, time.monotonic() - began)
                if pause is None or self._stopping:
                    raise
                attempt += 1
                self._note(step["Name"], {"AttemptCount": attempt + 1})
                time.sleep(pause)

    def _metadata(self, name: str) -> Callable[[Json], None]:
        return lambda metadata: self._note(name, {"Metadata": metadata})

    # --- surroundings -------------------------------------------------------------------------------------------------

    def _assume_role(self) -> Call:
        cloud, role = self._service.cloud, self._record["RoleArn"]
        principal = cloud.assume_service_role(
            role, SERVICE_PRINCIPAL, f"PipelineExecution-{self._id}", source_arn=self._arn, region=self._scope.region
        )
        return Call(cloud, principal, self._scope)

    def _make_evaluator(self) -> Evaluator:
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._record["CreationTime"]))
        variables = {
            "PipelineName": self._record["PipelineName"],
            "PipelineArn": self._record["PipelineArn"],
            "PipelineExecutionId": self._id,
            "PipelineExecutionArn": self._arn,
            "StartDateTime": started,
            "CurrentDateTime": started,
        }
        parameters = self._definition.parameters(
            {item["Name"]: item["Value"] for item in self._record["GivenParameters"]}
        )
        return Evaluator(parameters, variables, self._read_json)

    def _read_json(self, uri: str) -> object:
        s3 = self._call.cloud.client(self._call.principal, "s3", self._scope.region)
        text = read_object(s3, uri)
        try:
            return json.loads(text)
        except ValueError as error:
            message = f"{uri} is not JSON: {error}"
            raise ExpressionError(message) from error

    @property
    def _stopping(self) -> bool:
        return self._arn in self._service.stopping

    def _stop_jobs(self) -> None:
        """Ask the jobs of running steps to stop, once each."""
        record = self._service.records.get(self._scope, EXECUTION.path, self._id) or {}
        for step in record["Steps"]:
            for job, metadata in step.get("Metadata", {}).items():
                if step["StepStatus"] == "Executing" and job in _JOBS:
                    self._note(step["StepName"], {"StepStatus": "Stopping"})
                    request = {f"{job}Name": Arn.parse(metadata["Arn"]).name}
                    cloud, principal = self._call.cloud, self._call.principal
                    cloud.invoke(principal, "sagemaker", f"Stop{job}", request, scope=self._scope)

    def _note(self, name: str, changes: Json) -> None:
        def change(record: Json) -> None:
            known = next((step for step in record["Steps"] if step["StepName"] == name), None)
            if known is None:
                record["Steps"].append(dict(changes))
            else:
                known.update(changes)
            record["LastModifiedTime"] = timestamp()

        with self._lock:
            self._service.records.change(self._scope, EXECUTION.path, self._id, change)

    def _end(self) -> None:
        if self._service.closing.is_set():
            return  # the next start says that the execution was interrupted
        status = "Stopped" if self._stopping else "Failed" if self._reason else "Succeeded"
        self._service.stopping.discard(self._arn)
        before = self._service.records.get(self._scope, EXECUTION.path, self._id) or {}
        changes: Json = {"Status": status, "EndTime": timestamp()}
        if status == "Failed":
            changes |= {"FailureReason": self._reason, "PipelineExecutionFailureReason": self._reason[:3000]}
        record = self._service.change(self._scope, EXECUTION, self._id, changes)
        emit(self._service, self._scope, record, before["Status"])
        with self._service.changed:
            self._service.changed.notify_all()


def emit(service: JobOperations, scope: Scope, record: Json, previous: str = "") -> None:
    """Send an execution's status change event."""
    detail = {
        "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
        "currentPipelineExecutionStatus": record["Status"],
        "previousPipelineExecutionStatus": previous or None,
        "executionStartTime": _iso(record["CreationTime"]),
        "executionEndTime": _iso(record["EndTime"]) if "EndTime" in record else None,
        "pipelineExecutionDescription": record.get("PipelineExecutionDescription"),
        "pipelineArn": record["PipelineArn"],
        "pipelineExecutionArn": record["Arn"],
    }
    resources = [record["PipelineArn"], record["Arn"]]
    present = {key: value for key, value in detail.items() if value is not None}
    service.cloud.emit(scope, "aws.sagemaker", EVENT, present, resources)


def _iso(epoch_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch_s))


def _retry_pause_s(step: Json, failure: str, attempt: int, elapsed_s: float) -> float | None:
    """Return how long to wait before the next attempt; None when no policy of the step allows one."""
    for policy in step.get("RetryPolicies") or ():
        allowed = attempt + 1 < policy.get("MaxAttempts", 5) if "ExpireAfterMin" not in policy else (
            elapsed_s < policy["ExpireAfterMin"] * 60
        )  # fmt: skip
        if failure and failure in policy["ExceptionType"] and allowed:
            return float(policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** attempt)
    return None
