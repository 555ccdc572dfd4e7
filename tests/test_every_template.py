"""Every project template keeps what its spec says; and one that a test writes goes to production and leaves again."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from e2e.conftest import free_port
from mlops_foundation.core.names import pascal
from mlops_foundation.plan import TemplateSpec
from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.templates import TEMPLATES
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
CONFIG = {
    "region": "eu-west-1",
    "tags": {"CostCenter": "0"},
    "sets": [{"name": "default", "accounts": {"governance": DEV, "dev": DEV, "preprod": PROD, "prod": PROD}}],
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


@pytest.mark.e2e
def test_it_goes_to_production_by_both_products_and_leaves_again(note: Copy) -> None:
    note.start(free_port())
    note.mlops("bootstrap")
    note.mlops("deploy")
    refused = note.mlops("project", "create", "wrong", "--cost-center", "1", "--inference-type", "fax", fails=True)
    assert "note (rules note)" in json.dumps(refused)
    by_types = note.mlops("project", "create", "memo", "--cost-center", "1", "--inference-type", "note")
    by_name = note.mlops("project", "create", "text", "--cost-center", "1", "--template", "note")
    assert {by_types["status"], by_name["status"]} == {"CreateCompleted"}
    for project in ("memo", "text"):
        assert note.mlops("project", "describe", project)["template"] == "note"
        promote(note, project)
    kept = note.client("ssm", PROD).get_parameter(Name="/mlops/projects/memo/note/prod")["Parameter"]
    assert kept["Value"] == "a note for prod"
    for project in ("memo", "text"):
        note.mlops("project", "delete", project, "--purge", "--yes")
        for account, stages in ((DEV, ["dev"]), (PROD, ["preprod", "prod"])):
            ssm = note.client("ssm", account)
            wanted = [f"/mlops/projects/{project}/note/{stage}" for stage in stages]
            assert ssm.get_parameters(Names=wanted)["Parameters"] == []
    assert note.client("ssm", DEV).get_parameters_by_path(Path="/mlops/projects", Recursive=True)["Parameters"] == []
    buckets = {each["Name"] for each in note.client("s3", DEV).list_buckets()["Buckets"]}
    assert not [name for name in buckets if name.startswith(("memo", "text"))]


def promote(note: Copy, project: str) -> None:
    """Follow the deploy pipeline, which began with the repository, and approve each stage as who may."""
    for stage in ("preprod", "prod"):
        note.mlops("pipeline", "watch", project, "deploy")
        note.mlops("pipeline", "approve", project, stage)
    note.mlops("pipeline", "watch", project, "deploy")
