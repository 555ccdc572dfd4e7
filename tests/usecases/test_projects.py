"""Projects: nothing is made before everything is checked, and a failed launch says why."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, PREPROD, PROD, WHEN, refused, workspace
from fake_project import Registry, Remains

from mlops_foundation.core.errors import AccessDenied, ConfigError, DeployError, StackFailed
from mlops_foundation.core.names import ProjectNames
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases import projects
from mlops_foundation.usecases.projects import NewProject

NEW = NewProject("churn", "4711", tags={"team": "retention", "CostCenter": "ignored"})


class FakeSsm:
    """Holds the id of the front product, or nothing."""

    class exceptions:  # noqa: N801  boto3's spelling
        class ParameterNotFound(Exception):  # noqa: N818
            """No such parameter."""

    def __init__(self, product: str = "prod-1") -> None:
        self.product = product

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if not self.product:
            raise self.exceptions.ParameterNotFound
        assert Name == "/mlops/catalog/product-id"
        return {"Parameter": {"Value": self.product}}


class FakeFacts:
    """What a project keeps of itself in SSM: the template that it was made from."""

    def __init__(self, template: str) -> None:
        self.template = template

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if not self.template:
            raise refused("ParameterNotFound", "it is older than this parameter")
        assert Name == "/mlops/projects/churn/template"
        return {"Parameter": {"Value": self.template}}


class FakeCatalog:
    """Two platforms' products of one name, on two pages."""

    def search_products(self, Filters: dict[str, Any], PageToken: str = "") -> dict[str, Any]:  # noqa: N803
        (name,) = Filters["FullTextSearch"]
        mine = {"Name": name, "Owner": "mlops", "ProductId": "prod-own"}
        if not PageToken:
            other = {**mine, "Owner": "somebody", "ProductId": "prod-x"}
            return {"ProductViewSummaries": [other], "NextPageToken": "2"}
        longer = {**mine, "Name": f"{name} too", "ProductId": "prod-y"}
        return {"ProductViewSummaries": [longer, mine] if name == "realtime" else [longer]}


class FakeSageMaker(Registry):
    """A project that goes through the given states."""

    def __init__(self, *states: str, reason: str = "", refuse: Exception | None = None) -> None:
        super().__init__(Remains())
        self.states = list(states)
        self.reason = reason
        self.refuse = refuse
        self.created: list[dict[str, Any]] = []

    def create_project(self, **request: Any) -> None:
        if self.refuse:
            raise self.refuse
        self.created.append(request)

    def describe_project(self, ProjectName: str) -> dict[str, Any]:  # noqa: N803
        if self.refuse:
            raise self.refuse
        return {
            "ProjectName": ProjectName,
            "ProjectId": "p-1",
            "ProjectStatus": self.states.pop(0),
            "CreationTime": WHEN,
            "ServiceCatalogProvisionedProductDetails": {
                "ProvisionedProductId": "pp-1",
                "ProvisionedProductStatusMessage": self.reason,
            },
        }

    def list_projects(self, NextToken: str = "", **request: Any) -> dict[str, Any]:  # noqa: N803
        assert request == {"SortBy": "CreationTime", "SortOrder": "Descending"}
        number = int(NextToken or 3)
        found = {"ProjectName": f"p{number}", "ProjectId": "p-1", "ProjectStatus": "x", "CreationTime": WHEN}
        return {"ProjectSummaryList": [found]} | ({"NextToken": str(number - 1)} if number > 1 else {})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "_POLL_S", 0.0)


def create(folder: Path, sagemaker: FakeSageMaker, new: NewProject = NEW, ssm: FakeSsm | None = None) -> Any:
    clients = {"sagemaker": sagemaker, "ssm": ssm or FakeSsm(), "servicecatalog": FakeCatalog()}
    made = workspace(folder, **sagemaker.remains.clients() | clients)
    said: list[str] = []
    project = projects.create(made, new, "admin", said.append)
    return made, project, said


def test_a_project_is_asked_for_with_everything_its_template_needs(tmp_path: Path) -> None:
    sagemaker = FakeSageMaker("CreateInProgress", "CreateCompleted")
    made, project, said = create(tmp_path, sagemaker)
    assert (project.name, project.project_id, project.status) == ("churn", "p-1", "CreateCompleted")
    assert [line.split()[0] for line in said] == ["CreateInProgress", "CreateCompleted"]
    (request,) = sagemaker.created
    details = request["ServiceCatalogProvisioningDetails"]
    assert details["ProductId"] == "prod-1"
    assert {each["Key"]: each["Value"] for each in details["ProvisioningParameters"]} == {
        "ProblemType": "supervised",
        "InferenceType": "realtime",
        "Description": "a model",
        "CostCenter": "4711",
        "PreProdAccount": PREPROD,
        "ProdAccount": PROD,
        "DeploymentRegion": "eu-west-1",
    }
    tags = {each["Key"]: each["Value"] for each in request["Tags"]}
    assert tags["CostCenter"] == "4711"
    assert tags["team"] == "retention"
    assert made.sessions.asked[0] == ("sagemaker", DEV, f"eu-west-1-datascience-admin-{DEV}")


OTHER = replace(
    TEMPLATES[0],
    name="other",
    problem_types=("unsupervised", "supervised"),
    inference_types=("batch",),
    repositories=("deploy",),
    pipelines=(),
    roles=("deploy-pipeline",),
    stage_roles=(),
)
HIDDEN = replace(OTHER, name="hidden", problem_types=(), inference_types=())


@pytest.mark.parametrize(
    ("asked", "template", "types"),
    [
        ({}, TEMPLATES[0].name, ("supervised", "realtime")),
        ({"inference_type": "batch"}, "other", ("unsupervised", "batch")),
        ({"problem_type": "unsupervised"}, "other", ("unsupervised", "batch")),
        ({"problem_type": "supervised", "inference_type": "batch"}, "other", ("supervised", "batch")),
        ({"template": "other"}, "other", ("unsupervised", "batch")),
        ({"template": "other", "problem_type": "supervised"}, "other", ("supervised", "batch")),
        ({"template": "hidden"}, "hidden", ("none", "none")),
    ],
)
def test_the_types_choose_the_template(asked: dict[str, str], template: str, types: tuple[str, str]) -> None:
    found, chosen = projects.choose((HIDDEN, TEMPLATES[0], OTHER), NewProject("churn", "4711", **asked))
    assert found.name == template
    assert (chosen["ProblemType"], chosen["InferenceType"]) == types


@pytest.mark.parametrize(
    "asked",
    [
        {"problem_type": "unsupervised", "inference_type": "realtime"},
        {"problem_type": "none"},
        {"template": "other", "inference_type": "realtime"},
        {"template": "unknown"},
    ],
)
def test_types_that_no_template_serves_are_refused_with_those_there_are(asked: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="no project template serves this") as raised:
        projects.choose((HIDDEN, TEMPLATES[0], OTHER), NewProject("churn", "4711", **asked))
    problem = raised.value.problems[0]
    assert problem.where == ", ".join(f"--{name.replace('_', '-')}" for name in sorted(asked, reverse=True))
    assert "other (unsupervised batch or supervised batch)" in problem.expected


def test_a_templates_own_product_is_found_by_its_name_among_those_of_the_platform(tmp_path: Path) -> None:
    sagemaker = FakeSageMaker("CreateCompleted")
    create(tmp_path, sagemaker, NewProject("churn", "4711", template=TEMPLATES[0].name))
    (request,) = sagemaker.created
    assert request["ServiceCatalogProvisioningDetails"]["ProductId"] == "prod-own"


def test_a_template_whose_product_is_not_deployed_yet_is_told(tmp_path: Path) -> None:
    sagemaker = FakeSageMaker()
    clients = sagemaker.remains.clients() | {"sagemaker": sagemaker, "servicecatalog": FakeCatalog()}
    made = workspace(tmp_path, **clients)
    made = replace(made, plan=replace(made.plan, templates=(TEMPLATES[0], OTHER)))
    with pytest.raises(DeployError, match="the template other is not in the catalog") as raised:
        projects.create(made, NewProject("churn", "4711", template="other"), "admin", print)
    assert raised.value.problems[0].fix == "mlops deploy"


@pytest.mark.parametrize("name", ["Churn", "c", "1st", "a_b", "a" * 33, "churn-", ""])
def test_a_wrong_name_is_refused_before_anything_is_asked(tmp_path: Path, name: str) -> None:
    made = workspace(tmp_path)  # it has no clients: any request would be a KeyError
    with pytest.raises(ConfigError, match="not a project name") as raised:
        projects.create(made, NewProject(name, "4711"), "admin", print)
    assert raised.value.problems[0].got == name


def test_a_derived_name_over_awss_limit_is_refused_with_how_much_is_too_much() -> None:
    with pytest.raises(ConfigError, match="name of a bucket of this project would be too long") as raised:
        projects.check_name(ProjectNames("mlops", "a" * 32), "2" * 30, TEMPLATES)
    problem = raised.value.problems[0]
    assert problem.expected == "at most 63"
    assert problem.fix == "shorten the project's name by 9"


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    taken = FakeSageMaker(refuse=refused("ResourceInUse", "Project churn already exists"))
    with pytest.raises(ConfigError, match="there is a project churn already"):
        create(tmp_path, taken)


def test_without_the_catalog_the_error_says_what_is_missing(tmp_path: Path) -> None:
    sagemaker = FakeSageMaker()
    with pytest.raises(DeployError, match="the catalog is not deployed") as raised:
        create(tmp_path, sagemaker, ssm=FakeSsm(""))
    assert raised.value.problems[0].fix == "mlops deploy"
    assert sagemaker.created == []


def test_who_may_not_is_told_so(tmp_path: Path) -> None:
    denied = FakeSageMaker(
        refuse=refused("AccessDeniedException", "not authorized to perform: sagemaker:CreateProject")
    )
    with pytest.raises(AccessDenied, match="sagemaker:CreateProject") as raised:
        create(tmp_path, denied)
    assert raised.value.problems[0].where == "project churn"


def test_a_launch_that_fails_has_its_reason_on_top(tmp_path: Path) -> None:
    failing = FakeSageMaker("CreateInProgress", "CreateFailed", reason="BuildRole (AWS::IAM::Role): not authorized")
    with pytest.raises(StackFailed, match=r"project churn was not created: BuildRole \(AWS::IAM::Role\)") as raised:
        create(tmp_path, failing)
    assert raised.value.problems[0].got == "CreateFailed"
    assert "mlops project delete churn" in raised.value.problems[0].fix


def test_a_launch_that_cloudformation_refuses_tells_each_reason_and_not_whom_to_call(tmp_path: Path) -> None:
    said = "Validation failed with 2 error(s). Call DescribeEvents to retrieve the full list of issues"
    failing = FakeSageMaker("CreateFailed", reason=said)
    bucket = {"LogicalResourceId": "Bucket", "ResourceType": "AWS::S3::Bucket", "ValidationStatusReason": "x exists"}
    last, before = {"OperationId": "2"}, {"OperationId": "1"}
    other = {**bucket, "LogicalResourceId": "Other", "ValidationStatusReason": "y exists"}
    failing.remains.events = [last, last | bucket, last | other, before | bucket | {"ValidationStatusReason": "old"}]
    with pytest.raises(StackFailed) as raised:
        create(tmp_path, failing)
    what = "Bucket (AWS::S3::Bucket): x exists; Other (AWS::S3::Bucket): y exists"
    assert raised.value.what == f"project churn was not created: {what}"


class NestedStacks:
    """The stack of a product, with a nested stack in which a role failed; what came after was cancelled."""

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        failed = {"ResourceStatus": "CREATE_FAILED", "StackId": StackName}
        role = {"LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role", "ResourceStatusReason": "no right"}
        key = {"LogicalResourceId": "Key", "ResourceType": "AWS::KMS::Key", "ResourceStatusReason": "cancelled"}
        if StackName == "nested":
            return {"StackEvents": [failed | role, failed | key]}
        assert StackName == f"SC-{DEV}-pp-1"
        stack = {"LogicalResourceId": "Realtime", "ResourceType": "AWS::CloudFormation::Stack"}
        own = failed | stack | {"PhysicalResourceId": "nested", "ResourceStatusReason": "Embedded stack failed"}
        return {"StackEvents": [own, own | {"ResourceStatus": "CREATE_IN_PROGRESS"}]}

    def describe_events(self, StackName: str, Filters: Any) -> dict[str, Any]:  # noqa: N803
        assert StackName == "nested"
        return {"OperationEvents": []}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        raise refused("ValidationError", f"Stack with id {StackName} does not exist")


def test_a_launch_that_fails_inside_says_what_failed_there(tmp_path: Path) -> None:
    failing = FakeSageMaker("CreateFailed", reason="Embedded stack arn:... was not successfully created")
    clients = failing.remains.clients() | {"sagemaker": failing, "ssm": FakeSsm(), "cloudformation": NestedStacks()}
    with pytest.raises(StackFailed) as raised:
        projects.create(workspace(tmp_path, **clients), NEW, "admin", print)
    assert raised.value.what == "project churn was not created: Role (AWS::IAM::Role): no right"


def test_what_an_earlier_project_left_is_named_before_anything_is_asked_for(tmp_path: Path) -> None:
    sagemaker = FakeSageMaker()
    sagemaker.remains.whole()
    with pytest.raises(ConfigError, match="what an earlier project churn left is in the way"):
        create(tmp_path, sagemaker)
    assert sagemaker.created == []


def test_only_a_deleted_project_is_purged(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker())
    with pytest.raises(ConfigError, match="there is a project p2") as raised:
        projects.require_deleted(made, "p2", "admin")
    assert raised.value.problems[0].fix.startswith("mlops project delete p2 --purge")
    projects.require_deleted(made, "gone", "admin")
    projects.require_deleted(workspace(tmp_path, sagemaker=Ending("DeleteCompleted")), "churn", "admin")


def test_what_another_projects_names_begin_with_is_not_purged(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=Ending("CreateCompleted"))
    with pytest.raises(ConfigError, match="too close to that of the project another"):
        projects.require_deleted(made, "another-pipeline", "admin")


def test_every_page_of_projects_is_read(tmp_path: Path) -> None:
    found = projects.list_projects(workspace(tmp_path, sagemaker=FakeSageMaker()), "admin")
    assert [each.name for each in found] == ["p3", "p2", "p1"]


def test_a_project_is_described_with_what_it_consists_of(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker("CreateCompleted"), ssm=FakeFacts(""))
    found = projects.describe(made, "churn", "admin")
    assert found.resources["execution role"] == f"arn:aws:iam::{DEV}:role/mlops/churn/churn-execution"
    assert found.resources["build repository"].endswith("amazonaws.com/v1/repos/churn-build")
    assert found.resources["endpoints"] == "churn-dev, churn-preprod, churn-prod"
    assert found.as_dict()["status"] == "CreateCompleted"


def test_a_project_of_another_template_is_described_with_what_that_one_makes(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker("CreateCompleted"), ssm=FakeFacts("other"))
    made = replace(made, plan=replace(made.plan, templates=(TEMPLATES[0], OTHER)))
    found = projects.describe(made, "churn", "admin")
    assert found.template == "other"
    assert list(found.resources) == [
        "deploy repository", "deploy pipeline", "model package group", "artifact bucket", "stacks"
    ]  # fmt: skip


def test_a_project_that_is_not_there_and_one_that_is_not_ones_own(tmp_path: Path) -> None:
    missing = FakeSageMaker(refuse=refused("ValidationException", "Project churn does not exist"))
    with pytest.raises(ConfigError, match="there is no project churn"):
        projects.describe(workspace(tmp_path, sagemaker=missing), "churn", "admin")
    foreign = FakeSageMaker(refuse=refused("AccessDeniedException", "not authorized"))
    with pytest.raises(AccessDenied, match="not authorized"):
        projects.describe(workspace(tmp_path, sagemaker=foreign), "churn", "data-scientist")


class Ending(FakeSageMaker):
    """A project that is on its way out: each look at the list takes the next state, and then it is gone."""

    def __init__(self, *listed: str) -> None:
        super().__init__("CreateCompleted", "DeleteFailed")
        self.listed = list(listed)
        self.deleted: list[str] = []

    def delete_project(self, ProjectName: str) -> None:  # noqa: N803
        self.deleted.append(ProjectName)

    def list_projects(self, NextToken: str = "", **request: Any) -> dict[str, Any]:  # noqa: N803
        if not self.listed:
            return {"ProjectSummaryList": []}
        state = self.listed.pop(0)
        found = {"ProjectName": "churn", "ProjectId": "p-1", "ProjectStatus": state, "CreationTime": WHEN}
        return {"ProjectSummaryList": [found | {"ProjectName": "another"}, found]}


@pytest.mark.parametrize("listed", [["DeleteInProgress", "DeleteCompleted"], ["DeleteInProgress"]])
def test_deleting_waits_until_the_project_is_gone(tmp_path: Path, listed: list[str]) -> None:
    sagemaker = Ending(*listed)
    said: list[str] = []
    projects.delete(workspace(tmp_path, sagemaker=sagemaker, ssm=FakeFacts("")), "churn", "admin", said.append)
    assert sagemaker.deleted == ["churn"]
    assert said == listed


def test_a_project_that_cannot_be_deleted_is_an_error(tmp_path: Path) -> None:
    sagemaker = Ending("DeleteFailed")
    sagemaker.reason = "Group: it contains model packages"
    with pytest.raises(StackFailed, match="project churn was not deleted") as raised:
        projects.delete(workspace(tmp_path, sagemaker=sagemaker, ssm=FakeFacts("")), "churn", "admin", print)
    assert raised.value.problems[0].got == "Group: it contains model packages"


def test_deleting_what_is_not_there_deletes_nothing(tmp_path: Path) -> None:
    missing = Ending()
    missing.refuse = refused("ValidationException", "Project churn does not exist")
    with pytest.raises(ConfigError, match="there is no project churn"):
        projects.delete(workspace(tmp_path, sagemaker=missing), "churn", "admin", print)
    assert missing.deleted == []


@pytest.mark.parametrize(("name", "other"), [("churn-deploy", "churn"), ("churn", "churn-eu")])
def test_a_name_that_another_projects_policies_would_reach_is_refused(name: str, other: str) -> None:
    with pytest.raises(ConfigError, match=f"too close to that of the project {other}"):
        projects.check_others(name, ["fraud", other])
    projects.check_others(name, ["fraud", "churned"])
