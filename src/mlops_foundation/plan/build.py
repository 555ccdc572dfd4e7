"""Config to Plan: which stacks each account gets, in which order.

Environments with the same account and region become one foundation, which gets every stack that any of them
needs, once.
"""

from collections.abc import Sequence
from dataclasses import replace

from mlops_foundation.config.models import AccountSet, Config
from mlops_foundation.core.errors import PluginError
from mlops_foundation.core.names import Environment, PlatformNames
from mlops_foundation.plan.check import check
from mlops_foundation.plan.foundations import Foundation, StackPlan, naming, stages_of
from mlops_foundation.plan.models import Plan, SetPlan, Settings
from mlops_foundation.plan.sharing import sharing
from mlops_foundation.plan.specs import ClaimScope, QuotaScope, StackSpec, TemplateSpec
from mlops_foundation.plan.workloads import workloads


def build(config: Config, stacks: Sequence[StackSpec], templates: Sequence[TemplateSpec]) -> Plan:
    """Plan the whole platform.

    Args:
        config: The checked configuration.
        stacks: Every stack there is, each after those it needs.
        templates: The project templates of the catalog.

    Raises:
        PlanError: When the plan cannot be deployed; with every reason.
        PluginError: When a stack needs one that is not before it.
    """
    _check_order(stacks)
    sets = tuple(_set_plan(config, each, stacks, templates) for each in config.sets)
    settings = Settings(config.studio, config.packages, config.source, config.sign_in, config.builds.in_vpc)
    plan = Plan(sets, tuple(templates), settings)
    check(config, plan)
    return plan


def _check_order(stacks: Sequence[StackSpec]) -> None:
    seen: set[str] = set()
    for spec in stacks:
        missing = [name for name in spec.needs if name not in seen]
        if missing:
            what = f"the stack {spec.name} needs {', '.join(missing)}, which is not before it"
            raise PluginError(
                what, "stacks/__init__.py", spec.name, "every stack after those it needs", "reorder STACKS"
            )
        seen.add(spec.name)


def _set_plan(
    config: Config, account_set: AccountSet, stacks: Sequence[StackSpec], templates: Sequence[TemplateSpec]
) -> SetPlan:
    region = config.region_of(account_set)
    names = PlatformNames(config.prefix_of(account_set))
    accounts = account_set.accounts.by_environment()
    foundations = []
    for account in dict.fromkeys(accounts.values()):
        environments = tuple(each for each, its_account in accounts.items() if its_account == account)
        place = _place(config, account_set, environments, templates)
        chosen = [
            spec
            for spec in stacks
            if {*spec.environments, *spec.also_in(config)} & set(environments) and spec.wanted(config)
        ]
        planned = tuple(_stack_plan(spec, place, names, {each.name for each in chosen}) for spec in chosen)
        foundations.append(replace(place, stacks=planned))
    shared = sharing(config.network.shared_endpoints, foundations)
    return SetPlan(account_set.name, names.prefix, region, accounts, tuple(foundations), shared)


def _place(
    config: Config,
    account_set: AccountSet,
    environments: tuple[Environment, ...],
    templates: Sequence[TemplateSpec],
) -> Foundation:
    """Return an account with what the configuration says of it, and no stacks yet."""
    account = account_set.accounts.by_environment()[environments[0]]
    name, in_vpc = naming(environments), config.builds.in_vpc
    return Foundation(
        environments,
        account,
        config.region_of(account_set),
        stacks=(),
        vpc=config.vpc_of(account_set, name),
        tags=config.tags_of(account_set, name),
        workloads=workloads(templates, stages_of(environments), config.packages.provider, builds_in_vpc=in_vpc),
    )


def _stack_plan(spec: StackSpec, place: Foundation, names: PlatformNames, present: set[str]) -> StackPlan:
    return StackPlan(
        name=spec.name,
        stack_name=names.stack(spec.name, place.name),
        description=spec.description,
        needs=tuple(name for name in spec.needs if name in present),
        exports=tuple(name.format(prefix=names.prefix) for name in spec.exports),
        builder=spec.builder,
        execution=spec.execution,
        keys=spec.keys,
        services=spec.services,
        claims=tuple(spec.claims(ClaimScope(names, place.account, place.region))),
        quotas=spec.quotas(QuotaScope(place.vpc, place.environments)),
        owner_first=spec.owner_first,
    )
