"""After a deployment: the endpoint answers as it should, and serves exactly the approved version.

Runs under a role that may only invoke and describe this endpoint. ``cases.json`` holds rows with the label that every
acceptable model gives them; replace them when the project's data are others.
"""

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest

CASES = json.loads((Path(__file__).parent / "cases.json").read_text())


@pytest.fixture(scope="module")
def name() -> str:
    return f"{os.environ['SAGEMAKER_PROJECT_NAME']}-{os.environ['STAGE']}"


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """A session of the test role in the stage's account."""
    region = os.environ["DEPLOYMENT_REGION"]
    made = boto3.client("sts", region_name=region).assume_role(
        RoleArn=os.environ["TEST_ROLE_ARN"], RoleSessionName="integration-test"
    )["Credentials"]
    return boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], region)


def test_the_approved_version_is_served(session: boto3.Session, name: str) -> None:
    sagemaker = session.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert endpoint["EndpointStatus"] == "InService"
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    served = {
        sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["ModelPackageName"]
        for variant in configuration["ProductionVariants"]
    }
    assert served == {os.environ["MODEL_PACKAGE_ARN"]}


def test_the_answers_are_right(session: boto3.Session, name: str) -> None:
    rows = "\n".join(",".join(map(str, case["row"])) for case in CASES)
    predictions = invoke(session, name, rows)["predictions"]
    assert [found["label"] for found in predictions] == [case["label"] for case in CASES]
    assert all(0 <= found["probability"] <= 1 for found in predictions)


def test_a_wrong_request_is_refused(session: boto3.Session, name: str) -> None:
    runtime = session.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError):
        invoke(session, name, "1,2,3")


def invoke(session: boto3.Session, name: str, rows: str) -> dict[str, Any]:
    answer = session.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=rows.encode(), ContentType="text/csv", Accept="application/json"
    )
    return json.load(answer["Body"])
