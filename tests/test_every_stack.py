"""Every stack keeps what its spec says; and one that a test writes is deployed with its own rights and leaves again."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from mlops_foundation.aws import stacks as cloudformation
from mlops_foundation.core.names import PlatformNames
from mlops_foundation.plan import StackPlan, StackSpec
from mlops_foundation.plan.quotas import ELASTIC_ADDRESSES, ENGINEER_ROLES, ROLES, TOOLKIT_ROLES, VPCS
from mlops_foundation.plan.specs import load_builder
from mlops_foundation.stacks import STACKS
from ports import free_port
from written_parts import Copy

every = pytest.mark.parametrize("spec", STACKS, ids=lambda spec: spec.name)
EVERYWHERE = {"cdk", "cloudformation", "ec2", "iam", "route53", "s3", "sts"}
"""In every region, or CloudFormation's own."""


@pytest.fixture
def planned(spec: StackSpec, assembly: Any, private_assembly: Any) -> list[tuple[StackPlan, dict[str, Any]]]:
    """A stack's plans with their templates, of the first example that has it."""
    for made in (assembly, private_assembly):
        found = [
            each for place in made.made.plan.sets[0].foundations for each in place.stacks if each.name == spec.name
        ]
        if found:
            return [(each, made.stack(each.stack_name)) for each in found]
    raise LookupError(spec.name)


def types(template: dict[str, Any]) -> list[str]:
    return [each["Type"] for each in template["Resources"].values()]


def test_every_folder_is_in_the_tuple() -> None:
    folders = {item.name for item in files("mlops_foundation.stacks").iterdir() if (item / "spec.py").is_file()}
    assert folders == {spec.name for spec in STACKS}


@every
def test_it_makes_the_keys_and_uses_the_services_of_its_spec(planned: Any) -> None:
    for plan, template in planned:
        # The network has a key where its flow logs are on; the cost of it follows the configuration.
        logged = types(template).count("AWS::EC2::FlowLog")
        assert types(template).count("AWS::KMS::Key") == len(plan.keys) + logged
        services = {name.split("::")[1].lower() for name in types(template) if name.startswith("AWS::")}
        assert services - EVERYWHERE <= set(plan.services), "a region may lack what nobody looks for"


@every
def test_it_takes_the_quotas_of_its_spec(planned: Any) -> None:
    for plan, template in planned:
        found = {VPCS: "AWS::EC2::VPC", ELASTIC_ADDRESSES: "AWS::EC2::EIP", ROLES: "AWS::IAM::Role"}
        made = {quota: types(template).count(name) for quota, name in found.items()}
        assert {quota: count for quota, count in made.items() if count} == {k: n for k, n in plan.quotas.items() if n}


def test_no_shape_of_accounts_makes_more_roles_than_its_stacks_say(topologies: dict[str, Any]) -> None:
    """Finds a role that only some configuration makes: with shared endpoints, without flow logs, with an import."""
    for name, made in topologies.items():
        for place in (each for one in made.made.plan.sets for each in one.foundations):
            for stack in place.stacks:
                count = types(made.stack(stack.stack_name)).count("AWS::IAM::Role")
                assert count <= stack.quotas.get(ROLES, 0) <= count + 1, f"{name}: {stack.stack_name}"


def test_the_bootstrap_makes_the_roles_that_the_preflight_counts(assembly: Any) -> None:
    """Finds a role of the toolkit, or of who deploys, that the preflight does not add to those of the account."""

    def roles(template: str) -> int:
        text = (assembly.directory / template).read_text(encoding="utf-8")
        return text.count('"AWS::IAM::Role"') + text.count("Type: AWS::IAM::Role")

    made = {each.environments: (roles(each.toolkit_template), roles(each.policies_template))
            for each in assembly.made.bootstrap}  # fmt: skip
    others = dict.fromkeys((("dev",), ("preprod",), ("prod",)), (TOOLKIT_ROLES, 0))
    assert made == {("governance",): (TOOLKIT_ROLES, ENGINEER_ROLES), **others}


@every
def test_it_claims_the_names_that_may_be_taken(planned: Any, spec: StackSpec) -> None:
    """A role that is in the way, or a domain, is told before anything is made; other roles have paths of ours."""
    for plan, template in planned:
        roles = {
            each["Properties"]["RoleName"]
            for each in template["Resources"].values()
            if each["Type"] == "AWS::IAM::Role" and isinstance(each["Properties"].get("RoleName"), str)
        }
        claimed = {claim.name for claim in plan.claims if claim.kind == "role"}
        assert claimed <= roles
        unclaimed = {name for name in roles - claimed if not name.startswith("mlops-")}
        assert not unclaimed, spec.name


@every
def test_it_writes_the_parameters_of_its_spec(planned: Any) -> None:
    for plan, template in planned:
        names = {
            each["Properties"]["Name"]
            for each in template["Resources"].values()
            if each["Type"] == "AWS::SSM::Parameter"
        }
        assert names == set(plan.exports)


@every
def test_what_it_may_do_is_named_and_never_everything(spec: StackSpec) -> None:
    """Its rights ask for no whole service, and for every resource only under a condition."""
    from mlops_foundation.constructs.execution import ExecutionScope

    scope = ExecutionScope(PlatformNames("mlops"), "2" * 12, "eu-west-1")  # type: ignore[arg-type]
    statements = load_builder(spec.execution, spec.name)(scope)
    sids = [each["Sid"] for each in statements]
    assert len(sids) == len(set(sids))
    for statement in statements:
        assert all(not action.endswith(":*") and action != "*" for action in statement["Action"]), statement["Sid"]
        if any(resource == "*" for resource in statement["Resource"]):
            assert statement.get("Condition"), statement["Sid"]


@every
def test_its_resources_carry_the_platforms_tag(planned: Any) -> None:
    tag = {"Key": "mlops:prefix", "Value": "mlops"}
    for _, template in planned:
        tagged = [each["Properties"]["Tags"] for each in template["Resources"].values() if "Tags" in each["Properties"]]
        assert all(tag in tags for tags in tagged if isinstance(tags, list))


# --- a stack that a test writes ---------------------------------------------------------------------------------------

FILES = {
    "__init__.py": "",
    "spec.py": '''"""What the platform knows of this stack before it builds it."""

from mlops_foundation.plan.specs import StackSpec

SPEC = StackSpec(
    name="notice",
    description="A line of text for everybody",
    environments=("dev",),
    builder="mlops_foundation.stacks.notice.stack:build",
    execution="mlops_foundation.stacks.notice.execution:statements",
    exports=("/{prefix}/notice/text",),
    services=("ssm",),
)
''',
    "execution.py": '''"""What CloudFormation needs to deploy the notice."""

from mlops_foundation.constructs.execution import parameters


def statements(scope):
    return [parameters(scope, f"/{scope.names.prefix}/notice/*")]
''',
    "stack.py": '''"""One parameter."""

from mlops_foundation.constructs.parameters import publish
from mlops_foundation.constructs.stack import FoundationStack


def build(scope, context):
    stack = FoundationStack(scope, context)
    publish(stack, "Text", f"/{context.names.prefix}/notice/text", "be kind")
    return stack
''',
}
ONE = "222222222222"
CONFIG = {
    "region": "eu-west-1",
    "tags": {"CostCenter": "0"},
    "sets": [{"name": "default", "accounts": dict.fromkeys(("governance", "dev", "preprod", "prod"), ONE)}],
}


@pytest.fixture(scope="module")
def notice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of the platform with one stack more, which a test has written."""
    made = Copy(tmp_path_factory.mktemp("notice"), CONFIG)
    made.add("stacks", "notice", FILES)
    yield made
    made.stop()


def test_it_takes_a_folder_and_a_line(notice: Copy) -> None:
    assert notice.changed(notice.package / "stacks" / "notice") == ['+         "notice",']
    (only,) = notice.mlops("plan")["sets"]
    (place,) = only["environments"]
    assert place["stacks"][-1]["stack_name"] == "mlops-notice-dev"


@pytest.mark.e2e
def test_it_is_deployed_alone_with_its_own_rights_and_leaves_again(notice: Copy) -> None:
    notice.start(free_port())
    notice.mlops("bootstrap")
    found = notice.mlops("deploy", "--stage", "dev", "--stack", "notice")
    assert "mlops-notice-dev" in json.dumps(found)
    ssm, client = notice.client("ssm", ONE), notice.client("cloudformation", ONE)
    assert ssm.get_parameter(Name="/mlops/notice/text")["Parameter"]["Value"] == "be kind"
    client.delete_stack(StackName="mlops-notice-dev")
    assert cloudformation.wait(client, ONE, "mlops-notice-dev").status in {"ABSENT", "DELETE_COMPLETE"}
    assert ssm.get_parameters(Names=["/mlops/notice/text"])["Parameters"] == []
