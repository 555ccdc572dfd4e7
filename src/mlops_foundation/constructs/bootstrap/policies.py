"""The stack before the toolkit: scoped execution policies, and in an account that deploys, its platform engineer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlops_foundation.config.models import Config
from mlops_foundation.constructs.execution import ExecutionScope, Statement, may
from mlops_foundation.core.arns import Arn, RoleArn
from mlops_foundation.core.errors import PlanError
from mlops_foundation.core.names import PLATFORM_RECORDS, PlatformNames, persona_role, role_arn
from mlops_foundation.plan.models import Foundation, Plan, SetPlan, StackSpec, load_builder
from mlops_foundation.plan.sharing import sharing

POLICY_MAX: Final = 6144
"""Characters of a managed policy, white space not counted."""
_ASSUMED: Final = ("deploy-role", "file-publishing-role", "lookup-role")
_NONE: Final[Mapping[str, str]] = {}
_INLINE: Final = {
    "NIST.800.53.R5-IAMNoInlinePolicy": "The policy belongs to this one role, and comes and goes with it."
}
_BY_PATTERN: Final = (
    "CloudFormation deploys what does not exist yet: resources are named by pattern in this account and region, and "
    "reading actions that know no resource are limited to the region."
)


def policies_template(
    config: Config, plan: Plan, set_plan: SetPlan, foundation: Foundation, specs: Sequence[StackSpec]
) -> dict[str, Any]:
    """Return the template of one account's policies.

    Args:
        config: Names who may sign in as platform engineer.
        plan: The whole plan: the platform engineer reaches every set that the governance account deploys.
        set_plan: The set of accounts.
        foundation: The account.
        specs: Every stack there is.

    Raises:
        PlanError: When a policy is longer than AWS allows.
    """
    names = set_plan.names
    imported = config.vpc_of(config.account_set(set_plan.name), foundation.name).imported
    role = RoleArn(imported.execution_role_arn) if imported and imported.execution_role_arn else None
    scope = ExecutionScope(names, foundation.account, foundation.region, role, sharing(config, set_plan))
    resources = {
        f"Execute{stack.title()}": _managed_policy(names, f"cfn-{stack}", statements)
        for stack, statements in _executions(scope, foundation, specs).items()
    }
    if _makes_engineer(plan, set_plan, foundation):
        resources["PlatformEngineer"] = _platform_engineer(config, plan, foundation)
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


def execution_policy_arns(names: PlatformNames, foundation: Foundation) -> list[str]:
    """Return the ARNs of an account's execution policies, in the order of its stacks."""
    if not foundation.stacks:
        return []
    stacks = ("base", *(stack.name for stack in foundation.stacks))
    path = f"arn:aws:iam::{foundation.account}:policy{names.role_path}"
    return [f"{path}{names.prefix}-cfn-{stack}" for stack in stacks]


def _executions(
    scope: ExecutionScope, foundation: Foundation, specs: Sequence[StackSpec]
) -> dict[str, list[Statement]]:
    if not foundation.stacks:
        return {}
    planned = {stack.name for stack in foundation.stacks}
    chosen = {
        spec.name: load_builder(spec.execution, f"the stack {spec.name}")(scope)
        for spec in specs
        if spec.name in planned
    }
    version = scope.arn("ssm", f"parameter/cdk-bootstrap/{scope.names.qualifier}/version")
    read = may(
        "ReadParameters", ["ssm:GetParameter", "ssm:GetParameters"], [version, scope.arn("ssm", "parameter/vpc/*")]
    )
    return {"base": [read], **chosen}


def _managed_policy(names: PlatformNames, name: str, statements: list[Statement]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": statements}
    length = len(json.dumps(document, separators=(",", ":")))
    if length > POLICY_MAX:
        what = f"the execution policy {names.prefix}-{name} is too long"
        raise PlanError(what, name, f"{length} characters", f"at most {POLICY_MAX}", "split the stack's rights")
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Metadata": _acknowledged(_wildcards(statements), _BY_PATTERN),
        "Properties": {
            "ManagedPolicyName": f"{names.prefix}-{name}",
            "Path": names.role_path,
            "Description": f"What CloudFormation may do to deploy {name.removeprefix('cfn-')}",
            "PolicyDocument": document,
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


def _platform_engineer(config: Config, plan: Plan, foundation: Foundation) -> dict[str, Any]:
    place = (foundation.account, foundation.region)
    cdk_roles = [
        role_arn(account, each.names.cdk_role(kind, account, each.region))
        for each in plan.sets
        for home, account in _deployed_from(each)
        if home == place
        for kind in _ASSUMED
    ]
    records = f"arn:aws:ssm:{foundation.region}:{foundation.account}:parameter{PLATFORM_RECORDS.rstrip('/')}"
    reading = may("Records", ["ssm:GetParametersByPath"], [records, f"{records}/*"])
    return {
        "Type": "AWS::IAM::Role",
        "Metadata": _acknowledged(
            _wildcards([reading]), "One record for each platform that this account deploys.", _INLINE
        ),
        "Properties": {
            "RoleName": persona_role("platform-engineer", foundation.region, foundation.account),
            "Description": "Deploys the platform to all accounts, through the roles of the CDK",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": _sign_in(config, foundation)},
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


def _sign_in(config: Config, foundation: Foundation) -> list[Statement]:
    """The account's root session and the listed people; see ``stacks/studio/signin.py`` for the reasons."""
    by_account: dict[str, list[str]] = {foundation.account: [f"arn:aws:iam::{foundation.account}:root"]}
    for arn in config.sign_in.principals.get("platform-engineer", ()):
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
