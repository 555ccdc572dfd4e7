"""Write a first ``mlops.yaml``: commented, checked before it is written, with its JSON Schema beside it."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from mlops_foundation.config import json_schema, legacy_accounts, load_text
from mlops_foundation.config.legacy_accounts import LegacySet
from mlops_foundation.config.schema import SCHEMA_FILE
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.core.platform_folder import CONFIG_NAME, config_above

_PREFIX_MAX: Final = 10


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
    imported: tuple[LegacySet, ...] = ()
    """Sets of accounts of an ``accounts.json``, instead of dev, preprod and prod above."""


@dataclass(frozen=True)
class Initialized:
    """The files that were written."""

    config: Path
    schema: Path

    def as_dict(self) -> dict[str, Any]:
        """Return the paths as JSON data."""
        return {"config": str(self.config), "schema": str(self.schema)}


def from_accounts(path: Path) -> Answers:
    """Return the answers that an ``accounts.json`` of AWS's multi-account sample gives; the others are the example's.

    Without ``constants.py`` beside it there is no governance account: each account deploys itself. A prefix loses its
    hyphens (``mlops-cdk``): it is also the CDK's qualifier.

    Args:
        path: The JSON file.

    Raises:
        ConfigError: With every problem found in it.
    """
    found = legacy_accounts.read(path)
    region = found.region or next((each.region for each in found.sets if each.region), None) or Answers.region
    prefix = _prefix(found.prefix, set()) if found.prefix else Answers.prefix
    return Answers(prefix=prefix, region=region, governance=found.governance or "", imported=found.sets)


def check_free(path: Path | None, *, force: bool) -> None:
    """Refuse to replace a configuration, or to make a second platform inside one, before anything is asked.

    Args:
        path: The file to write; None when nobody named one.
        force: Do it all the same.

    Raises:
        ConfigError: When the file is there, or a folder above has one and this one was not named.
    """
    above = None if path else config_above(Path.cwd())
    path = path or Path(CONFIG_NAME)
    if above and not path.exists() and not force:
        raise ConfigError(
            "this folder is inside a platform already",
            where=str(Path.cwd()),
            got=str(above),
            expected="a folder outside it",
            fix="every command finds that platform from here, so nothing is needed; mlops init --force makes another",
        )
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
        "people": answers.governance or "111111111111",
        "schema": SCHEMA_FILE,
        "sets": "\n".join(_sets(answers)),
    }
    return template.substitute(values)


def _sets(answers: Answers) -> Iterator[str]:
    """Yield the lines of the sets; several from one ``accounts.json`` share governance, so each gets a prefix."""
    if not answers.imported:
        yield "  - name: default"
        yield from _accounts(answers.governance, answers.dev, answers.preprod, answers.prod)
    taken: set[str] = set()
    for each in answers.imported:
        yield f"  - name: {each.name}"
        if len(answers.imported) > 1:
            yield f"    prefix: {_prefix(each.name, taken)}"
        if each.region not in {None, answers.region}:
            yield f"    region: {each.region}"
        yield from _accounts(answers.governance, each.dev, each.preprod, each.prod)


def _accounts(governance: str, dev: str, preprod: str, prod: str) -> Iterator[str]:
    yield "    accounts:"
    if governance:
        yield f'      governance: "{governance}" # where the platform engineer signs in; deploys the others'
    yield f'      dev: "{dev}" # Studio, the catalog, the projects with their pipelines'
    yield f'      preprod: "{preprod}"'
    yield f'      prod: "{prod}"'


def _prefix(name: str, taken: set[str]) -> str:
    """Return a prefix made from a set's or an app's name, which no set before has."""
    plain = name.replace("-", "")[:_PREFIX_MAX]
    numbered = (f"{plain[: _PREFIX_MAX - len(str(number))]}{number}" for number in itertools.count(2))
    found = plain if plain not in taken else next(each for each in numbered if each not in taken)
    taken.add(found)
    return found


def _flow_list(names: str) -> str:
    """Write a comma separated answer as a YAML list."""
    return f"[{', '.join(json.dumps(name.strip()) for name in names.split(',') if name.strip())}]"
