"""The bootstrap's templates as data, without the CDK."""

import json
from typing import Any

import pytest

from mlops_foundation.config import Config, load_text
from mlops_foundation.constructs.bootstrap import policies_template, toolkit_template
from mlops_foundation.core.errors import PlanError
from mlops_foundation.plan import Plan, StackSpec, build
from mlops_foundation.stacks import STACKS

GOVERNANCE = "1" * 12


def two_sets(people: tuple[str, ...] = ()) -> tuple[Config, Plan]:
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
    return config, build(config, STACKS)


def policies(config: Config, plan: Plan, set_index: int, environment: Any) -> dict[str, Any]:
    each = plan.sets[set_index]
    made = policies_template(config, plan, each, each.foundation(environment), STACKS)
    return made["Resources"]  # type: ignore[no-any-return]


def test_one_platform_engineer_for_all_sets_of_a_governance_account() -> None:
    config, plan = two_sets()
    assert "PlatformEngineer" in policies(config, plan, 0, "governance")
    assert "PlatformEngineer" not in policies(config, plan, 1, "governance")
    engineer = policies(config, plan, 0, "governance")["PlatformEngineer"]["Properties"]
    statement, reading = engineer["Policies"][0]["PolicyDocument"]["Statement"]
    assert "arn:aws:iam::222222222222:role/cdk-one-deploy-role-222222222222-eu-west-1" in statement["Resource"]
    assert "arn:aws:iam::555555555555:role/cdk-two-deploy-role-555555555555-eu-west-1" in statement["Resource"]
    assert not any("cfn-exec-role" in arn for arn in statement["Resource"])
    assert reading["Action"] == ["ssm:GetParametersByPath"]


def test_who_deploys_writes_down_its_platforms() -> None:
    config, plan = two_sets()
    for index, prefix in enumerate(("one", "two")):
        record = policies(config, plan, index, "governance")["Record"]["Properties"]
        assert record["Name"] == f"/mlops-foundation/{prefix}"
        assert json.loads(record["Value"])["accounts"] == dict(plan.sets[index].accounts)
        assert "Record" not in policies(config, plan, index, "dev")


def test_who_signs_in_as_platform_engineer_is_in_the_configuration() -> None:
    person = "arn:aws:iam::999999999999:role/sso/Platform_*"
    config, plan = two_sets((person,))
    trust = policies(config, plan, 0, "governance")["PlatformEngineer"]["Properties"]["AssumeRolePolicyDocument"]
    conditions = {
        each["Principal"]["AWS"]: each["Condition"]["ArnLike"]["aws:PrincipalArn"] for each in trust["Statement"]
    }
    assert conditions == {
        f"arn:aws:iam::{GOVERNANCE}:root": [f"arn:aws:iam::{GOVERNANCE}:root"],
        "arn:aws:iam::999999999999:root": [person],
    }


def test_an_account_gets_the_rights_of_its_stacks_only() -> None:
    config, plan = two_sets()
    assert set(policies(config, plan, 0, "dev")) == {
        "ExecuteBase",
        "ExecuteNetwork",
        "ExecuteTargets",
        "ExecuteStudio",
        "ExecuteCatalog",
    }
    assert set(policies(config, plan, 0, "prod")) == {"ExecuteBase", "ExecuteNetwork", "ExecuteTargets"}


def test_the_toolkits_roles_are_the_sets_own() -> None:
    _, plan = two_sets()
    second = plan.sets[1]
    template = toolkit_template(second, second.foundation("dev"))
    assert template["Parameters"]["Qualifier"]["Default"] == "two"
    policies_attached = template["Resources"]["CloudFormationExecutionRole"]["Properties"]["ManagedPolicyArns"]
    assert policies_attached[0] == "arn:aws:iam::444444444444:policy/two/two-cfn-base"
    assert "TrustedAccounts" not in template["Parameters"]


def too_much(scope: Any) -> list[dict[str, Any]]:
    names = [scope.arn("sagemaker", f"endpoint/{index}") for index in range(200)]
    return [{"Sid": "TooMuch", "Effect": "Allow", "Action": ["sagemaker:DescribeEndpoint"], "Resource": names}]


def test_a_policy_over_the_limit_of_aws_is_refused_before_deploy() -> None:
    config, plan = two_sets()
    each = plan.sets[0]
    (network,) = (spec for spec in STACKS if spec.name == "network")
    wide = StackSpec(network.name, network.description, network.environments, network.builder, f"{__name__}:too_much")
    with pytest.raises(PlanError, match="one-cfn-network is too long"):
        policies_template(config, plan, each, each.foundation("prod"), (wide,))
