"""``mlops init``: a configuration that is right, commented, and never a lost file."""

import json
from pathlib import Path

import pytest

from mlops_foundation.config import load
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases.init import Answers, write_config


def test_the_example_is_right_and_has_the_example_ids(tmp_path: Path) -> None:
    written = write_config(tmp_path / "mlops.yaml", Answers())
    config = load(written.config)
    assert config.sets[0].accounts.model_dump() == {
        "governance": "111111111111",
        "dev": "222222222222",
        "preprod": "333333333333",
        "prod": "444444444444",
    }
    assert (config.prefix, config.region, config.network.nat_gateways) == ("mlops", "eu-west-1", 1)
    assert config.builds.in_vpc


def test_editors_find_the_schema_beside_it(tmp_path: Path) -> None:
    written = write_config(tmp_path / "mlops.yaml", Answers())
    first_line = written.config.read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=./mlops.schema.json"
    assert json.loads(written.schema.read_text())["title"] == "mlops.yaml"


def test_answers_go_where_they_belong(tmp_path: Path) -> None:
    answers = Answers(prefix="acme", nat_gateways="2", data_scientists="ann, bob", cost_center="0042")
    config = load(write_config(tmp_path / "mlops.yaml", answers).config)
    assert config.prefix == "acme"
    assert config.network.nat_gateways == 2
    assert config.studio.data_scientists == ("ann", "bob")
    assert config.tags == {"CostCenter": "0042"}


def test_an_existing_file_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "mlops.yaml"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="already") as raised:
        write_config(path, Answers())
    assert "--force" in raised.value.problems[0].fix
    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["mlops.yaml"]
    write_config(path, Answers(), force=True)
    assert load(path).prefix == "mlops"


def test_a_wrong_answer_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 error"):
        write_config(tmp_path / "mlops.yaml", Answers(dev="12"))
    assert list(tmp_path.iterdir()) == []


def test_every_key_of_the_configuration_is_in_the_file(tmp_path: Path) -> None:
    from mlops_foundation.config import Config

    text = write_config(tmp_path / "mlops.yaml", Answers()).config.read_text()
    for name in Config.model_fields:
        assert f"\n{name}:" in text
