"""The bootstrap's templates as data, without the CDK."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.config import load_text
from mlops_foundation.constructs.bootstrap import check_bootstrap, policies_template, toolkit_template
from mlops_foundation.constructs.bootstrap.packing import POLICY_MAX
from mlops_foundation.core.errors import PlanError
from mlops_foundation.plan import Plan, StackSpec, build
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases.init import Answers, write_config

GOVERNANCE = "1" * 12


def two_sets(people: tuple[str, ...] = (), stacks: Sequence[StackSpec] = STACKS) -> Plan:
    sets = [
        {
            "name": name,
            "prefix": prefix,
            "accounts": {"governance": GOVERNANCE, "dev": first * 12, "preprod": second * 12, "prod": second * 12},
        }
        for name, prefix, first, second in (("one", "one", "2", "3"), ("two", "two", "4", "5"))
    ]
    config = load_text(
        json.dumps(
            {
                "region": "eu-west-1",
                "sets": sets,
                "tags": {"CostCenter": "0"},
                "sign_in": {"principals": {"platform-engineer": list(people)}},
            }
        )
    )
    return build(config, stacks, TEMPLATES)


def policies(plan: Plan, set_index: int, environment: Any) -> dict[str, Any]:
    each = plan.sets[set_index]
    made = policies_template(plan, each, each.foundation(environment))
    return made["Resources"]  # type: ignore[no-any-return]


def test_one_platform_engineer_for_all_sets_of_a_governance_account() -> None:
    plan = two_sets()
    assert "PlatformEngineer" in policies(plan, 0, "governance")
    assert "PlatformEngineer" not in policies(plan, 1, "governance")
    engineer = policies(plan, 0, "governance")["PlatformEngineer"]["Properties"]
    statement, reading = engineer["Policies"][0]["PolicyDocument"]["Statement"]
    assert "arn:aws:iam::222222222222:role/cdk-one-deploy-role-222222222222-eu-west-1" in statement["Resource"]
    assert "arn:aws:iam::555555555555:role/cdk-two-deploy-role-555555555555-eu-west-1" in statement["Resource"]
    assert not any("cfn-exec-role" in arn for arn in statement["Resource"])
    assert reading["Action"] == ["ssm:GetParametersByPath"]


def test_who_deploys_writes_down_its_platforms() -> None:
    plan = two_sets()
    for index, prefix in enumerate(("one", "two")):
        record = policies(plan, index, "governance")["Record"]["Properties"]
        assert record["Name"] == f"/mlops-foundation/{prefix}"
        assert json.loads(record["Value"])["accounts"] == dict(plan.sets[index].accounts)
        assert "Record" not in policies(plan, index, "dev")


def test_who_signs_in_as_platform_engineer_is_in_the_configuration() -> None:
    person = "arn:aws:iam::999999999999:role/sso/Platform_*"
    plan = two_sets((person,))
    trust = policies(plan, 0, "governance")["PlatformEngineer"]["Properties"]["AssumeRolePolicyDocument"]
    conditions = {
        each["Principal"]["AWS"]: each["Condition"]["ArnLike"]["aws:PrincipalArn"] for each in trust["Statement"]
    }
    assert {(each["Effect"], each["Action"]) for each in trust["Statement"]} == {("Allow", "sts:AssumeRole")}
    assert conditions == {
        f"arn:aws:iam::{GOVERNANCE}:root": [f"arn:aws:iam::{GOVERNANCE}:root"],
        "arn:aws:iam::999999999999:root": [person],
    }


def sids(resources: dict[str, Any]) -> list[str]:
    return [
        statement["Sid"]
        for name, each in resources.items()
        if name.startswith("Execution")
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_an_account_gets_the_rights_of_its_stacks_only() -> None:
    plan = two_sets()
    assert {sid[:4] for sid in sids(policies(plan, 0, "dev"))} == {"Base", "Netw", "Targ", "Stud", "Cata"}
    assert {sid[:4] for sid in sids(policies(plan, 0, "prod"))} == {"Base", "Netw", "Targ"}
    assert sids(policies(plan, 0, "governance")) == []


def test_rights_are_in_as_few_policies_as_hold_them_and_the_same_ones_each_time() -> None:
    plan = two_sets()
    resources = policies(plan, 0, "dev")
    names = [name for name in resources if name.startswith("Execution")]
    documents = [resources[name]["Properties"]["PolicyDocument"] for name in names]
    sizes = [len(json.dumps(each, separators=(",", ":"))) for each in documents]
    assert len(names) == -(-sum(sizes) // POLICY_MAX)
    assert max(sizes) <= POLICY_MAX
    assert len(set(sids(resources))) == len(sids(resources))
    assert policies(plan, 0, "dev") == resources


def test_the_toolkits_roles_are_the_sets_own() -> None:
    plan = two_sets()
    second = plan.sets[1]
    template = toolkit_template(second, second.foundation("dev"))
    assert template["Parameters"]["Qualifier"]["Default"] == "two"
    attached = template["Resources"]["CloudFormationExecutionRole"]["Properties"]["ManagedPolicyArns"]
    made = [each for name, each in policies(plan, 1, "dev").items() if name.startswith("Execution")]
    assert attached == [
        f"arn:aws:iam::444444444444:policy/two/{each['Properties']['ManagedPolicyName']}" for each in made
    ]
    assert "TrustedAccounts" not in template["Parameters"]


def wide(count: int, length: int) -> list[dict[str, Any]]:
    """Return rights of this many statements, of at least this many characters each."""
    return [
        {"Sid": f"Wide{index}", "Effect": "Allow", "Action": ["sagemaker:DescribeEndpoint"], "Resource": ["x" * length]}
        for index in range(count)
    ]


def one_too_long(scope: Any) -> list[dict[str, Any]]:
    return wide(1, POLICY_MAX)


def eleven_policies(scope: Any) -> list[dict[str, Any]]:
    return wide(11, POLICY_MAX // 2)


def ten_policies(scope: Any) -> list[dict[str, Any]]:
    return wide(9, POLICY_MAX - 400)


def spec(execution: str) -> StackSpec:
    (network,) = (each for each in STACKS if each.name == "network")
    return StackSpec(
        network.name, network.description, network.environments, network.builder, f"{__name__}:{execution}"
    )


@pytest.mark.parametrize(
    ("execution", "said"),
    [
        ("one_too_long", "the right Wide0 of the stack network fits into no managed policy"),
        ("eleven_policies", "too many managed policies"),
        ("ten_policies", "the template one-bootstrap-policies is too long"),
    ],
)
def test_more_than_aws_allows_is_refused_in_the_plan_with_what_is_too_much(execution: str, said: str) -> None:
    plan = two_sets(stacks=(spec(execution),))
    with pytest.raises(PlanError) as raised:
        check_bootstrap(plan)
    problem = raised.value.problems[0]
    assert said in problem.what
    assert "network" in problem.what + problem.got
    assert "characters" in problem.got


def test_the_plan_refuses_what_the_bootstrap_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops_foundation.usecases import plan

    written = write_config(tmp_path / "mlops.yaml", Answers())
    plan.load_and_plan(written.config)
    monkeypatch.setattr(plan, "STACKS", (spec("eleven_policies"),))
    with pytest.raises(PlanError, match="the bootstrap would hold more than AWS allows"):
        plan.load_and_plan(written.config)
