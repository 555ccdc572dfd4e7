"""Broken configurations: every error is said, with its line, and no other."""

import subprocess
from pathlib import Path

import pytest
from config_samples import GOOD
from pydantic import ValidationError

from mlops_foundation.config import Config, load, load_text
from mlops_foundation.config.models import Source
from mlops_foundation.core.errors import ConfigError, Problem


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as raised:
        load_text(text, "mlops.yaml")
    return raised.value.problems


def replaced(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


# What is changed, the line of the error, and words that the error must hold.
BROKEN = [
    ("region: eu-west-1", "regon: eu-west-1", 1, ["regon", "did you mean region?"]),
    ("region: eu-west-1", "region: europe", 1, ["not an AWS region", "europe", "eu-west-1"]),
    ("region: eu-west-1", "region: cn-north-1", 1, ["partition", "cn-north-1"]),
    ("region: eu-west-1", "region: eu-west-1\nprefix: Mlops", 2, ["prefix", "Mlops", "lower-case"]),
    ("region: eu-west-1", "region: eu-west-1\nprefix: averylongprefix", 2, ["prefix", "2 to 10"]),
    ("region: eu-west-1", "region: eu-west-1\nregion: eu-west-2", 2, ["region", "twice", "line 1"]),
    ("name: default", "name: D!", 3, ["set name", "D!"]),
    ('"222222222222"', '"22222222222"', 6, ["dev", "22222222222", "exactly 12 digits", "quotes"]),
    ('"222222222222"', "0x2", 6, ["dev", "12 digits"]),
    ('      prod: "444444444444"\n', "", 4, ["prod is missing"]),
    ("preprod:", "preprd:", 7, ["preprd", "did you mean preprod?"]),
    ("cidr: 10.0.0.0/16", "cidr: 8.8.0.0/16", 10, ["private", "8.8.0.0/16"]),
    ("cidr: 10.0.0.0/16", "cidr: 10.0.0.1/16", 10, ["CIDR", "10.0.0.1/16"]),
    ("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/24", 10, ["too small", "/22"]),
    (
        "cidr: 10.0.0.0/16",
        "cidr: {dev: 10.0.0.0/17, preprod: 10.0.64.0/18, prod: 10.1.0.0/16}",
        10,
        ["dev (10.0.0.0/17)", "preprod (10.0.64.0/18)", "overlap"],
    ),
    (
        "cidr: 10.0.0.0/16",
        "cidr: {dev: 10.0.0.0/12, preprod: 10.64.0.0/18, prod: 10.128.0.0/16}",
        10,
        ["a VPC cannot be a /12"],
    ),
    ("azs: 3", "azs: 4", 11, ["azs", "4", "less than or equal to 3"]),
    ("azs: 3", "azs: [eu-west-1]", 11, ["availability zone", "eu-west-1a"]),
    ("nat_gateways: 1", "nat_gateways: 4", 12, ["nat_gateways", "3"]),
    ("nat_gateways: 1", 'nat_gateways: "two"', 12, ["nat_gateways", "integer"]),
    ("azs: 3\n  nat_gateways: 1", "azs: 1\n  nat_gateways: 2", 9, ["2 NAT gateways in 1", "set nat_gateways to 1"]),
    ("nat_gateways: 1", "endpoints: [s3, s4]", 12, ["endpoints", "s4", "'s3'"]),
    ("nat_gateways: 1", "endpoints: [s3, s3]", 12, ["endpoint s3", "more than once"]),
    (
        "nat_gateways: 1",
        "shared_endpoints: {owner: dev, connection: transit_gateway}",
        12,
        ["connection transit_gateway", "set transit_gateway_id"],
    ),
    (
        "nat_gateways: 1",
        "shared_endpoints: {owner: dev, connection: transit_gateway, transit_gateway_id: mine}",
        12,
        ["transit_gateway_id", "text that matches ^tgw-"],
    ),
    ("nat_gateways: 1", "shared_endpoints: {owner: devs}", 12, ["owner", "devs", "'governance', 'dev'"]),
    ("[alice]", "[alice, alice]", 14, ["Studio user alice", "more than once", "mlops.yaml:14"]),
    ("[alice]", "[lea]", 15, ["Studio user lea", "more than once", "mlops.yaml:14", "lead_data_scientists"]),
    ("[alice]", "[ds-admin]", 14, ["ds-admin", "always made"]),
    ("[alice]", '["alice b"]', 14, ["Studio user name", "alice b", "63"]),
    ("tags:\n", "source: {provider: github}\ntags:\n", 16, ["source provider", "github", "codecommit"]),
    ("tags:\n", "source: {branch: release..1}\ntags:\n", 16, ["name of a branch", "release..1", "as git allows them"]),
    ("tags:\n", 'sign_in: {principals: {lead: ["*"]}}\ntags:\n', 16, ["may sign in", "ARN of an IAM role"]),
    (
        "tags:\n",
        'sign_in: {principals: {lead: ["arn:aws:iam::111111111111:role/*"]}}\ntags:\n',
        16,
        ["may sign in"],
    ),
    ("tags:\n", "sign_in: {principals: {boss: []}}\ntags:\n", 16, ["boss", "'lead'"]),
    ('CostCenter: "0000"', 'Owner: "me"', 16, ["CostCenter is missing"]),
    ('CostCenter: "0000"', 'CostCenter: "0000"\n  "aws:x": "1"', 18, ["tag key", "aws:"]),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"), BROKEN, ids=[f"{new.strip()[:40]}" for _, new, _, _ in BROKEN]
)
def test_a_broken_value_is_one_error_at_its_line(old: str, new: str, line: int, words: list[str]) -> None:
    found = problems(replaced(old, new))
    # A mistyped key is unknown, and the key it stands for is missing.
    relevant = [problem for problem in found if words[0] in f"{problem.what} {problem.got}"]
    assert [problem.where for problem in relevant] == [f"mlops.yaml:{line}"]
    text = " ".join(relevant[0].as_dict().values())
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    "name",
    ["main", "trunk", "release/1", "release/2.0_b", "v1.lock.2", "a" * 100, "a" * 101, "-x", "/x", "x/", "a//b", "a..b",
     "x.lock", "x.lock/y", ".x", "x/.y", "x.", "a b", "a~1", "HEAD", "a@{0}", ""],
)  # fmt: skip
def test_a_branch_is_one_that_git_takes(name: str) -> None:
    """Finds a name that is taken here and refused when the first project's repository is seeded."""
    try:
        taken = Source(branch=name).branch == name
    except ValidationError:
        taken = False
    by_git = subprocess.run(["git", "check-ref-format", "--branch", name], check=False, capture_output=True)
    assert taken is (by_git.returncode == 0 and len(name) <= 100)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("{cidr: 10.5.0.0/18, import: {vpc_id: vpc-12345678, private_subnet_ids: [subnet-12345678]}}",
         ["imported VPC", "10.5.0.0/18", "remove cidr, or import"]),
        ("{import: {vpc_id: vpc-1, private_subnet_ids: [subnet-12345678]}}", ["vpc_id", "text that matches ^vpc-"]),
        ("{import: {vpc_id: vpc-12345678, private_subnet_ids: []}}", ["private_subnet_ids", "at least 1 item"]),
        ("{import: {vpc_id: vpc-12345678, private_subnet_ids: [subnet-12345678, subnet-12345678]}}",
         ["subnet subnet-12345678", "more than once"]),
        ("{import: {vpc_id: vpc-12345678}}", ["private_subnet_ids is missing", "add private_subnet_ids:"]),
    ],
)  # fmt: skip
def test_a_stages_network_that_cannot_be_is_one_error(network: str, words: list[str]) -> None:
    stages = f'prod: "444444444444"\n    stages:\n      dev:\n        network: {network}'
    (found,) = problems(replaced('prod: "444444444444"', stages))
    assert found.where == "mlops.yaml:11"
    text = " ".join(found.as_dict().values())
    for word in words:
        assert word in text


def test_the_good_configuration_has_no_error() -> None:
    assert isinstance(load_text(GOOD), Config)


def test_all_errors_are_said_at_once_in_the_order_of_their_lines() -> None:
    text = replaced("region: eu-west-1", "region: nowhere").replace('"333333333333"', '"3"').replace("azs: 3", "azs: 9")
    found = problems(text)
    assert [problem.where for problem in found] == ["mlops.yaml:1", "mlops.yaml:7", "mlops.yaml:11"]


def test_an_unquoted_account_id_keeps_its_leading_zero() -> None:
    config = load_text(replaced('"222222222222"', "012345670123"))
    assert config.sets[0].accounts.dev == "012345670123"


def test_a_cost_center_that_looks_like_a_number_stays_as_it_is_written() -> None:
    assert load_text(replaced('"0000"', "0042")).tags == {"CostCenter": "0042"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "just text\n"])
def test_what_is_no_mapping_is_one_error(text: str) -> None:
    (found,) = problems(text)
    assert "not a mapping" in found.what
    assert found.where == "mlops.yaml:1"


def test_text_that_is_no_yaml_names_its_line() -> None:
    (found,) = problems("region: eu-west-1\nsets: [a\ntags: b\n")
    assert "not YAML" in found.what
    assert found.where == "mlops.yaml:3"


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "mlops.yaml")
    assert "mlops init" in raised.value.problems[0].fix
    assert raised.value.exit_code == 2


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mlops.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path)


def test_a_base_is_cut_into_vpcs_that_share_no_address() -> None:
    network = load_text(GOOD).network
    assert [network.vpc_cidr(stage) for stage in ("dev", "preprod", "prod")] == [
        "10.0.0.0/18",
        "10.0.64.0/18",
        "10.0.128.0/18",
    ]


def test_the_models_are_frozen() -> None:
    config = load_text(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        config.prefix = "other"  # type: ignore[misc]


def test_a_stage_falls_back_to_dev_and_then_to_the_global_values() -> None:
    stages = """
    stages:
      dev: {network: {azs: 2, cidr: 10.7.0.0/16}, tags: {Team: a, Class: low}}
      prod: {network: {nat_gateways: 2}, tags: {Class: high}}
"""
    config = load_text(GOOD.replace('      prod: "444444444444"\n', f'      prod: "444444444444"{stages}'))
    (only,) = config.sets
    found = {stage: config.vpc_of(only, stage) for stage in ("dev", "preprod", "prod")}
    assert [(vpc.az_count, vpc.nat_gateways) for vpc in found.values()] == [(2, 1), (2, 1), (2, 2)]
    assert [vpc.cidr for vpc in found.values()] == ["10.7.0.0/16", "10.0.64.0/18", "10.0.128.0/18"], "never dev's block"
    assert config.tags_of(only, "prod") == {"CostCenter": "0000", "Team": "a", "Class": "high"}
