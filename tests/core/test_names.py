import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_foundation.core import names
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.core.names import PlatformNames, ProjectNames
from mlops_foundation.plan import TemplateSpec
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases.projects import check_others

PREFIXES = st.from_regex(names.PREFIX_PATTERN, fullmatch=True)
PROJECTS = st.from_regex(names.PROJECT_NAME_PATTERN, fullmatch=True)
SPECS = pytest.mark.parametrize("spec", TEMPLATES, ids=lambda spec: spec.name)


def roles(project: ProjectNames, spec: TemplateSpec) -> list[str]:
    of_stages = [f"{project.project}-{kind}-{stage}" for stage in names.STAGES for kind in spec.stage_roles]
    return [*map(project.role, spec.roles), *of_stages]


@SPECS
@given(prefix=PREFIXES, project=PROJECTS)
def test_the_longest_name_is_the_longest_of_all_roles(prefix: str, project: str, spec: TemplateSpec) -> None:
    made = ProjectNames(prefix, project)
    longest = made.longest(spec.roles, spec.stage_roles)
    assert longest in roles(made, spec)
    assert len(longest) == max(map(len, roles(made, spec)))


@SPECS
@given(prefix=PREFIXES, project=PROJECTS)
def test_no_project_name_leads_to_a_name_over_awss_limits(prefix: str, project: str, spec: TemplateSpec) -> None:
    made = ProjectNames(prefix, project)
    assert len(made.longest(spec.roles, spec.stage_roles)) <= names.ROLE_NAME_MAX
    assert len(made.pipeline_bucket("2" * 12)) <= names.BUCKET_NAME_MAX
    assert len(made.endpoint("preprod")) <= 63
    assert len(made.model_package_group) <= 63


def of_template(project: ProjectNames, spec: TemplateSpec) -> Iterator[tuple[str, str]]:
    yield from (("role", name) for name in roles(project, spec))
    yield from (("repository", f"{project.project}-{end}") for end in spec.repositories)
    yield from (("pipeline", f"{project.project}_{part}_pipeline") for part in (*spec.pipelines, *spec.promotions))
    yield from (("build project", f"{project.project}-{end}") for end in spec.builds)
    yield from (("rule", f"{project.project}-{end}") for end in spec.rules)


def by_kind(project: ProjectNames) -> set[tuple[str, str]]:
    """Return every name of a project with the kind of thing it names: AWS tells names of one kind apart, no more.

    A role's name is one of the whole account, whatever its path; so is a bucket's in the world.
    """
    account = "2" * 12
    found = {(kind, name) for spec in TEMPLATES for kind, name in of_template(project, spec)}
    return {
        *found,
        *(("bucket", name) for name in (project.artifact_bucket(account), project.pipeline_bucket(account))),
        *(("endpoint and stack", project.endpoint(stage)) for stage in names.STAGES),
        ("SageMaker pipeline", project.training_pipeline),
        ("model package group", project.model_package_group),
        ("parameters", project.parameters),
    }


def shared(first: str, second: str) -> set[tuple[str, str]]:
    return by_kind(ProjectNames("mlops", first)) & by_kind(ProjectNames("mlops", second))


WORDS = st.sampled_from(["build", "deploy", "pipeline", "test", "endpoint", "prod", "execution", "events", "training"])


@given(first=PROJECTS, second=PROJECTS, words=st.lists(WORDS, max_size=3))
def test_two_projects_that_may_stand_beside_each_other_share_no_name_of_any_kind(
    first: str, second: str, words: list[str]
) -> None:
    for other in (second, "-".join([first, *words]), "-".join([*words, first])):
        if other != first and re.fullmatch(names.PROJECT_NAME_PATTERN, other):
            try:
                check_others(other, [first])
            except ConfigError:
                continue
            assert not shared(first, other)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("churn-deploy", ("role", "churn-deploy-build")),
        ("churn-pipeline", ("bucket", "churn-pipeline-222222222222")),
    ],
)
def test_names_that_would_meet_are_refused(other: str, name: tuple[str, str]) -> None:
    assert name in shared("churn", other)
    with pytest.raises(ConfigError, match="too close"):
        check_others(other, ["churn"])


def test_a_projects_names_are_those_that_are_pinned() -> None:
    made = PlatformNames("mlops").project("churn")
    assert (made.path, made.parameters) == ("/mlops/churn/", "/mlops/projects/churn")
    assert (made.build_repository, made.deploy_repository) == ("churn-build", "churn-deploy")
    assert (made.pipeline("build"), made.pipeline("deploy")) == ("churn_build_pipeline", "churn_deploy_pipeline")
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


@pytest.mark.parametrize(
    ("name", "pascal"), [("build-push", "BuildPush"), ("real_time", "RealTime"), ("dev", "Dev"), ("a-b_c", "ABC")]
)
def test_an_id_has_letters_and_digits_only(name: str, pascal: str) -> None:
    assert names.pascal(name) == pascal
