"""Read the configuration and plan the platform."""

from pathlib import Path

from mlops_foundation.config import Config, load
from mlops_foundation.plan import Plan, build
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
