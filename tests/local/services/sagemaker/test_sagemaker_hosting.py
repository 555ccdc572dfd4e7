"""Endpoints: they answer, they update without a gap, and a version that cannot serve changes nothing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from workbench import IMAGE, Workbench, allow, document, until

pytestmark = pytest.mark.cloud

INFERENCE = """
import json, pathlib

def model_fn(model_dir):
    return json.loads(pathlib.Path(model_dir, "factor.json").read_text())

def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError("text/csv expected")
    return [float(value) for value in body.split(",")]

def predict_fn(values, factor):
    return [value * factor for value in values]
"""
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


class Hosting:
    """Makes models, configurations and endpoints of one account; every endpoint is deleted afterwards."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.sagemaker = bench, bench.sagemaker
        self.runtime = bench.client("sagemaker-runtime")

    def archive(self, name: str, factor: str, script: str = INFERENCE) -> str:
        files = {"factor.json": factor, "code/inference.py": script}
        return self.bench.put_archive(f"models/{name}.tar.gz", files)

    def config(self, name: str, factor: str = "2", script: str = INFERENCE, **model: Any) -> str:
        data = self.archive(name, factor, script)
        container = {"Image": IMAGE, "ModelDataUrl": data, "Environment": ENVIRONMENT}
        request = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": self.bench.role}
        self.sagemaker.create_model(**request | model)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large"}
        variant["InitialInstanceCount"] = 1
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        return name

    def endpoint(self, config: str, name: str = "churn-dev") -> Any:
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return self.settled(name)

    def update(self, config: str, name: str = "churn-dev") -> Any:
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
        return self.settled(name)

    def settled(self, name: str) -> Any:
        return self.bench.wait_for("endpoint", "Endpoint", name, ("Creating", "Updating", "SystemUpdating"))

    def invoke(self, body: str, name: str = "churn-dev", content_type: str = "text/csv") -> Any:
        answer = self.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type)
        return json.loads(answer["Body"].read())


@pytest.fixture
def hosting(bench: Workbench) -> Iterator[Hosting]:
    made = Hosting(bench)
    yield made
    for endpoint in made.sagemaker.list_endpoints()["Endpoints"]:
        made.settled(endpoint["EndpointName"])
        made.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


def test_endpoint_answers_with_the_users_code(hosting: Hosting, events: Callable[[str], list[dict[str, Any]]]) -> None:
    found = hosting.endpoint(hosting.config("one", "3"))
    assert found["EndpointStatus"] == "InService", found
    assert hosting.invoke("1,2.5") == [3.0, 7.5]
    group = "/aws/sagemaker/Endpoints/churn-dev"
    until(lambda: hosting.bench.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"], bool)
    until(lambda: hosting.bench.logs(group, "AllTraffic/"), lambda text: "loading inference" in text)
    states = [event["EndpointStatus"] for event in events("SageMaker Endpoint State Change")]
    assert states == ["CREATING", "IN_SERVICE"]


def test_model_error_carries_the_containers_words(hosting: Hosting) -> None:
    hosting.endpoint(hosting.config("one"))
    with pytest.raises(ClientError) as caught:
        hosting.invoke("{}", content_type="application/json")
    assert caught.value.response["Error"]["Code"] == "ModelError"
    assert "text/csv expected" in caught.value.response["Error"]["Message"]
    assert "Traceback" not in caught.value.response["Error"]["Message"]
    assert caught.value.response["OriginalStatusCode"] >= 400
    assert "\n" not in caught.value.response["OriginalMessage"]
    group = "/aws/sagemaker/Endpoints/churn-dev"
    assert f":log-group:{group}:log-stream:AllTraffic/" in caught.value.response["LogStreamArn"]
    until(lambda: hosting.bench.logs(group, "AllTraffic/"), lambda text: "Traceback" in text)


def test_update_serves_the_new_model_and_never_stops(hosting: Hosting) -> None:
    hosting.endpoint(hosting.config("one", "2"))
    hosting.sagemaker.update_endpoint(EndpointName="churn-dev", EndpointConfigName=hosting.config("two", "5"))
    seen = {hosting.invoke("1")[0]}
    while hosting.sagemaker.describe_endpoint(EndpointName="churn-dev")["EndpointStatus"] == "Updating":
        seen.add(hosting.invoke("1")[0])
    assert hosting.invoke("1") == [5.0]
    assert seen <= {2.0, 5.0}
    assert hosting.sagemaker.describe_endpoint(EndpointName="churn-dev")["EndpointConfigName"] == "two"


def test_update_that_fails_keeps_serving_the_old_model(hosting: Hosting) -> None:
    hosting.endpoint(hosting.config("one", "2"))
    broken = hosting.config("broken", "2", "def model_fn(model_dir):\n    raise KeyError('no such feature')\n")
    found = hosting.update(broken)
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointConfigName"] == "one"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "KeyError: 'no such feature'" in found["FailureReason"]
    assert hosting.invoke("4") == [8.0]


def test_container_that_ends_is_started_again(hosting: Hosting) -> None:
    fatal = INFERENCE.replace(
        "    return [value", "    values == [13.0] and __import__('os')._exit(3)\n    return [value"
    )
    hosting.endpoint(hosting.config("one", "2", fatal))
    with pytest.raises(ClientError, match="does not answer"):
        hosting.invoke("13")
    until(lambda: _answer(hosting, "4"), lambda answer: answer == [8.0])


def _answer(hosting: Hosting, body: str) -> Any:
    try:
        return hosting.invoke(body)
    except ClientError:
        return None


def test_role_that_may_not_read_the_model_fails_the_endpoint(hosting: Hosting) -> None:
    role = hosting.bench.make_role("blind", allow("s3:ListBucket"))
    found = hosting.endpoint(hosting.config("one", ExecutionRoleArn=role))
    assert found["EndpointStatus"] == "Failed"
    assert "s3:GetObject" in found["FailureReason"]
    with pytest.raises(ClientError, match="not InService"):
        hosting.invoke("1")


def test_endpoint_serves_again_after_the_cloud_restarts(hosting: Hosting) -> None:
    from mlops_foundation.local import process

    hosting.endpoint(hosting.config("one", "2"))
    cloud = hosting.bench.cloud
    process.stop(cloud.state_dir)
    process.start(cloud.state_dir, cloud.running.port)
    assert hosting.settled("churn-dev")["EndpointStatus"] == "InService"
    assert hosting.invoke("4") == [8.0]


def test_unapproved_package_is_refused_and_an_approved_one_of_another_account_serves(
    hosting: Hosting, cloud: Any
) -> None:
    bench, prod = hosting.bench, Workbench(cloud, cloud.new_account())
    arn = _registered(hosting)
    deployer = prod.make_person("deploy", allow(["sagemaker:*", "iam:PassRole"]))
    role = prod.make_role("endpoint", allow("s3:GetObject"), allow("logs:*"))
    sagemaker = prod.client("sagemaker", deployer)
    _let_read(bench, prod)
    request = {"ModelName": "churn", "PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": role}
    with pytest.raises(ClientError, match="is not approved") as caught:
        sagemaker.create_model(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    bench.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.create_model(**request)
    served = Hosting(prod)
    variant = {"VariantName": "AllTraffic", "ModelName": "churn", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="churn", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    assert served.endpoint("churn", "churn-prod")["EndpointStatus"] == "InService"
    assert served.invoke("2", "churn-prod") == [14.0]
    prod.sagemaker.delete_endpoint(EndpointName="churn-prod")


def _registered(hosting: Hosting) -> str:
    container = {"Image": IMAGE, "ModelDataUrl": hosting.archive("package", "7"), "Environment": ENVIRONMENT}
    hosting.sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    made = hosting.sagemaker.create_model_package(ModelPackageGroupName="churn", InferenceSpecification=specification)
    return str(made["ModelPackageArn"])


def _let_read(bench: Workbench, prod: Workbench) -> None:
    account = {"AWS": f"arn:aws:iam::{prod.account}:root"}
    may = {"Effect": "Allow", "Principal": account}
    package = may | {
        "Action": ["sagemaker:DescribeModelPackage", "sagemaker:CreateModel"],
        "Resource": bench.arn("model-package/churn/*"),
    }
    artifacts = may | {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bench.bucket}/models/*"}
    bench.sagemaker.put_model_package_group_policy(ModelPackageGroupName="churn", ResourcePolicy=document(package))
    bench.client("s3").put_bucket_policy(Bucket=bench.bucket, Policy=document(artifacts))


def test_errors_are_those_of_sagemaker(hosting: Hosting) -> None:
    sagemaker, config = hosting.sagemaker, hosting.config("one")
    hosting.endpoint(config)
    variants = [{"VariantName": "a", "ModelName": "nobody", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]
    for code, text, call in (
        ("ValidationException", "Could not find endpoint", lambda: sagemaker.describe_endpoint(EndpointName="nobody")),
        ("ValidationException", "Could not find model", lambda: sagemaker.create_endpoint_config(
            EndpointConfigName="x", ProductionVariants=variants)),
        ("ValidationException", "already existing endpoint", lambda: hosting.endpoint(config)),
        ("ValidationException", "already existing model", lambda: hosting.config("one")),
        ("ValidationError", "not found", lambda: hosting.invoke("1", "nobody")),
        ("NotSupportedException", "DataCaptureConfig", lambda: sagemaker.create_endpoint_config(
            EndpointConfigName="x", ProductionVariants=variants,
            DataCaptureConfig={"InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://b", "CaptureOptions": [
                {"CaptureMode": "Input"}]})),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
        assert text in caught.value.response["Error"]["Message"]
