"""The package index and what a platform without NAT gives to its builds."""

import json
from typing import Any

import boto3
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from mlops_foundation.config.packages import CODEARTIFACT_REGIONS

BUILDS = {"build", "synth", "scan", "test"}
INDEX = {
    "CODEARTIFACT_DOMAIN": "mlops",
    "CODEARTIFACT_DOMAIN_OWNER": {"Ref": "AWS::AccountId"},
    "CODEARTIFACT_REPOSITORY": "mlops-pypi",
}


def product(assembly: Any) -> dict[str, Any]:
    text = (assembly.directory / "products/default/realtime.template.json").read_text()
    return json.loads(text)["Resources"]  # type: ignore[no-any-return]


def build_variables(assembly: Any) -> list[dict[str, Any]]:
    projects = [each["Properties"] for each in product(assembly).values() if each["Type"] == "AWS::CodeBuild::Project"]
    return [{each["Name"]: each["Value"] for each in one["Environment"]["EnvironmentVariables"]} for one in projects]


def test_the_stack_is_as_reviewed(private_assembly: Any, snapshot: SnapshotAssertion) -> None:
    assert private_assembly.stack("mlops-packages-dev") == snapshot(extension_class=JSONSnapshotExtension)


def test_what_is_stateful_keeps_its_logical_id_and_outlives_the_stack(private_assembly: Any) -> None:
    resources = private_assembly.stack("mlops-packages-dev")["Resources"]
    kept = {name for name, each in resources.items() if each.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == {"Key961B73FD", "Domain", "Repository"}
    assert resources["Domain"]["Properties"]["EncryptionKey"]["Fn::GetAtt"][0] == "Key961B73FD"
    assert resources["Repository"]["Properties"]["ExternalConnections"] == ["public:pypi"]


def test_the_parameters_are_those_of_the_plan(private_assembly: Any) -> None:
    foundation = private_assembly.made.plan.sets[0].foundation("dev")
    (stack,) = [each for each in foundation.stacks if each.name == "packages"]
    resources = private_assembly.stack("mlops-packages-dev")["Resources"].values()
    names = {each["Properties"]["Name"] for each in resources if each["Type"] == "AWS::SSM::Parameter"}
    assert names == set(stack.exports)


def test_there_is_one_in_dev_only_and_none_without_the_setting(private_assembly: Any, assembly: Any) -> None:
    def places(made: Any) -> list[str]:
        return [each.name for each in made.plan.sets[0].foundations for s in each.stacks if s.name == "packages"]

    assert places(private_assembly.made) == ["dev"]
    assert places(assembly.made) == []


def test_nothing_changes_for_builds_on_the_public_index(assembly: Any) -> None:
    assert all("CODEARTIFACT_DOMAIN" not in each for each in build_variables(assembly))
    assert "codeartifact" not in json.dumps(product(assembly))
    assert "codeartifact" not in json.dumps(assembly.stack("mlops-targets-dev"))


def test_builds_are_told_where_packages_are_by_no_address(private_assembly: Any) -> None:
    variables = build_variables(private_assembly)
    assert len(variables) == len(BUILDS)
    for each in variables:
        assert {name: value for name, value in each.items() if name.startswith("CODEARTIFACT")} == INDEX
        assert not {"PIP_INDEX_URL", "UV_DEFAULT_INDEX"} & each.keys()


def test_builds_may_read_this_repository_and_no_other(private_assembly: Any) -> None:
    roles = [each["Properties"] for each in product(private_assembly).values() if each["Type"] == "AWS::IAM::Role"]
    found = {}
    for role in roles:
        (policy,) = role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            if "odeartifact" in json.dumps(statement):
                found.setdefault(json.dumps(role["RoleName"]), []).append(statement)
    assert len(found) == 3
    for statements in found.values():
        token, read, bearer = statements
        assert json.dumps(token["Resource"]).endswith(':domain/mlops"}')
        assert json.dumps(read["Resource"]).endswith(':repository/mlops/mlops-pypi"}')
        assert bearer["Condition"] == {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}


def test_the_boundary_lets_them(private_assembly: Any) -> None:
    dev, prod = (json.dumps(private_assembly.stack(f"mlops-targets-{stage}")) for stage in ("dev", "prod"))
    assert "codeartifact:ReadFromRepository" in dev
    assert "codeartifact" not in prod


def test_data_scientists_and_studio_install_from_it_too(private_assembly: Any) -> None:
    resources = private_assembly.stack("mlops-studio-dev")["Resources"]
    readers = {
        each["Properties"]["RoleName"]
        for each in resources.values()
        if each["Type"] == "AWS::IAM::Role" and "codeartifact:ReadFromRepository" in json.dumps(each)
    }
    people = {f"eu-west-1-{name}-222222222222" for name in ("datascientist", "lead-datascientist")}
    assert readers == {*people, "mlops-studio-execution-eu-west-1", "mlops-studio-lead-eu-west-1"}


def test_there_is_no_nat_gateway(private_assembly: Any) -> None:
    for stage in ("dev", "preprod", "prod"):
        types = {each["Type"] for each in private_assembly.stack(f"mlops-network-{stage}")["Resources"].values()}
        assert "AWS::EC2::NatGateway" not in types


def test_every_finding_of_the_rules_is_answered(private_assembly: Any) -> None:
    report = json.loads((private_assembly.directory / "validation-report.json").read_text())
    assert [plugin["violations"] for plugin in report["pluginReports"]] == [[] for _ in report["pluginReports"]]


@pytest.mark.parametrize("region", sorted(CODEARTIFACT_REGIONS))
def test_the_regions_are_those_that_aws_lists(region: str) -> None:
    assert region in boto3.session.Session().get_available_regions("codeartifact")
