"""Write a first ``mlops.yaml``: commented, checked before it is written, with its JSON Schema beside it."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final, Literal

from mlops_foundation.config import Config, json_schema, legacy_accounts, load_text
from mlops_foundation.config.legacy_accounts import LegacySet
from mlops_foundation.config.schema import SCHEMA_FILE
from mlops_foundation.core.errors import ConfigError, PlanError
from mlops_foundation.core.platform_folder import CONFIG_NAME, config_above
from mlops_foundation.plan import Plan, build
from mlops_foundation.plan.cost import cost
from mlops_foundation.plan.prices import load_prices
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

EndpointsAnswer = Literal["own", "shared", "s3"]
_PREFIX_MAX: Final = 10
_ENDPOINTS: Final[Mapping[EndpointsAnswer, str]] = {
    "shared": "governance owns interface endpoints for every VPC: calls to AWS stay private",
    "own": "every VPC has interface endpoints of its own: calls to AWS stay private",
    "s3": "an S3 gateway only: other calls to AWS leave by the NAT gateway, over its public address",
}
_NETWORK_LINES: Final[Mapping[EndpointsAnswer, str]] = {
    "shared": "  # One VPC owns the interface endpoints of all; without this line every VPC has its own.\n"
    "  shared_endpoints: {owner: governance}",
    "own": "  # One VPC may own the interface endpoints of all, for less than half: mlops plan --cost\n"
    "  # shared_endpoints: {owner: governance}",
    "s3": "  # Nothing but the gateway of S3: calls to other services leave by NAT.\n  endpoints: [s3]",
}


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
    endpoints: EndpointsAnswer = "own"
    """How the VPCs reach AWS's services; ``mlops init`` proposes the cheapest private way."""
    imported: tuple[LegacySet, ...] = ()
    """Sets of accounts of an ``accounts.json``, instead of dev, preprod and prod above."""


@dataclass(frozen=True)
class Initialized:
    """The files that were written, and how the VPCs reach AWS's services in them."""

    config: Path
    schema: Path
    endpoints: EndpointsAnswer = "own"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON data."""
        return {"config": str(self.config), "schema": str(self.schema), "endpoints": self.endpoints}


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


@dataclass(frozen=True)
class EndpointsChoice:
    """One way to reach AWS's services from the VPCs.

    Attributes:
        answer: As ``--endpoints`` takes it.
        what: One sentence.
        private: Whether no call leaves the VPCs.
        monthly: USD a month of the whole platform without use; None where the package knows no price.
    """

    answer: EndpointsAnswer
    what: str
    private: bool
    monthly: Decimal | None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        monthly = None if self.monthly is None else round(float(self.monthly), 2)
        return {"answer": self.answer, "what": self.what, "private": self.private, "usd_a_month": monthly}


def endpoints_choices(answers: Answers) -> list[EndpointsChoice]:
    """Return the ways to reach AWS's services that the accounts allow, the proposed one first.

    Proposed is the cheapest that keeps every call private; what is less private is never proposed, however cheap.

    Args:
        answers: The other answers.

    Raises:
        ConfigError: When one of them is not allowed.
        PlanError: When what they ask for cannot be deployed.
    """
    _planned(answers, "own")
    found = [
        EndpointsChoice(each, _ENDPOINTS[each], each != "s3", monthly)
        for each in _ENDPOINTS
        if (each != "shared" or _several_accounts(answers)) and (each != "s3" or answers.nat_gateways != "0")
        for monthly in _monthly(answers, each)
    ]
    # Without prices the order of the table above stands: shared, own.
    return sorted(found, key=lambda each: (not each.private, each.monthly or 0))


def _several_accounts(answers: Answers) -> bool:
    """Tell whether governance and another account are there, so that there is somebody to share with."""
    others = {answers.dev, answers.preprod, answers.prod}
    if answers.imported:
        others = {str(account) for each in answers.imported for account in (each.dev, each.preprod, each.prod)}
    return bool(answers.governance) and bool(others - {answers.governance})


def _monthly(answers: Answers, endpoints: EndpointsAnswer) -> Iterator[Decimal | None]:
    """Yield what a way costs, None where no price is known; nothing when the accounts do not allow it."""
    try:
        config, plan = _planned(answers, endpoints)
    except PlanError:
        return
    try:
        sets = cost(config, plan, load_prices()).sets
    except PlanError:
        yield None
        return
    yield sum((mode.monthly for each in sets for mode in each.modes if mode.mode == each.configured), Decimal(0))


def _planned(answers: Answers, endpoints: EndpointsAnswer) -> tuple[Config, Plan]:
    config = load_text(render(replace(answers, endpoints=endpoints)))
    return config, build(config, STACKS, TEMPLATES)


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
    return Initialized(path, schema, answers.endpoints)


def render(answers: Answers) -> str:
    """Return the text of the configuration file."""
    template = Template(files("mlops_foundation.config").joinpath("mlops.template.yaml").read_text(encoding="utf-8"))
    values = vars(answers) | {
        "data_scientists": _flow_list(answers.data_scientists),
        "lead_data_scientists": _flow_list(answers.lead_data_scientists),
        "people": answers.governance or "111111111111",
        "schema": SCHEMA_FILE,
        "sets": "\n".join(_sets(answers)),
        "endpoints": _NETWORK_LINES[answers.endpoints],
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
