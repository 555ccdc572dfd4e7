"""Every project template keeps what its spec says; and one that a test writes goes to production and leaves again."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.core.names import pascal
from mlops_foundation.plan import TemplateSpec
from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.templates import TEMPLATES
from ports import free_port
from resource_tags import tags_of_stack
from written_parts import Copy

every = pytest.mark.parametrize("spec", TEMPLATES, ids=lambda spec: spec.name)


def resources(assembly: Any, name: str) -> dict[str, dict[str, Any]]:
    """Return the resources of a product's template."""
    text = (assembly.directory / f"products/default/{name}.template.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)["Resources"]
    return found


def names(assembly: Any, spec: TemplateSpec, resource_type: str, key: str) -> list[str]:
    """Return what follows the project's name in the names of one type."""
    found = [
        each["Properties"][key] for each in resources(assembly, spec.name).values() if each["Type"] == resource_type
    ]
    texts = [each["Fn::Sub"] if isinstance(each, dict) else each for each in found]
    assert all(text.startswith("${SageMakerProjectName}") for text in texts)
    return sorted(text.removeprefix("${SageMakerProjectName}") for text in texts)


def test_every_folder_is_in_the_tuple() -> None:
    folders = {item.name for item in files("mlops_foundation.templates").iterdir() if (item / "spec.py").is_file()}
    assert folders == {spec.name for spec in TEMPLATES}


@every
def test_its_names_are_those_of_its_spec(assembly: Any, spec: TemplateSpec) -> None:
    pipelines = (*spec.pipelines, *spec.promotions)
    expected = {
        ("AWS::CodeCommit::Repository", "RepositoryName"): [f"-{end}" for end in spec.repositories],
        ("AWS::CodeBuild::Project", "Name"): [f"-{end}" for end in spec.builds],
        ("AWS::CodePipeline::Pipeline", "Name"): [f"_{part}_pipeline" for part in pipelines],
        ("AWS::Events::Rule", "Name"): [f"-{end}" for end in spec.rules],
        ("AWS::IAM::Role", "RoleName"): [f"-{end}" for end in spec.roles],
    }
    for (resource_type, key), ends in expected.items():
        assert names(assembly, spec, resource_type, key) == sorted(ends), resource_type


@every
def test_what_it_takes_is_what_its_spec_says(assembly: Any, spec: TemplateSpec) -> None:
    types = [each["Type"] for each in resources(assembly, spec.name).values()]
    assert types.count("AWS::KMS::Key") == len(spec.keys)
    assert spec.quotas[ROLES] == types.count("AWS::IAM::Role")
    made_of = {name.split("::")[1].lower() for name in types if name.startswith("AWS::")}
    assert made_of - {"cdk", "iam", "s3"} <= set(spec.services), "a region may lack what nobody looks for"


@every
def test_every_role_of_it_has_the_boundary_and_the_projects_path(assembly: Any, spec: TemplateSpec) -> None:
    roles = [each["Properties"] for each in resources(assembly, spec.name).values() if each["Type"] == "AWS::IAM::Role"]
    assert roles
    for role in roles:
        assert json.dumps(role["PermissionsBoundary"]).endswith('project-boundary"}')
        assert json.dumps(role["Path"]).endswith('/${SageMakerProjectName}/"}')


@every
def test_only_people_let_it_go_on_to_the_next_account(assembly: Any, spec: TemplateSpec) -> None:
    for each in resources(assembly, spec.name).values():
        if each["Type"] != "AWS::CodePipeline::Pipeline":
            continue
        name = each["Properties"]["Name"]["Fn::Sub"].removeprefix("${SageMakerProjectName}_")
        stages = [stage["Name"] for stage in each["Properties"]["Stages"]]
        deploys = [stage for stage in stages if stage in {"Dev", "Preprod", "Prod"}]
        assert bool(deploys) is (name.removesuffix("_pipeline") in spec.promotions), name
        for stage in deploys[1:]:
            assert stages[stages.index(stage) - 1] == f"Approve{stage}"


@every
def test_it_is_offered_by_the_front_product_and_as_its_own(assembly: Any, spec: TemplateSpec) -> None:
    text = (assembly.directory / "products/default/sagemaker-project.template.json").read_text(encoding="utf-8")
    front, title = json.loads(text), pascal(spec.name)
    assert (title in front["Resources"]) is bool(spec.problem_types and spec.inference_types)
    if title in front["Resources"]:
        nested = front["Resources"][title]
        assert nested["Condition"] == f"Is{title}"
        given = nested["Properties"]["Parameters"]
        own = json.loads((assembly.directory / f"products/default/{spec.name}.template.json").read_text())["Parameters"]
        asked = {name for name, each in own.items() if each["Type"] == "String" and "SsmParameter" not in name}
        assert {name for name in asked if "Default" not in own[name]} <= set(given) <= set(own)
        key = nested["Properties"]["TemplateURL"]["Fn::Sub"].rpartition("/")[2]
        assert [path for path in assembly.directory.glob("assembly-*/*.assets.json") if key in path.read_text()]
    catalog = assembly.stack("mlops-catalog-dev")["Resources"].values()
    products = {
        each["Properties"]["Name"] for each in catalog if each["Type"] == "AWS::ServiceCatalog::CloudFormationProduct"
    }
    assert spec.name in products


@every
def test_its_seeds_import_nothing_of_ours(spec: TemplateSpec) -> None:
    for path in spec.seeds.values():
        seed = spec.folder / path
        assert seed.is_dir()
        for file in seed.rglob("*.py"):
            assert "mlops_foundation" not in file.read_text(encoding="utf-8"), file


# --- a template that a test writes ------------------------------------------------------------------------------------

SPEC = '''"""What the platform knows of this template before it builds it."""

from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.plan.specs import TemplateSpec

SPEC = TemplateSpec(
    name="note",
    description="One line of text in every stage, from a push to production",
    problem_types=("rules",),
    inference_types=("note",),
    builder="mlops_foundation.templates.note.product:build",
    rights="mlops_foundation.templates.note.rights:rights",
    seeds={"deploy": "seed"},
    repositories=("deploy",),
    pipelines=(),
    promotions=("deploy",),
    rules=("deploy-push",),
    roles=("deploy-pipeline", "events"),
    services=("codecommit", "codepipeline", "events", "kms", "sagemaker", "ssm"),
    quotas={ROLES: 2},
    keys=("data", "artifacts"),
)
'''
RIGHTS = '''"""What the platform's roles need for projects of this template."""

from mlops_foundation.constructs.project import boundary_rights as most, launch_rights as launch
from mlops_foundation.plan.rights import TemplateRights, right


def rights(scope):
    made = [*launch.repositories(scope, ["deploy"]), *launch.pipelines(scope, ["deploy"])]
    made += [*launch.rules(scope, ["deploy-push"]), *launch.roles(scope, ["codepipeline", "events"])]
    stored = [*launch.parameters(scope), *launch.buckets(scope), *launch.keys(scope), *launch.registry(scope)]
    notes = [scope.arn("ssm", f"parameter{scope.names.role_path}projects/*/note/*")]
    actions = ["ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:PutParameter"]
    boundary = [*most.storage(scope), *most.delivery(scope), *most.roles(scope)]
    return TemplateRights({"delivery": made, "storage": stored}, [right("Notes", actions, notes)], boundary)
'''
PRODUCT = '''"""A repository whose templates go from account to account."""

from aws_cdk import aws_servicecatalog as servicecatalog

from mlops_foundation.constructs.project import stages
from mlops_foundation.constructs.project.delivery import Delivery
from mlops_foundation.constructs.project.parameters import project_parameters
from mlops_foundation.constructs.project.policies import Policies
from mlops_foundation.constructs.project.roles import Roles
from mlops_foundation.constructs.project.storage import Storage


def build(scope, id, context):
    product = servicecatalog.ProductStack(scope, id)
    parameters = project_parameters(product, context)
    names = parameters.names
    storage = Storage(product, names, parameters.facts)
    roles, policies = Roles(product, names), Policies(names, storage)
    deploying = roles.add("deploy-pipeline", "codepipeline", policies.deploy_pipeline("deploy", []))
    delivery = Delivery(product, names, storage, roles.add("events", "events", policies.events(["deploy"])))
    delivery.repository("deploy")
    deployment = stages.Deployment("Source", {"Path": names.sub(f"{names.literal.parameters}/note/")})
    delivery.pipeline("deploy", deploying, [stages.source(names, "deploy"), *stages.promotion(names, deployment)])
    delivery.start_on_push("deploy")
    return product
'''


def seed(stage: str) -> str:
    """Return a stage's template: one parameter below the project's path."""
    note = {"Name": {"Fn::Sub": f"${{Path}}{stage}"}, "Type": "String", "Value": f"a note for {stage}"}
    resource = {"Note": {"Type": "AWS::SSM::Parameter", "Properties": note}}
    return json.dumps({"Parameters": {"Path": {"Type": "String"}}, "Resources": resource}, indent=2)


FILES = {
    "__init__.py": "",
    "spec.py": SPEC,
    "rights.py": RIGHTS,
    "product.py": PRODUCT,
    **{f"seed/{stage}.template.json": seed(stage) for stage in ("dev", "preprod", "prod")},
}
DEV, PROD = "222222222222", "444444444444"
BRANCH = "release/1"
CONFIG = {
    "region": "eu-west-1",
    "tags": {"CostCenter": "0"},
    "sets": [{"name": "default", "accounts": {"governance": DEV, "dev": DEV, "preprod": PROD, "prod": PROD}}],
    "source": {"branch": BRANCH},
}


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of the platform with one template more, which a test has written."""
    made = Copy(tmp_path_factory.mktemp("note"), CONFIG)
    made.add("templates", "note", FILES)
    yield made
    made.stop()


def test_it_takes_a_folder_and_a_line(note: Copy) -> None:
    assert note.changed(note.package / "templates" / "note") == ['+         "note",']
    code = [line for text in (SPEC, RIGHTS, PRODUCT) for line in text.splitlines() if line.strip()]
    assert len(code) <= 60
    found = note.mlops("project", "templates")
    assert {each["name"] for each in found} == {"note", *(spec.name for spec in TEMPLATES)}


@pytest.fixture(scope="module")
def living(note: Copy) -> Copy:
    """The same, deployed."""
    note.start(free_port())
    note.mlops("bootstrap")
    note.mlops("deploy")
    return note


@pytest.mark.e2e
def test_it_goes_to_production_by_both_products_and_leaves_again(living: Copy) -> None:
    note = living
    refused = note.mlops("project", "create", "wrong", "--cost-center", "1", "--inference-type", "fax", fails=True)
    assert "note (rules note)" in json.dumps(refused)
    by_types = note.mlops("project", "create", "memo", "--cost-center", "1", "--inference-type", "note")
    by_name = note.mlops("project", "create", "text", "--cost-center", "1", "--template", "note")
    assert {by_types["status"], by_name["status"]} == {"CreateCompleted"}
    assert [each["name"] for each in note.mlops("pipeline", "list", "memo")] == ["memo_deploy_pipeline"]
    for project in ("memo", "text"):
        assert note.mlops("project", "describe", project)["template"] == "note"
        promote(note, project)
    (only,) = note.mlops("status")
    known = {each["project"]: (set(each["pipelines"]), each["unseen"]) for each in only["projects"]}
    assert (known["memo"], known["text"]) == (({"deploy"}, {}),) * 2, "it has no build, and none is missed"
    kept = note.client("ssm", PROD).get_parameter(Name="/mlops/projects/memo/note/prod")["Parameter"]
    assert kept["Value"] == "a note for prod"
    for project in ("memo", "text"):
        note.mlops("project", "delete", project, "--purge", "--yes")
        for account, stages in ((DEV, ["dev"]), (PROD, ["preprod", "prod"])):
            ssm = note.client("ssm", account)
            wanted = [f"/mlops/projects/{project}/note/{stage}" for stage in stages]
            assert ssm.get_parameters(Names=wanted)["Parameters"] == []
        left = note.client("ssm", DEV).get_parameters_by_path(Path=f"/mlops/projects/{project}", Recursive=True)
        assert left["Parameters"] == []
    buckets = {each["Name"] for each in note.client("s3", DEV).list_buckets()["Buckets"]}
    assert not [name for name in buckets if name.startswith(("memo", "text"))]


ASKED = {"Team": "post", "Desk": "letters and parcels"}
"""Tags that somebody gives a project, beside those of the platform."""


@pytest.fixture(scope="module", params=["front", "own"])
def letter(living: Copy, request: pytest.FixtureRequest) -> str:
    """A project with a description and tags, made by the front product and by the template's own."""
    name = f"letter-{request.param}"
    chosen = {"front": ("--inference-type", "note"), "own": ("--template", "note")}[request.param]
    tags = [argument for key, value in ASKED.items() for argument in ("--tag", f"{key}={value}")]
    given = ("--cost-center", "12", "--description", "what is written", *chosen, *tags)
    living.mlops("project", "create", name, *given)
    return name


@pytest.mark.e2e
def test_description_and_tags_reach_the_project_and_everything_in_it(living: Copy, letter: str) -> None:
    """Finds a description or tag that the product, a nested stack, or one type of resource drops on its way."""

    def client(service: str) -> Any:
        return living.client(service, DEV)

    (listed,) = (each for each in living.mlops("project", "list") if each["name"] == letter)
    found = client("sagemaker").describe_project(ProjectName=letter)
    kept = client("ssm").get_parameter(Name=f"/mlops/projects/{letter}/description")["Parameter"]["Value"]
    assert listed["description"] == found["ProjectDescription"] == kept == "what is written"
    assert living.mlops("project", "describe", letter)["description"] == "what is written"
    of_project = client("sagemaker").list_tags(ResourceArn=found["ProjectArn"])["Tags"]
    assert {**ASKED, "CostCenter": "12"}.items() <= {each["Key"]: each["Value"] for each in of_project}.items()
    product = found["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
    expected = {**ASKED, "CostCenter": "12", "sagemaker:project-name": letter}
    resources = tags_of_stack(client, f"SC-{DEV}-{product}")
    assert {kind for kind, _, _ in resources} >= {"AWS::S3::Bucket", "AWS::IAM::Role", "AWS::CodeCommit::Repository"}
    assert [(kind, name) for kind, name, tags in resources if not expected.items() <= tags.items()] == []


@pytest.mark.e2e
@pytest.mark.parametrize("letter", ["front"], indirect=True)
def test_only_a_push_to_the_configurations_branch_starts_a_pipeline(living: Copy, letter: str, tmp_path: Path) -> None:
    """Finds a main that is written down somewhere: in the seed, the rule of a push, the source, or a clone's HEAD."""
    environment = {**os.environ, **living.mlops("local", "env", "--role", "data-scientist", "--project", letter)}

    def git(*arguments: str, cwd: Path = tmp_path / "clone") -> str:
        who = ("-c", "user.name=scientist", "-c", "user.email=scientist@example.com")
        command = ["git", *who, *arguments]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commits() -> list[str]:
        found = living.client("codepipeline", DEV).list_pipeline_executions(pipelineName=f"{letter}_deploy_pipeline")
        revisions = [each.get("sourceRevisions") or [{}] for each in found["pipelineExecutionSummaries"]]
        return [each[0].get("revisionId", "") for each in revisions]

    url = living.mlops("project", "describe", letter)["resources"]["deploy repository"]
    git("clone", "--quiet", url, str(tmp_path / "clone"), cwd=tmp_path)
    assert git("symbolic-ref", "--short", "HEAD") == BRANCH
    seeded = git("rev-parse", "HEAD")
    living.mlops("pipeline", "watch", letter, "deploy")
    assert commits() == [seeded]
    for branch in ("main", BRANCH):
        git("commit", "--quiet", "--allow-empty", "--message", f"for {branch}")
        git("push", "--quiet", "origin", f"HEAD:{branch}")
    pushed, deadline = git("rev-parse", "HEAD"), time.monotonic() + 60
    while pushed not in (found := commits()):
        assert time.monotonic() < deadline, f"no push to {BRANCH} started the pipeline: {found}"
        time.sleep(0.2)
    assert found == [pushed, seeded], "newest first; the push to main started nothing"


def promote(note: Copy, project: str) -> None:
    """Follow the only pipeline, which began with the repository, and approve each stage as who may."""
    for stage in ("preprod", "prod"):
        note.mlops("pipeline", "watch", project)
        note.mlops("pipeline", "approve", project, stage)
    note.mlops("pipeline", "watch", project)
