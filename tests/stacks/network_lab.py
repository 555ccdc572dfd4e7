"""Templates of the network stack alone, for configurations that a test writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from mlops_foundation.config import load_text
from mlops_foundation.constructs.assembly import build_app
from mlops_foundation.core import node
from mlops_foundation.plan import build
from mlops_foundation.stacks import STACKS

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
FOREIGN = "9" * 12
Template = dict[str, Any]


def networks(
    folder: Path,
    network: Mapping[str, object],
    *,
    accounts: Mapping[str, str] = FOUR,
    stages: Mapping[str, object] | None = None,
    region: str = "eu-west-1",
) -> dict[str, Template]:
    """Return the network template of each environment, checked by cdk-nag."""
    only = {"name": "default", "accounts": accounts, "stages": stages or {}}
    sections = {"tags": {"CostCenter": "0"}, "network": network, "builds": {"in_vpc": False}}
    config = load_text(json.dumps({"region": region, "sets": [only], **sections}))
    stacks = tuple(spec for spec in STACKS if spec.name == "network")
    plan = build(config, stacks, ())
    node.use()
    app: cdk.App = build_app(plan, folder / "out")
    app.synth()
    found = sorted((folder / "out").glob("assembly-*/*.template.json"))
    return {path.parent.name.rsplit("-", 1)[1]: json.loads(path.read_text(encoding="utf-8")) for path in found}


def of_type(template: Template, resource_type: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a template's resources of one type, by logical id."""
    found = template["Resources"].items()
    return {name: each.get("Properties", {}) for name, each in found if each["Type"] == resource_type}
