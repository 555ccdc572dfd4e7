"""The definition as SageMaker receives it, built without AWS."""

import json

import boto3
import pytest

from pipeline.definition import TrainingPipeline
from pipeline.session import ProjectSession
from pipeline.settings import load_parameters


class OfflineSession(ProjectSession):
    """Notes what would be uploaded."""

    def upload_data(self, path, bucket, key_prefix="data", callback=None, extra_args=None):
        return f"s3://{bucket}/{key_prefix}"


@pytest.fixture(scope="module")
def steps(project) -> dict[str, dict]:
    """All steps by name, those of the condition's branches too."""
    boto_session = boto3.Session("test", "test", region_name=project.region)
    session = OfflineSession(project, boto_session)
    definition = json.loads(TrainingPipeline(project, load_parameters(), session).build().definition())
    found = list(definition["Steps"])
    for step in definition["Steps"]:
        if step["Type"] == "Condition":
            found += [*step["Arguments"]["IfSteps"], *step["Arguments"]["ElseSteps"]]
    return {step["Name"]: step for step in found}


def test_steps(steps):
    kinds = {name: step["Type"] for name, step in steps.items()}
    assert kinds == {
        "Preprocess": "Processing",
        "Train": "Training",
        "Evaluate": "Processing",
        "GoodEnough": "Condition",
        "Register": "RegisterModel",
        "NotGoodEnough": "Fail",
    }


def test_jobs_are_named_after_the_project_and_carry_its_tags(steps, project):
    for name, member in (("Preprocess", "ProcessingJobName"), ("Train", "TrainingJobName")):
        arguments = steps[name]["Arguments"]
        assert arguments[member] == f"churn-{name.lower()}"
        assert {tag["Key"]: tag["Value"] for tag in arguments["Tags"]} == project.tags


def test_jobs_have_no_network_of_their_own_and_encrypt_everything(steps, project):
    train, evaluate = steps["Train"]["Arguments"], steps["Evaluate"]["Arguments"]
    assert train["EnableNetworkIsolation"] is True
    assert evaluate["NetworkConfig"]["EnableNetworkIsolation"] is True
    for vpc in (train["VpcConfig"], evaluate["NetworkConfig"]["VpcConfig"]):
        assert vpc == {"Subnets": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]}
    keys = [
        train["ResourceConfig"]["VolumeKmsKeyId"],
        train["OutputDataConfig"]["KmsKeyId"],
        evaluate["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"],
        evaluate["ProcessingOutputConfig"]["KmsKeyId"],
    ]
    assert keys == [project.kms_key_arn] * 4


def test_a_version_waits_for_approval_and_knows_its_commit(steps):
    arguments = steps["Register"]["Arguments"]
    assert arguments["ModelApprovalStatus"] == "PendingManualApproval"
    assert arguments["CustomerMetadataProperties"] == {"commit": "0123abcd"}
    assert arguments["InferenceSpecification"]["Containers"][0]["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
