"""What would fail at deploy, said before synth: shared accounts, missing parts, names over AWS's limits."""

from collections.abc import Iterator
from itertools import combinations

from mlops_foundation.config.models import Config
from mlops_foundation.core.errors import PlanError, Problem
from mlops_foundation.core.names import (
    BUCKET_NAME_MAX,
    PERSONAS,
    ROLE_NAME_MAX,
    STAGES,
    Environment,
    persona_role,
)
from mlops_foundation.plan.models import Plan, SetPlan

STACK_NAME_MAX = 128


def check(config: Config, plan: Plan) -> None:
    """Check a plan against its configuration.

    Raises:
        PlanError: With every reason why it cannot be deployed.
    """
    problems = [*_not_in_this_version(config), *_shared_accounts(plan), *_long_names(plan)]
    if problems:
        what = f"the plan has {len(problems)} error{'s' if len(problems) > 1 else ''}"
        raise PlanError(what, problems=problems)


def _not_in_this_version(config: Config) -> Iterator[Problem]:
    if config.network.imported:
        yield Problem(
            what="importing an existing VPC is not in this version",
            where="network.import",
            got=", ".join(config.network.imported),
            expected="a VPC made by the platform",
            fix="remove network.import and set network.cidr",
        )
    if config.network.nat_gateways == 0:
        yield Problem(
            what="without a NAT gateway, builds and jobs cannot reach a package index",
            where="network.nat_gateways",
            got="0",
            expected="1 to 3; 0 needs a private package index, which is not in this version",
            fix="set network.nat_gateways to 1",
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
        both = _stage_accounts(first) & _stage_accounts(second)
        if both and first.region == second.region:
            yield Problem(
                what="two sets have stages in the same account and region",
                where=where,
                got=f"{', '.join(sorted(both))} in {first.region}",
                expected="one network and one Studio domain in each account and region (/vpc/id has no prefix)",
                fix=f"give the set {second.name} other accounts or another region; governance may be shared",
            )


def _stage_accounts(each: SetPlan) -> set[str]:
    return {each.accounts[stage] for stage in STAGES}


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
        environment: Environment = "governance" if persona == "platform-engineer" else "dev"
        yield "role", persona_role(persona, each.region, each.accounts[environment]), ROLE_NAME_MAX
    for name in (names.launch_role, names.deploy_action_role, names.deploy_execution_role):
        yield "role", name, ROLE_NAME_MAX
    for foundation in each.foundations:
        for stack in foundation.stacks:
            yield "stack", stack.stack_name, STACK_NAME_MAX
