"""Processing and training jobs on the real local cloud: they run, as their role, and say why when they do not."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from workbench import IMAGE, Workbench, allow, processing_input, processing_output

pytestmark = pytest.mark.cloud

DOUBLE = """
import os, sys
numbers = open("/opt/ml/processing/input/data/numbers.csv").read().split(",")
print("doubling", len(numbers), "numbers as", os.environ["PROCESSING_JOB_NAME"])
with open("/opt/ml/processing/out/doubled.csv", "w") as out:
    out.write(",".join(str(2 * int(number)) for number in numbers))
"""


def test_processing_job_reads_runs_and_writes(bench: Workbench, events: Callable[[str], list[dict[str, Any]]]) -> None:
    data = bench.put("data/numbers.csv", "1,2,3")
    done = bench.process(
        "double",
        DOUBLE,
        ProcessingInputs=[processing_input("data", data, "/opt/ml/processing/input/data")],
        ProcessingOutputConfig={
            "Outputs": [processing_output("out", f"s3://{bench.bucket}/out", "/opt/ml/processing/out")]
        },
    )
    assert done["ProcessingJobStatus"] == "Completed", done
    assert done["ProcessingEndTime"] >= done["ProcessingStartTime"]
    assert bench.read(f"s3://{bench.bucket}/out/doubled.csv") == b"2,4,6"
    assert "doubling 3 numbers as double" in bench.logs("/aws/sagemaker/ProcessingJobs", "double/")
    states = [event["ProcessingJobStatus"] for event in events("SageMaker Processing Job State Change")]
    assert states == ["InProgress", "Completed"]


def test_a_killed_container_says_memory(bench: Workbench) -> None:
    done = bench.process("hungry", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert done["ProcessingJobStatus"] == "Failed"
    assert "memory" in done["FailureReason"]
    assert "Traceback" not in done["FailureReason"]


def test_failing_script_gives_its_exception_as_the_reason(bench: Workbench) -> None:
    done = bench.process("broken", "def f():\n    raise ValueError('column age is missing')\nf()\n")
    assert done["ProcessingJobStatus"] == "Failed"
    assert done["FailureReason"] == "AlgorithmError: ValueError: column age is missing, exit code: 1"


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:ListBucket"])
def test_missing_permission_to_read_fails_the_job_and_is_named(bench: Workbench, action: str) -> None:
    actions = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"} - {action}
    role = bench.make_role("limited", allow(sorted(actions)))
    done = bench.process("denied", "print()", RoleArn=role)
    assert done["ProcessingJobStatus"] == "Failed"
    assert "AccessDenied" in done["FailureReason"]
    assert action in done["FailureReason"]


def test_missing_permission_to_write_fails_the_job_and_is_named(bench: Workbench) -> None:
    role = bench.make_role("limited", allow(["s3:GetObject", "s3:ListBucket"]))
    done = bench.process(
        "denied",
        "open('/opt/ml/processing/out/x', 'w').write('x')",
        RoleArn=role,
        ProcessingOutputConfig={
            "Outputs": [processing_output("out", f"s3://{bench.bucket}/out", "/opt/ml/processing/out")]
        },
    )
    assert done["ProcessingJobStatus"] == "Failed"
    assert "s3:PutObject" in done["FailureReason"]


def test_user_code_acts_as_the_jobs_role(bench: Workbench) -> None:
    script = """
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
boto3.client("s3").create_bucket(Bucket="not-allowed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
"""
    done = bench.process("identity", script)
    assert "AccessDenied" in done["FailureReason"]
    assert f"arn:aws:sts::{bench.account}:assumed-role/execution/SageMaker" in bench.logs(
        "/aws/sagemaker/ProcessingJobs", "identity/"
    )


def test_network_isolation_leaves_no_credentials_and_no_network(bench: Workbench) -> None:
    script = f"""
import os, socket
assert "AWS_ACCESS_KEY_ID" not in os.environ
socket.create_connection(("localhost", {bench.cloud.running.port}), timeout=2)
"""
    done = bench.process("isolated", script, NetworkConfig={"EnableNetworkIsolation": True})
    assert done["ProcessingJobStatus"] == "Failed"
    assert "Error: [Errno" in done["FailureReason"]


def test_stopped_job_ends_its_process(bench: Workbench) -> None:
    bench.process("endless", "import time\nprint('started', flush=True)\ntime.sleep(600)", wait=False)
    bench.sagemaker.stop_processing_job(ProcessingJobName="endless")
    assert bench.wait_for("processing_job", "ProcessingJob", "endless")["ProcessingJobStatus"] == "Stopped"


def test_job_over_its_time_fails(bench: Workbench) -> None:
    done = bench.process("slow", "import time\ntime.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert done["ProcessingJobStatus"] == "Failed"
    assert "MaxRuntimeInSeconds" in done["FailureReason"]


def test_unknown_image_is_refused_by_name(bench: Workbench) -> None:
    image = IMAGE.replace("1.9-0", "0.20.0")
    specification = {"ImageUri": image, "ContainerEntrypoint": ["true"]}
    done = bench.process("old", "print()", AppSpecification=specification)
    assert image in done["FailureReason"]
    assert "sagemaker-scikit-learn-1.9-0-cpu-py3" in done["FailureReason"]


def test_errors_are_those_of_sagemaker(bench: Workbench) -> None:
    bench.process("once", "print()")
    describe = bench.sagemaker.describe_processing_job
    for code, text, call in (
        ("ResourceInUse", "already exists", lambda: bench.process("once", "print()")),
        ("ValidationException", "Could not assume role", lambda: bench.process("x", "", RoleArn=bench.role + "-not")),
        ("ValidationException", "Could not find", lambda: describe(ProcessingJobName="y")),
        ("ValidationException", "regular expression", lambda: bench.process("a_b", "print()")),
        ("ValidationException", "Completed", lambda: bench.sagemaker.stop_processing_job(ProcessingJobName="once")),
        ("NotSupportedException", "CreateTransformJob", lambda: bench.sagemaker.create_transform_job(
            TransformJobName="t", ModelName="m", TransformInput={"DataSource": {"S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}}, TransformOutput={"S3OutputPath": "s3://b/o"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1})),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
        assert text in caught.value.response["Error"]["Message"]


def test_passing_a_role_needs_the_permission(bench: Workbench) -> None:
    person = bench.make_person("scientist", allow("sagemaker:CreateProcessingJob"))
    bench._clients["sagemaker", ""] = bench.client("sagemaker", person)
    with pytest.raises(ClientError, match="iam:PassRole"):
        bench.process("mine", "print()")
