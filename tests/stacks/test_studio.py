"""Studio as the configuration wants it: whose role, how people sign in, when apps stop, which templates."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.usecases.synth import synth

sys.path.append(str(Path(__file__).parents[1] / "config"))
from config_samples import LEADS, TOPOLOGIES

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
    assert len(found["Roles"]) == 5, "admin, data scientist, lead, and the two of Studio"
    assert int(found["ServiceTimeout"]) < 300


def roles_of_profiles(template: dict[str, Any]) -> dict[str, str]:
    """Return the name of the role that each profile's apps work with."""
    found = {}
    for profile in of_type(template, "AWS::SageMaker::UserProfile"):
        role, _ = profile["UserSettings"]["ExecutionRole"]["Fn::GetAtt"]
        found[profile["UserProfileName"]] = template["Resources"][role]["Properties"]["RoleName"]
    return found


def test_the_list_that_a_person_is_in_decides_with_which_role_the_apps_work(assembly: Any, tmp_path: Path) -> None:
    (tmp_path / "leads.yml").write_text(LEADS)
    config = TOPOLOGIES["four accounts"] | {
        "studio": {
            "data_scientists": ["alice"],
            "lead_data_scientists": ["bob"],
            "users_from": {"lead_data_scientists": "leads.yml"},
        }
    }
    (tmp_path / "mlops.yaml").write_text(json.dumps(config))
    template = type(assembly)(synth(tmp_path / "mlops.yaml", tmp_path / "out"), assembly.seeds).stack(STUDIO)
    everybody, leads = "mlops-studio-execution-eu-west-1", "mlops-studio-lead-eu-west-1"
    assert roles_of_profiles(template) == {
        "ds-admin": everybody,
        "alice": everybody,
        "bob": leads,
        "lead-ds-lead-data-scientist": leads,
    }


def test_studios_apps_of_a_lead_decide_on_versions_and_nobody_elses_do(assembly: Any) -> None:
    roles = {each["RoleName"]: each for each in of_type(assembly.stack(STUDIO), "AWS::IAM::Role")}

    def statements(name: str, sid: str) -> list[str]:
        (policy,) = roles[f"mlops-studio-{name}-eu-west-1"]["Policies"]
        return [each["Effect"] for each in policy["PolicyDocument"]["Statement"] if each.get("Sid") == sid]

    assert statements("lead", "DecideOnVersions") == ["Allow"]
    assert statements("lead", "NeverDecideOnVersions") == []
    assert statements("execution", "DecideOnVersions") == []
    assert statements("execution", "NeverDecideOnVersions") == ["Deny"]
    assert statements("lead", "NeverApprove") == statements("execution", "NeverApprove") == ["Deny"]


def test_every_role_that_sagemaker_takes_lets_it_say_who_works(assembly: Any) -> None:
    """The domain passes the profile's name on, and SageMaker refuses jobs and apps of a role that does not let it."""
    (domain,) = of_type(assembly.stack(STUDIO), "AWS::SageMaker::Domain")
    assert domain["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"
    found = []
    for path, template in assembly.templates():
        for each in of_type(template, "AWS::IAM::Role"):
            trust = each["AssumeRolePolicyDocument"]["Statement"]
            actions = [one["Action"] for one in trust if one["Principal"] == {"Service": "sagemaker.amazonaws.com"}]
            if actions and not path.startswith("seeds/"):
                found.append((path, each["RoleName"], actions))
    assert len(found) >= 3
    assert [each for each in found if "sts:SetSourceIdentity" not in each[2]] == []


def test_an_imported_role_is_studios_and_none_is_made(assembly: Any, tmp_path: Path) -> None:
    assembly = made(assembly, tmp_path, "imported network")
    role = "arn:aws:iam::222222222222:role/studio"
    template = assembly.stack(STUDIO)
    (domain,) = of_type(template, "AWS::SageMaker::Domain")
    assert domain["DefaultUserSettings"]["ExecutionRole"] == role
    names = {each["RoleName"] for each in of_type(template, "AWS::IAM::Role")}
    assert names & {"mlops-studio-execution-eu-west-1", "mlops-studio-lead-eu-west-1"} == set()
    profiles = of_type(template, "AWS::SageMaker::UserProfile")
    assert {each["UserSettings"]["ExecutionRole"] for each in profiles} == {role}
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
    own = [f"arn:aws:iam::222222222222:role/mlops/mlops-studio-{kind}-eu-west-1" for kind in ("execution", "lead")]
    imported = ["arn:aws:iam::222222222222:role/studio"]
    assert passed["sagemaker.amazonaws.com"] == (own if topology == "four accounts" else imported)
    assert passed["lambda.amazonaws.com"] == ["arn:aws:iam::222222222222:role/mlops/mlops-studio-project-templates"]
