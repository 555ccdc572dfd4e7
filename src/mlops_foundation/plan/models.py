"""Frozen data: the plan, made of the stacks and templates that are in use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_foundation.config.models import SignIn, Source
from mlops_foundation.config.packages import Packages
from mlops_foundation.config.studio import Studio
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.core.names import Environment, PlatformNames
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.sharing import Sharing
from mlops_foundation.plan.specs import TemplateSpec


@dataclass(frozen=True)
class Settings:
    """What the configuration says of the whole platform, as stacks and products need it.

    Attributes:
        studio: The domain, its people and its switches.
        packages: Where builds and people install from.
        source: The branch that starts pipelines.
        sign_in: Who takes which persona's role.
        builds_in_vpc: Whether CodeBuild runs in the private subnets.
    """

    studio: Studio
    packages: Packages
    source: Source
    sign_in: SignIn
    builds_in_vpc: bool


@dataclass(frozen=True)
class SetPlan:
    """One set of accounts.

    Attributes:
        name: Of the set.
        prefix: First part of all names.
        region: Where it is.
        accounts: Its accounts by environment.
        foundations: What each account gets.
        sharing: Who owns the interface endpoints, when they are shared.
    """

    name: str
    prefix: str
    region: Region
    accounts: Mapping[Environment, AccountId]
    foundations: tuple[Foundation, ...]
    sharing: Sharing | None

    @property
    def names(self) -> PlatformNames:
        """Names of what the set's prefix owns."""
        return PlatformNames(self.prefix)

    def account(self, environment: Environment) -> AccountId:
        """Return the account of an environment.

        Raises:
            ConfigError: When the set has no governance account.
        """
        if environment not in self.accounts:
            raise ConfigError(
                f"the set {self.name} has no {environment} account: each account deploys itself",
                where=f"sets.{self.name}.accounts",
                expected=f"one of {', '.join(self.accounts)}",
                fix=f"name one of them, or add {environment}",
            )
        return self.accounts[environment]

    def engineer_account(self, account: AccountId) -> AccountId:
        """Return the account whose platform engineer deploys an account: governance, or itself where there is none."""
        return self.accounts.get("governance", account)

    def foundation_in(self, account: str) -> Foundation:
        """Return the foundation of an account."""
        return next(each for each in self.foundations if each.account == account)

    def foundation(self, environment: Environment) -> Foundation:
        """Return the foundation that serves an environment."""
        return next(each for each in self.foundations if environment in each.environments)


@dataclass(frozen=True)
class Plan:
    """Everything that will be made.

    Attributes:
        sets: The sets of accounts.
        templates: The project templates of the catalog.
        settings: What the configuration says of all of it.
    """

    sets: tuple[SetPlan, ...]
    templates: tuple[TemplateSpec, ...]
    settings: Settings

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data, with a fixed order of everything."""
        return {"sets": [_set_as_dict(each) for each in self.sets]}

    def lines(self) -> tuple[str, ...]:
        """Return one line for each stack and account, sorted by nothing but the plan itself: what a diff compares."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[str]:
        for each in self.sets:
            for foundation in each.foundations:
                place = f"{each.name} {'+'.join(foundation.environments)} {foundation.account} {foundation.region}"
                yield f"{place} bootstrap {each.names.toolkit_stack}"
                if foundation.has_vpc(each.sharing):
                    yield f"{place} VPC {_network(foundation)}"
                for stack in foundation.stacks:
                    yield f"{place} {stack.name} {stack.stack_name}"

    def diff(self, earlier: "Plan") -> tuple[str, ...]:
        """Return what an earlier plan did not have (``+``) and what this one has no more (``-``)."""
        before, after = earlier.lines(), self.lines()
        gone = [f"- {line}" for line in before if line not in after]
        return (*gone, *(f"+ {line}" for line in after if line not in before))


def _set_as_dict(each: SetPlan) -> dict[str, Any]:
    return {
        "name": each.name,
        "prefix": each.prefix,
        "region": each.region,
        "environments": [
            {
                "environments": list(foundation.environments),
                "account": foundation.account,
                "region": foundation.region,
                "toolkit_stack": each.names.toolkit_stack,
                "vpc": _network(foundation) if foundation.has_vpc(each.sharing) else None,
                "stacks": [
                    {
                        "name": stack.name,
                        "stack_name": stack.stack_name,
                        "description": stack.description,
                        "needs": list(stack.needs),
                        "exports": list(stack.exports),
                    }
                    for stack in foundation.stacks
                ],
            }
            for foundation in each.foundations
        ],
    }


def _network(foundation: Foundation) -> str:
    """Return what is planned of an account's network, in one line."""
    vpc = foundation.vpc
    if vpc.imported:
        return f"{vpc.imported.vpc_id} (imported)"
    zones = vpc.azs if isinstance(vpc.azs, int) else ", ".join(vpc.azs)
    sizes = f"zones {zones}, NAT gateways {vpc.nat_gateways}, endpoints {len(vpc.endpoints)}"
    return f"{vpc.cidr or 'without a block'}, {sizes}"
