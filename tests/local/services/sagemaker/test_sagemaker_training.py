"""Training jobs in each of their launch styles."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from workbench import IMAGE, Workbench

pytestmark = pytest.mark.cloud

TRAIN = """
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
depth = parser.parse_args().depth
lines = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "rows.csv").read_text().split()
print(f"rows={len(lines)}; accuracy=0.5;")
print(f"rows={len(lines)}; accuracy=0.{depth};")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(f"{depth} of {len(lines)}")
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "report.txt").write_text("fine")
"""


def train(bench: Workbench, name: str, algorithm: dict[str, Any], **changes: Any) -> Any:
    rows = bench.put(f"data/{name}/rows.csv", "a\nb\nc")
    request = {
        "TrainingJobName": name,
        "RoleArn": bench.role,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"} | algorithm,
        "InputDataConfig": [channel("train", rows)],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bench.bucket}/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    bench.sagemaker.create_training_job(**request | changes)
    return bench.wait_for("training_job", "TrainingJob", name)


def channel(name: str, uri: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


def script_mode(bench: Workbench, script: str) -> dict[str, str]:
    """Return the hyperparameters of an SDK v2 estimator, JSON texts as the SDK sends them."""
    return {
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(bench.put_archive("code/sourcedir.tar.gz", {"train.py": script})),
        "sagemaker_region": json.dumps("eu-west-1"),
        "depth": "7",
    }


def test_script_mode_trains_a_model(bench: Workbench, events: Callable[[str], list[dict[str, Any]]]) -> None:
    metrics = {"MetricDefinitions": [{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"}]}
    done = train(bench, "script", metrics, HyperParameters=script_mode(bench, TRAIN))
    assert done["TrainingJobStatus"] == "Completed", done
    assert bench.members(done["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"7 of 3"}
    assert bench.members(f"s3://{bench.bucket}/models/script/output/output.tar.gz") == {"report.txt": b"fine"}
    assert [(m["MetricName"], round(m["Value"], 6)) for m in done["FinalMetricDataList"]] == [("accuracy", 0.7)]
    phases = [step["Status"] for step in done["SecondaryStatusTransitions"]]
    assert phases == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert "rows=3; accuracy=0.7;" in bench.logs("/aws/sagemaker/TrainingJobs", "script/")
    states = [event["TrainingJobStatus"] for event in events("SageMaker Training Job State Change")]
    assert states == ["InProgress", "Completed"]


def test_script_mode_failure_carries_the_users_message(bench: Workbench) -> None:
    script = "raise RuntimeError('learning rate is negative')"
    done = train(bench, "failing", {}, HyperParameters=script_mode(bench, script))
    assert done["TrainingJobStatus"] == "Failed"
    assert "learning rate is negative" in done["FailureReason"]
    assert "ModelArtifacts" not in done or not done["ModelArtifacts"]["S3ModelArtifacts"]


def test_command_of_the_request_is_run(bench: Workbench) -> None:
    """The style of SDK v3: drivers and code are channels, the command is a shell's."""
    driver = bench.put("drivers/run.sh", "echo $TRAINING_JOB_NAME > /opt/ml/model/name; test -w /opt/ml/input\n")
    command = {
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": [
            "-c",
            "chmod +x /opt/ml/input/data/sm_drivers/run.sh && /opt/ml/input/data/sm_drivers/run.sh",
        ],
    }
    done = train(bench, "driven", command, InputDataConfig=[channel("sm_drivers", driver)])
    assert done["TrainingJobStatus"] == "Completed", done
    assert bench.members(done["ModelArtifacts"]["S3ModelArtifacts"]) == {"name": b"driven\n"}


def test_failure_file_is_the_reason(bench: Workbench) -> None:
    script = "mkdir -p /opt/ml/output; echo 'not enough rows' > /opt/ml/output/failure; exit 3"
    done = train(bench, "own-words", {"ContainerEntrypoint": ["/bin/sh", "-c", script]})
    assert done["FailureReason"] == "AlgorithmError: not enough rows, exit code: 3"


def test_several_instances_are_refused(bench: Workbench) -> None:
    resources = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
    with pytest.raises(bench.sagemaker.exceptions.ClientError, match="not supported by the local cloud"):
        train(bench, "wide", {}, ResourceConfig=resources)
