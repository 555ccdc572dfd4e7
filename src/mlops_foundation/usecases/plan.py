"""Read the configuration, plan the platform, and say what it costs."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mlops_foundation.config import Config, lines_of_sets, load
from mlops_foundation.constructs.bootstrap import check_bootstrap
from mlops_foundation.core.errors import PlanError
from mlops_foundation.plan import Plan, build
from mlops_foundation.plan.cost import Cost, cost
from mlops_foundation.plan.prices import load_prices
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES


def load_and_plan(config_file: Path) -> tuple[Config, Plan]:
    """Return the configuration and what follows from it.

    Args:
        config_file: ``mlops.yaml``.

    Raises:
        ConfigError: When the file cannot be used.
        PlanError: When what it asks for cannot be deployed.
    """
    config = load(config_file)
    try:
        plan = build(config, STACKS, TEMPLATES)
        check_bootstrap(plan)
    except PlanError as error:
        lines = lines_of_sets(config_file)
        problems = [replace(each, where=_placed(each.where, config_file, lines)) for each in error.problems]
        raise PlanError(str(error), problems=problems) from error
    return config, plan


def _placed(where: str, config_file: Path, lines: Mapping[str, int]) -> str:
    """Put file and line before what names sets: of the second of ``sets a, b``, of the one of ``sets.a.stages.dev``."""
    named = [name for name in re.split(r"[ ,.]+", where) if name in lines] if where.startswith("set") else []
    if not named:
        return where
    name = named[-1] if where.startswith("sets ") else named[0]
    return f"{config_file}:{lines[name]}, {where}"


def load_and_price(config_file: Path) -> Cost:
    """Return what the planned platform costs in a month in which nobody uses it.

    Args:
        config_file: ``mlops.yaml``.

    Raises:
        ConfigError: When the file cannot be used.
        PlanError: When what it asks for cannot be deployed, or is in a region without prices.
    """
    return cost(*load_and_plan(config_file), load_prices())
