"""Links to the roles and profiles for the command line: for every set, and never a key."""

import configparser
import dataclasses
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mlops_foundation.config import load_text
from mlops_foundation.core.names import PERSONAS
from mlops_foundation.plan import Plan, build
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES
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
    return build(load_text(CONFIG), STACKS, TEMPLATES)


def roles_made(assembly: Any) -> set[tuple[str, str]]:
    """Return account and name of every role that the stacks and the bootstrap make under a name of its own."""
    accounts = assembly.accounts()
    return {
        (accounts[path], str(each["Properties"].get("RoleName")))
        for path, template in assembly.templates()
        if path in accounts
        for each in template["Resources"].values()
        if each["Type"] == "AWS::IAM::Role"
    }


def test_each_link_switches_to_a_role_that_the_platform_makes(assembly: Any) -> None:
    links = role_links(assembly.made.plan)
    assert {each.persona for each in links} == set(PERSONAS)
    assert {(each.account, each.role) for each in links} <= roles_made(assembly)
    for each in links:
        parts = urlsplit(each.link)
        query = {name: value for name, (value,) in parse_qs(parts.query).items()}
        assert (parts.scheme, parts.netloc, parts.path) == ("https", "signin.aws.amazon.com", "/switchrole")
        assert (query["account"], query["roleName"]) == (each.account, each.role)


def test_each_link_of_a_persona_is_to_its_own_role(plan: Plan) -> None:
    roles = {(each.set_name, each.persona, each.account): each.role for each in role_links(plan)}
    assert roles["default", "admin", "222222222222"] == "eu-west-1-datascience-admin-222222222222"
    assert roles["default", "data-scientist", "222222222222"] == "eu-west-1-datascientist-222222222222"
    assert roles["alone", "lead", "555555555555"] == "us-east-1-lead-datascientist-555555555555"
    assert len(set(roles.values())) == len(roles)


def test_the_console_takes_a_display_name_of_64_characters(plan: Plan) -> None:
    (each,) = plan.sets[:1]
    long = dataclasses.replace(plan, sets=(dataclasses.replace(each, prefix="p" * 60),))
    shown = [parse_qs(urlsplit(link.link).query)["displayName"][0] for link in role_links(long)]
    assert {len(name) for name in shown} == {64}


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
