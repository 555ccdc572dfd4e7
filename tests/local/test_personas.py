"""What each persona may and may not do, asked of the running cloud with the policies that are deployed."""

import json
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.synth import synth

pytestmark = pytest.mark.cloud

REGION = "eu-west-1"
DEV, GOVERNANCE = "222222222222", "111111111111"
SIGN_IN_LEAD = "sign-in-lead"
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
        return self.as_role(self.account, role, service, {"sagemaker:project-name": project} if project else {})

    def as_role(self, account: str, role: str, service: str, tags: dict[str, str]) -> Any:
        return self._cloud.client(service, account, role, tags=tags)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The Studio stack of a platform whose leads sign in by a role of governance."""
    folder = tmp_path_factory.mktemp("signin")
    config = write_config(folder / "mlops.yaml", Answers()).config
    arn = f"arn:aws:iam::{GOVERNANCE}:role/{SIGN_IN_LEAD}"
    text = config.read_text(encoding="utf-8")
    assert "  principals: {}\n" in text
    config.write_text(text.replace("  principals: {}\n", f"  principals: {{lead: ['{arn}']}}\n"), encoding="utf-8")
    made = synth(config, folder / "out")
    (file,) = made.directory.glob("assembly-*/*Studio*.template.json")
    return dict(json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def studio(cloud: Any, template: dict[str, Any]) -> Studio:
    account = cloud.new_account()
    studio = Studio(cloud, account, template)
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


def take(client: Any, studio: Studio, persona: str, **tags: str) -> None:
    """Take a persona's role as people do, with session tags."""
    pairs = [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
    client.assume_role(RoleArn=studio.role_arn(persona), RoleSessionName="test", Tags=pairs)


@pytest.fixture(scope="module")
def people(studio: Studio, cloud: Any) -> Callable[..., Any]:
    """Return what gives STS as a role that may ask for every persona: what then decides is the persona's trust."""

    def make(account: str, name: str, **tags: str) -> Any:
        iam = cloud.client("iam", account)
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [rights]}))
        return studio.as_role(account, name, "sts", {key.replace("_", ":"): value for key, value in tags.items()})

    return make


def test_a_persona_is_taken_by_who_is_listed_for_it_and_for_no_other(
    studio: Studio, people: Callable[..., Any]
) -> None:
    lead = people(GOVERNANCE, SIGN_IN_LEAD)
    take(lead, studio, "lead")
    for persona in PERSONAS.keys() - {"lead"}:
        assert denied(partial(take, lead, studio, persona))


def test_nobody_else_takes_a_persona_whatever_he_may_ask_for(
    studio: Studio, people: Callable[..., Any], cloud: Any
) -> None:
    strangers = (
        people(GOVERNANCE, "somebody-else"),
        people(GOVERNANCE, f"{SIGN_IN_LEAD}-2"),
        people(studio.account, "account-admin"),
        people(studio.account, SIGN_IN_LEAD),
        people(cloud.new_account(), SIGN_IN_LEAD),
        studio.client("data-scientist", "sts"),
        cloud.client("sts", studio.account),
        cloud.client("sts", GOVERNANCE),
    )
    for stranger in strangers:
        assert denied(partial(take, stranger, studio, "lead"))


def test_who_is_listed_passes_on_the_project_that_the_session_has_and_gives_itself_none(
    studio: Studio, people: Callable[..., Any]
) -> None:
    confined = people(GOVERNANCE, SIGN_IN_LEAD, **{"sagemaker_project-name": "churn"})
    take(confined, studio, "lead", **{"sagemaker_project-name": "churn"})
    assert denied(partial(take, confined, studio, "lead", **{"sagemaker_project-name": "other"}))
    assert denied(partial(take, confined, studio, "lead", department="x"))
    free = people(GOVERNANCE, SIGN_IN_LEAD)
    assert denied(partial(take, free, studio, "lead", **{"sagemaker_project-name": "churn"}))
