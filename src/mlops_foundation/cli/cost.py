"""What ``mlops plan --cost`` prints."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_foundation.cli import output
from mlops_foundation.core.errors import ConfigError

if TYPE_CHECKING:
    from mlops_foundation.plan.cost import Cost, SetCost
    from mlops_foundation.plan.cost_table import CostLine


def show_cost(config: Path, compare: Path | None, *, as_json: bool) -> None:
    """Print the monthly idle figure of every account, with own and with shared endpoints.

    Args:
        config: ``mlops.yaml``.
        compare: Of ``--compare``, which shows stacks and no figures.
        as_json: For programs.

    Raises:
        ConfigError: With ``--compare``.
    """
    from mlops_foundation.usecases.plan import load_and_price  # noqa: PLC0415

    if compare is not None:
        raise ConfigError(
            "--cost and --compare do not go together",
            where="mlops plan",
            got=f"--cost --compare {compare}",
            expected="one of them",
            fix=f"mlops plan --cost -c {compare} shows the figures of the other configuration",
        )
    priced = load_and_price(config)
    if as_json:
        output.as_json(priced.as_dict())
        return
    for each in priced.sets:
        _table(priced, each)
    _notes(priced)


def _table(priced: "Cost", each: "SetCost") -> None:
    from mlops_foundation.plan.cost_table import cost_lines, title  # noqa: PLC0415

    currency = priced.prices.currency
    columns = ["account", "", "resource", currency]
    for mode in each.modes:
        columns += ["", f"{mode.mode} endpoints"]
    lines = cost_lines(each, priced.prices)
    above = ("-", *(line.environments for line in lines))
    # An account is named in its first line only.
    rows = [_row(line, each, named=line.environments != before) for before, line in zip(above, lines, strict=False)]
    output.table(columns, rows, title=f"set {each.name}: {currency} a month without use", spare=(currency,))
    output.say("; ".join(title(mode, each.configured) for mode in each.modes))
    output.say(_verdict(each))


def _row(line: "CostLine", each: "SetCost", *, named: bool) -> list[str]:
    account = [line.environments, line.account] if named else ["", ""]
    cells = [*account, "sum" if line.is_sum else line.resource, line.price]
    for mode in each.modes:
        amount = line.amounts.get(mode.mode)
        cells.append("" if amount is None or amount.count is None else f"{amount.count:>3}")
        cells.append("" if amount is None else f"{amount.monthly:>9,.2f}")
    return cells


def _verdict(each: "SetCost") -> str:
    """Return one sentence: what the mode that is not configured would change."""
    if each.difference is None:
        return "there are no two VPCs of the platform's own that could share endpoints"
    other = "shared endpoints" if each.configured == "own" else "own endpoints in each VPC"
    if each.difference == Decimal(0):
        return f"{other} would cost the same"
    return f"{other} would cost {abs(each.difference):,.2f} a month {'more' if each.difference > 0 else 'less'}"


def _notes(priced: "Cost") -> None:
    from mlops_foundation.plan.cost import NOT_INCLUDED  # noqa: PLC0415

    prices = priced.prices
    output.note(f"list prices of {prices.date}, a month of {prices.hours_per_month} hours; not included:")
    for each in NOT_INCLUDED:
        output.note(f"  {each}")
    for name, region in priced.unconfirmed:
        output.note(f"found in no source: {prices.prices[name].what} in {region}; see “{prices.prices[name].page}”")
