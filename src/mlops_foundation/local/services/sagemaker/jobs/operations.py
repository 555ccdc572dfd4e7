"""The operations of every kind of job: create, describe, stop, list."""

import itertools
from collections.abc import Mapping
from typing import Final

from mlops_foundation.local.contract import Call, Handler, Json, Scope, ServiceError, operation
from mlops_foundation.local.services.sagemaker.jobs import JOB_KINDS
from mlops_foundation.local.services.sagemaker.jobs.run import JobKind
from mlops_foundation.local.services.sagemaker.machine import Machine
from mlops_foundation.local.services.sagemaker.resources import (
    SERVICE_PRINCIPAL,
    Kind,
    Resources,
    adds_tags,
    job_context,
    timestamp,
)
from mlops_foundation.local.services.sagemaker.vpc import admit_vpc

ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})


class JobOperations(Resources):
    """What the operations of all kinds of jobs do."""

    machine: Machine

    def submit(self, call: Call, kind: JobKind, request: Json) -> Json:
        """Keep a new job and run it in the background."""
        name = request[f"{kind.prefix}Name"]
        if existing := self.records.get(call.scope, kind.path, name):
            message = (
                "Job name must be unique within an AWS account and region, and a job with this name already exists "
                f"({existing['Arn']})"
            )
            raise ServiceError("ResourceInUse", message)
        arn = kind.arn(call, name)
        self.check_role(call, request["RoleArn"], arn)
        admit_vpc(call, request)
        record = self.create(call, kind, name, request | {"Status": "InProgress"})
        run = kind.run(self, self.machine, kind, call.scope, name)
        run.emit()
        self.cloud.spawn(f"{kind.path} {name}", run.run)
        return {f"{kind.prefix}Arn": record["Arn"]}

    def check_role(self, call: Call, role_arn: str, source_arn: str) -> None:
        """Refuse a role that does not exist or does not trust SageMaker, before anything is made."""
        try:
            self.cloud.assume_service_role(
                role_arn, SERVICE_PRINCIPAL, "SageMaker", source_arn=source_arn, region=call.region
            )
        except ServiceError as error:
            message = (
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{SERVICE_PRINCIPAL}' to assume the role."
            )
            raise ServiceError("ValidationException", message) from error

    def job(self, call: Call, kind: Kind, request: Json) -> Json:
        """Return a job's record."""
        name = request[f"{kind.prefix}Name"]
        record = self.records.get(call.scope, kind.path, name)
        if record is None:
            raise ServiceError("ValidationException", f"Could not find requested job with name: {name}")
        return record

    def ask_to_stop(self, call: Call, kind: Kind, request: Json) -> Json:
        """Stop a job: its process gets SIGTERM, then the job ends as Stopped."""
        record = self.job(call, kind, request)
        if record["Status"] in ENDED:
            message = f"The request was rejected because the {kind.path} is in status {record['Status']}."
            raise ServiceError("ValidationException", message)
        self.stopping.add(record["Arn"])
        self.change(call.scope, kind, record["Name"], {"Status": "Stopping"})
        if running := self.running.get(record["Arn"]):
            running.kill(grace_s=2)
        return {}

    def end_interrupted_jobs(self) -> None:
        """Mark the jobs that were running when the cloud stopped."""
        reason = "ClientError: the local cloud was stopped while the job ran"
        for scope, kind in itertools.product(self.records.scopes(), JOB_KINDS):
            for record in self.records.all(scope, kind.path):
                if record["Status"] not in ENDED:
                    changes = {"Status": "Failed", "FailureReason": reason, "EndTime": timestamp()}
                    self.change(scope, kind, record["Name"], changes)

    def wait_for_job(self, scope: Scope, kind: Kind, name: str) -> Json:
        """Wait until a job has ended and return its record."""
        while True:
            with self.changed:
                record = self.records.get(scope, kind.path, name)
                if record is None or record["Status"] in ENDED:
                    return record or {}
                self.changed.wait(1.0)


def _operations(kind: JobKind) -> Mapping[str, Handler]:
    """Return the operations of one kind of job, by AWS's name."""

    @operation(
        resource=kind.named(),
        context=lambda _service, _call, request: job_context(request),
        passes={"RoleArn": SERVICE_PRINCIPAL},
        more=adds_tags(kind.named()),
    )
    def create(service: JobOperations, call: Call, request: Json) -> Json:
        return service.submit(call, kind, kind.admit(request))

    @operation(resource=kind.named())
    def describe(service: JobOperations, call: Call, request: Json) -> Json:
        return kind.answer(f"Describe{kind.prefix}", service.job(call, kind, request))

    @operation(resource=kind.named())
    def stop(service: JobOperations, call: Call, request: Json) -> Json:
        return service.ask_to_stop(call, kind, request)

    @operation()
    def list_jobs(service: JobOperations, call: Call, request: Json) -> Json:
        records = service.records.all(call.scope, kind.path)
        return kind.page(f"List{kind.prefix}s", request, records, ascending=True)

    verbs = {"Create": create, "Describe": describe, "Stop": stop}
    return {f"{verb}{kind.prefix}": handler for verb, handler in verbs.items()} | {f"List{kind.prefix}s": list_jobs}


JOB_OPERATIONS: Final[Mapping[str, Handler]] = {
    name: handler for kind in JOB_KINDS for name, handler in _operations(kind).items()
}
