"""The template of a stage keeps what the project relies on."""

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from deploy.endpoint_stack import EndpointStack
from deploy.settings import STAGES, Project, Settings

PROJECT = Project(
    name="churn",
    project_id="p-1",
    dev_account="222222222222",
    region="eu-west-1",
    role_path="/mlops/churn/",
    boundary="/mlops/mlops-project-boundary",
    endpoint_key_parameter="/mlops/endpoint/key-arn",
)


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    """The templates of all stages, from one app: starting the CDK takes longer than using it."""
    app = cdk.App(builtin_cloud_formation_validation=False)
    stacks = {stage: EndpointStack(app, stage, PROJECT, Settings("ml.m5.large", 2)) for stage in STAGES}
    return {stage: Template.from_stack(stack) for stage, stack in stacks.items()}


@pytest.mark.parametrize("stage", STAGES)
def test_serves_the_version_it_is_given(templates: dict[str, Template], stage: str) -> None:
    templates[stage].has_resource_properties(
        "AWS::SageMaker::Model",
        {"PrimaryContainer": {"ModelPackageName": {"Ref": "ModelPackageArn"}}, "EnableNetworkIsolation": True},
    )


@pytest.mark.parametrize("stage", STAGES)
def test_only_the_endpoint_carries_a_name(templates: dict[str, Template], stage: str) -> None:
    template = templates[stage]
    template.has_resource_properties("AWS::SageMaker::Endpoint", {"EndpointName": f"churn-{stage}"})
    template.has_resource_properties("AWS::SageMaker::Model", {"ModelName": Match.absent()})
    template.has_resource_properties("AWS::SageMaker::EndpointConfig", {"EndpointConfigName": Match.absent()})


def test_every_role_is_bounded(templates: dict[str, Template]) -> None:
    roles = templates["prod"].find_resources("AWS::IAM::Role")
    assert len(roles) == 2
    assert all(role["Properties"]["PermissionsBoundary"] for role in roles.values())
    assert all(role["Properties"]["Path"] == "/mlops/churn/" for role in roles.values())
