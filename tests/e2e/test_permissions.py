"""Take one permission away: the run stops there, and says which action was missing."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mlops_foundation.core.errors import StackFailed
from mlops_foundation.usecases import models, pipelines, projects

from .conftest import Platform, last

pytestmark = pytest.mark.e2e
PROJECT = "churn"


@contextmanager
def without(platform: Platform, stage: str, role: str, action: str) -> Iterator[None]:
    """Remove an action from every inline policy of a role, and give it back."""
    iam = platform.client("iam", stage)
    changed: dict[str, Any] = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        reduced = {**document, "Statement": [_reduced(each, action) for each in document["Statement"]]}
        reduced["Statement"] = [each for each in reduced["Statement"] if each["Action"]]
        if reduced != document:
            changed[name] = document
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(reduced))
    assert changed, f"{role} has no {action} to take away"
    try:
        yield
    finally:
        for name, document in changed.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _reduced(statement: dict[str, Any], action: str) -> dict[str, Any]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    if statement["Effect"] != "Allow":
        return statement
    return {**statement, "Action": [each for each in actions if each != action]}


@pytest.mark.parametrize("action", ["codecommit:CreateRepository", "iam:CreateRole"])
def test_launch_role(platform: Platform, action: str) -> None:
    new = projects.NewProject("other", cost_center="1")
    launch = platform.workspace.set_plan.names.launch_role
    with without(platform, "dev", launch, action), pytest.raises(StackFailed, match=action):
        projects.create(platform.workspace, new, "admin", lambda _: None)
    projects.delete(platform.workspace, "other", "admin", lambda _: None)
    left = platform.client("s3").list_buckets()["Buckets"]
    assert not [bucket for bucket in left if bucket["Name"].startswith("other-")]


@pytest.mark.parametrize(
    ("role", "action"),
    [("churn-build-pipeline", "codebuild:StartBuild"), ("churn-build", "s3:GetObject"), ("churn-build", "kms:Decrypt")],
)
def test_pipeline_action_and_build(platform: Platform, role: str, action: str) -> None:
    before = pipelines.executions(platform.workspace, PROJECT, "build", "data-scientist")
    with without(platform, "dev", role, action):
        platform.client("codepipeline").start_pipeline_execution(name="churn_build_pipeline")
        state = last(pipelines.watch(platform.workspace, PROJECT, "build", "data-scientist", before))
    assert state.failed is not None
    assert action in state.failed[1].summary


@pytest.mark.parametrize("action", ["sagemaker:CreateProcessingJob", "s3:GetObject"])
def test_job_role(platform: Platform, action: str) -> None:
    sagemaker = platform.client("sagemaker")
    with without(platform, "dev", "churn-execution", action):
        arn = sagemaker.start_pipeline_execution(PipelineName="churn-training")["PipelineExecutionArn"]
        while (found := sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))[
            "PipelineExecutionStatus"
        ] == "Executing":
            time.sleep(0.2)
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert found["PipelineExecutionStatus"] == "Failed"
    reason = next(step["FailureReason"] for step in steps if step["StepStatus"] == "Failed")
    assert action.split(":")[1] in reason


@pytest.fixture(scope="module")
def version(platform: Platform) -> str:
    """A version that dev does not serve yet: the newest one, made when there is none, approved later."""
    newest = models.resolve(platform.workspace, PROJECT, "latest", "lead")
    if newest.endswith("/1"):
        sagemaker = platform.client("sagemaker")
        arn = sagemaker.start_pipeline_execution(PipelineName="churn-training")["PipelineExecutionArn"]
        while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
            time.sleep(0.5)
        newest = models.resolve(platform.workspace, PROJECT, "latest", "lead")
    return newest


DEPLOYMENT = [
    ("mlops-project-deploy-cfn", "sagemaker:CreateModel"),
    ("mlops-project-deploy-cfn", "sagemaker:CreateEndpointConfig"),
    ("mlops-project-deploy-action", "iam:PassRole"),
    ("churn-deploy-pipeline", "sts:AssumeRole"),
    ("churn-endpoint-dev", "s3:GetObject"),
]


def test_deployment(platform: Platform, version: str) -> None:
    """Each is tried in the stage Dev of one execution, which is retried; at the end it goes through."""
    client = platform.client("codepipeline")
    before = pipelines.executions(platform.workspace, PROJECT, "deploy", "lead")
    role, action = DEPLOYMENT[0]
    with without(platform, "dev", role, action):
        models.decide(platform.workspace, PROJECT, version, "Approved", "", "lead")
        state = _last(platform, before)
        assert state.failed is not None
        assert action in state.failed[1].summary
    for role, action in DEPLOYMENT[1:]:
        with without(platform, "dev", role, action):
            state = _retry(platform, client, state)
            assert state.failed is not None, (role, action, state)
            assert action in state.failed[1].summary
    state = _retry(platform, client, state)
    assert state.failed is None
    assert state.waiting is not None
    assert state.waiting.name == "ApprovePreprod"


def _retry(platform: Platform, client: Any, state: pipelines.PipelineState) -> pipelines.PipelineState:
    client.retry_stage_execution(
        pipelineName=state.name, stageName="Dev", pipelineExecutionId=state.execution_id, retryMode="FAILED_ACTIONS"
    )
    return _last(platform, [])


def _last(platform: Platform, before: list[str]) -> pipelines.PipelineState:
    return last(pipelines.watch(platform.workspace, PROJECT, "deploy", "lead", before))
