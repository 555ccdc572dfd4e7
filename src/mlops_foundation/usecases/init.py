"""Write a first ``mlops.yaml``: commented, checked before it is written, with its JSON Schema beside it."""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from mlops_foundation.config import json_schema, load_text
from mlops_foundation.config.schema import SCHEMA_FILE
from mlops_foundation.core.errors import ConfigError


@dataclass(frozen=True)
class Answers:
    """What ``mlops init`` asks; the defaults are the example that the documentation and the local cloud use."""

    prefix: str = "mlops"
    region: str = "eu-west-1"
    governance: str = "111111111111"
    dev: str = "222222222222"
    preprod: str = "333333333333"
    prod: str = "444444444444"
    nat_gateways: str = "1"
    data_scientists: str = "data-scientist"
    lead_data_scientists: str = "lead"
    cost_center: str = "0000"


@dataclass(frozen=True)
class Initialized:
    """The files that were written."""

    config: Path
    schema: Path

    def as_dict(self) -> dict[str, Any]:
        """Return the paths as JSON data."""
        return {"config": str(self.config), "schema": str(self.schema)}


def check_free(path: Path, *, force: bool) -> None:
    """Refuse to replace a configuration, before anything is asked.

    Raises:
        ConfigError: When the file is there and ``force`` is not given.
    """
    if path.exists() and not force:
        what = "there is a configuration file already"
        raise ConfigError(what, str(path), expected="a new file", fix="edit it, or replace it with mlops init --force")


def write_config(path: Path, answers: Answers, *, force: bool = False) -> Initialized:
    """Write the configuration and its schema.

    Args:
        path: The YAML file.
        answers: What goes in it.
        force: Replace an existing file.

    Raises:
        ConfigError: When an answer is not allowed, or the file is there; nothing is written then.
    """
    check_free(path, force=force)
    text = render(answers)
    load_text(text, str(path))
    schema = path.parent / SCHEMA_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    schema.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    return Initialized(path, schema)


def render(answers: Answers) -> str:
    """Return the text of the configuration file."""
    template = Template(files("mlops_foundation.config").joinpath("mlops.template.yaml").read_text(encoding="utf-8"))
    values = vars(answers) | {
        "data_scientists": _flow_list(answers.data_scientists),
        "lead_data_scientists": _flow_list(answers.lead_data_scientists),
        "schema": SCHEMA_FILE,
    }
    return template.substitute(values)


def _flow_list(names: str) -> str:
    """Write a comma separated answer as a YAML list."""
    return f"[{', '.join(json.dumps(name.strip()) for name in names.split(',') if name.strip())}]"
