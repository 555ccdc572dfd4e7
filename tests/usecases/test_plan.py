"""A plan that cannot be deployed: every reason with the file and line of its set."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.core.errors import PlanError
from mlops_foundation.usecases.plan import load_and_plan

STAGES = ("governance", "dev", "preprod", "prod")


def accounts(first: str, **others: str) -> dict[str, str]:
    return {**dict.fromkeys(STAGES, first * 12), **others}


def places(folder: Path, *sets: dict[str, Any]) -> list[str]:
    lines = ["region: eu-west-1", "tags: {CostCenter: '0'}", "sets:", *(f"- {json.dumps(each)}" for each in sets)]
    path = folder / "mlops.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(PlanError) as raised:
        load_and_plan(path)
    return [each.where for each in raised.value.problems]


def test_two_sets_that_meet_are_told_at_the_second_one(tmp_path: Path) -> None:
    first, second = ({"name": name, "accounts": accounts("1")} for name in ("dev", "team"))
    assert places(tmp_path, first, second) == [f"{tmp_path / 'mlops.yaml'}:5, sets dev, team"] * 2


def test_a_stages_settings_are_told_at_their_set(tmp_path: Path) -> None:
    stages = {"preprod": {"tags": {"Class": "high"}}}
    first = {"name": "dev", "prefix": "other", "accounts": accounts("1")}
    second = {"name": "team", "accounts": accounts("2"), "stages": stages}
    assert places(tmp_path, first, second) == [f"{tmp_path / 'mlops.yaml'}:5, sets.team.stages.preprod"]
    assert places(tmp_path, second, first) == [f"{tmp_path / 'mlops.yaml'}:4, sets.team.stages.preprod"]
