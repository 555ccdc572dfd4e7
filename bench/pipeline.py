"""A SageMaker pipeline like the seed's, on the local cloud, against its own three scripts run by hand.

Preprocess, Train and Evaluate are the seed's scripts with the seed's settings; a condition and the registration follow.
The baseline runs the same scripts one after the other in the image's runtime, each a process of its own, as a job is.
What is over that is the platform's: starting jobs, the sandbox, S3, logs, policies, the registry.
"""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.cloud import BUCKET, IMAGE, SEED, BenchCloud
from bench.measure import Figure, MeasurementError, median_seconds, run
from mlops_foundation.local.runtimes import Runtime

RUNS = 3
TIMEOUT_S = 300
PIPELINE = "bench-training"
GROUP = "bench"
BY_STEP = {
    "preprocess": ["--target", "target", "--test-fraction", "0.2", "--seed", "7"],
    "train": ["--c", "1.0", "--max-iterations", "200"],
    "evaluate": [],
}
CONTAINER = "/opt/ml/processing"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}


def figures(cloud: BenchCloud, runtime: Runtime, folder: Path) -> Iterator[Figure]:
    """Yield the figure; leaves a registered version and its rows behind, which the endpoint's measurement uses."""
    _create(cloud)

    def execution() -> None:
        _execute(cloud)

    def by_hand() -> None:
        _by_hand(runtime, folder / "by-hand")

    mine, baseline = median_seconds(RUNS, execution, by_hand)
    yield Figure("pipeline execution", mine, "its three scripts run by hand", baseline, "s")


def model_uri(cloud: BenchCloud) -> str:
    """Return the artifact of the newest version."""
    sagemaker = cloud.client("sagemaker")
    newest = sagemaker.list_model_packages(ModelPackageGroupName=GROUP, SortOrder="Descending", MaxResults=1)
    arn = newest["ModelPackageSummaryList"][0]["ModelPackageArn"]
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    return str(found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])


# --- the baseline -----------------------------------------------------------------------------------------------------


def _by_hand(runtime: Runtime, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "model").mkdir(parents=True)
    (folder / "packed").mkdir()
    environment = {"PATH": runtime.path, "LANG": "C.UTF-8", "HOME": str(folder)}

    def script(name: str, *places: str) -> None:
        run([str(runtime.python), str(SEED / f"{name}.py"), *BY_STEP[name], *places], folder, environment)

    script("preprocess", "--output", ".")
    script("train", "--train", "train", "--model-dir", "model")
    shutil.make_archive(str(folder / "packed" / "model"), "gztar", folder / "model")
    script("evaluate", "--model", "packed", "--test", "test", "--output", "evaluation")


# --- the pipeline -----------------------------------------------------------------------------------------------------


def _create(cloud: BenchCloud) -> None:
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    sagemaker.create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=json.dumps(_definition(cloud)),
        RoleArn=cloud.role,
        ClientRequestToken="bench" * 8,
    )


def _execute(cloud: BenchCloud) -> None:
    sagemaker = cloud.client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName=PIPELINE)["PipelineExecutionArn"]
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        status = found["PipelineExecutionStatus"]
        if status == "Succeeded":
            return
        if status != "Executing" or time.monotonic() > deadline:
            raise MeasurementError(f"the execution ended as {status}: {found.get('FailureReason', '')}")
        time.sleep(0.05)


def _definition(cloud: BenchCloud) -> dict[str, Any]:
    train_uri = _output_of("Preprocess", "train")
    model_uri = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    preprocess = _processing(cloud, "preprocess", [], ["train", "test"])
    inputs = [_input("model", model_uri, "model"), _input("test", _output_of("Preprocess", "test"), "test")]
    evaluate = _processing(cloud, "evaluate", inputs, ["evaluation"])
    evaluate["PropertyFiles"] = [
        {"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    ]
    register = {
        "ModelPackageGroupName": GROUP,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model_uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    }
    accuracy = {
        "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
        "Path": "binary_classification_metrics.accuracy.value",
    }
    good_enough = {
        "Conditions": [{"Type": "GreaterThanOrEqualTo", "LeftValue": {"Std:JsonGet": accuracy}, "RightValue": 0.5}],
        "IfSteps": [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}],
        "ElseSteps": [],
    }
    condition = {"Name": "GoodEnough", "Type": "Condition", "Arguments": good_enough}
    steps = [preprocess, _training(cloud, train_uri), evaluate, condition]
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}


def _processing(cloud: BenchCloud, name: str, inputs: list[Any], outputs: list[str]) -> dict[str, Any]:
    code = cloud.put(f"code/{name}/{name}.py", SEED / f"{name}.py")
    arguments = {
        "RoleArn": cloud.role,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", f"{CONTAINER}/input/code/{name}.py"],
            **({"ContainerArguments": BY_STEP[name]} if BY_STEP[name] else {}),
        },
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "ProcessingInputs": [_input("code", code, "input/code"), *inputs],
        "ProcessingOutputConfig": {"Outputs": [_output(each) for each in outputs]},
    }
    return {"Name": name.capitalize(), "Type": "Processing", "Arguments": arguments}


def _training(cloud: BenchCloud, train_uri: object) -> dict[str, Any]:
    for file in ("train.py", "inference.py"):
        cloud.put(f"code/train/{file}", SEED / file)
    arguments = {
        "RoleArn": cloud.role,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
            "ContainerArguments": [
                *BY_STEP["train"],
                "--train",
                "/opt/ml/input/data/train",
                "--model-dir",
                "/opt/ml/model",
            ],
        },
        "EnableNetworkIsolation": True,
        "InputDataConfig": [_channel("train", train_uri), _channel("code", f"s3://{BUCKET}/code/train")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": TIMEOUT_S},
    }
    return {"Name": "Train", "Type": "Training", "Arguments": arguments}


def _channel(name: str, uri: object) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


def _input(name: str, uri: object, folder: str) -> dict[str, Any]:
    place = {"S3Uri": uri, "LocalPath": f"{CONTAINER}/{folder}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


def _output(name: str) -> dict[str, Any]:
    values = [f"s3://{BUCKET}/runs", {"Get": "Execution.PipelineExecutionId"}, name]
    uri = {"Std:Join": {"On": "/", "Values": values}}
    place = {"S3Uri": uri, "LocalPath": f"{CONTAINER}/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": place}


def _output_of(step: str, output: str) -> dict[str, str]:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri"}
