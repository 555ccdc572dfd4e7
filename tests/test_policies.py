"""Over everything that is synthesized, in every shape of accounts: no rights that are wider than what they are for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from config_samples import TOPOLOGIES

from principals import faults, is_own_account_in_a_key

_POLICY_MAX = 6144
_WHOLE_SERVICE = re.compile(r"^(\*|[a-z0-9-]+:\*)$")


class Found(NamedTuple):
    """A statement and where it stands.

    Attributes:
        place: Template and logical id.
        type: Of the resource.
        statement: As it stands in the template.
        account: That gets the template.
        ours: Accounts that the template may trust.
        values: What its references stand for.
    """

    place: str
    type: str
    statement: dict[str, Any]
    account: str
    ours: frozenset[str]
    values: dict[str, str]

    @property
    def is_the_keys_own(self) -> bool:
        return is_own_account_in_a_key(self.type, self.statement, self.account, self.values)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every policy statement below a value, wherever a policy document stands."""
    if isinstance(value, list):
        for item in value:
            yield from statements_in(item)
    elif isinstance(value, dict):
        if "Effect" in value and ("Action" in value or "NotAction" in value):
            yield value
        else:
            for item in value.values():
                yield from statements_in(item)


Templates = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def templates(assembly: Any, topologies: dict[str, Any]) -> Templates:
    """Every template of the example, and of every shape of accounts, with their paths."""
    found = [(f"{path} ({name})", each) for name, made in topologies.items() for path, each in made.templates()]
    return [*assembly.templates(), *found]


def accounts_of(assembly: Any) -> dict[str, str]:
    """Return the account of each template by its path; a product's and a seed's is dev's."""
    (dev,) = {each.account("dev") for each in assembly.made.plan.sets}
    return {path: dev for path, _ in assembly.templates()} | assembly.accounts()


def found_in(assembly: Any, shape: str) -> Iterator[Found]:
    accounts = accounts_of(assembly)
    for path, template in assembly.templates():
        account = accounts[path]
        parameters = template.get("Parameters", {})
        known = {name: str(each["Default"]) for name, each in parameters.items() if "Default" in each}
        values = {**known, "AWS::Partition": "aws", "AWS::AccountId": account}
        ours = frozenset({*accounts.values(), "${PreProdAccount}", "${ProdAccount}"})
        for name, each in template["Resources"].items():
            for statement in statements_in(each.get("Properties", {})):
                yield Found(f"{path} {name}{shape}", each["Type"], statement, account, ours, values)


@pytest.fixture(scope="module")
def statements(assembly: Any, topologies: dict[str, Any]) -> list[Found]:
    shapes = {"": assembly, **{f" ({name})": made for name, made in topologies.items()}}
    return [found for shape, made in shapes.items() for found in found_in(made, shape)]


@pytest.fixture(scope="module")
def allowed(statements: list[Found]) -> list[Found]:
    return [found for found in statements if found.statement["Effect"] == "Allow"]


def test_there_are_policies_in_every_kind_of_template(statements: list[Found]) -> None:
    places = {found.place.split("/")[0] for found in statements}
    assert {"bootstrap", "products", "seeds", "assembly-default-dev", "assembly-default-prod"} <= places
    assert len(statements) > 300


def test_no_aws_managed_policy_is_attached(templates: Templates) -> None:
    for path, template in templates:
        text = json.dumps(template["Resources"])
        assert "FullAccess" not in text, path
        assert "AdministratorAccess" not in text, path
        assert ":iam::aws:policy/" not in text, path


def test_no_statement_allows_a_whole_service(allowed: list[Found]) -> None:
    for found in allowed:
        assert "NotAction" not in found.statement, found
        assert "NotResource" not in found.statement, found
        for action in as_list(found.statement["Action"]):
            assert not _WHOLE_SERVICE.match(action) or found.is_the_keys_own, found


def test_roles_are_passed_by_name_to_named_services(allowed: list[Found]) -> None:
    passes = [found for found in allowed if "iam:PassRole" in as_list(found.statement["Action"])]
    assert passes
    for found in passes:
        for resource in as_list(found.statement["Resource"]):
            text = json.dumps(resource)
            assert text not in ('"*"', '"arn:aws:iam::*:role/*"'), found
            assert not re.search(r":role/\*", text), found
        assert found.statement["Condition"]["StringEquals"]["iam:PassedToService"], found


def test_no_principal_is_a_whole_account_or_everybody(allowed: list[Found]) -> None:
    """Roles' trust, keys, buckets and the registry; an endpoint's policy speaks of everybody behind the endpoint."""
    with_principal = [found for found in allowed if "Principal" in found.statement or "NotPrincipal" in found.statement]
    kinds = {found.type for found in with_principal}
    assert kinds >= {"AWS::IAM::Role", "AWS::KMS::Key", "AWS::S3::BucketPolicy", "AWS::SageMaker::ModelPackageGroup"}
    for found in with_principal:
        if found.type != "AWS::EC2::VPCEndpoint" and not found.is_the_keys_own:
            assert not list(faults(found.statement, found.ours, found.values)), found.place


def test_an_endpoint_lets_the_platforms_accounts_through_or_to_named_resources_of_aws(allowed: list[Found]) -> None:
    of_endpoints = [found for found in allowed if found.type == "AWS::EC2::VPCEndpoint"]
    assert of_endpoints
    for found in of_endpoints:
        callers = found.statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount", [])
        assert set(as_list(callers)) <= found.ours, found.place
        # Without a caller's account: what AWS itself keeps, such as the layers of its images, by name.
        names = [re.fullmatch(r"arn:aws:s3:::[a-z0-9-]{8,}/\*", each) for each in as_list(found.statement["Resource"])]
        assert callers or all(names), found.place


def test_every_roles_trust_is_among_what_was_read(templates: Templates, allowed: list[Found]) -> None:
    roles = sum(
        each["Type"] == "AWS::IAM::Role" for _, template in templates for each in template["Resources"].values()
    )
    read = {found.place for found in allowed if found.type == "AWS::IAM::Role" and "Principal" in found.statement}
    assert len(read) == roles


ROOT, ROLE = "arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:role/mlops/churn/churn-endpoint-prod"


@pytest.mark.parametrize(
    ("principal", "condition"),
    [
        ("*", {"ArnEquals": {"aws:PrincipalArn": ROLE}}),
        ({"AWS": "*"}, {"ArnEquals": {"aws:PrincipalArn": ROLE}}),
        ({"AWS": ROOT}, {}),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": "*"}}),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/*"}}),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/mlops/*"}}),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/mlops/mlops-project-deploy-cfn"}}),
        ({"AWS": ROOT}, {"ArnLike": {"aws:PrincipalArn": [ROLE, "arn:aws:iam::222222222222:*"]}}),
        ({"AWS": ROOT}, {"ArnNotLike": {"aws:PrincipalArn": ROLE}}),
        ({"AWS": ROOT}, {"ArnEqualsIfExists": {"aws:PrincipalArn": ROLE}}),
        ({"AWS": ROOT}, {"ForAllValues:ArnEquals": {"aws:PrincipalArn": ROLE}}),
        ({"AWS": ROOT}, {"ArnEquals": {"aws:PrincipalArn": ROLE.replace("2" * 12, "9" * 12)}}),
        ({"AWS": "arn:aws:iam::999999999999:root"}, {"ArnEquals": {"aws:PrincipalArn": ROLE}}),
        ({"AWS": [ROOT, "arn:aws:iam::999999999999:root"]}, {"ArnEquals": {"aws:PrincipalArn": ROLE}}),
        ({"Service": "events.amazonaws.com", "AWS": ROOT}, {}),
        ({"Federated": "arn:aws:iam::222222222222:saml-provider/any"}, {}),
        (None, {}),
    ],
)
def test_what_is_too_wide_is_found(principal: Any, condition: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Condition": condition}
    assert list(faults(statement, {"222222222222"}, {}))


def test_an_account_narrowed_to_a_named_role_is_not() -> None:
    for name in (ROLE, ROOT, "arn:aws:iam::222222222222:role/mlops/*/*-deploy-pipeline"):
        condition = {"ArnLike": {"aws:PrincipalArn": [name]}}
        assert not list(faults({"Principal": {"AWS": ROOT}, "Condition": condition}, {"222222222222"}, {}))


@pytest.mark.parametrize("principal", ["*", "arn:aws:iam::999999999999:root", [ROOT, "arn:aws:iam::999999999999:root"]])
def test_a_keys_own_statement_is_of_its_own_account(principal: Any) -> None:
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": principal}}
    assert not is_own_account_in_a_key("AWS::KMS::Key", statement, "222222222222", {})
    statement["Principal"] = {"AWS": ROOT}
    assert is_own_account_in_a_key("AWS::KMS::Key", statement, "222222222222", {})


def test_roles_that_projects_get_are_made_with_the_boundary_only(allowed: list[Found]) -> None:
    makers = [
        found
        for found in allowed
        if {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"} & set(as_list(found.statement["Action"]))
        and not found.place.startswith("bootstrap/")
    ]
    assert makers
    for found in makers:
        boundary = found.statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"]
        assert "Boundary" in json.dumps(boundary) or "-project-boundary" in boundary, found


def test_cloudformation_makes_roles_below_known_names_only(allowed: list[Found]) -> None:
    makers = [
        found
        for found in allowed
        if found.place.startswith("bootstrap/") and "iam:CreateRole" in as_list(found.statement["Action"])
    ]
    assert makers
    named = re.compile(
        r"^arn:aws:iam::\d{12}:role/(([a-z0-9]+)/\2-[a-z-]+[a-z0-9-]*|[a-z]{2}-[a-z]+-\d-[a-z-]+-\d{12})$"
    )
    for found in makers:
        for resource in as_list(found.statement["Resource"]):
            assert named.match(resource), found


def test_managed_policies_fit(templates: Templates) -> None:
    for path, template in templates:
        for name, each in template["Resources"].items():
            if each["Type"] == "AWS::IAM::ManagedPolicy":
                length = len(json.dumps(each["Properties"]["PolicyDocument"], separators=(",", ":")))
                assert length <= _POLICY_MAX, (path, name, length)


def test_prod_never_trusts_dev_for_the_cdks_roles(assembly: Any) -> None:
    template = json.loads((assembly.directory / "bootstrap/default/prod/toolkit.template.json").read_text())
    assert "222222222222" not in json.dumps(template)
    assert template["Parameters"]["TrustedPrincipals"]["Default"] == (
        "arn:aws:iam::111111111111:role/eu-west-1-platform-engineer-111111111111"
    )


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_an_accounts_execution_policies_are_those_of_its_stacks(topologies: dict[str, Any], name: str) -> None:
    assembly = topologies[name]
    for bootstrap in assembly.made.bootstrap:
        policies = json.loads((assembly.directory / bootstrap.policies_template).read_text())["Resources"].values()
        toolkit = json.loads((assembly.directory / bootstrap.toolkit_template).read_text())["Resources"]
        made = {
            f"arn:aws:iam::{bootstrap.account}:policy/{bootstrap.qualifier}/{each['Properties']['ManagedPolicyName']}"
            for each in policies
            if each["Type"] == "AWS::IAM::ManagedPolicy"
        }
        attached = toolkit["CloudFormationExecutionRole"]["Properties"].get("ManagedPolicyArns", [])
        assert made == set(attached)


def acknowledged(template: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, each in template["Resources"].items():
        for rule in each.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", []):
            yield name, rule["id"], rule["reason"]


def test_the_bootstrap_is_clean_for_cdk_nag(distinct: list[Path], tmp_path: Path) -> None:
    """The assembly itself is checked by every synth; the bootstrap's templates are none of its stacks."""
    import aws_cdk as cdk
    import cdk_nag
    from aws_cdk import cloudformation_include as include

    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app))
    bootstrap = [path for path in distinct if path.parents[2].name == "bootstrap"]
    assert len(bootstrap) > len(TOPOLOGIES)
    for index, path in enumerate(bootstrap):
        stack = cdk.Stack(app, f"Stack{index}", synthesizer=cdk.BootstraplessSynthesizer())
        included = include.CfnInclude(stack, "Template", template_file=str(path))
        for name, rule, reason in acknowledged(json.loads(path.read_text())):
            assert len(reason) > 20
            resource = included.get_resource(name)
            pack = rule.rsplit("-", 1)[0] if rule.startswith("NIST") else "AwsSolutions"
            cdk.Validations.of(resource).acknowledge(cdk.Acknowledgment(id=f"{pack}::{rule}", reason=reason))
    app.synth()


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_no_finding_of_either_pack_is_open_and_every_acknowledgement_has_a_reason(
    topologies: dict[str, Any], name: str
) -> None:
    report = json.loads((topologies[name].directory / "validation-report.json").read_text())
    assert {plugin["pluginName"] for plugin in report["pluginReports"]} == {"AwsSolutions", "NIST.800.53.R5"}
    for plugin in report["pluginReports"]:
        assert plugin["violations"] == []
        for each in plugin["suppressedViolations"]:
            assert len(each["reason"]) > 20, each["ruleName"]


def test_nothing_in_the_deploy_app_is_open_to_cdk_nag(assembly: Any) -> None:
    report = json.loads((assembly.seeds / "realtime" / "validation-report.json").read_text())
    assert {plugin["pluginName"] for plugin in report["pluginReports"]} == {"AwsSolutions", "NIST.800.53.R5"}
    for plugin in report["pluginReports"]:
        assert plugin["violations"] == []
        assert plugin["suppressedViolations"]
