"""How each type of step runs: through the service's own operations, with the rights of the pipeline's role."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mlops_foundation.core import clock
from mlops_foundation.local import wire
from mlops_foundation.local.contract import Call, Json, ServiceError
from mlops_foundation.local.services.sagemaker.hosting.models import MODEL
from mlops_foundation.local.services.sagemaker.jobs import JOB_KINDS
from mlops_foundation.local.services.sagemaker.jobs.operations import JobOperations
from mlops_foundation.local.services.sagemaker.jobs.run import JobKind
from mlops_foundation.local.services.sagemaker.pipelines.expressions import coerce
from mlops_foundation.local.services.sagemaker.registry.packages import PACKAGE

_NAME_MAX: Final = 63
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class StepFailedError(Exception):
    """A step ends as Failed; the message is its FailureReason.

    Args:
        reason: What the step's record says.
        retryable_as: The exception type of retry policies it counts as, empty when it is the user's to mend.
    """

    def __init__(self, reason: str, retryable_as: str = "") -> None:
        super().__init__(reason)
        self.retryable_as = retryable_as


@dataclass(frozen=True)
class StepRun:
    """One attempt of one step.

    Attributes:
        service: The service, for its records.
        call: Acts as the pipeline's role.
        execution_id: Of the pipeline execution.
        name: Of the step.
        attempt: 0 for the first.
        started: Called with the step's metadata once its resource exists.
    """

    service: JobOperations
    call: Call
    execution_id: str
    name: str
    attempt: int
    started: Callable[[Json], None]

    def invoke(self, operation: str, request: Json) -> Json:
        """Call an operation as the pipeline's role.

        Raises:
            StepFailedError: When it is refused.
        """
        request = coerce(wire.operation_model("sagemaker", operation).input_shape, request)
        try:
            return self.call.cloud.invoke(self.call.principal, "sagemaker", operation, request, scope=self.call.scope)
        except ServiceError as error:
            reason = f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error.message}"
            raise StepFailedError(reason, _api_failure(error)) from error

    def resource_name(self, prefix: str | None) -> str:
        """Return the name of the resource a step makes.

        By default ``pipelines-<execution>-<step>-<token>``; with a custom prefix in the definition
        ``<prefix>-<execution>-<token>-<failures>``.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html#build-and-manage-step-permissions-prefix
        """
        token = clock.new_token(10, _LETTERS)
        if prefix:
            rest = f"-{self.execution_id}-{token}-{self.attempt}"
            return prefix[: _NAME_MAX - len(rest)] + rest
        return f"pipelines-{self.execution_id}-{self.name[: _NAME_MAX - 34]}-{token}"


def _run_job(kind: JobKind, run: StepRun, arguments: Json) -> Json:
    member = f"{kind.prefix}Name"
    name = run.resource_name(arguments.get(member))
    made = run.invoke(f"Create{kind.prefix}", arguments | {member: name})
    run.started({kind.prefix: {"Arn": made[f"{kind.prefix}Arn"]}})
    record = run.service.wait_for_job(run.call.scope, kind, name)
    if record["Status"] != "Completed":
        reason = record.get("FailureReason") or f"{kind.prefix} {name} ended as {record['Status']}"
        raise StepFailedError(reason, "SageMaker.JOB_INTERNAL_ERROR" if reason.startswith("Internal") else "")
    return kind.answer(f"Describe{kind.prefix}", record)


def _model(run: StepRun, arguments: Json) -> Json:
    name = run.resource_name(arguments.get("ModelName"))
    made = run.invoke("CreateModel", arguments | {"ModelName": name})
    run.started({"Model": {"Arn": made["ModelArn"]}})
    record = run.service.records.get(run.call.scope, MODEL.path, name) or {}
    return MODEL.answer("DescribeModel", record)


def _register(run: StepRun, arguments: Json) -> Json:
    made = run.invoke("CreateModelPackage", arguments)
    run.started({"RegisterModel": {"Arn": made["ModelPackageArn"]}})
    key = made["ModelPackageArn"].split(":model-package/")[1]
    record = run.service.records.get(run.call.scope, PACKAGE.path, key) or {}
    return PACKAGE.answer("DescribeModelPackage", record)


def _fail(run: StepRun, arguments: Json) -> Json:
    run.started({"Fail": {"ErrorMessage": str(arguments["ErrorMessage"])}})
    raise StepFailedError(str(arguments["ErrorMessage"]))


RUN: Final[Mapping[str, Callable[[StepRun, Json], Json]]] = {
    **{kind.step: functools.partial(_run_job, kind) for kind in JOB_KINDS},
    "Model": _model,
    "RegisterModel": _register,
    "Fail": _fail,
}
"""Step type -> what runs it: resolved arguments in, the step's properties out."""


def _api_failure(error: ServiceError) -> str:
    if error.code in {"ThrottlingException", "TooManyRequestsException"}:
        return "Step.THROTTLING"
    if error.code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    return "Step.SERVICE_FAULT" if error.status >= 500 else ""  # noqa: PLR2004  server errors
