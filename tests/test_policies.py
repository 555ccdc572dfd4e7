"""Over everything that is synthesized, in every shape of accounts: no rights that are wider than what they are for."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mlops_foundation.usecases.synth import synth

sys.path.append(str(Path(__file__).parent / "config"))
from config_samples import TOPOLOGIES

_POLICY_MAX = 6144
_WHOLE_SERVICE = re.compile(r"^(\*|[a-z0-9-]+:\*)$")


class Found(NamedTuple):
    """A statement and where it stands."""

    place: str
    type: str
    statement: dict[str, Any]


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
def topologies(assembly: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The assembly of each shape of accounts, checked with both packs of cdk-nag."""
    made = {}
    for name, config in TOPOLOGIES.items():
        folder = tmp_path_factory.mktemp("topology")
        (folder / "mlops.yaml").write_text(json.dumps(config))
        made[name] = type(assembly)(synth(folder / "mlops.yaml", folder / "out", nist=True), assembly.seeds)
    return made


@pytest.fixture(scope="module")
def distinct(assembly: Any, topologies: dict[str, Any]) -> list[Path]:
    """Every template of every shape, once."""
    paths = [path for each in (assembly, *topologies.values()) for path in each.paths()]
    return list({path.read_bytes(): path for path in reversed(paths)}.values())


@pytest.fixture(scope="module")
def templates(assembly: Any, topologies: dict[str, Any]) -> Templates:
    """Every template of the example, and of every shape of accounts, with their paths."""
    found = [(f"{path} ({name})", each) for name, made in topologies.items() for path, each in made.templates()]
    return [*assembly.templates(), *found]


@pytest.fixture(scope="module")
def statements(templates: Templates) -> list[Found]:
    return [
        Found(f"{path} {name}", each["Type"], statement)
        for path, template in templates
        for name, each in template["Resources"].items()
        for statement in statements_in(each.get("Properties", {}))
    ]


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


def is_own_account_statement_of_a_key(found: Found) -> bool:
    """A key policy's first statement: without it nobody could ever change the policy again."""
    own_root = re.compile(r":iam::(\d{12}|\$\{AWS::AccountId\}|.*AWS::AccountId.*):root")
    principal = json.dumps(found.statement.get("Principal", ""))
    return found.type == "AWS::KMS::Key" and found.statement["Action"] == "kms:*" and bool(own_root.search(principal))


def test_no_statement_allows_a_whole_service(allowed: list[Found]) -> None:
    for found in allowed:
        assert "NotAction" not in found.statement, found
        assert "NotResource" not in found.statement, found
        for action in as_list(found.statement["Action"]):
            assert not _WHOLE_SERVICE.match(action) or is_own_account_statement_of_a_key(found), found


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
    for found in allowed:
        principal = found.statement.get("Principal")
        if principal is None or is_own_account_statement_of_a_key(found):
            continue
        if set(principal) == {"Service"} if isinstance(principal, dict) else False:
            continue
        if found.type == "AWS::EC2::VPCEndpoint":
            narrowed_to_accounts = "aws:PrincipalAccount" in json.dumps(found.statement.get("Condition", {}))
            assert narrowed_to_accounts or found.statement["Resource"] != "*", found
            continue
        assert "aws:PrincipalArn" in json.dumps(found.statement.get("Condition", {})), found


def test_the_trust_of_every_role_is_narrowed(templates: Templates) -> None:
    for path, template in templates:
        for name, each in template["Resources"].items():
            if each["Type"] != "AWS::IAM::Role":
                continue
            for statement in each["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                service = isinstance(statement["Principal"], dict) and "Service" in statement["Principal"]
                condition = json.dumps(statement.get("Condition", {}))
                assert service or "aws:PrincipalArn" in condition, (path, name)


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


def test_cfn_lint_finds_no_error(distinct: list[Path]) -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [program, "--non-zero-exit-code", "error", *distinct], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


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
