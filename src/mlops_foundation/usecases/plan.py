"""Read the configuration, plan the platform, and say what it costs."""

from pathlib import Path

from mlops_foundation.config import Config, load
from mlops_foundation.plan import Plan, build
from mlops_foundation.plan.cost import Cost, cost
from mlops_foundation.plan.prices import load_prices
from mlops_foundation.stacks import STACKS


def load_and_plan(config_file: Path) -> tuple[Config, Plan]:
    """Return the configuration and what follows from it.

    Args:
        config_file: ``mlops.yaml``.

    Raises:
        ConfigError: When the file cannot be used.
        PlanError: When what it asks for cannot be deployed.
    """
    config = load(config_file)
    return config, build(config, STACKS)


def load_and_price(config_file: Path) -> Cost:
    """Return what the planned platform costs in a month in which nobody uses it.

    Args:
        config_file: ``mlops.yaml``.

    Raises:
        ConfigError: When the file cannot be used.
        PlanError: When what it asks for cannot be deployed, or is in a region without prices.
    """
    return cost(*load_and_plan(config_file), load_prices())
