"""SageMaker's CloudFormation types: a stack makes, changes and removes them with its role's rights."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from test_sagemaker_hosting import ENVIRONMENT, INFERENCE
from workbench import IMAGE, Workbench, allow, until

pytestmark = pytest.mark.cloud

DOMAIN = {
    "Type": "AWS::SageMaker::Domain",
    "Properties": {
        "DomainName": "eu-west-1-studio-domain",
        "AuthMode": "IAM",
        "VpcId": "vpc-12345678",
        "SubnetIds": ["subnet-12345678"],
        "AppNetworkAccessType": "VpcOnly",
        "DefaultUserSettings": {"ExecutionRole": {"Ref": "RoleArn"}},
    },
}
PROFILE = {
    "Type": "AWS::SageMaker::UserProfile",
    "Properties": {"DomainId": {"Ref": "Domain"}, "UserProfileName": "ds-admin"},
}


class Stack:
    """One stack, deployed by a role with all of SageMaker's rights unless told otherwise."""

    def __init__(self, bench: Workbench, name: str = "churn-dev") -> None:
        self.bench, self.name, self.cloudformation = bench, name, bench.client("cloudformation")

    def deploy(self, resources: dict[str, Any], role: str, outputs: dict[str, Any] | None = None) -> Any:
        parameters = {"RoleArn": {"Type": "String", "Default": self.bench.role}}
        template = {"Parameters": parameters, "Resources": resources, "Outputs": outputs or {}}
        request = {"StackName": self.name, "TemplateBody": json.dumps(template), "RoleARN": role}
        try:
            self.cloudformation.create_stack(Tags=[{"Key": "sagemaker:project-name", "Value": "churn"}], **request)
        except self.cloudformation.exceptions.AlreadyExistsException:
            self.cloudformation.update_stack(**request)
        return self.settled()

    def settled(self) -> Any:
        return until(self._describe, lambda found: not found["StackStatus"].endswith("IN_PROGRESS"))

    def _describe(self) -> Any:
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]

    def first_reason(self) -> str:
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return str(failed[-1]["ResourceStatusReason"])

    def outputs(self) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self._describe()["Outputs"]}

    def delete(self) -> None:
        self.cloudformation.delete_stack(StackName=self.name)
        self.cloudformation.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})


@pytest.fixture
def deployer(bench: Workbench) -> str:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return bench.make_role("deployer", allow(["sagemaker:*", "iam:PassRole"]), trust=trust)


@pytest.fixture
def stack(bench: Workbench) -> Stack:
    return Stack(bench)


def test_studio_stack(stack: Stack, deployer: str) -> None:
    outputs = {"Id": {"Value": {"Ref": "Domain"}}, "Arn": {"Value": {"Fn::GetAtt": ["Profile", "UserProfileArn"]}}}
    assert stack.deploy({"Domain": DOMAIN, "Profile": PROFILE}, deployer, outputs)["StackStatus"] == "CREATE_COMPLETE"
    sagemaker, made = stack.bench.sagemaker, stack.outputs()
    domain = sagemaker.describe_domain(DomainId=made["Id"])
    assert domain["Status"] == "InService"
    assert domain["AppNetworkAccessType"] == "VpcOnly"
    assert made["Arn"] == stack.bench.arn(f"user-profile/{made['Id']}/ds-admin")
    tags = sagemaker.list_tags(ResourceArn=domain["DomainArn"])["Tags"]
    assert {"Key": "sagemaker:project-name", "Value": "churn"} in tags
    with pytest.raises(ClientError, match="UserProfile") as caught:
        sagemaker.delete_domain(DomainId=made["Id"])
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    stack.delete()
    assert sagemaker.list_domains()["Domains"] == []


def with_settings(kind: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**kind, "Properties": {**kind["Properties"], **properties}}


ALICE = {"SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": "alice@example.com"}


@pytest.mark.parametrize(
    ("mode", "user", "reason"), [("SSO", {}, "is required"), ("IAM", ALICE, "cannot be specified")]
)
def test_profile_needs_a_directory_user_with_single_sign_on_only(
    stack: Stack, deployer: str, mode: str, user: dict[str, str], reason: str
) -> None:
    domain = with_settings(DOMAIN, AuthMode=mode) | {"DeletionPolicy": "RetainExceptOnCreate"}
    resources = {"Domain": domain, "Profile": with_settings(PROFILE, **user)}
    assert stack.deploy(resources, deployer)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in stack.first_reason()
    assert stack.bench.sagemaker.list_domains()["Domains"] == [], "kept only once it was created whole"


def test_single_sign_on_has_no_presigned_url(stack: Stack, deployer: str) -> None:
    resources = {"Domain": with_settings(DOMAIN, AuthMode="SSO"), "Profile": with_settings(PROFILE, **ALICE)}
    assert stack.deploy(resources, deployer)["StackStatus"] == "CREATE_COMPLETE"
    sagemaker = stack.bench.sagemaker
    (domain,) = sagemaker.list_domains()["Domains"]
    profile = {"DomainId": domain["DomainId"], "UserProfileName": "ds-admin"}
    assert sagemaker.describe_user_profile(**profile)["SingleSignOnUserValue"] == "alice@example.com"
    with pytest.raises(ClientError, match="only for domains with AuthMode IAM"):
        sagemaker.create_presigned_domain_url(**profile)


@pytest.mark.parametrize(("minutes", "status"), [(60, "CREATE_COMPLETE"), (59, "ROLLBACK_COMPLETE")])
def test_idle_shutdown_has_a_range(stack: Stack, deployer: str, minutes: int, status: str) -> None:
    idle = {"IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": minutes}}
    settings = {
        **DOMAIN["Properties"]["DefaultUserSettings"],  # type: ignore[index]
        "JupyterLabAppSettings": {"AppLifecycleManagement": idle},
    }
    made = stack.deploy({"Domain": with_settings(DOMAIN, DefaultUserSettings=settings)}, deployer)
    assert made["StackStatus"] == status
    if status == "CREATE_COMPLETE":
        (domain,) = stack.bench.sagemaker.list_domains()["Domains"]
        kept = stack.bench.sagemaker.describe_domain(DomainId=domain["DomainId"])["DefaultUserSettings"]
        assert kept["JupyterLabAppSettings"]["AppLifecycleManagement"] == idle
    else:
        assert "dleTimeoutInMinutes" in stack.first_reason()


def test_role_of_the_stack_needs_each_right(stack: Stack, bench: Workbench) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = bench.make_role("narrow", allow(["sagemaker:CreateDomain", "sagemaker:AddTags"]), trust=trust)
    assert stack.deploy({"Domain": DOMAIN}, role)["StackStatus"].startswith("ROLLBACK")
    assert "iam:PassRole" in stack.first_reason()


def test_group_keeps_its_versions_when_its_policy_changes(stack: Stack, deployer: str) -> None:
    group: dict[str, Any] = {
        "Type": "AWS::SageMaker::ModelPackageGroup",
        "Properties": {"ModelPackageGroupName": "churn"},
    }
    assert stack.deploy({"Group": group}, deployer)["StackStatus"] == "CREATE_COMPLETE"
    sagemaker, bench = stack.bench.sagemaker, stack.bench
    group["Properties"]["ModelPackageGroupPolicy"] = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{bench.account}:root"},
                "Action": "sagemaker:DescribeModelPackage",
                "Resource": bench.arn("model-package/churn/*"),
            }
        ],
    }
    made = sagemaker.describe_model_package_group(ModelPackageGroupName="churn")["CreationTime"]
    assert stack.deploy({"Group": group}, deployer)["StackStatus"] == "UPDATE_COMPLETE"
    assert sagemaker.describe_model_package_group(ModelPackageGroupName="churn")["CreationTime"] == made
    policy = json.loads(sagemaker.get_model_package_group_policy(ModelPackageGroupName="churn")["ResourcePolicy"])
    assert policy == group["Properties"]["ModelPackageGroupPolicy"]


def _endpoint(bench: Workbench, version: str, script: str = INFERENCE) -> dict[str, Any]:
    files = {"factor.json": version, "code/inference.py": script}
    container = {"Image": IMAGE, "Environment": ENVIRONMENT}
    container["ModelDataUrl"] = bench.put_archive(f"models/{version}-{len(script)}.tar.gz", files)
    variant = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variant |= {"ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}, "InitialVariantWeight": 1}
    config_name = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ExecutionRoleArn": {"Ref": "RoleArn"}, "PrimaryContainer": container},
        },
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": "churn-dev", "EndpointConfigName": config_name},
        },
    }


def test_new_version_replaces_model_and_config_and_updates_the_endpoint(stack: Stack, deployer: str) -> None:
    bench, runtime = stack.bench, stack.bench.client("sagemaker-runtime")
    ask = {"EndpointName": "churn-dev", "Body": "10", "ContentType": "text/csv"}
    assert stack.deploy(_endpoint(bench, "2"), deployer)["StackStatus"] == "CREATE_COMPLETE"
    assert json.loads(runtime.invoke_endpoint(**ask)["Body"].read()) == [20.0]
    assert stack.deploy(_endpoint(bench, "3"), deployer)["StackStatus"] == "UPDATE_COMPLETE"
    assert json.loads(runtime.invoke_endpoint(**ask)["Body"].read()) == [30.0]
    assert len(bench.sagemaker.list_models()["Models"]) == 1, "the old model goes with the update"
    broken = _endpoint(bench, "4", "def model_fn(model_dir):\n    raise KeyError('no such feature')\n")
    assert stack.deploy(broken, deployer)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "no such feature" in stack.first_reason()
    assert json.loads(runtime.invoke_endpoint(**ask)["Body"].read()) == [30.0]
    stack.delete()
    assert bench.sagemaker.list_endpoints()["Endpoints"] == []
    assert bench.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
