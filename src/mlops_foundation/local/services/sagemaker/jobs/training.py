"""Training jobs: CreateTrainingJob and its relatives, and how one runs.

Three ways to start a container, all by the same contract: a command given in the request (SDK v3), the training
toolkit's ``train`` with a script named in the hyperparameters (SDK v2), and an image's own ``train``.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from mlops_foundation.local.contract import Json, not_supported
from mlops_foundation.local.services.sagemaker.jobs.run import DEFAULT_RUNTIME_S, ContainerRun, JobKind
from mlops_foundation.local.services.sagemaker.jobs.storage import download, upload_archive
from mlops_foundation.local.services.sagemaker.resources import check_only, refuse_other, timestamp

_SUPPORTED: Final = {
    "TrainingJobName", "RoleArn", "AlgorithmSpecification", "HyperParameters", "InputDataConfig", "OutputDataConfig",
    "ResourceConfig", "StoppingCondition", "VpcConfig", "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption", "Environment", "Tags", "EnableManagedSpotTraining",
    "ProfilerConfig", "RemoteDebugConfig",
}  # fmt: skip
_HOST: Final = "localhost"
"""The toolkit waits for other hosts until their names resolve; this one does."""
_PHASES: Final = {"Downloading": "Downloading", "Running": "Training", "Uploading": "Uploading"}
_MESSAGES: Final = {
    "Starting": "Launching requested ML instances",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
}


class TrainingRun(ContainerRun):
    """One run of a training job."""

    @property
    def image(self) -> str:
        """The image's URI."""
        return str(self.job["AlgorithmSpecification"]["TrainingImage"])

    @property
    def isolated(self) -> bool:
        """Whether the container has no network."""
        return bool(self.job.get("EnableNetworkIsolation"))

    def advance(self, phase: str) -> None:
        """Keep the phase as SecondaryStatus."""
        changes: Json = _transition(self.job, _PHASES[phase])
        if phase == "Running":
            changes["TrainingStartTime"] = timestamp()
        self.job = self.service.change(self.scope, self.kind, self.name, changes)

    def prepare(self) -> None:
        """Write the configuration and download the channels."""
        for folder in ("input/config", "input/data", "model", "output/data", "checkpoints"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        channels = self.job.get("InputDataConfig", ())
        self.write("input/config/hyperparameters.json", self.job.get("HyperParameters", {}))
        self.write("input/config/inputdataconfig.json", {c["ChannelName"]: _channel_config(c) for c in channels})
        self.write("input/config/resourceconfig.json", _resources(self.job["ResourceConfig"]["InstanceType"]))
        for channel in channels:
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            download(self.client("s3"), uri, self.root / "input" / "data" / channel["ChannelName"])

    def argv(self) -> Sequence[str]:
        """Return the request's command, else ``train``."""
        algorithm = self.job["AlgorithmSpecification"]
        return [*algorithm.get("ContainerEntrypoint", ["train"]), *algorithm.get("ContainerArguments", ())]

    def variables(self) -> Mapping[str, str]:
        """Return the variables SageMaker sets, and the job's own."""
        own = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn, "AWS_REGION": self.scope.region}
        endpoint = {} if self.isolated else {"S3_ENDPOINT_URL": self.cloud.endpoint_url}
        return {**own, **endpoint, **self.job.get("Environment", {})}

    def collect(self, *, succeeded: bool) -> Json:
        """Upload the model of a job that succeeded, and its other output in any case."""
        output = self.job["OutputDataConfig"]
        place, key = f"{output['S3OutputPath'].rstrip('/')}/{self.name}/output", output.get("KmsKeyId", "")
        data = self.root / "output" / "data"
        if data.is_dir() and any(data.iterdir()):
            upload_archive(self.client("s3"), data, f"{place}/output.tar.gz", key)
        metrics = {"FinalMetricDataList": self._metrics()}
        if not succeeded:
            return metrics
        upload_archive(self.client("s3"), self.root / "model", f"{place}/model.tar.gz", key)
        return metrics | {"ModelArtifacts": {"S3ModelArtifacts": f"{place}/model.tar.gz"}}

    def finish(self, changes: Json) -> None:
        """Write the end state."""
        now = timestamp()
        started = self.job.get("TrainingStartTime", now)
        times = {"TrainingEndTime": now, "TrainingTimeInSeconds": int(now - started), "BillableTimeInSeconds": 0}
        super().finish(changes | times | _transition(self.job, changes["Status"], changes.get("FailureReason", "")))

    def _metrics(self) -> list[Json]:
        """Return the last value of each metric whose expression finds one in the log."""
        text = self.log.read_text(errors="replace")
        metrics = []
        for definition in self.job["AlgorithmSpecification"].get("MetricDefinitions", ()):
            values = re.findall(definition["Regex"], text)
            if values:
                last = values[-1][0] if isinstance(values[-1], tuple) else values[-1]
                metrics.append({"MetricName": definition["Name"], "Value": float(last), "Timestamp": timestamp()})
        return metrics


def _admit(request: Json) -> Json:
    refuse_other("CreateTrainingJob", request, _SUPPORTED)
    for member in ("AlgorithmSpecification", "ResourceConfig"):
        if member not in request:  # the model leaves them to the kinds of training that do without
            raise not_supported(f"CreateTrainingJob without {member}")
    if "TrainingImage" not in request["AlgorithmSpecification"]:
        raise not_supported("CreateTrainingJob without AlgorithmSpecification.TrainingImage")
    if request["AlgorithmSpecification"].get("TrainingInputMode") != "File":
        raise not_supported("TrainingInputMode other than File")
    if request["ResourceConfig"].get("InstanceCount", 1) != 1 or "InstanceType" not in request["ResourceConfig"]:
        raise not_supported("training on several instances or instance groups")
    for channel in request.get("InputDataConfig", ()):
        _check_channel(channel)
    condition = request.get("StoppingCondition") or {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_S}
    return request | {"StoppingCondition": condition} | _transition({}, "Starting")


def _check_channel(channel: Json) -> None:
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise not_supported("a training channel that is not in S3")
    check_only(
        "a training channel",
        channel | source,
        {"S3DataType": "S3Prefix", "InputMode": "File", "CompressionType": "None", "RecordWrapperType": "None"},
    )


def _channel_config(channel: Json) -> Json:
    source = channel["DataSource"]["S3DataSource"]
    return {
        "TrainingInputMode": "File",
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": "None",
        **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
    }


def _resources(instance_type: str) -> Json:
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [_HOST]}
    return {
        "current_host": _HOST,
        "hosts": [_HOST],
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "network_interface_name": "lo",
        "instance_groups": [group],
    }


def _transition(job: Json, status: str, message: str = "") -> Json:
    """Return the members that record a new SecondaryStatus."""
    now = timestamp()
    past = [dict(item) for item in job.get("SecondaryStatusTransitions", ())]
    if past:
        past[-1]["EndTime"] = now
    ended = {"EndTime": now} if status in {"Completed", "Failed", "Stopped"} else {}
    step = {"Status": status, "StartTime": now, **ended, "StatusMessage": message or _MESSAGES[status]}
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": [*past, step]}


TRAINING_JOB: Final = JobKind(
    prefix="TrainingJob",
    path="training-job",
    step="Training",
    log_group="/aws/sagemaker/TrainingJobs",
    event="SageMaker Training Job State Change",
    admit=_admit,
    run=TrainingRun,
)
