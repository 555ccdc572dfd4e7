"""A stage's settings are checked before anything is synthesized."""

from pathlib import Path

import pytest

from deploy.settings import STAGES, load_settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("stage", STAGES)
def test_the_settings_of_each_stage_can_be_read(stage: str) -> None:
    assert load_settings(ROOT / "config" / f"{stage}.yml").instance_count >= 1


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "dev.yml"
    path.write_text("instance_type: m5.large\ninstances: 2\n")
    with pytest.raises(ValueError, match="instance_count is missing.*instances is not a setting.*'m5.large'"):
        load_settings(path)


def test_a_size_that_does_not_exist_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "prod.yml"
    path.write_text("instance_type: ml.m5.huge\ninstance_count: 1\n")
    with pytest.raises(ValueError, match="prod.yml: instance_type 'ml.m5.huge' is no instance type such as ml.m5.large"):
        load_settings(path)
