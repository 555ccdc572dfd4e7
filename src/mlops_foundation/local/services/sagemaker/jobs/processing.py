"""Processing jobs: CreateProcessingJob and its relatives, and how one runs."""

from collections.abc import Mapping, Sequence
from typing import Final

from mlops_foundation.local.contract import Json, not_supported
from mlops_foundation.local.services.sagemaker.jobs.run import DEFAULT_RUNTIME_S, ContainerRun, JobKind
from mlops_foundation.local.services.sagemaker.jobs.storage import download, upload_folder
from mlops_foundation.local.services.sagemaker.resources import check_only, refuse_other, timestamp

_SUPPORTED: Final = {
    "ProcessingJobName", "RoleArn", "AppSpecification", "ProcessingResources", "ProcessingInputs",
    "ProcessingOutputConfig", "Environment", "StoppingCondition", "NetworkConfig", "Tags",
}  # fmt: skip


class ProcessingRun(ContainerRun):
    """One run of a processing job."""

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


def _admit(request: Json) -> Json:
    refuse_other("CreateProcessingJob", request, _SUPPORTED)
    if not request["AppSpecification"].get("ContainerEntrypoint"):
        raise not_supported("CreateProcessingJob without AppSpecification.ContainerEntrypoint")
    for given in request.get("ProcessingInputs", ()):
        _check_input(given)
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        _check_output(output)
    return request | {
        "StoppingCondition": request.get("StoppingCondition") or {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_S}
    }


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


PROCESSING_JOB: Final = JobKind(
    prefix="ProcessingJob",
    path="processing-job",
    step="Processing",
    log_group="/aws/sagemaker/ProcessingJobs",
    event="SageMaker Processing Job State Change",
    admit=_admit,
    run=ProcessingRun,
)
