import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_foundation.core import names
from mlops_foundation.core.names import PlatformNames, ProjectNames

PREFIXES = st.from_regex(names.PREFIX_PATTERN, fullmatch=True)
PROJECTS = st.from_regex(names.PROJECT_NAME_PATTERN, fullmatch=True)
ROLE_KINDS = ("execution", "build", "build-pipeline", "deploy-build", "deploy-test", "deploy-pipeline", "events")


def roles(project: ProjectNames) -> list[str]:
    of_stages = [each for stage in names.STAGES for each in (project.endpoint_role(stage), project.test_role(stage))]
    return [*map(project.role, ROLE_KINDS), *of_stages]


@given(prefix=PREFIXES, project=PROJECTS)
def test_the_longest_name_is_the_longest_of_all_roles(prefix: str, project: str) -> None:
    made = ProjectNames(prefix, project)
    assert made.longest() in roles(made)
    assert len(made.longest()) == max(map(len, roles(made)))


@given(prefix=PREFIXES, project=PROJECTS)
def test_no_project_name_leads_to_a_name_over_awss_limits(prefix: str, project: str) -> None:
    made = ProjectNames(prefix, project)
    assert len(made.longest()) <= names.ROLE_NAME_MAX
    assert len(made.pipeline_bucket("2" * 12)) <= names.BUCKET_NAME_MAX
    assert len(made.endpoint("preprod")) <= 63
    assert len(made.model_package_group) <= 63


@given(first=PROJECTS, second=PROJECTS)
def test_two_projects_share_no_name(first: str, second: str) -> None:
    one, other = ProjectNames("mlops", first), ProjectNames("mlops", second)
    if first != second:
        assert one.path != other.path
        assert one.parameters != other.parameters
        assert one.artifact_bucket("1" * 12) != other.artifact_bucket("1" * 12)


def test_a_projects_names_are_those_that_are_pinned() -> None:
    made = PlatformNames("mlops").project("churn")
    assert (made.path, made.parameters) == ("/mlops/churn/", "/mlops/projects/churn")
    assert (made.build_repository, made.deploy_repository) == ("churn-build", "churn-deploy")
    assert (made.build_pipeline, made.deploy_pipeline) == ("churn_build_pipeline", "churn_deploy_pipeline")
    assert (made.model_package_group, made.training_pipeline) == ("churn", "churn-training")
    assert made.artifact_bucket("222222222222") == "churn-222222222222"
    assert made.endpoint("prod") == "churn-prod"


def test_the_platforms_names_are_those_that_are_pinned() -> None:
    made = PlatformNames("mlops")
    assert made.stack("network", "dev") == "mlops-network-dev"
    assert made.asset_bucket("222222222222", "eu-west-1") == "cdk-mlops-assets-222222222222-eu-west-1"
    assert made.cdk_role("deploy-role", "222222222222", "eu-west-1") == "cdk-mlops-deploy-role-222222222222-eu-west-1"
    assert [made.role_parameter(persona) for persona in names.ROLE_PARAMETERS] == [
        "/mlops/role/ds",
        "/mlops/role/lead",
        "/mlops/role/execution",
    ]


@pytest.mark.parametrize(
    ("persona", "name"),
    [
        ("admin", "eu-west-1-datascience-admin-222222222222"),
        ("data-scientist", "eu-west-1-datascientist-222222222222"),
        ("lead", "eu-west-1-lead-datascientist-222222222222"),
        ("approver-prod", "eu-west-1-prod-approver-222222222222"),
    ],
)
def test_personas_have_the_roles_that_are_pinned(persona: str, name: str) -> None:
    assert names.persona_role(persona, "eu-west-1", "222222222222") == name


@pytest.mark.parametrize("name", ["a", "Churn", "1st", "-churn", "churn-", "with_underscore", "a" * 33, ""])
def test_what_is_no_project_name(name: str) -> None:
    assert not re.fullmatch(names.PROJECT_NAME_PATTERN, name)


def test_a_roles_arn_has_its_path() -> None:
    assert names.role_arn("222222222222", "r", "/mlops/churn/") == "arn:aws:iam::222222222222:role/mlops/churn/r"
    assert names.role_arn("222222222222", "r") == "arn:aws:iam::222222222222:role/r"
