"""What is looked at in an account before anything is changed: one account each, with one thing that is in the way.

``tests/local/test_preflight.py`` does the same on a local cloud; here also what a cloud never says.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_accounts import FOUR, REGION, Fleet
from fake_aws import refused

from mlops_foundation.aws import accounts
from mlops_foundation.aws.accounts import BOOTSTRAP_ACTIONS
from mlops_foundation.core import clock
from mlops_foundation.core.errors import AccessDenied, PlanError, Problem
from mlops_foundation.core.names import persona_role, role_arn
from mlops_foundation.plan.findings import Finding
from mlops_foundation.plan.quotas import ENGINEER_ROLES, TOOLKIT_ROLES
from mlops_foundation.usecases import bootstrap_state, check_network, preflight

GOVERNANCE, DEV, PREPROD, PROD = FOUR.values()
ENGINEER = role_arn(GOVERNANCE, persona_role("platform-engineer", REGION, GOVERNANCE))
TOOLKIT = "mlops-toolkit"


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture(autouse=True)
def a_region_with_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's list of services takes a second to read."""
    monkeypatch.setattr(accounts, "known_services", lambda region, services: frozenset(services))


def report(fleet: Fleet, folder: Path, **sections: Any) -> tuple[Finding, ...]:
    return preflight.accounts_report(fleet.workspaces(folder, **sections))


def of(findings: tuple[Finding, ...], account: str, check: str) -> list[Finding]:
    return [each for each in findings if each.account == account and each.check == check]


def one(findings: tuple[Finding, ...], account: str, check: str) -> Finding:
    (found,) = of(findings, account, check)
    return found


def wrong(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(each.account, each.check, each.status) for each in findings if each.status != "ok"]


CHECKS = ["credentials", "rights", "services", "platform", "bootstrap", "names", "quota", "addresses"]


def test_empty_accounts_are_ready_and_everything_was_looked_at_in_their_order(fleet: Fleet, tmp_path: Path) -> None:
    found = report(fleet, tmp_path)
    assert wrong(found) == []
    places = list(dict.fromkeys((each.stage, each.account) for each in found))
    assert places == [("governance", GOVERNANCE), ("dev", DEV), ("preprod", PREPROD), ("prod", PROD)]
    assert list(dict.fromkeys(each.check for each in found if each.account == DEV)) == CHECKS
    # Governance has no VPC of its own.
    assert list(dict.fromkeys(each.check for each in found if each.account == GOVERNANCE)) == CHECKS[:-1]
    assert {(role, region) for _, _, role, region in fleet.asked} == {("", REGION)}


def test_environments_that_share_an_account_are_looked_at_once(fleet: Fleet, tmp_path: Path) -> None:
    shared = {"name": "team", "accounts": {**FOUR, "preprod": DEV}}
    found = preflight.accounts_report(fleet.workspaces(tmp_path, shared))
    assert {(each.stage, each.account) for each in found} == {
        ("governance", GOVERNANCE), ("dev+preprod", DEV), ("prod", PROD),
    }  # fmt: skip


# --- credentials ------------------------------------------------------------------------------------------------------


def in_minutes(minutes: float) -> dt.datetime:
    return clock.now() + dt.timedelta(minutes=minutes, seconds=20)


@pytest.mark.parametrize(
    ("minutes", "status", "said"),
    [
        (46, "ok", "there are credentials"),
        (44, "warning", "44 minutes"),
        (1, "warning", " 1 minutes"),
        (0, "missing", " 0 minutes"),
        (-5, "missing", " 0 minutes"),
    ],
)
def test_credentials_that_end_during_a_deployment(
    fleet: Fleet, tmp_path: Path, minutes: int, status: str, said: str
) -> None:
    fleet[DEV].expires = in_minutes(minutes)
    found = one(report(fleet, tmp_path), DEV, "credentials")
    assert (found.status, said in found.what) == (status, True)
    assert ("UTC" in found.got) is (status == "ok")
    assert found.got.startswith(f"arn:aws:iam::{DEV}:root")
    assert ("45 minutes" in found.expected) is (status != "ok")


def test_credentials_that_do_not_end_are_right(fleet: Fleet, tmp_path: Path) -> None:
    found = one(report(fleet, tmp_path), DEV, "credentials")
    assert (found.status, found.got) == ("ok", f"arn:aws:iam::{DEV}:root")


def test_without_credentials_nothing_else_is_asked_of_the_account(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].no_credentials = AccessDenied("there are none", got="nothing", expected="some", fix="aws configure")
    found = report(fleet, tmp_path)
    (only,) = [each for each in found if each.account == DEV]
    assert (only.check, only.status) == ("credentials", "missing")
    assert (only.what, only.got, only.expected, only.fix) == ("there are none", "nothing", "some", "aws configure")
    assert not [each for each in fleet.asked if each[1] == DEV]
    assert one(found, PROD, "credentials").status == "ok"


def test_credentials_that_aws_refuses_are_no_credentials(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].refuses["sts.get_caller_identity"] = refused("InvalidClientTokenId", "invalid token")
    found = [each for each in report(fleet, tmp_path) if each.account == DEV]
    assert [(each.check, each.status) for each in found] == [("credentials", "missing")]


# --- rights, services -------------------------------------------------------------------------------------------------


def test_who_may_not_bootstrap_is_told_every_action(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].arn = f"arn:aws:sts::{DEV}:assumed-role/Intern/ann"
    fleet[DEV].lacks_rights = [BOOTSTRAP_ACTIONS[0], BOOTSTRAP_ACTIONS[4]]
    found = one(report(fleet, tmp_path), DEV, "rights")
    assert found.status == "missing"
    assert found.got == f"{fleet[DEV].arn} lacks {BOOTSTRAP_ACTIONS[0]}, {BOOTSTRAP_ACTIONS[4]}"
    assert found.what == "the caller may not bootstrap the account"
    fleet[DEV].lacks_rights = []
    right = one(report(fleet, tmp_path), DEV, "rights")
    assert (right.status, right.got) == ("ok", fleet[DEV].arn)


def test_what_may_not_be_looked_at_is_unknown_and_the_rest_is_looked_at(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].refuses["ec2.describe_vpcs"] = refused("AccessDenied", "not you")
    found = report(fleet, tmp_path)
    assert wrong(found) == [(DEV, "quotas", "unknown"), (DEV, "addresses", "unknown")]
    unknown = one(found, DEV, "quotas")
    assert (unknown.what, unknown.got) == ("not you", "AccessDenied")
    assert "--role" in unknown.fix
    assert not unknown.green


def test_a_check_of_two_words_is_named_so(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].refuses["cloudformation.describe_stacks"] = refused("AccessDenied", "not you")
    names = {each.check for each in report(fleet, tmp_path) if each.status == "unknown"}
    assert names == {"other platform", "bootstrap", "names", "quotas", "addresses"}


def test_a_service_that_aws_says_the_region_lacks(fleet: Fleet, tmp_path: Path) -> None:
    (workspace,) = fleet.workspaces(tmp_path)
    wanted = preflight.services(workspace.plan, workspace.set_plan)
    assert {"cloudformation", "ssm", "sagemaker", "codecommit", "codepipeline", "servicecatalog"} <= set(wanted)
    assert wanted == sorted(set(wanted))
    fleet[DEV].services = [name for name in wanted if name not in {"sagemaker", "codecommit"}]
    fleet[PROD].services = [*wanted, "more"]
    found = report(fleet, tmp_path)
    lacking = one(found, DEV, "services")
    assert (lacking.status, lacking.got) == ("missing", "codecommit, sagemaker")
    assert "AWS's public parameters" in lacking.what
    right = one(found, PROD, "services")
    assert (right.status, right.got) == ("ok", REGION)
    assert f"all {len(wanted)} services, by AWS's public parameters" in right.what


def test_where_aws_does_not_say_botocore_does(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def known(region: str, services: tuple[str, ...]) -> frozenset[str]:
        asked.append((region, services))
        return frozenset(services) - {"sagemaker"}

    monkeypatch.setattr(accounts, "known_services", known)
    found = one(report(fleet, tmp_path), DEV, "services")
    assert (found.status, found.got) == ("missing", "sagemaker")
    assert "botocore's endpoint data" in found.what
    (workspace,) = fleet.workspaces(tmp_path)
    assert set(asked) == {(REGION, tuple(preflight.services(workspace.plan, workspace.set_plan)))}


# --- another platform, the bootstrap ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "status", "said"),
    [
        (ENGINEER, "ok", "this platform already"),
        ("arn:aws:iam::999999999999:role/other", "missing", "999999999999"),
        (role_arn(DEV, persona_role("platform-engineer", REGION, DEV)), "missing", DEV),
        ("", "missing", "nobody we know"),
    ],
)
def test_whose_platform_an_account_holds(fleet: Fleet, tmp_path: Path, trusted: str, status: str, said: str) -> None:
    fleet[DEV].stacks[TOOLKIT] = {"TrustedPrincipals": trusted}
    found = one(report(fleet, tmp_path), DEV, "platform")
    assert found.status == status
    assert said in f"{found.what} {found.got}"
    if status == "missing":
        assert found.expected == ENGINEER
    else:
        assert found.got == TOOLKIT


def test_without_a_toolkit_the_prefix_is_free(fleet: Fleet, tmp_path: Path) -> None:
    found = one(report(fleet, tmp_path), DEV, "platform")
    assert (found.status, found.got) == ("ok", "mlops")
    assert "no platform with this prefix" in found.what


def test_an_account_that_deploys_itself_trusts_its_own_engineer(fleet: Fleet, tmp_path: Path) -> None:
    alone = {"name": "team", "accounts": {key: FOUR[key] for key in ("dev", "preprod", "prod")}}
    (workspace,) = fleet.workspaces(tmp_path, alone)
    home = workspace.set_plan.engineer_account(workspace.set_plan.account("dev"))
    fleet[DEV].stacks[TOOLKIT] = {"TrustedPrincipals": role_arn(home, persona_role("platform-engineer", REGION, home))}
    assert one(preflight.accounts_report([workspace]), DEV, "platform").status == "ok"


@pytest.mark.parametrize(
    ("lacks", "status", "got"),
    [
        (None, "ok", "no complete toolkit stack"),
        (bootstrap_state.Lacks(), "ok", ""),
        (bootstrap_state.Lacks({"Vpc": ["ec2:CreateVpc"]}), "missing", "CloudFormation lacks Vpc: ec2:CreateVpc"),
    ],
)
def test_what_the_bootstrap_lacks(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: Any, status: str, got: str
) -> None:
    seen = []

    def lacking(workspace: Any, foundation: Any) -> Any:
        seen.append((workspace.set_plan.name, foundation.account))
        return lacks

    monkeypatch.setattr(bootstrap_state, "lacks", lacking)
    found = one(report(fleet, tmp_path), DEV, "bootstrap")
    assert (found.status, found.got) == (status, got)
    assert found.fix == ("mlops bootstrap" if status == "missing" else "")
    assert ("older than the configuration" in found.what) is (status == "missing")
    assert sorted(seen) == [("team", account) for account in sorted(FOUR.values())]


# --- names ------------------------------------------------------------------------------------------------------------

BUCKET = f"cdk-mlops-assets-{DEV}-{REGION}"
SCIENTIST = persona_role("data-scientist", REGION, DEV)


def test_names_that_are_taken_are_all_told(fleet: Fleet, tmp_path: Path) -> None:
    account = fleet[DEV]
    account.buckets, account.roles, account.domains = {BUCKET}, {SCIENTIST, "other"}, {f"{REGION}-studio-domain", "x"}
    found = one(report(fleet, tmp_path), DEV, "names")
    assert found.status == "missing"
    assert set(found.got.split(", ")) == {
        f"bucket {BUCKET}", f"role {SCIENTIST}", f"Studio domain {REGION}-studio-domain",
    }  # fmt: skip
    assert one(report(fleet, tmp_path), PROD, "names").status == "ok"


def test_what_a_living_stack_of_ours_has_is_ours(fleet: Fleet, tmp_path: Path) -> None:
    account = fleet[DEV]
    account.buckets, account.roles = {BUCKET}, {SCIENTIST}
    account.stacks[TOOLKIT] = {"TrustedPrincipals": ENGINEER}
    assert one(report(fleet, tmp_path), DEV, "names").got == f"role {SCIENTIST}"
    account.stacks["mlops-studio-dev"] = {}
    assert one(report(fleet, tmp_path), DEV, "names").status == "ok"
    del account.stacks[TOOLKIT]
    assert one(report(fleet, tmp_path), DEV, "names").got == f"bucket {BUCKET}"


# --- quotas, addresses ------------------------------------------------------------------------------------------------


def quota(findings: tuple[Finding, ...], account: str, words: str) -> Finding:
    (found,) = [each for each in of(findings, account, "quota") if words in each.what]
    return found


@pytest.mark.parametrize(("used", "status"), [(4, "ok"), (5, "missing")])
def test_one_vpc_more_has_to_fit(fleet: Fleet, tmp_path: Path, used: int, status: str) -> None:
    fleet[PROD].vpcs = {f"vpc-{index}": f"172.16.{index}.0/24" for index in range(used)}
    found = quota(report(fleet, tmp_path), PROD, "VPCs")
    assert found.status == status
    assert f"{used} used, 1 more, 5 allowed (AWS's default" in found.got
    if status == "missing":
        assert (found.expected, found.fix) == ("at most 5", "ask for more in Service Quotas: vpc L-F678F1CE")


@pytest.mark.parametrize(("used", "status"), [(3, "ok"), (4, "missing")])
def test_elastic_addresses_are_as_many_as_nat_gateways(fleet: Fleet, tmp_path: Path, used: int, status: str) -> None:
    fleet[PROD].addresses = used
    found = quota(report(fleet, tmp_path, network={"nat_gateways": 2}), PROD, "Elastic")
    assert (found.status, found.got.partition(" (")[0]) == (status, f"{used} used, 2 more, 5 allowed")


def test_the_accounts_own_quota_counts(fleet: Fleet, tmp_path: Path) -> None:
    fleet[PROD].vpcs = {f"vpc-{index}": f"172.16.{index}.0/24" for index in range(5)}
    fleet[PROD].quotas = {"L-F678F1CE": 6}
    found = quota(report(fleet, tmp_path), PROD, "VPCs")
    assert (found.status, found.got) == ("ok", "5 used, 1 more, 6 allowed (the account's quota)")


def test_dev_needs_room_for_one_project_of_the_largest_template_as_well(fleet: Fleet, tmp_path: Path) -> None:
    (workspace,) = fleet.workspaces(tmp_path)
    foundations = {each.account: each for each in workspace.set_plan.foundations}
    largest = max(template.quotas.get("IAM roles in the account", 0) for template in workspace.plan.templates)
    assert largest
    for account, project in ((DEV, largest), (PROD, 0)):
        stacks = sum(each.quotas.get("IAM roles in the account", 0) for each in foundations[account].stacks)
        stacks += TOOLKIT_ROLES
        found = quota(report(fleet, tmp_path), account, "IAM roles")
        assert f"10 used, {stacks + project} more, 1000 allowed" in found.got
        fleet[account].roles_used = 1000 - stacks - project
        assert quota(report(fleet, tmp_path), account, "IAM roles").status == "ok"
        fleet[account].roles_used += 1
        assert quota(report(fleet, tmp_path), account, "IAM roles").status == "missing"


def test_the_largest_template_counts_wherever_it_stands(fleet: Fleet, tmp_path: Path) -> None:
    (workspace,) = fleet.workspaces(tmp_path)
    (template,) = workspace.plan.templates
    more = [
        replace(template, quotas={"IAM roles in the account": count, "VPCs in the region": 9 - count})
        for count in (2, 7, 4)
    ]
    workspace = replace(workspace, plan=replace(workspace.plan, templates=tuple(more)))
    (dev,) = [each for each in workspace.set_plan.foundations if each.account == DEV]
    stacks = sum(each.quotas.get("IAM roles in the account", 0) for each in dev.stacks)
    found = preflight.accounts_report([workspace])
    assert f"10 used, {TOOLKIT_ROLES + stacks + 7} more" in quota(found, DEV, "IAM roles").got
    assert "0 used, 8 more" in quota(found, DEV, "VPCs").got


def test_stacks_that_are_there_take_nothing_more(fleet: Fleet, tmp_path: Path) -> None:
    (workspace,) = fleet.workspaces(tmp_path)
    prod = next(each for each in workspace.set_plan.foundations if each.account == PROD)
    fleet[PROD].stacks = {stack.stack_name: {} for stack in prod.stacks} | {TOOLKIT: {"TrustedPrincipals": ENGINEER}}
    fleet[PROD].vpcs = {f"vpc-{index}": "10.0.0.0/16" for index in range(5)}
    found = report(fleet, tmp_path)
    assert {each.got.partition(",")[2].partition(",")[0] for each in of(found, PROD, "quota")} == {" 0 more"}
    assert of(found, PROD, "addresses") == [], "its VPC is there: it may overlap with itself"


@pytest.mark.parametrize(
    ("there", "more"),
    [
        ([], TOOLKIT_ROLES + ENGINEER_ROLES),
        ([TOOLKIT], ENGINEER_ROLES),
        (["mlops-bootstrap-policies"], TOOLKIT_ROLES),
        ([TOOLKIT, "mlops-bootstrap-policies"], 0),
    ],
)
def test_where_the_engineer_signs_in_the_bootstrap_takes_one_role_more(
    fleet: Fleet, tmp_path: Path, there: list[str], more: int
) -> None:
    fleet[GOVERNANCE].stacks = {name: {"TrustedPrincipals": ENGINEER} for name in there}
    found = report(fleet, tmp_path)
    assert f"10 used, {more} more" in quota(found, GOVERNANCE, "IAM roles").got


def test_a_block_that_overlaps_can_never_be_peered(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].vpcs = {"vpc-1": "10.0.0.0/24", "vpc-2": "172.16.0.0/24", "vpc-3": "10.0.0.0/8"}
    found = one(report(fleet, tmp_path), DEV, "addresses")
    assert (found.status, found.got) == ("warning", "vpc-1 10.0.0.0/24, vpc-3 10.0.0.0/8")
    assert "sets.team.stages.dev.network.cidr" in found.fix
    fleet[DEV].vpcs = {"vpc-2": "172.16.0.0/24"}
    right = one(report(fleet, tmp_path), DEV, "addresses")
    assert (right.status, right.got) == ("ok", "10.0.0.0/18")


# --- what lives -------------------------------------------------------------------------------------------------------


def record(accounts: dict[str, str], name: str = "team", region: str = REGION) -> dict[str, Any]:
    return {"set": name, "region": region, "accounts": accounts}


def lost(fleet: Fleet, folder: Path, *sets: Any, persona: str = "", **sections: Any) -> list[Problem]:
    workspaces = fleet.workspaces(folder, *sets, **sections)
    with pytest.raises(PlanError, match="the configuration has lost what lives") as raised:
        preflight.require_living(workspaces, persona)
    return list(raised.value.problems)


def nothing_lost(fleet: Fleet, folder: Path, *sets: Any, **sections: Any) -> None:
    preflight.require_living(fleet.workspaces(folder, *sets, **sections))


def test_what_lives_as_it_is_configured_is_right(fleet: Fleet, tmp_path: Path) -> None:
    fleet[GOVERNANCE].records[REGION] = {"mlops": record(FOUR)}
    nothing_lost(fleet, tmp_path)


def test_everything_that_is_lost_is_told_at_once_and_once(fleet: Fleet, tmp_path: Path) -> None:
    gone = record({"dev": "5" * 12, "prod": "6" * 12, "preprod": "5" * 12}, "team-b")
    moved = record({**FOUR, "prod": "7" * 12}, "old", "eu-west-2")
    fleet[GOVERNANCE].records[REGION] = {"teamb": gone, "mlops": moved}
    problems = {each.what: each for each in lost(fleet, tmp_path)}
    assert len(problems) == 4
    absent = problems["the set team-b is not in the configuration, but its stacks live"]
    assert (absent.where, absent.got) == (f"account {GOVERNANCE}", f"prefix teamb, accounts {'5' * 12}, {'6' * 12}")
    assert "add teamb to other_platforms" in absent.fix
    named = problems["the set team was called old, and its stacks live"]
    assert (named.where, named.got) == ("set team", "team")
    region = problems["the set team was in another region, and its stacks live there"]
    assert (region.where, region.got, region.expected) == ("set team", REGION, "eu-west-2")
    account = problems["the set team no longer has the account of prod, but its stacks live"]
    assert (account.where, account.got) == ("sets.team.accounts.prod", "7" * 12)


def test_a_platform_of_another_file_is_not_lost(fleet: Fleet, tmp_path: Path) -> None:
    fleet[GOVERNANCE].records[REGION] = {"teamb": record({"dev": "5" * 12}, "team-b")}
    nothing_lost(fleet, tmp_path, other_platforms=["teamb"])
    assert len(lost(fleet, tmp_path, other_platforms=["other"])) == 1


def test_a_record_is_compared_with_the_set_of_its_prefix(fleet: Fleet, tmp_path: Path) -> None:
    other = {"dev": "5" * 12, "preprod": "6" * 12, "prod": "7" * 12, "governance": GOVERNANCE}
    sets = [{"name": "team", "accounts": FOUR}, {"name": "two", "prefix": "two", "accounts": other}]
    fleet[GOVERNANCE].records[REGION] = {"two": record(other, "two"), "mlops": record(FOUR)}
    nothing_lost(fleet, tmp_path, *sets)
    fleet[GOVERNANCE].records[REGION] = {"two": record(FOUR, "two"), "mlops": record(FOUR)}
    assert {each.where for each in lost(fleet, tmp_path, *sets)} == {
        f"sets.two.accounts.{stage}" for stage in ("dev", "preprod", "prod")
    }


def test_the_administrator_looks_into_every_region_that_has_an_engineer(fleet: Fleet, tmp_path: Path) -> None:
    fleet[GOVERNANCE].roles = {persona_role("platform-engineer", "us-east-1", GOVERNANCE)}
    fleet[GOVERNANCE].records["us-east-1"] = {"america": record({"dev": "5" * 12}, "america", "us-east-1")}
    (problem,) = lost(fleet, tmp_path)
    assert "america" in problem.what
    assert {each for each in fleet.asked if each[0] == "ssm"} == {
        ("ssm", GOVERNANCE, "", REGION), ("ssm", GOVERNANCE, "", "us-east-1"),
    }  # fmt: skip


def test_an_engineer_reads_the_records_of_its_own_region_in_its_role(fleet: Fleet, tmp_path: Path) -> None:
    fleet[GOVERNANCE].roles = {persona_role("platform-engineer", "us-east-1", GOVERNANCE)}
    fleet[GOVERNANCE].records = {
        "us-east-1": {"america": record({"dev": "5" * 12}, "america", "us-east-1")},
        REGION: {"mlops": record(FOUR, "old")},
    }
    (problem,) = lost(fleet, tmp_path, persona="platform-engineer")
    assert "was called old" in problem.what
    assert fleet.asked == [("ssm", GOVERNANCE, persona_role("platform-engineer", REGION, GOVERNANCE), REGION)]


def test_what_may_not_be_read_says_where(fleet: Fleet, tmp_path: Path) -> None:
    fleet[GOVERNANCE].refuses["ssm.get_parameters_by_path"] = refused("AccessDenied", "not you")
    with pytest.raises(AccessDenied) as raised:
        preflight.require_living(fleet.workspaces(tmp_path))
    assert raised.value.problems[0].where == f"platforms of account {GOVERNANCE} in {REGION}"
    fleet[GOVERNANCE].refuses = {"iam.list_roles": refused("AccessDenied", "not you")}
    with pytest.raises(AccessDenied) as raised:
        preflight.require_living(fleet.workspaces(tmp_path))
    assert raised.value.problems[0].where == f"platform engineers of account {GOVERNANCE}"


# --- require ----------------------------------------------------------------------------------------------------------


def test_a_bootstrap_goes_on_where_nothing_but_a_bootstrap_is_missing(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = bootstrap_state.Lacks({"Vpc": ["ec2:CreateVpc"]})
    monkeypatch.setattr(bootstrap_state, "lacks", lambda workspace, foundation: old)
    preflight.require(fleet.workspaces(tmp_path))


def test_a_bootstrap_stops_with_everything_that_is_in_its_way(fleet: Fleet, tmp_path: Path) -> None:
    fleet[DEV].roles = {SCIENTIST}
    fleet[PROD].refuses["ec2.describe_vpcs"] = refused("AccessDenied", "not you")
    with pytest.raises(PlanError, match="the accounts are not ready; nothing was changed") as raised:
        preflight.require(fleet.workspaces(tmp_path))
    assert [each.where for each in raised.value.problems] == [f"dev {DEV}", f"prod {PROD}", f"prod {PROD}"]


def test_a_bootstrap_stops_before_it_looks_when_something_living_is_lost(fleet: Fleet, tmp_path: Path) -> None:
    fleet[GOVERNANCE].records[REGION] = {"teamb": record({"dev": "5" * 12}, "team-b")}
    with pytest.raises(PlanError, match="has lost what lives"):
        preflight.require(fleet.workspaces(tmp_path))
    assert {service for service, *_ in fleet.asked} == {"ssm", "iam"}


def test_a_bootstrap_stops_at_an_imported_network_that_lacks_something(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def look(workspace: Any) -> None:
        asked.append(workspace.set_plan.name)
        raise PlanError("an imported network does not have what the platform needs")

    monkeypatch.setattr(check_network, "require_imported", look)
    with pytest.raises(PlanError, match="an imported network"):
        preflight.require(fleet.workspaces(tmp_path))
    assert asked == ["team"]
