"""``accounts.json`` of AWS's sample: an object or a list, read as it is; every error with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.config import legacy_accounts, load
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.plan import build
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases.init import from_accounts, write_config

FIRST = {
    "SET_NAME": "first-example",
    "DEV_ACCOUNT": "222222222222",
    "PREPROD_ACCOUNT": "333333333333",
    "PROD_ACCOUNT": "044444444444",
}
SECOND = {
    "SET_NAME": "first-example-two",
    "DEV_ACCOUNT": "555555555555",
    "PREPROD_ACCOUNT": "666666666666",
    "PROD_ACCOUNT": "777777777777",
    "DEPLOYMENT_REGION": "us-east-1",
    "CREATE_SM_DOMAIN": "True",
}
CONSTANTS = 'import os\nPIPELINE_ACCOUNT = "111111111111"  # governance\nDEFAULT_DEPLOYMENT_REGION = "eu-central-1"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "accounts.json"


def write(file: Path, content: Any, constants: str = "") -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=4))
    if constants:
        (file.parent / "constants.py").write_text(constants)
    return file


@pytest.mark.parametrize(("content", "names"), [(FIRST, ["first-example"]), ([FIRST], ["first-example"])])
def test_an_object_and_a_list_are_sets(file: Path, content: Any, names: list[str]) -> None:
    assert [each.name for each in legacy_accounts.read(write(file, content)).sets] == names


@pytest.mark.parametrize("indent", ["\t", 4, None])
def test_the_sets_become_a_configuration_that_can_be_planned(file: Path, tmp_path: Path, indent: Any) -> None:
    write(file, json.dumps([FIRST, SECOND], indent=indent), CONSTANTS)
    config = load(write_config(tmp_path / "mlops.yaml", from_accounts(file)).config)
    assert config.region == "eu-central-1"
    assert [config.region_of(each) for each in config.sets] == ["eu-central-1", "us-east-1"]
    assert [each.accounts.governance for each in config.sets] == ["111111111111"] * 2
    assert config.sets[0].accounts.prod == "044444444444"
    assert [config.prefix_of(each) for each in config.sets] == ["firstexamp", "firstexam2"]
    assert [each.name for each in build(config, STACKS, TEMPLATES).sets] == ["first-example", "first-example-two"]


@pytest.mark.parametrize(("written", "prefix"), [("mlops", "mlops"), ("mlops-cdk", "mlopscdk"), ("", "mlops")])
def test_the_prefix_of_the_app_is_taken(file: Path, tmp_path: Path, written: str, prefix: str) -> None:
    write(file, [FIRST], f'{CONSTANTS}APP_PREFIX = "{written}"\n')
    config = load(write_config(tmp_path / "mlops.yaml", from_accounts(file)).config)
    assert config.prefix_of(config.sets[0]) == prefix


def test_without_constants_there_is_no_governance_account(file: Path, tmp_path: Path) -> None:
    config = load(write_config(tmp_path / "mlops.yaml", from_accounts(write(file, SECOND))).config)
    assert config.sets[0].accounts.governance is None
    assert (config.region, config.prefix) == ("us-east-1", "mlops")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('[\n  {"SET_NAME": "a",\n]', 3, "not JSON"),
        (json.dumps({**FIRST, "DEV_ACCOUNT": ""}, indent=1), 3, "not an AWS account id"),
        (json.dumps([{**FIRST, "DEV_ACOUNT": "1"}], indent=1), 7, "did you mean DEV_ACCOUNT?"),
        (json.dumps([{"SET_NAME": "unit", "DEV_ACCOUNT": "2" * 12}], indent=1), 2, "infrastructure app's has it"),
        (json.dumps([FIRST, FIRST], indent=1), 1, "more than once"),
        (json.dumps({**FIRST, "CREATE_SM_DOMAIN": "False"}, indent=1), 6, "always makes a Studio domain"),
        (json.dumps({**FIRST, "SET_NAME": "My Set"}, indent=1), 2, "not a usable set name"),
        ('{"SET_NAME": "aa", "SET_NAME": "bb"}', 1, "twice"),
        ("", 1, "the end of the file"),
        ("3", 1, "not a mapping"),
        ("[]", 1, "no set of accounts"),
        # How deep Python's own JSON goes depends on the caller's depth; ours stops at 50 levels.
        ("[" * 60 + "]" * 60, 1, "more than 50 levels"),
        ("[" * 100_000 + "]" * 100_000, 1, "not JSON"),
    ],
)
def test_an_error_names_file_and_line(file: Path, content: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        legacy_accounts.read(write(file, content))
    found = [each for each in raised.value.problems if words in " ".join(each.as_dict().values())]
    assert found
    assert found[0].where == f"{file}:{line}"
    assert found[0].fix


def test_a_file_that_is_not_there_is_one_error(file: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        legacy_accounts.read(file)
