"""What would fail at deploy, said before synth: shared accounts, missing parts, names over AWS's limits."""

from collections.abc import Iterator
from itertools import combinations

from mlops_foundation.config.models import AccountSet, Config, StageSettings
from mlops_foundation.config.packages import CODEARTIFACT_REGIONS
from mlops_foundation.core.errors import PlanError, Problem
from mlops_foundation.core.names import (
    BUCKET_NAME_MAX,
    PERSONAS,
    ROLE_NAME_MAX,
    Stage,
    persona_role,
)
from mlops_foundation.plan.check_templates import check_rights, check_templates
from mlops_foundation.plan.check_vpcs import check_vpcs
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import Plan, SetPlan

STACK_NAME_MAX = 128


def check(config: Config, plan: Plan) -> None:
    """Check a plan against its configuration.

    Raises:
        PlanError: With every reason why it cannot be deployed.
    """
    problems = [
        *_shared_accounts(plan),
        *(problem for each in plan.sets for problem in _stages(config, each)),
        *_long_names(plan),
        *_templates(plan),
    ]
    if problems:
        what = f"the plan has {len(problems)} error{'s' if len(problems) > 1 else ''}"
        raise PlanError(what, problems=problems)


def _stages(config: Config, each: SetPlan) -> Iterator[Problem]:
    account_set = config.account_set(each.name)
    for foundation in each.foundations:
        for stage in foundation.stages:
            yield from _own_settings(account_set, foundation, stage)
            yield from _imported(account_set, foundation, stage)
    yield from check_vpcs(config, each)
    yield from _package_index(config, each)


def _package_index(config: Config, each: SetPlan) -> Iterator[Problem]:
    dev = each.foundation("dev").vpc
    if config.packages.private and each.region not in CODEARTIFACT_REGIONS:
        yield Problem(
            what="CodeArtifact is not in this region",
            where=f"set {each.name}, packages.provider",
            got=each.region,
            expected=f"one of {', '.join(sorted(CODEARTIFACT_REGIONS))}",
            fix="set packages.provider to public with a NAT gateway, or use another region",
        )
    if dev.nat_gateways == 0 and not dev.imported and config.builds.in_vpc and not config.packages.private:
        yield Problem(
            what="without a NAT gateway in dev, builds cannot reach the public package index",
            where=f"set {each.name}, dev",
            got=f"nat_gateways: 0, packages.provider: {config.packages.provider}",
            expected="1 to 3 NAT gateways, or a private package index",
            fix="set packages.provider to codeartifact, or network.nat_gateways to 1",
        )


def _own_settings(account_set: AccountSet, foundation: Foundation, stage: Stage) -> Iterator[Problem]:
    """Stages in one account and region share its network and tags: only the first one's settings count."""
    own, used = account_set.settings(stage), account_set.settings(foundation.name)
    if own not in (StageSettings(), used):
        yield Problem(
            what=f"{stage} has settings of its own, but shares its account and region with {foundation.name}",
            where=f"sets.{account_set.name}.stages.{stage}",
            got=", ".join(sorted(own.model_fields_set)),
            expected=f"one network and one set of tags in account {foundation.account}",
            fix=f"remove them, or move them to {foundation.name}",
        )


def _imported(account_set: AccountSet, foundation: Foundation, stage: Stage) -> Iterator[Problem]:
    imported = account_set.settings(stage).network.imported
    if imported and imported.execution_role_arn and "dev" not in foundation.environments:
        yield Problem(
            what="an execution role is imported where no Studio is",
            where=f"sets.{account_set.name}.stages.{stage}.network.import.execution_role_arn",
            got=imported.execution_role_arn,
            expected="in dev only",
            fix="remove it, or move it to dev",
        )


def _shared_accounts(plan: Plan) -> Iterator[Problem]:
    for first, second in combinations(plan.sets, 2):
        shared = set(first.accounts.values()) & set(second.accounts.values())
        where = f"sets {first.name}, {second.name}"
        if shared and first.prefix == second.prefix:
            yield Problem(
                what="two sets that share an account have the same prefix",
                where=where,
                got=f"{', '.join(sorted(shared))} with the prefix {first.prefix}",
                expected="a prefix of its own for each",
                fix=f"set prefix: in the set {second.name}",
            )
        both = _places(first) & _places(second)
        if both:
            yield Problem(
                what="two sets have stacks in the same account and region",
                where=where,
                got=", ".join(sorted(both)),
                expected="one network and one Studio domain in each account and region (/vpc/id has no prefix)",
                fix=f"give the set {second.name} other accounts or another region; governance may be shared",
            )


def _places(each: SetPlan) -> set[str]:
    """Return the accounts, with their region, that hold stacks of a set."""
    return {f"{foundation.account} in {foundation.region}" for foundation in each.foundations if foundation.stacks}


def _templates(plan: Plan) -> Iterator[Problem]:
    """Yield what is wrong with the templates: their rights only where everything else is right, each problem once."""
    wrong = list(check_templates(plan.templates))
    rights = (problem for each in plan.sets for problem in check_rights(plan.templates, each))
    yield from wrong or dict.fromkeys(rights)


def _long_names(plan: Plan) -> Iterator[Problem]:
    for each in plan.sets:
        for kind, name, limit in _names(each):
            if len(name) > limit:
                yield Problem(
                    what=f"the name of a {kind} is too long",
                    where=f"set {each.name}",
                    got=f"{name} ({len(name)} characters)",
                    expected=f"at most {limit} characters",
                    fix="use a shorter prefix",
                )


def _names(each: SetPlan) -> Iterator[tuple[str, str, int]]:
    names = each.names
    for account in dict.fromkeys(each.accounts.values()):
        yield "bucket", names.asset_bucket(account, each.region), BUCKET_NAME_MAX
        for kind in ("deploy-role", "file-publishing-role", "lookup-role", "cfn-exec-role"):
            yield "role", names.cdk_role(kind, account, each.region), ROLE_NAME_MAX
    for persona in PERSONAS:
        # The length of an account id is the same everywhere.
        yield "role", persona_role(persona, each.region, each.accounts["dev"]), ROLE_NAME_MAX
    for name in (names.launch_role, names.deploy_action_role, names.deploy_execution_role):
        yield "role", name, ROLE_NAME_MAX
    for foundation in each.foundations:
        for stack in foundation.stacks:
            yield "stack", stack.stack_name, STACK_NAME_MAX
