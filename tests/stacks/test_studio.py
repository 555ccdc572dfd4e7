"""Studio as the configuration wants it: whose role, how people sign in, when apps stop, which templates."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.usecases.synth import synth

sys.path.append(str(Path(__file__).parents[1] / "config"))
from config_samples import TOPOLOGIES

STUDIO = "mlops-studio-dev"


def made(assembly: Any, folder: Path, topology: str) -> Any:
    """Return the assembly of a shape of accounts."""
    (folder / "mlops.yaml").write_text(json.dumps(TOPOLOGIES[topology]))
    return type(assembly)(synth(folder / "mlops.yaml", folder / "out"), assembly.seeds)


def of_type(template: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == name]


def idle_settings(domain: dict[str, Any]) -> list[dict[str, Any]]:
    settings = domain["DefaultUserSettings"]
    apps = ("JupyterLabAppSettings", "CodeEditorAppSettings")
    return [settings[app]["AppLifecycleManagement"]["IdleSettings"] for app in apps]


def switch(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = of_type(template, "Custom::SageMakerProjectTemplates")
    return found


def test_the_example(assembly: Any) -> None:
    template = assembly.stack(STUDIO)
    (domain,) = of_type(template, "AWS::SageMaker::Domain")
    assert domain["AuthMode"] == "IAM"
    on = {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 120, "MaxIdleTimeoutInMinutes": 120}
    assert idle_settings(domain) == [on, on]
    assert switch(template)["Enabled"] == "false"
    profiles = of_type(template, "AWS::SageMaker::UserProfile")
    assert not any("SingleSignOnUserValue" in each for each in profiles)


def test_single_sign_on_no_idle_shutdown_and_sagemakers_templates(assembly: Any, tmp_path: Path) -> None:
    template = made(assembly, tmp_path, "single sign-on and SageMaker's templates").stack(STUDIO)
    (domain,) = of_type(template, "AWS::SageMaker::Domain")
    assert domain["AuthMode"] == "SSO"
    assert idle_settings(domain) == [{"LifecycleManagement": "DISABLED"}] * 2
    profiles = of_type(template, "AWS::SageMaker::UserProfile")
    assert {each["SingleSignOnUserIdentifier"] for each in profiles} == {"UserName"}
    users = {each["UserProfileName"]: each["SingleSignOnUserValue"] for each in profiles}
    assert users == {"ds-admin": "ada@example.com", "alice": "alice@example.com"}
    found = switch(template)
    assert found["Enabled"] == "true"
    assert len(found["Roles"]) == 4, "admin, data scientist, lead and Studio"
    assert int(found["ServiceTimeout"]) < 300


def test_an_imported_role_is_studios_and_none_is_made(assembly: Any, tmp_path: Path) -> None:
    assembly = made(assembly, tmp_path, "imported network")
    role = "arn:aws:iam::222222222222:role/studio"
    template = assembly.stack(STUDIO)
    (domain,) = of_type(template, "AWS::SageMaker::Domain")
    assert domain["DefaultUserSettings"]["ExecutionRole"] == role
    names = [each["RoleName"] for each in of_type(template, "AWS::IAM::Role")]
    assert "mlops-studio-execution-eu-west-1" not in names
    parameters = {each["Name"]: each["Value"] for each in of_type(template, "AWS::SSM::Parameter")}
    assert parameters["/mlops/role/execution"] == role
    assert role in switch(template)["Roles"]
    associated = of_type(assembly.stack("mlops-catalog-dev"), "AWS::ServiceCatalog::PortfolioPrincipalAssociation")
    assert role in [each["PrincipalARN"] for each in associated]


@pytest.mark.parametrize("topology", ["four accounts", "imported network"])
def test_cloudformation_may_pass_exactly_the_role_of_studio(assembly: Any, tmp_path: Path, topology: str) -> None:
    assembly = made(assembly, tmp_path, topology)
    (dev,) = [each for each in assembly.made.bootstrap if each.account == "222222222222"]
    policies = json.loads((assembly.directory / dev.policies_template).read_text())["Resources"]
    passed = {
        statement["Condition"]["StringEquals"]["iam:PassedToService"]: statement["Resource"]
        for each in policies.values()
        if each["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == ["iam:PassRole"] and statement["Sid"].startswith("Studio")
    }
    own = "arn:aws:iam::222222222222:role/mlops/mlops-studio-execution-eu-west-1"
    imported = "arn:aws:iam::222222222222:role/studio"
    assert passed["sagemaker.amazonaws.com"] == [own if topology == "four accounts" else imported]
    assert passed["lambda.amazonaws.com"] == ["arn:aws:iam::222222222222:role/mlops/mlops-studio-project-templates"]
