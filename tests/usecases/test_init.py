"""``mlops init``: a configuration that is right, commented, and never a lost file."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from mlops_foundation.config import load
from mlops_foundation.core.errors import ConfigError, PlanError
from mlops_foundation.usecases.init import Answers, EndpointsAnswer, endpoints_choices, write_config


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


def test_the_cheapest_private_way_to_aws_is_proposed_and_what_is_less_private_never_is() -> None:
    first, second, third = endpoints_choices(Answers())
    assert [each.answer for each in (first, second, third)] == ["shared", "own", "s3"]
    assert [each.private for each in (first, second, third)] == [True, True, False]
    assert first.monthly == Decimal("714.23")
    assert second.monthly == Decimal("1857.55")
    assert third.monthly is not None
    assert third.monthly < first.monthly


def test_one_account_for_all_has_nothing_to_share() -> None:
    one = Answers(governance="2" * 12, preprod="2" * 12, prod="2" * 12)
    assert endpoints_choices(one)[0].answer == "own"
    assert "shared" not in {each.answer for each in endpoints_choices(replace(one, governance=""))}


def test_without_internet_and_without_prices_something_is_proposed_too() -> None:
    with pytest.raises(PlanError):
        endpoints_choices(Answers(nat_gateways="0"))
    unpriced = endpoints_choices(Answers(region="ap-southeast-5"))
    assert [(each.answer, each.monthly) for each in unpriced] == [("shared", None), ("own", None), ("s3", None)]


@pytest.mark.parametrize(
    ("answer", "shared", "endpoints"), [("own", False, False), ("shared", True, False), ("s3", False, True)]
)
def test_the_answer_is_what_the_configuration_says(
    tmp_path: Path, answer: EndpointsAnswer, shared: bool, endpoints: bool
) -> None:
    written = write_config(tmp_path / "mlops.yaml", Answers(endpoints=answer))
    network = load(written.config).network
    assert written.endpoints == answer
    assert (network.shared_endpoints is not None) == shared
    assert ("endpoints" in network.model_fields_set) == endpoints
