"""What a configuration comes to: fallbacks, what YAML merges, what is kept as it is written, and where errors are."""

import json
from pathlib import Path
from typing import Any

import pytest
from config_samples import EVERYTHING, GOOD

from mlops_foundation.config import Config, load, load_text, yaml_nodes
from mlops_foundation.config.endpoints import VpcEndpoint, available
from mlops_foundation.config.loading import lines_of_sets
from mlops_foundation.config.network import ImportedVpc, Vpc
from mlops_foundation.core.errors import ConfigError

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}


def config(stages: dict[str, Any] | None = None, **sections: Any) -> Config:
    one = {"name": "default", "accounts": FOUR, "stages": stages or {}}
    return load_text(json.dumps({"region": "eu-west-1", "sets": [one], "tags": {"CostCenter": "0"}, **sections}))


def vpc(made: Config, environment: Any) -> Vpc:
    return made.vpc_of(made.sets[0], environment)


def test_one_base_is_cut_for_the_stages_and_then_governance() -> None:
    made = config(network={"cidr": "10.0.0.0/16"})
    blocks = [vpc(made, name).cidr for name in ("dev", "preprod", "prod", "governance")]
    assert blocks == ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18", "10.0.192.0/18"]


def test_blocks_by_stage_are_each_stages_and_none_where_there_is_none() -> None:
    blocks = {"dev": "10.0.0.0/18", "preprod": "10.1.0.0/18", "prod": "10.2.0.0/18"}
    made = config(network={"cidr": blocks})
    assert {name: vpc(made, name).cidr for name in blocks} == blocks
    assert vpc(made, "governance").cidr == ""


def test_a_stage_takes_its_own_then_devs_then_the_global_value_of_each_setting() -> None:
    stages = {
        "dev": {"network": {"azs": 2, "nat_gateways": 2, "endpoints": ["s3"]}},
        "prod": {"network": {"azs": 1, "nat_gateways": 0, "endpoints": ["s3", "sts"], "cidr": "10.9.0.0/18"}},
    }
    made = config(stages, network={"azs": 3, "nat_gateways": 1, "subnet_masks": {"private": 20, "public": 26}})
    found = {name: vpc(made, name) for name in ("governance", "dev", "preprod", "prod")}
    assert [(each.azs, each.nat_gateways, each.endpoints) for each in found.values()] == [
        (2, 0, ("s3",)),
        (2, 2, ("s3",)),
        (2, 2, ("s3",)),
        (1, 0, ("s3", "sts")),
    ]
    assert [each.cidr for each in found.values()] == ["10.0.192.0/18", "10.0.0.0/18", "10.0.64.0/18", "10.9.0.0/18"]
    assert all(each.subnet_masks is not None and each.subnet_masks.private == 20 for each in found.values())


def test_without_a_choice_the_endpoints_are_all_that_the_region_has() -> None:
    assert vpc(config(), "dev").endpoints == available("eu-west-1")
    assert vpc(config(network={"endpoints": ["s3"]}), "dev").endpoints == ("s3",)
    assert vpc(config(network={"endpoints": []}), "dev").endpoints == ()


def test_an_imported_network_is_the_stages_alone_and_has_no_block_of_ours() -> None:
    imported = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678", "subnet-23456789"]}
    made = config({"dev": {"network": {"import": imported}}})
    dev, prod = vpc(made, "dev"), vpc(made, "prod")
    assert (dev.cidr, dev.imported is not None, dev.private_subnet_count) == ("", True, 2)
    assert (prod.cidr, prod.imported, prod.private_subnet_count) == ("10.0.128.0/18", None, 3)


def test_tags_of_an_account_are_the_global_ones_devs_and_its_own() -> None:
    made = config(
        {"dev": {"tags": {"a": "dev", "b": "dev"}}, "prod": {"tags": {"b": "prod"}}},
        tags={"CostCenter": "0", "a": "all"},
    )
    assert made.tags_of(made.sets[0], "prod") == {"CostCenter": "0", "a": "dev", "b": "prod"}
    assert made.tags_of(made.sets[0], "governance") == {"CostCenter": "0", "a": "dev", "b": "dev"}


@pytest.mark.parametrize(("written", "value"), [("4711", "4711"), ('"0042"', "0042"), ("0042", "0042")])
def test_a_cost_center_of_digits_needs_no_quotes(written: str, value: str) -> None:
    assert load_text(GOOD.replace('CostCenter: "0000"', f"CostCenter: {written}")).tags["CostCenter"] == value


def test_a_cost_center_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError):
        load_text(GOOD.replace('CostCenter: "0000"', "CostCenter: true"))


def test_zones_of_names_are_each_once_without_their_star() -> None:
    endpoint = VpcEndpoint("X", "x", (), ("{region}.x.aws", "*.{region}.x.aws", "y.{region}.aws"))
    assert endpoint.zones("eu-west-1") == ("eu-west-1.x.aws", "y.eu-west-1.aws")
    assert VpcEndpoint("X", "x", ()).zones("eu-west-1") == ("x.eu-west-1.amazonaws.com",)


def test_a_set_is_found_at_its_line_also_in_a_file_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "mlops.yaml"
    path.write_text("\ufeff" + EVERYTHING, encoding="utf-8")
    assert lines_of_sets(path) == {"default": 4, "second": 26}


# --- YAML -------------------------------------------------------------------------------------------------------------


def read(text: str) -> Any:
    return yaml_nodes.read(text).data


def test_a_merge_brings_in_what_is_not_said_itself_and_the_first_wins() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\none: {<<: *a, x: 0}\ntwo: {<<: [*a, *b]}\n"
    assert read(text)["one"] == {"x": 0, "y": 1}
    assert read(text)["two"] == {"x": 1, "y": 1, "z": 2}


@pytest.mark.parametrize("merged", ["1", "[{x: 1}, 2]", "[[{x: 1}]]"])
def test_a_merge_of_what_is_no_mapping_is_one_error_at_its_line(merged: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_text(f"region: eu-west-1\ntags:\n  <<: {merged}\n", "mlops.yaml")
    (problem,) = raised.value.problems
    assert problem.where == "mlops.yaml:3"
    assert "<< takes a mapping or a list of mappings" in problem.what


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: \x01\n", 2, "the character #x0001 is not allowed"),
        ("a: 1\nb: 2026-02-30\n", 2, "looks like a timestamp but is none"),
        ("a: 1\n? [b]\n: 2\n", 2, "a key is a list or a mapping"),
        ("a: 1\nb: !x 2\n", 2, "the tag !x is not known here"),
        ("a: &a\n  b: *a\n", 1, "an alias stands inside of what it repeats"),
        ('a: 1\nb: "\\ud800"\n', 2, "half of a character"),
        ('a: 1\n"\\ud800": 1\n', 2, "half of a character"),
    ],
)
def test_what_is_no_configuration_is_told_at_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_text(text, "mlops.yaml")
    (problem,) = raised.value.problems
    assert (problem.where, words in problem.what) == (f"mlops.yaml:{line}", True), problem


@pytest.mark.parametrize(("text", "got"), [("", "nothing"), ("- a\n", "list"), ("text\n", "str")])
def test_what_a_file_is_instead_of_a_mapping_is_said(text: str, got: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_text(text, "mlops.yaml")
    assert raised.value.problems[0].got == got


def test_the_last_level_and_the_last_value_that_are_allowed_are_read() -> None:
    deep = yaml_nodes.DEPTH_MAX - 1
    assert read("[" * deep + "]" * deep) is not None
    with pytest.raises(yaml_nodes.yaml.YAMLError, match="levels"):
        read("[" * (deep + 2) + "]" * (deep + 2))


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").mkdir()
    with pytest.raises(ConfigError, match="the file cannot be read: Is a directory") as raised:
        load(tmp_path / "mlops.yaml")
    assert raised.value.problems[0].got == str(tmp_path / "mlops.yaml")


def test_one_error_is_one_and_two_are_errors() -> None:
    for tags, said in (("  CostCenter: true\n", "mlops.yaml has 1 error"), ("  a: [1]\n  b: [1]\n", "has 2 errors")):
        with pytest.raises(ConfigError) as raised:
            load_text(GOOD.replace('  CostCenter: "0000"\n', tags), "mlops.yaml")
        assert raised.value.what.endswith(said)


@pytest.mark.parametrize("line", ["  auth_mode: sso\n", "  admin_sso_user: root@example.com\n"])
def test_what_is_wrong_with_the_section_and_with_no_user_is_told_at_the_section(line: str) -> None:
    nobody = GOOD.replace("[alice]", "[]").replace("[lea]", "[]")
    with pytest.raises(ConfigError) as raised:
        load_text(nobody.replace("studio:\n", f"studio:\n{line}"), "mlops.yaml")
    assert [each.where for each in raised.value.problems] == ["mlops.yaml:13"]


def imported(network: str) -> Any:
    stages = f'prod: "444444444444"\n    stages:\n      dev:\n        network:\n          import: {network}'
    with pytest.raises(ConfigError) as raised:
        load_text(GOOD.replace('prod: "444444444444"', stages), "mlops.yaml")
    (problem,) = raised.value.problems
    return problem


def test_a_missing_key_says_what_it_is_for_in_the_words_of_its_own_section() -> None:
    problem = imported("{vpc_id: vpc-12345678}")
    assert problem.expected == ImportedVpc.model_fields["private_subnet_ids"].description
    assert problem.where == "mlops.yaml:12"


def test_one_item_is_one_and_more_are_items() -> None:
    assert imported("{vpc_id: vpc-12345678, private_subnet_ids: []}").expected == "at least 1 item"
