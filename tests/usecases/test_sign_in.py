"""Links to the roles and profiles for the command line: for every set, and never a key."""

import configparser
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mlops_foundation.config import load_text
from mlops_foundation.plan import Plan, build
from mlops_foundation.stacks import STACKS
from mlops_foundation.usecases.sign_in import credentials_template, role_links

ROOT = Path(__file__).parents[2]
CONFIG = """\
region: eu-west-1
sets:
  - name: default
    accounts: {governance: "111111111111", dev: "222222222222", preprod: "333333333333", prod: "444444444444"}
  - name: alone
    prefix: alone
    region: us-east-1
    accounts: {dev: "555555555555", preprod: "666666666666", prod: "666666666666"}
tags: {CostCenter: "0"}
"""


@pytest.fixture
def plan() -> Plan:
    return build(load_text(CONFIG), STACKS)


def test_each_link_switches_to_a_role_that_the_platform_makes(plan: Plan) -> None:
    for each in role_links(plan):
        parts = urlsplit(each.link)
        query = {name: value for name, (value,) in parse_qs(parts.query).items()}
        assert (parts.scheme, parts.netloc, parts.path) == ("https", "signin.aws.amazon.com", "/switchrole")
        assert (query["account"], query["roleName"]) == (each.account, each.role)
        assert len(query["displayName"]) <= 64
        assert each.role.startswith(("eu-west-1-", "us-east-1-"))
        assert each.role.endswith(f"-{each.account}")


def test_every_persona_of_every_set_has_one(plan: Plan) -> None:
    found = {(each.set_name, each.persona, each.account) for each in role_links(plan)}
    people = {"admin", "data-scientist", "lead", "approver-prod", "auditor"}
    assert {each for each in found if each[0] == "default"} == {
        *(("default", persona, "222222222222") for persona in people),
        ("default", "platform-engineer", "111111111111"),
    }
    engineers = {account for name, persona, account in found if (name, persona) == ("alone", "platform-engineer")}
    assert engineers == {"555555555555", "666666666666"}, "without governance each account deploys itself"


@pytest.mark.parametrize(("form", "prefix"), [("sso", "profile "), ("keys", "")])
def test_a_profile_for_each_account_with_places_to_fill_in(plan: Plan, form: str, prefix: str) -> None:
    text = credentials_template(plan, form)  # type: ignore[arg-type]
    parser = configparser.ConfigParser()
    parser.read_string(text)
    names = {f"mlops-{each}" for each in ("governance", "dev", "preprod", "prod")}
    names |= {f"alone-{each}" for each in ("dev", "preprod", "prod")}
    assert names <= {name.removeprefix(prefix) for name in parser.sections()}
    for section in parser.sections():
        for key, value in parser[section].items():
            if "key" in key or "token" in key or "role_name" in key:
                assert value.startswith("<"), "a place to fill in, never a value"


@pytest.mark.parametrize("path", [".aws/credentials", ".aws/config", "credentials", "team/credentials", ".env"])
def test_git_takes_no_file_that_keys_are_usually_in(path: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False)
    assert done.returncode == 0
