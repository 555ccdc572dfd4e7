"""Both modes of a set beside each other, line by line: what the terminal and the documentation show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from mlops_foundation.plan.billable import Mode
from mlops_foundation.plan.cost import AccountCost, ModeCost, SetCost
from mlops_foundation.plan.prices import Prices, Resource

IMPORTED: Final = "Imported VPC: costs nothing of ours"


@dataclass(frozen=True)
class Amount:
    """How many, and what they cost in a month; ``count`` is empty in a sum."""

    monthly: Decimal
    count: int | None = None


@dataclass(frozen=True)
class CostLine:
    """One line of the table.

    Attributes:
        environments: Whose, joined by ``+``; ``all`` in the sum of the set.
        account: Account id; empty in the sum of the set.
        resource: What is charged for; empty in a sum.
        detail: What they are, where the kind does not say it.
        price: Of one, with its unit.
        amounts: By mode; a mode in which there are none is missing.
    """

    environments: str
    account: str
    resource: str
    detail: str
    price: str
    amounts: Mapping[Mode, Amount]

    @property
    def is_sum(self) -> bool:
        """Whether the line sums up others."""
        return not self.resource


def cost_lines(each: SetCost, prices: Prices) -> tuple[CostLine, ...]:
    """Return the lines of a set: for each account its resources and their sum, then the sum of all."""
    lines = [line for index in range(len(each.modes[0].accounts)) for line in _account(each.modes, index, prices)]
    total = {mode.mode: Amount(mode.monthly) for mode in each.modes}
    return (*lines, CostLine("all", "", "", "", "", total))


def title(mode: ModeCost, configured: Mode) -> str:
    """Return what a mode is called: who owns the endpoints, how they are reached, and whether it is configured."""
    what = "own endpoints"
    if mode.sharing:
        settings = mode.sharing.settings
        what = f"shared by {settings.owner}, {settings.connection.replace('_', ' ')}"
    return f"{what} (configured)" if mode.mode == configured else what


def _account(modes: tuple[ModeCost, ...], index: int, prices: Prices) -> Iterator[CostLine]:
    accounts = {mode.mode: mode.accounts[index] for mode in modes}
    first = next(iter(accounts.values()))
    environments = "+".join(first.environments)
    for resource in prices.prices:
        found = {mode: line for mode, account in accounts.items() if (line := account.find(resource))}
        if found:
            detail = next((line.billable.detail for line in found.values() if line.billable.detail), "")
            amounts = {mode: Amount(line.monthly, line.billable.count) for mode, line in found.items()}
            what, price = prices.prices[resource].what, _price(first, resource, prices)
            yield CostLine(environments, first.account, what, detail, price, amounts)
    if first.imported:
        nothing = {mode: Amount(Decimal("0.00")) for mode in accounts}
        yield CostLine(environments, first.account, IMPORTED, "", "", nothing)
    sums = {mode: Amount(account.monthly) for mode, account in accounts.items()}
    yield CostLine(environments, first.account, "", "", "", sums)


def _price(account: AccountCost, resource: Resource, prices: Prices) -> str:
    price = prices.prices[resource]
    return f"{price.usd[account.region].normalize():f}/{price.unit}"
