"""Processing jobs: CreateProcessingJob and its relatives, and how one runs."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from mlops_foundation.local.contract import Call, Json, not_supported, operation
from mlops_foundation.local.services.sagemaker.jobs.operations import DEFAULT_RUNTIME_S, JobOperations
from mlops_foundation.local.services.sagemaker.jobs.run import JobRun
from mlops_foundation.local.services.sagemaker.jobs.storage import download, upload_folder
from mlops_foundation.local.services.sagemaker.resources import (
    SERVICE_PRINCIPAL,
    Kind,
    adds_tags,
    check_only,
    job_context,
    refuse_other,
    timestamp,
)

PROCESSING_JOB: Final = Kind("ProcessingJob", "processing-job")
_SUPPORTED: Final = {
    "ProcessingJobName", "RoleArn", "AppSpecification", "ProcessingResources", "ProcessingInputs",
    "ProcessingOutputConfig", "Environment", "StoppingCondition", "NetworkConfig", "Tags",
}  # fmt: skip


class ProcessingRun(JobRun):
    """One run of a processing job."""

    kind: ClassVar[Kind] = PROCESSING_JOB
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    event: ClassVar[str] = "SageMaker Processing Job State Change"

    @property
    def image(self) -> str:
        """The image's URI."""
        return str(self.job["AppSpecification"]["ImageUri"])

    @property
    def isolated(self) -> bool:
        """Whether the container has no network."""
        return bool(self.job.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    def advance(self, phase: str) -> None:
        """Keep the time at which the container starts."""
        if phase == "Running":
            self.service.change(self.scope, self.kind, self.name, {"ProcessingStartTime": timestamp()})

    def prepare(self) -> None:
        """Download inputs; make the folders of outputs."""
        config = self.kind.answer("DescribeProcessingJob", self.job)
        self.write("config/processingjobconfig.json", config)
        self.write("config/resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
        for given in self.job.get("ProcessingInputs", ()):
            source = given["S3Input"]
            download(self.client("s3"), source["S3Uri"], self.inside(source["LocalPath"]))
        for output in self._outputs():
            self.inside(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)

    def argv(self) -> Sequence[str]:
        """Return entry point and arguments; the image's own entry point does not exist here."""
        specification = self.job["AppSpecification"]
        return [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", ())]

    def variables(self) -> Mapping[str, str]:
        """Return the variables SageMaker sets, and the job's own."""
        return {"PROCESSING_JOB_NAME": self.name, "AWS_REGION": self.scope.region, **self.job.get("Environment", {})}

    def collect(self, *, succeeded: bool) -> Json:
        """Upload the outputs, also of a job that failed, as far as it wrote them."""
        key = self.job.get("ProcessingOutputConfig", {}).get("KmsKeyId", "")
        for output in self._outputs():
            place = output["S3Output"]
            upload_folder(self.client("s3"), self.inside(place["LocalPath"]), place["S3Uri"], key)
        message = self.root / "output" / "message"
        exit_message = {"ExitMessage": message.read_text()[:1024]} if message.is_file() else {}
        return exit_message if succeeded else {}

    def finish(self, changes: Json) -> None:
        """Write the end state."""
        super().finish(changes | {"ProcessingEndTime": timestamp()})

    def _outputs(self) -> list[Json]:
        return list(self.job.get("ProcessingOutputConfig", {}).get("Outputs", ()))


class ProcessingOperations(JobOperations):
    """Operations on processing jobs."""

    @operation(
        resource=PROCESSING_JOB.named(),
        context=lambda _service, _call, request: job_context(request),
        passes={"RoleArn": SERVICE_PRINCIPAL},
        more=adds_tags(PROCESSING_JOB.named()),
    )
    def create_processing_job(self, call: Call, request: Json) -> Json:
        """Start a processing job."""
        refuse_other("CreateProcessingJob", request, _SUPPORTED)
        if not request["AppSpecification"].get("ContainerEntrypoint"):
            raise not_supported("CreateProcessingJob without AppSpecification.ContainerEntrypoint")
        for given in request.get("ProcessingInputs", ()):
            _check_input(given)
        for output in request.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            _check_output(output)
        condition = request.get("StoppingCondition") or {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_S}
        return self.submit(call, PROCESSING_JOB, request | {"StoppingCondition": condition})

    @operation(resource=PROCESSING_JOB.named())
    def describe_processing_job(self, call: Call, request: Json) -> Json:
        """Return a processing job."""
        return PROCESSING_JOB.answer("DescribeProcessingJob", self.job(call, PROCESSING_JOB, request))

    @operation(resource=PROCESSING_JOB.named())
    def stop_processing_job(self, call: Call, request: Json) -> Json:
        """Ask a processing job to stop."""
        return self.ask_to_stop(call, PROCESSING_JOB, request)

    @operation()
    def list_processing_jobs(self, call: Call, request: Json) -> Json:
        """List processing jobs."""
        records = self.records.all(call.scope, PROCESSING_JOB.path)
        return PROCESSING_JOB.page("ListProcessingJobs", request, records, ascending=True)


def _check_input(given: Json) -> None:
    source = given.get("S3Input")
    if source is None or "LocalPath" not in source:
        raise not_supported("a processing input that is no S3Input with a LocalPath")
    check_only(
        "a processing input",
        source,
        {
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3CompressionType": "None",
            "S3DataDistributionType": "FullyReplicated",
        },
    )


def _check_output(given: Json) -> None:
    place = given.get("S3Output")
    if place is None or "LocalPath" not in place:
        raise not_supported("a processing output that is no S3Output with a LocalPath")
    check_only("a processing output", place, {"S3UploadMode": "EndOfJob"})
