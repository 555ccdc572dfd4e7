"""What each persona may and may not do, asked of the running cloud with the policies that are deployed."""

import json
import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mlops_foundation.local import process

pytestmark = pytest.mark.cloud

REGION = "eu-west-1"
DEV = "222222222222"
_PARTITION = re.compile(r'\{"Fn::Join": \["", \["arn:", \{"Ref": "AWS::Partition"\}, ":([^"]*)"\]\]\}')
PERSONAS = {
    "data-scientist": "datascientist",
    "lead": "lead-datascientist",
    "admin": "datascience-admin",
    "approver-prod": "prod-approver",
    "auditor": "auditor",
}


class Studio:
    """The roles of the Studio stack in an account of their own."""

    def __init__(self, cloud: Any, account: str, template: dict[str, Any]) -> None:
        self._cloud = cloud
        self.account = account
        iam = cloud.client("iam", account)
        for each in template["Resources"].values():
            if each["Type"] == "AWS::IAM::Role":
                properties = json.loads(
                    _PARTITION.sub(r'"arn:aws:\1"', json.dumps(each["Properties"])).replace(DEV, account)
                )
                iam.create_role(
                    RoleName=properties["RoleName"],
                    AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
                )
                for policy in properties["Policies"]:
                    iam.put_role_policy(
                        RoleName=properties["RoleName"],
                        PolicyName=policy["PolicyName"],
                        PolicyDocument=json.dumps(policy["PolicyDocument"]),
                    )

    def role_arn(self, persona: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{REGION}-{PERSONAS[persona]}-{self.account}"

    def client(self, persona: str, service: str, project: str = "") -> Any:
        role = f"{REGION}-{PERSONAS[persona]}-{self.account}"
        tags = {"sagemaker:project-name": project} if project else {}
        found = process.sign_in(self._cloud.running, self.account, role, tags).credentials
        session = boto3.session.Session(
            found.access_key_id, found.secret_access_key, found.session_token, region_name=REGION
        )
        return session.client(service, endpoint_url=self._cloud.endpoint_url)


@pytest.fixture(scope="module")
def studio(cloud: Any, assembly: Any) -> Studio:
    account = cloud.new_account()
    studio = Studio(cloud, account, assembly.stack("mlops-studio-dev"))
    root = cloud.client("codecommit", account)
    for project in ("churn", "other"):
        root.create_repository(repositoryName=f"{project}-build", tags={"sagemaker:project-name": project})
        sagemaker = cloud.client("sagemaker", account)
        sagemaker.create_model_package_group(
            ModelPackageGroupName=project, Tags=[{"Key": "sagemaker:project-name", "Value": project}]
        )
    return studio


def denied(call: Callable[[], Any]) -> bool:
    """Return whether IAM refuses a call; any other answer means that it was let through."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return False


def update_version(studio: Studio, persona: str, status: str) -> bool:
    sagemaker = studio.client(persona, "sagemaker")
    arn = f"arn:aws:sagemaker:{REGION}:{studio.account}:model-package/churn/1"
    return denied(lambda: sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status))


def create_version(studio: Studio, persona: str, status: str) -> bool:
    sagemaker = studio.client(persona, "sagemaker")
    return denied(lambda: sagemaker.create_model_package(ModelPackageGroupName="churn", ModelApprovalStatus=status))


def answer_approval(studio: Studio, persona: str, stage: str) -> bool:
    codepipeline = studio.client(persona, "codepipeline")
    return denied(
        lambda: codepipeline.put_approval_result(
            pipelineName="churn_deploy_pipeline",
            stageName=stage,
            actionName="Approve",
            result={"summary": "", "status": "Approved"},
            token=str(uuid.UUID(int=0)),
        )
    )


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_only_the_lead_decides_on_a_version(studio: Studio, persona: str, status: str) -> None:
    assert update_version(studio, persona, status) == (persona != "lead")
    assert create_version(studio, persona, status)


def test_who_builds_models_registers_versions_that_wait(studio: Studio) -> None:
    for persona in PERSONAS:
        assert create_version(studio, persona, "PendingManualApproval") == (persona not in {"data-scientist", "lead"})


@pytest.mark.parametrize("persona", PERSONAS)
def test_each_stage_has_one_approver(studio: Studio, persona: str) -> None:
    assert answer_approval(studio, persona, "ApprovePreprod") == (persona != "lead")
    assert answer_approval(studio, persona, "ApproveProd") == (persona != "approver-prod")


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize("kind", ["build", "deploy"])
def test_who_starts_stops_and_retries_a_pipeline(studio: Studio, persona: str, kind: str) -> None:
    pipeline, execution = f"churn_{kind}_pipeline", str(uuid.UUID(int=0))
    codepipeline = studio.client(persona, "codepipeline")
    may = persona in {"data-scientist", "lead"} if kind == "build" else persona == "lead"
    for call in (
        lambda: codepipeline.start_pipeline_execution(name=pipeline),
        lambda: codepipeline.stop_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution),
        lambda: codepipeline.retry_stage_execution(
            pipelineName=pipeline, stageName="Build", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
        ),
    ):
        assert denied(call) != may


def test_a_session_with_a_project_sees_its_own_only(studio: Studio) -> None:
    mine = studio.client("data-scientist", "codecommit", "churn")
    assert not denied(lambda: mine.get_repository(repositoryName="churn-build"))
    assert denied(lambda: mine.get_repository(repositoryName="other-build"))
    registry = studio.client("data-scientist", "sagemaker", "churn")
    assert not denied(lambda: registry.describe_model_package_group(ModelPackageGroupName="churn"))
    assert denied(lambda: registry.describe_model_package_group(ModelPackageGroupName="other"))


def test_data_needs_a_session_of_the_project(studio: Studio, cloud: Any) -> None:
    bucket = f"churn-{studio.account}"
    root = cloud.client("s3", studio.account)
    root.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    root.put_object(Bucket=bucket, Key="rows.csv", Body=b"1,2")
    read = {"Bucket": bucket, "Key": "rows.csv"}
    assert not denied(lambda: studio.client("data-scientist", "s3", "churn").get_object(**read))
    assert denied(lambda: studio.client("data-scientist", "s3", "other").get_object(**read))
    assert denied(lambda: studio.client("data-scientist", "s3").get_object(**read))
    assert denied(lambda: studio.client("auditor", "s3").get_object(**read))


def test_only_the_admin_makes_and_removes_projects(studio: Studio) -> None:
    for persona in PERSONAS:
        delete = studio.client(persona, "sagemaker").delete_project
        assert denied(partial(delete, ProjectName="churn")) == (persona != "admin")


def test_the_auditor_reads_and_writes_nothing(studio: Studio) -> None:
    sagemaker = studio.client("auditor", "sagemaker")
    assert not denied(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName="churn"))
    assert denied(lambda: sagemaker.delete_model_package_group(ModelPackageGroupName="churn"))
    code = studio.client("auditor", "codecommit")
    assert denied(lambda: code.get_file(repositoryName="churn-build", filePath="README.md"))
    parameters = studio.client("auditor", "ssm")
    assert denied(lambda: parameters.put_parameter(Name="/mlops/role/lead", Value="me", Type="String"))


def test_a_persona_is_taken_by_the_administrator_and_by_no_other_role(studio: Studio, cloud: Any) -> None:
    root = cloud.client("sts", studio.account)
    session = {"RoleSessionName": "test", "Tags": [{"Key": "sagemaker:project-name", "Value": "churn"}]}
    assert not denied(lambda: root.assume_role(RoleArn=studio.role_arn("lead"), **session))
    other_tag = {"RoleSessionName": "test", "Tags": [{"Key": "department", "Value": "x"}]}
    assert denied(lambda: root.assume_role(RoleArn=studio.role_arn("lead"), **other_tag))
    scientist = studio.client("data-scientist", "sts")
    assert denied(lambda: scientist.assume_role(RoleArn=studio.role_arn("lead"), RoleSessionName="test"))
    stranger = cloud.client("sts", cloud.new_account())
    assert denied(lambda: stranger.assume_role(RoleArn=studio.role_arn("lead"), RoleSessionName="test"))
