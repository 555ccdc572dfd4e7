"""What the operations of all kinds of jobs share: submit, find, stop."""

from typing import Final

from mlops_foundation.local.contract import Call, Json, Scope, ServiceError
from mlops_foundation.local.services.sagemaker.jobs.run import JobRun
from mlops_foundation.local.services.sagemaker.machine import Machine
from mlops_foundation.local.services.sagemaker.resources import SERVICE_PRINCIPAL, Kind, Resources, timestamp

DEFAULT_RUNTIME_S: Final = 86_400
ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})


class JobOperations(Resources):
    """Base of the operations of each kind of job."""

    machine: Machine
    runs: dict[str, type[JobRun]]
    """How a job runs, by the path of its kind."""

    def submit(self, call: Call, kind: Kind, request: Json) -> Json:
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
        made = self.create(call, kind, name, request | {"Status": "InProgress"})
        run = self.runs[kind.path](self, self.machine, call.scope, name)
        run.emit()
        self.cloud.spawn(f"{kind.path} {name}", run.run)
        return {f"{kind.prefix}Arn": made["Arn"]}

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

    def end_interrupted(self, kind: Kind) -> None:
        """Mark the jobs that were running when the cloud stopped."""
        reason = "ClientError: the local cloud was stopped while the job ran"
        for scope in self.records.scopes():
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
