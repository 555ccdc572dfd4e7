"""Operations on pipelines and their executions."""

from typing import Final

from mlops_foundation.core import clock
from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.sagemaker.jobs.operations import JobOperations
from mlops_foundation.local.services.sagemaker.jobs.storage import TransferError, read_object
from mlops_foundation.local.services.sagemaker.pipelines.definition import Definition
from mlops_foundation.local.services.sagemaker.pipelines.executor import EXECUTION, Execution, emit
from mlops_foundation.local.services.sagemaker.resources import (
    SERVICE_PRINCIPAL,
    Kind,
    adds_tags,
    refuse_other,
    timestamp,
)

PIPELINE: Final = Kind("Pipeline", "pipeline")
_ENDED: Final = {"Succeeded", "Failed", "Stopped"}
_START_SUPPORTED: Final = {
    "PipelineName", "PipelineExecutionDisplayName", "PipelineParameters", "PipelineExecutionDescription",
    "ClientRequestToken", "ParallelismConfiguration",
}  # fmt: skip


def _pipeline_arn(_service: object, call: Call, request: Json) -> str:
    named: str = request["PipelineName"]
    return named if named.startswith("arn:") else PIPELINE.arn(call, named)


def _execution_arn(_service: object, _call: Call, request: Json) -> str:
    if "PipelineExecutionArn" not in request:  # the model requires it of most operations, though not of all
        raise ServiceError("ValidationException", "PipelineExecutionArn is required.")
    return str(request["PipelineExecutionArn"])


class PipelineOperations(JobOperations):
    """Operations on pipelines."""

    @operation(resource=_pipeline_arn, passes={"RoleArn": SERVICE_PRINCIPAL}, more=adds_tags(_pipeline_arn))
    def create_pipeline(self, call: Call, request: Json) -> Json:
        """Keep a pipeline's definition."""
        name, arn = request["PipelineName"], _pipeline_arn(self, call, request)
        if self.records.get(call.scope, PIPELINE.path, name):
            message = (
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            )
            raise ServiceError("ValidationException", message)
        self.check_role(call, request["RoleArn"], arn)
        members = {key: value for key, value in request.items() if key != "PipelineDefinitionS3Location"}
        record = {"PipelineDisplayName": name} | members | {
            "PipelineDefinition": self._definition(call, request),
            "Status": "Active",
            "CreatedBy": self.created_by(call),
            "LastModifiedBy": self.created_by(call),
        }  # fmt: skip
        return {"PipelineArn": self.create(call, PIPELINE, name, record)["Arn"]}

    @operation(resource=_pipeline_arn, passes={"RoleArn": SERVICE_PRINCIPAL})
    def update_pipeline(self, call: Call, request: Json) -> Json:
        """Replace a pipeline's definition, role or description."""
        record = self._pipeline(call, request)
        changes = {
            key: value for key, value in request.items() if key not in {"PipelineName", "PipelineDefinitionS3Location"}
        }
        if "RoleArn" in request:
            self.check_role(call, request["RoleArn"], record["Arn"])
        if "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request:
            changes["PipelineDefinition"] = self._definition(call, request)
        self.change(call.scope, PIPELINE, record["Name"], changes | {"LastModifiedBy": self.created_by(call)})
        return {"PipelineArn": record["Arn"]}

    @operation(resource=_pipeline_arn)
    def describe_pipeline(self, call: Call, request: Json) -> Json:
        """Return a pipeline."""
        refuse_other("DescribePipeline", request, {"PipelineName"})
        return PIPELINE.answer("DescribePipeline", self._pipeline(call, request))

    @operation()
    def list_pipelines(self, call: Call, request: Json) -> Json:
        """List pipelines."""
        filters = {key: value for key, value in request.items() if key != "PipelineNamePrefix"}
        prefix = request.get("PipelineNamePrefix", "")
        records = [r for r in self.records.all(call.scope, PIPELINE.path) if r["Name"].startswith(prefix)]
        return PIPELINE.page("ListPipelines", filters, records)

    @operation(resource=_pipeline_arn)
    def delete_pipeline(self, call: Call, request: Json) -> Json:
        """Remove a pipeline that has no running execution."""
        record = self._pipeline(call, request)
        if any(execution["Status"] not in _ENDED for execution in self._executions(call, record)):
            message = f"Pipeline {record['Arn']} has running executions; stop them first."
            raise ServiceError("ConflictException", message)
        self.remove(call.scope, PIPELINE, record["Name"])
        return {"PipelineArn": record["Arn"]}

    @operation(resource=_pipeline_arn)
    def start_pipeline_execution(self, call: Call, request: Json) -> Json:
        """Start an execution; the same client token gives the same execution."""
        refuse_other("StartPipelineExecution", request, _START_SUPPORTED)
        pipeline, token = self._pipeline(call, request), request.get("ClientRequestToken", clock.new_id())
        for known in self._executions(call, pipeline):
            if known["ClientRequestToken"] == token:
                return {"PipelineExecutionArn": known["Arn"]}
        given = request.get("PipelineParameters", [])
        definition = Definition.parse(pipeline["PipelineDefinition"])
        values = definition.parameters({item["Name"]: item["Value"] for item in given})
        execution_id, now = clock.new_token(12), timestamp()
        record = {
            "PipelineExecutionDisplayName": f"execution-{int(now * 1000)}",
            "ParallelismConfiguration": pipeline.get("ParallelismConfiguration", {}),
            **{key: value for key, value in request.items() if key in _START_SUPPORTED},
            "Name": execution_id,
            "Arn": f"{pipeline['Arn']}/execution/{execution_id}",
            "PipelineName": pipeline["Name"],
            "PipelineArn": pipeline["Arn"],
            "RoleArn": pipeline["RoleArn"],
            "Definition": pipeline["PipelineDefinition"],
            "ClientRequestToken": token,
            "GivenParameters": given,
            "Parameters": [{"Name": name, "Value": _text(value)} for name, value in values.items()],
            "Status": "Executing",
            "Steps": [],
            "CreationTime": now,
            "StartTime": now,
            "LastModifiedTime": now,
            "CreatedBy": self.created_by(call),
        }
        self.records.put(call.scope, EXECUTION.path, execution_id, record)
        self.change(call.scope, PIPELINE, pipeline["Name"], {"LastRunTime": now, "LastExecutionTime": now})
        emit(self, call.scope, record)
        self.cloud.spawn(f"pipeline {pipeline['Name']}", Execution(self, call.scope, execution_id).run)
        return {"PipelineExecutionArn": record["Arn"]}

    @operation(resource=_execution_arn)
    def describe_pipeline_execution(self, call: Call, request: Json) -> Json:
        """Return an execution."""
        return EXECUTION.answer("DescribePipelineExecution", self._execution(call, request))

    @operation(resource=_execution_arn)
    def describe_pipeline_definition_for_execution(self, call: Call, request: Json) -> Json:
        """Return the definition an execution runs, whatever became of the pipeline since."""
        record = self._execution(call, request)
        return {"PipelineDefinition": record["Definition"], "CreationTime": record["CreationTime"]}

    @operation(resource=_pipeline_arn)
    def list_pipeline_executions(self, call: Call, request: Json) -> Json:
        """List a pipeline's executions, the newest first."""
        records = self._executions(call, self._pipeline(call, request))
        filters = {key: value for key, value in request.items() if key != "PipelineName"}
        if filters.get("SortBy") == "PipelineExecutionArn":
            raise not_supported("ListPipelineExecutions sorted by ARN")
        return EXECUTION.page("ListPipelineExecutions", filters, records)

    @operation(resource=_execution_arn)
    def list_pipeline_execution_steps(self, call: Call, request: Json) -> Json:
        """List an execution's steps that have started, the newest first."""
        steps = self._execution(call, request)["Steps"]
        if request.get("SortOrder", "Descending") == "Descending":
            steps = steps[::-1]
        start, size = int(request.get("NextToken", 0)), request.get("MaxResults", 100)
        more = {"NextToken": str(start + size)} if len(steps) > start + size else {}
        return {"PipelineExecutionSteps": steps[start : start + size], **more}

    @operation(resource=_execution_arn)
    def list_pipeline_parameters_for_execution(self, call: Call, request: Json) -> Json:
        """List the values an execution runs with."""
        return {"PipelineParameters": self._execution(call, request)["Parameters"]}

    @operation(resource=_execution_arn)
    def stop_pipeline_execution(self, call: Call, request: Json) -> Json:
        """Ask an execution to stop: its running jobs are stopped, no step starts any more."""
        record = self._execution(call, request)
        if record["Status"] in _ENDED:
            message = (
                f"Pipeline execution with ARN {record['Arn']} is in status {record['Status']} and cannot be stopped."
            )
            raise ServiceError("ConflictException", message)
        self.stopping.add(record["Arn"])
        emit(
            self,
            call.scope,
            self.change(call.scope, EXECUTION, record["Name"], {"Status": "Stopping"}),
            record["Status"],
        )
        return {"PipelineExecutionArn": record["Arn"]}

    def end_interrupted_executions(self) -> None:
        """Mark the executions that were running when the cloud stopped."""
        reason = "Step failure: the local cloud was stopped while the execution ran"
        for scope in self.records.scopes():
            for record in self.records.all(scope, EXECUTION.path):
                if record["Status"] not in _ENDED:
                    changes = {"Status": "Failed", "FailureReason": reason, "PipelineExecutionFailureReason": reason}
                    self.records.change(scope, EXECUTION.path, record["Name"], _interrupt_steps)
                    self.change(scope, EXECUTION, record["Name"], changes | {"EndTime": timestamp()})

    def _definition(self, call: Call, request: Json) -> str:
        """Return the definition of a request, read from S3 with the caller's rights when it is there."""
        text = request.get("PipelineDefinition")
        if text is None:
            place = request.get("PipelineDefinitionS3Location")
            if place is None:
                raise ServiceError(
                    "ValidationException", "PipelineDefinition or PipelineDefinitionS3Location is required."
                )
            s3 = call.cloud.client(call.principal, "s3", call.region)
            try:
                text = read_object(s3, f"s3://{place['Bucket']}/{place['ObjectKey']}")
            except TransferError as error:
                raise ServiceError("ValidationException", str(error)) from error
        Definition.parse(text)
        return str(text)

    def _pipeline(self, call: Call, request: Json) -> Json:
        arn = _pipeline_arn(self, call, request)
        record = self.records.get(call.scope, PIPELINE.path, Arn.parse(arn).name)
        if record is None or record["Arn"] != arn:
            raise ServiceError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
        return record

    def _execution(self, call: Call, request: Json) -> Json:
        arn = request["PipelineExecutionArn"]
        record = self.records.get(call.scope, EXECUTION.path, arn.rsplit("/", 1)[-1])
        if record is None or record["Arn"] != arn:
            raise ServiceError("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
        return record

    def _executions(self, call: Call, pipeline: Json) -> list[Json]:
        records = self.records.all(call.scope, EXECUTION.path)
        return [record for record in records if record["PipelineArn"] == pipeline["Arn"]]


def _interrupt_steps(record: Json) -> None:
    for step in record["Steps"]:
        if "EndTime" not in step:
            step.update(StepStatus="Failed", EndTime=timestamp(), FailureReason="the local cloud was stopped")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
