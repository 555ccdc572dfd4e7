"""The stack before the toolkit: scoped execution policies, and in an account that deploys, its platform engineer."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mlops_foundation.config.models import SignIn
from mlops_foundation.constructs.bootstrap.packing import ExecutionPolicy, pack
from mlops_foundation.constructs.execution import ExecutionScope, Statement, may
from mlops_foundation.core.arns import Arn, RoleArn
from mlops_foundation.core.errors import PlanError, Problem
from mlops_foundation.core.names import PLATFORM_RECORDS, persona_role, role_arn
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import Plan, SetPlan
from mlops_foundation.plan.specs import load_builder

TEMPLATE_MAX: Final = 51_200
"""Characters of a template that is sent as it is: before the bootstrap there is no bucket to send it from."""
_ASSUMED: Final = ("deploy-role", "file-publishing-role", "lookup-role")
_NONE: Final[Mapping[str, str]] = {}
_INLINE: Final = {
    "NIST.800.53.R5-IAMNoInlinePolicy": "The policy belongs to this one role, and comes and goes with it."
}
_BY_PATTERN: Final = (
    "CloudFormation deploys what does not exist yet: resources are named by pattern in this account and region, and "
    "reading actions that know no resource are limited to the region."
)


def policies_template(plan: Plan, set_plan: SetPlan, foundation: Foundation) -> dict[str, Any]:
    """Return the template of one account's policies.

    Args:
        plan: The whole plan: who may sign in as platform engineer, and every set that the governance account deploys.
        set_plan: The set of accounts.
        foundation: The account.

    Raises:
        PlanError: When its policies are more, or longer, than AWS allows.
    """
    names = set_plan.names
    policies = execution_policies(set_plan, foundation)
    resources = {f"Execution{number}": _managed_policy(each) for number, each in enumerate(policies, start=1)}
    if _makes_engineer(plan, set_plan, foundation):
        resources["PlatformEngineer"] = _platform_engineer(plan, foundation)
    if set_plan.engineer_account(foundation.account) == foundation.account:
        resources["Record"] = _record(set_plan)
    if not resources:
        # CloudFormation takes no template without resources; the account only signs in elsewhere.
        resources["Nothing"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"What CloudFormation may do in this account for {names.prefix}; deploy before the toolkit",
        "Resources": resources,
    }


def execution_policies(set_plan: SetPlan, foundation: Foundation) -> tuple[ExecutionPolicy, ...]:
    """Return what CloudFormation may do in one account, in as few managed policies as hold it.

    Args:
        set_plan: The set of accounts.
        foundation: The account.

    Raises:
        PlanError: When they are more, or longer, than AWS allows.
    """
    imported = foundation.vpc.imported
    role = RoleArn(imported.execution_role_arn) if imported and imported.execution_role_arn else None
    scope = ExecutionScope(set_plan.names, foundation.account, foundation.region, role, set_plan.sharing)
    needs = {stack.name: load_builder(stack.execution, f"the stack {stack.name}") for stack in foundation.stacks}
    files = {name: f"{each.__code__.co_filename}:{each.__code__.co_firstlineno}" for name, each in needs.items()}
    return pack(set_plan.names, foundation.account, _executions(scope, needs), {"base": __file__, **files})


def check_bootstrap(plan: Plan) -> None:
    """Check what every account's bootstrap would hold against AWS's limits.

    Raises:
        PlanError: With everything that is too much.
    """
    problems: list[Problem] = []
    for set_plan in plan.sets:
        for foundation in set_plan.foundations:
            try:
                _check_template(policies_template(plan, set_plan, foundation), set_plan, foundation)
            except PlanError as error:
                problems += error.problems
    if problems:
        raise PlanError("the bootstrap would hold more than AWS allows", problems=problems)


def _check_template(template: Mapping[str, Any], set_plan: SetPlan, foundation: Foundation) -> None:
    length = len(json.dumps(template, separators=(",", ":")))
    if length > TEMPLATE_MAX:
        raise PlanError(
            f"the template {set_plan.names.bootstrap_policies_stack} is too long",
            where=f"set {set_plan.name}, account {foundation.account}",
            got=f"{length} characters, for {', '.join(stack.name for stack in foundation.stacks)}",
            expected=f"at most {TEMPLATE_MAX}",
            fix="give the account fewer stacks, or write their rights shorter",
        )


def _executions(
    scope: ExecutionScope, needs: Mapping[str, Callable[[ExecutionScope], list[Statement]]]
) -> dict[str, list[Statement]]:
    if not needs:
        return {}
    chosen = {name: statements(scope) for name, statements in needs.items()}
    version = scope.arn("ssm", f"parameter/cdk-bootstrap/{scope.names.qualifier}/version")
    read = may(
        "ReadParameters", ["ssm:GetParameter", "ssm:GetParameters"], [version, scope.arn("ssm", "parameter/vpc/*")]
    )
    return {"base": [read], **chosen}


def _managed_policy(policy: ExecutionPolicy) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Metadata": _acknowledged(_wildcards(policy.statements), _BY_PATTERN),
        "Properties": {
            "ManagedPolicyName": policy.name,
            "Path": policy.path,
            # The description of a managed policy cannot be changed, so it names no stack: stacks come and go.
            "Description": "What CloudFormation may do to deploy the platform's stacks",
            "PolicyDocument": policy.document,
        },
    }


def _makes_engineer(plan: Plan, set_plan: SetPlan, foundation: Foundation) -> bool:
    """One role for each account and region that deploys others or itself, made by the first set that has it."""
    place = (foundation.account, foundation.region)
    first = next((each.name for each in plan.sets for home, _ in _deployed_from(each) if home == place), "")
    return first == set_plan.name


def _record(set_plan: SetPlan) -> dict[str, Any]:
    """What the platform is, beside who deploys it: how a later deployment notices that a set is gone."""
    value = {"set": set_plan.name, "region": set_plan.region, "accounts": dict(set_plan.accounts)}
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": set_plan.names.record_parameter,
            "Type": "String",
            "Value": json.dumps(value, sort_keys=True),
            "Description": f"The platform with the prefix {set_plan.prefix}",
        },
    }


def _deployed_from(each: SetPlan) -> list[tuple[tuple[str, str], str]]:
    """Return the accounts of a set, each after the account and region of the platform engineer who deploys it."""
    accounts = dict.fromkeys(each.accounts.values())
    return [((each.engineer_account(account), each.region), account) for account in accounts]


def _platform_engineer(plan: Plan, foundation: Foundation) -> dict[str, Any]:
    place = (foundation.account, foundation.region)
    cdk_roles = [
        role_arn(account, each.names.cdk_role(kind, account, each.region))
        for each in plan.sets
        for home, account in _deployed_from(each)
        if home == place
        for kind in _ASSUMED
    ]
    records = f"arn:aws:ssm:{foundation.region}:{foundation.account}:parameter{PLATFORM_RECORDS.rstrip('/')}"
    people = _sign_in(plan.settings.sign_in, foundation)
    reading = may("Records", ["ssm:GetParametersByPath"], [records, f"{records}/*"])
    return {
        "Type": "AWS::IAM::Role",
        "Metadata": _acknowledged(
            _wildcards([reading]), "One record for each platform that this account deploys.", _INLINE
        ),
        "Properties": {
            "RoleName": persona_role("platform-engineer", foundation.region, foundation.account),
            "Description": "Deploys the platform to all accounts, through the roles of the CDK",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": people},
            "Policies": [
                {
                    "PolicyName": "deploy",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            may("CdkRoles", ["sts:AssumeRole"], cdk_roles),
                            reading,
                        ],
                    },
                }
            ],
        },
    }


def _sign_in(sign_in: SignIn, foundation: Foundation) -> list[Statement]:
    """The account's root session and the listed people; see ``stacks/studio/signin.py`` for the reasons."""
    by_account: dict[str, list[str]] = {foundation.account: [f"arn:aws:iam::{foundation.account}:root"]}
    for arn in sign_in.principals.get("platform-engineer", ()):
        by_account.setdefault(Arn.parse(arn).account, []).append(arn)
    return [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:PrincipalArn": arns}},
        }
        for account, arns in by_account.items()
    ]


def _wildcards(statements: Sequence[Statement]) -> list[str]:
    found = [f"Action::{action}" for each in statements for action in each["Action"] if "*" in action]
    found += [f"Resource::{resource}" for each in statements for resource in each["Resource"] if "*" in resource]
    return [f"AwsSolutions-IAM5[{finding}]" for finding in dict.fromkeys(found)]


def _acknowledged(rules: Sequence[str], reason: str, more: Mapping[str, str] = _NONE) -> Mapping[str, Any]:
    """cdk-nag's own form of an acknowledgement in a template, for the audit trail."""
    reasons = {**dict.fromkeys(rules, reason), **more}
    return {"cdk_nag": {"rules_to_suppress": [{"id": rule, "reason": why} for rule, why in reasons.items()]}}
