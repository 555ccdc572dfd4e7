"""What the platform costs in a month in which nobody uses it, with own and with shared interface endpoints.

The counted resources follow from the configuration and the plan (``billable.py``), the figures from the dated table
(``prices.py``); nothing is asked of AWS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from mlops_foundation.config.models import Config
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import Environment
from mlops_foundation.plan.billable import Billable, Mode, billable, in_mode
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import Plan, SetPlan
from mlops_foundation.plan.prices import Prices, Resource
from mlops_foundation.plan.sharing import Sharing

NOT_INCLUDED: Final = (
    "traffic: gigabytes through NAT gateways, endpoints, peering and transit gateways, and between zones",
    "volume of the flow logs and of every other log",
    "Studio's apps, spaces and home directories",
    "model endpoints and training jobs",
    "builds and pipelines of projects, and the keys and buckets that projects make",
    "requests to KMS, and the first two yearly rotations of a key (each adds the price of a key)",
    "what S3 and CodeArtifact hold (empty they cost nothing), and tax",
)
"""What AWS charges for by use."""


@dataclass(frozen=True)
class ResourceCost:
    """Some of one kind of resource and their price."""

    billable: Billable
    monthly: Decimal

    @property
    def resource(self) -> Resource:
        """Which kind."""
        return self.billable.resource


@dataclass(frozen=True)
class AccountCost:
    """One account in one mode.

    Attributes:
        environments: The environments it serves.
        account: Account id.
        region: Region.
        imported: Whether its VPC is imported, so that nothing of the network is ours to pay.
        resources: What is charged for.
    """

    environments: tuple[Environment, ...]
    account: AccountId
    region: Region
    imported: bool
    resources: tuple[ResourceCost, ...]

    @property
    def monthly(self) -> Decimal:
        """What all of it costs."""
        return sum((each.monthly for each in self.resources), Decimal(0))

    def find(self, resource: Resource) -> ResourceCost | None:
        """Return what the account has of a kind of resource."""
        return next((each for each in self.resources if each.resource == resource), None)


@dataclass(frozen=True)
class ModeCost:
    """All accounts of a set in one mode; ``sharing`` says who owns the endpoints when they are shared."""

    mode: Mode
    sharing: Sharing | None
    accounts: tuple[AccountCost, ...]

    @property
    def monthly(self) -> Decimal:
        """What all accounts cost together."""
        return sum((each.monthly for each in self.accounts), Decimal(0))


@dataclass(frozen=True)
class ProjectCost:
    """What one project of a template adds while nobody uses it: its keys.

    Attributes:
        template: Name of the template.
        keys: What each key encrypts.
        monthly: What they cost.
    """

    template: str
    keys: tuple[str, ...]
    monthly: Decimal


@dataclass(frozen=True)
class SetCost:
    """One set in both modes.

    Attributes:
        name: Of the set.
        configured: The mode that the configuration chooses.
        modes: Own endpoints, then shared ones; only the first when there are no two VPCs of ours to share them.
        projects: What one project of each template adds, which no mode includes.
    """

    name: str
    configured: Mode
    modes: tuple[ModeCost, ...]
    projects: tuple[ProjectCost, ...]

    @property
    def difference(self) -> Decimal | None:
        """What the other mode would cost more than the configured one; None when there is no other."""
        if len(self.modes) == 1:
            return None
        by_mode = {each.mode: each.monthly for each in self.modes}
        other: Mode = "shared" if self.configured == "own" else "own"
        return by_mode[other] - by_mode[self.configured]


@dataclass(frozen=True)
class Cost:
    """The monthly idle figure of every set, with the table it was made from."""

    prices: Prices
    sets: tuple[SetCost, ...]

    @property
    def unconfirmed(self) -> tuple[tuple[Resource, Region], ...]:
        """Prices in these figures that were found in no source."""
        used = dict.fromkeys(
            (line.resource, account.region)
            for each in self.sets
            for mode in each.modes
            for account in mode.accounts
            for line in account.resources
        )
        return tuple((name, region) for name, region in used if region in self.prices.prices[name].unconfirmed)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON data."""
        return {
            "date": self.prices.date.isoformat(),
            "currency": self.prices.currency,
            "hours_per_month": self.prices.hours_per_month,
            "unconfirmed": [{"resource": name, "region": region} for name, region in self.unconfirmed],
            "not_included": list(NOT_INCLUDED),
            "sets": [_set_as_dict(each, self.prices) for each in self.sets],
        }


def cost(config: Config, plan: Plan, prices: Prices) -> Cost:
    """Count and price what the platform has when nobody uses it.

    Raises:
        PlanError: When the table has no prices for a region.
    """
    for each in plan.sets:
        prices.require(each.region, f"region of the set {each.name}")
    return Cost(prices, tuple(_set_cost(config, plan, each, prices) for each in plan.sets))


def _set_cost(config: Config, plan: Plan, set_plan: SetPlan, prices: Prices) -> SetCost:
    shared = in_mode(config, "shared", set_plan)
    modes = [ModeCost("own", None, _accounts(set_plan, None, prices))]
    if shared is not None:
        modes.append(ModeCost("shared", shared, _accounts(set_plan, shared, prices)))
    chosen = shared is not None and config.network.shared_endpoints is not None
    projects = tuple(
        ProjectCost(each.name, each.keys, prices.monthly("kms_key", len(each.keys), set_plan.region))
        for each in plan.templates
    )
    return SetCost(set_plan.name, "shared" if chosen else "own", tuple(modes), projects)


def _accounts(set_plan: SetPlan, shared: Sharing | None, prices: Prices) -> tuple[AccountCost, ...]:
    return tuple(_account(each, shared, prices) for each in set_plan.foundations)


def _account(foundation: Foundation, shared: Sharing | None, prices: Prices) -> AccountCost:
    return AccountCost(
        foundation.environments,
        foundation.account,
        foundation.region,
        foundation.has_vpc(shared) and foundation.vpc.imported is not None,
        _priced(billable(foundation, shared), foundation.region, prices),
    )


def _priced(found: Sequence[Billable], region: Region, prices: Prices) -> tuple[ResourceCost, ...]:
    return tuple(ResourceCost(each, prices.monthly(each.resource, each.count, region)) for each in found)


def _set_as_dict(each: SetCost, prices: Prices) -> dict[str, Any]:
    return {
        "name": each.name,
        "configured": each.configured,
        "difference": None if each.difference is None else float(each.difference),
        "projects": [
            {"template": project.template, "keys": list(project.keys), "monthly": float(project.monthly)}
            for project in each.projects
        ],
        "modes": [
            {
                "mode": mode.mode,
                "shared_endpoints": mode.sharing.settings.model_dump(mode="json") if mode.sharing else None,
                "monthly": float(mode.monthly),
                "accounts": [_account_as_dict(account, prices) for account in mode.accounts],
            }
            for mode in each.modes
        ],
    }


def _account_as_dict(account: AccountCost, prices: Prices) -> dict[str, Any]:
    return {
        "environments": list(account.environments),
        "account": account.account,
        "region": account.region,
        "imported": account.imported,
        "monthly": float(account.monthly),
        "resources": [
            {
                "resource": line.resource,
                "detail": line.billable.detail,
                "count": line.billable.count,
                "unit": prices.prices[line.resource].unit,
                "usd_per_unit": float(prices.prices[line.resource].usd[account.region]),
                "monthly": float(line.monthly),
            }
            for line in account.resources
        ],
    }
