"""Write the tables of ``docs/cost.md`` from the example configuration, with own endpoints, and the package's prices.

    python tools/cost.py

``tests/test_docs.py`` fails when the page differs from what this would write.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import marked

from mlops_foundation.config import Config
from mlops_foundation.config.network import SharedEndpoints
from mlops_foundation.plan import build
from mlops_foundation.plan.cost import NOT_INCLUDED, Cost, SetCost, cost
from mlops_foundation.plan.cost_table import CostLine, cost_lines, title
from mlops_foundation.plan.prices import Prices, load_prices
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.plan import load_and_plan

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
CHOICES = (
    SharedEndpoints(owner="governance"),
    SharedEndpoints(owner="dev"),
    SharedEndpoints(owner="governance", connection="transit_gateway", transit_gateway_id="tgw-12345678"),
)
"""Ways to share that are set against endpoints of each VPC's own."""


def render() -> str:
    """Return the figures of the default configuration, the other ways to share, and the prices."""
    config, prices = _default(), load_prices()
    (own,) = _cost(config, prices).sets
    return "\n".join(
        [
            "## The default configuration, by account and resource",
            "",
            f"{config.region}, USD a month of {prices.hours_per_month} hours, list prices of {prices.date}.",
            "",
            *_accounts(own, prices),
            "",
            "## Ways to share",
            "",
            *_choices(config, own, prices),
            "",
            "## One project",
            "",
            "| template | keys | USD a month without use |",
            "|---|---|---:|",
            *(f"| `{each.template}` | {'; '.join(each.keys)} | {each.monthly} |" for each in own.projects),
            "",
            "## Not included",
            "",
            *(f"- {each}" for each in NOT_INCLUDED),
            "",
            "## Prices",
            "",
            *_prices(prices),
        ]
    )


def _default() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlops.yaml"
        write_config(path, Answers())
        return load_and_plan(path)[0]


def _cost(config: Config, prices: Prices) -> Cost:
    return cost(config, build(config, STACKS, TEMPLATES), prices)


def _accounts(own: SetCost, prices: Prices) -> Iterator[str]:
    names = [title(mode, own.configured) for mode in own.modes]
    yield "| environment | resource | USD | " + " | ".join(f"{name}: count | USD a month" for name in names) + " |"
    yield "|---|---|---|" + "---:|---:|" * len(names)
    for line in cost_lines(own, prices):
        yield "| " + " | ".join(_cells(line, own)) + " |"


def _cells(line: CostLine, own: SetCost) -> Iterator[str]:
    what = f"{line.resource}: {line.detail}" if line.detail else line.resource
    yield from (line.environments, "**sum**" if line.is_sum else what, line.price)
    for mode in own.modes:
        amount = line.amounts.get(mode.mode)
        yield "" if amount is None or amount.count is None else str(amount.count)
        figure = "" if amount is None else f"{amount.monthly:,.2f}"
        yield f"**{figure}**" if line.is_sum else figure


def _choices(config: Config, own: SetCost, prices: Prices) -> Iterator[str]:
    environments = ["+".join(account.environments) for account in own.modes[0].accounts]
    yield f"| interface endpoints | {' | '.join(environments)} | all |"
    yield "|---|" + "---:|" * (len(environments) + 1)
    modes = [own.modes[0]]
    for choice in CHOICES:
        network = config.network.model_copy(update={"shared_endpoints": choice})
        (shared,) = _cost(config.model_copy(update={"network": network}), prices).sets
        modes.append(shared.modes[1])
    for mode in modes:
        figures = [f"{each.monthly:,.2f}" for each in (*mode.accounts, mode)]
        yield f"| {title(mode, own.configured)} | {' | '.join(figures)} |"


def _prices(prices: Prices) -> Iterator[str]:
    yield f"| resource | unit | {' | '.join(prices.regions)} | AWS page |"
    yield "|---|---|" + "---:|" * len(prices.regions) + "---|"
    for price in prices.prices.values():
        unit: str = price.unit
        if price.beyond:
            unit += f"; beyond {price.beyond.count} in an account {price.beyond.usd}"
        figures = [
            f"{usd.normalize():f}" + (" *" if region in price.unconfirmed else "") for region, usd in price.usd.items()
        ]
        yield f"| {price.what} | {unit} | {' | '.join(figures)} | {price.page} |"
    yield ""
    yield "\\* known to the author and found in no source; compare it with the page."


if __name__ == "__main__":
    marked.write(PAGE, render())
