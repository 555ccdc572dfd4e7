"""The bootstrap against the configuration: what a deployment would lack is said before anything is changed."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_aws import DEV, refused, workspace

from mlops_foundation.constructs.bootstrap import policies_template, toolkit_template
from mlops_foundation.core.errors import DeployError
from mlops_foundation.usecases import bootstrap, bootstrap_state, preflight
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.workspace import Workspace

POLICIES, TOOLKIT = "mlops-bootstrap-policies", "mlops-toolkit"


class CloudFormation:
    """Stacks of all accounts in one, by name; an update replaces the template and is written down."""

    def __init__(self, stacks: dict[str, Any] | None = None, status: str = "CREATE_COMPLETE") -> None:
        self.stacks = stacks or {}
        self.status = status
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        if StackName not in self.stacks:
            raise refused("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": self.status}]}

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803  botocore's name
        return {"TemplateBody": self.stacks[StackName]}

    def create_stack(self, StackName: str, TemplateBody: str, **_: Any) -> None:  # noqa: N803  botocore's names
        self.stacks[StackName] = json.loads(TemplateBody)
        self.sent.append((StackName, self.stacks[StackName]))

    update_stack = create_stack


def platform(folder: Path, cloudformation: CloudFormation, **sections: Any) -> Workspace:
    """Return a workspace whose accounts are all one, so that the fake holds one bootstrap."""
    write_config(folder / "mlops.yaml", Answers(governance=DEV, preprod=DEV, prod=DEV), force=True)
    example = yaml.safe_load((folder / "mlops.yaml").read_text())
    (folder / "mlops.yaml").write_text(json.dumps({**example, **sections}))
    return workspace(folder, cloudformation=cloudformation)


def templates(made: Workspace) -> tuple[dict[str, Any], dict[str, Any]]:
    (foundation,) = made.set_plan.foundations
    policies = policies_template(made.plan, made.set_plan, foundation)
    return policies, toolkit_template(made.set_plan, foundation)


def bootstrapped(folder: Path) -> CloudFormation:
    policies, toolkit = templates(platform(folder, CloudFormation()))
    return CloudFormation({POLICIES: policies, TOOLKIT: toolkit})


def as_it_was_before_packing(found: CloudFormation) -> None:
    """Put every statement into a policy of its own, named otherwise, as an earlier version's bootstrap might be."""
    resources = found.stacks[POLICIES]["Resources"]
    packed = [name for name in resources if name.startswith("Execution")]
    statements = [each for name in packed for each in resources.pop(name)["Properties"]["PolicyDocument"]["Statement"]]
    arns = []
    for index, statement in enumerate(statements):
        properties = {"ManagedPolicyName": f"mlops-cfn-old{index}", "Path": "/mlops/"}
        document = {"Version": "2012-10-17", "Statement": [{**statement, "Sid": "Old"}]}
        resources[f"Execute{index}"] = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Metadata": {"cdk_nag": {}},
            "Properties": {**properties, "PolicyDocument": document},
        }
        arns.append(f"arn:aws:iam::{DEV}:policy/mlops/mlops-cfn-old{index}")
    role = found.stacks[TOOLKIT]["Resources"]["CloudFormationExecutionRole"]
    role["Properties"]["ManagedPolicyArns"] = arns


def lacks(folder: Path, found: CloudFormation, **sections: Any) -> bootstrap_state.Lacks | None:
    made = platform(folder, found, **sections)
    return bootstrap_state.lacks(made, made.set_plan.foundations[0])


def test_a_bootstrap_of_this_configuration_lacks_nothing(tmp_path: Path) -> None:
    found = lacks(tmp_path, bootstrapped(tmp_path))
    assert found is not None
    assert not found


def test_a_bootstrap_that_is_not_there_is_no_comparison(tmp_path: Path) -> None:
    assert lacks(tmp_path, CloudFormation()) is None
    rolled_back = bootstrapped(tmp_path)
    rolled_back.status = "UPDATE_ROLLBACK_COMPLETE"
    assert lacks(tmp_path, rolled_back) is None


def test_a_stack_that_was_added_lacks_its_rights_by_name(tmp_path: Path) -> None:
    found = lacks(tmp_path, bootstrapped(tmp_path), packages={"provider": "codeartifact"})
    assert found is not None
    assert all(sid.startswith("Packages") for sid in found.actions)
    assert "codeartifact:CreateDomain" in {action for actions in found.actions.values() for action in actions}
    assert found.resources == []


def test_one_right_that_is_missing_is_named(tmp_path: Path) -> None:
    deployed = bootstrapped(tmp_path)
    text = json.dumps(deployed.stacks[POLICIES])
    deployed.stacks[POLICIES] = json.loads(text.replace('"ec2:CreateVpc", ', "", 1))
    assert str(lacks(tmp_path, deployed)) == "CloudFormation lacks NetworkNetwork: ec2:CreateVpc"


def test_a_right_under_another_condition_or_for_another_resource_is_missing(tmp_path: Path) -> None:
    for old, new in (("eu-west-1", "eu-west-2"), ("mlops-studio-execution", "other-studio-execution")):
        deployed = bootstrapped(tmp_path)
        deployed.stacks[POLICIES] = json.loads(json.dumps(deployed.stacks[POLICIES]).replace(old, new))
        found = lacks(tmp_path, deployed)
        assert found
        assert found.actions


def test_a_policy_that_the_toolkit_does_not_give_on_allows_nothing(tmp_path: Path) -> None:
    deployed = bootstrapped(tmp_path)
    role = deployed.stacks[TOOLKIT]["Resources"]["CloudFormationExecutionRole"]["Properties"]
    role["ManagedPolicyArns"] = role["ManagedPolicyArns"][:-1]
    found = lacks(tmp_path, deployed)
    assert found
    assert all(sid.startswith("Catalog") for sid in found.actions)


def test_more_rights_than_needed_are_enough(tmp_path: Path) -> None:
    deployed = bootstrapped(tmp_path)
    document = deployed.stacks[POLICIES]["Resources"]["Execution1"]["Properties"]["PolicyDocument"]
    document["Statement"] = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]
    assert lacks(tmp_path, deployed) == bootstrap_state.Lacks({}, [])


def test_another_toolkit_and_another_engineer_are_named(tmp_path: Path) -> None:
    deployed = bootstrapped(tmp_path)
    toolkit, policies = deployed.stacks[TOOLKIT], deployed.stacks[POLICIES]
    toolkit["Resources"]["DeploymentActionRole"]["Properties"]["Policies"] = []
    toolkit["Parameters"]["TrustedPrincipals"]["Default"] = "arn:aws:iam::999999999999:role/other"
    del policies["Resources"]["PlatformEngineer"]
    found = lacks(tmp_path, deployed)
    assert found is not None
    assert found.resources == ["PlatformEngineer", "TrustedPrincipals", "DeploymentActionRole"]


def test_a_toolkit_that_the_cdk_cli_deployed_as_yaml_is_the_same(tmp_path: Path) -> None:
    deployed = bootstrapped(tmp_path)
    text = yaml.safe_dump(deployed.stacks[TOOLKIT]).replace("'2012-10-17'", "2012-10-17")
    deployed.stacks[TOOLKIT] = text
    assert lacks(tmp_path, deployed) == bootstrap_state.Lacks({}, [])


def test_a_deployment_is_refused_and_told_the_command(tmp_path: Path) -> None:
    made = platform(tmp_path, bootstrapped(tmp_path), packages={"provider": "codeartifact"})
    with pytest.raises(DeployError, match="older than the configuration; nothing was changed") as raised:
        bootstrap_state.require([made])
    (problem,) = raised.value.problems
    assert "codeartifact:CreateDomain" in problem.got
    assert DEV in problem.where
    assert problem.fix == "mlops bootstrap"
    with pytest.raises(DeployError, match="not bootstrapped") as raised:
        bootstrap_state.require([workspace(tmp_path, "aws", cloudformation=CloudFormation())])
    assert raised.value.problems[0].fix == "mlops bootstrap --target aws"


def test_the_check_of_accounts_says_the_same_and_a_bootstrap_is_not_stopped_by_it(tmp_path: Path) -> None:
    made = platform(tmp_path, bootstrapped(tmp_path), packages={"provider": "codeartifact"})
    place = preflight._Place(made, made.set_plan.foundations[0])
    (finding,) = preflight._bootstrap(place, preflight.Caller("arn:aws:iam::222222222222:root"))
    assert (finding.status, finding.fix) == ("missing", "mlops bootstrap")
    assert "codeartifact:CreateDomain" in finding.got


def test_an_account_of_an_earlier_version_deploys_on_and_is_bootstrapped_anew_without_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = bootstrapped(tmp_path)
    as_it_was_before_packing(deployed)
    assert lacks(tmp_path, deployed) == bootstrap_state.Lacks({}, [])
    made = platform(tmp_path, deployed)
    monkeypatch.setattr(preflight, "require", lambda _: None)
    bootstrap.bootstrap([made], tmp_path / "mlops.yaml", lambda _: None)
    (first, both), (second, toolkit), (third, last) = deployed.sent
    assert (first, second, third) == (POLICIES, TOOLKIT, POLICIES)
    assert {"Execute0", "Execution1"} <= both["Resources"].keys()
    assert not [name for name in last["Resources"] if name.startswith("Execute") and not name.startswith("Execution")]
    assert len(toolkit["Resources"]["CloudFormationExecutionRole"]["Properties"]["ManagedPolicyArns"]) == 3
    assert len(json.dumps(both, separators=(",", ":"))) < 51_200


def test_a_bootstrap_that_is_right_is_two_stacks_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = bootstrapped(tmp_path)
    made = platform(tmp_path, deployed)
    monkeypatch.setattr(preflight, "require", lambda _: None)
    bootstrap.bootstrap([made], tmp_path / "mlops.yaml", lambda _: None)
    assert [name for name, _ in deployed.sent] == [POLICIES, TOOLKIT]
