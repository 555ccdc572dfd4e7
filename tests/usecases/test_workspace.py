"""Where and as whom a command works."""

from pathlib import Path

import pytest
from fake_aws import DEV, PROD, workspace

from mlops_foundation.core.errors import ConfigError, LocalCloudError
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.workspace import choose_set, open_workspace

SECOND = """
  - name: team-b
    prefix: teamb
    accounts: {governance: "111111111111", dev: "555555555555", preprod: "666666666666", prod: "777777777777"}
"""


@pytest.fixture
def two_sets(tmp_path: Path) -> Path:
    path = tmp_path / "mlops.yaml"
    write_config(path, Answers())
    lines = path.read_text().splitlines()
    prod = next(number for number, line in enumerate(lines) if PROD in line)
    path.write_text("\n".join([*lines[: prod + 1], *SECOND.strip("\n").splitlines(), *lines[prod + 1 :]]))
    return path


def test_the_only_set_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "mlops.yaml"
    write_config(path, Answers())
    _, plan = load_and_plan(path)
    assert choose_set(plan, "", path) is choose_set(plan, "default", path)


def test_of_several_sets_one_has_to_be_named(two_sets: Path) -> None:
    _, plan = load_and_plan(two_sets)
    assert choose_set(plan, "team-b", two_sets).prefix == "teamb"
    for name, said in (("", "several sets"), ("team-c", "no set team-c")):
        with pytest.raises(ConfigError, match=said) as raised:
            choose_set(plan, name, two_sets)
        assert raised.value.problems[0].expected == "one of default, team-b"
        assert raised.value.problems[0].fix == "--set default"


def test_without_a_running_cloud_the_error_says_how_to_start_it(tmp_path: Path) -> None:
    write_config(tmp_path / "mlops.yaml", Answers())
    with pytest.raises(LocalCloudError, match="does not run") as raised:
        open_workspace(tmp_path / "mlops.yaml", state_dir=tmp_path / ".mlops")
    assert raised.value.problems[0].fix == "mlops local start"


def test_aws_needs_no_local_cloud_and_takes_each_accounts_profile(tmp_path: Path) -> None:
    write_config(tmp_path / "mlops.yaml", Answers())
    made = open_workspace(tmp_path / "mlops.yaml", target="aws", state_dir=tmp_path / ".mlops")
    assert made.sessions.endpoint_url is None
    assert made.sessions._source._profiles[DEV] == "mlops-dev"  # type: ignore[attr-defined]


def test_a_persona_is_a_role_of_the_account_and_any_other_name_is_itself(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    assert made.role("dev", "lead") == f"eu-west-1-lead-datascientist-{DEV}"
    assert made.role("prod", "platform-engineer") == f"eu-west-1-platform-engineer-{PROD}"
    assert made.role("prod", "churn-test-prod") == "churn-test-prod"
    assert made.role("dev", "") == ""


def test_a_persona_that_has_no_role_in_an_account_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="auditor has a role in dev only") as raised:
        workspace(tmp_path).role("prod", "auditor")
    assert raised.value.problems[0].where == f"prod, account {PROD}"


def test_on_aws_the_profile_is_the_person_and_here_it_is_whose_task_it_is(tmp_path: Path) -> None:
    here, on_aws = workspace(tmp_path), workspace(tmp_path, "aws")
    assert here.persona("", "lead") == "lead"
    assert on_aws.persona("", "lead") == ""
    assert here.persona("auditor", "lead") == on_aws.persona("auditor", "lead") == "auditor"
