"""Accounts are looked at before anything is changed: on a local cloud, with what is in the way put there."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.aws import accounts
from mlops_foundation.aws.sessions import Keys, Sessions
from mlops_foundation.core import clock
from mlops_foundation.core.errors import AccessDenied, PlanError
from mlops_foundation.core.names import persona_role
from mlops_foundation.plan.findings import Finding
from mlops_foundation.usecases import preflight
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.workspace import LocalSource, Workspace

pytestmark = pytest.mark.cloud
REGION = "eu-west-1"
Fleet = Callable[..., list[Workspace]]


@pytest.fixture
def fleet(cloud: Any, tmp_path: Path) -> Fleet:
    """Workspaces of a configuration with these sets; sections beside them by name."""

    def make(*sets: dict[str, Any], source: Any = None, **sections: Any) -> list[Workspace]:
        path = tmp_path / "mlops.yaml"
        path.write_text(json.dumps({"region": REGION, "sets": sets, "tags": {"CostCenter": "0"}, **sections}))
        config, plan = load_and_plan(path)
        sessions = source or LocalSource(cloud.running)
        return [Workspace(config, plan, each, "local", Sessions(sessions, each.region)) for each in plan.sets]

    return make


@pytest.fixture
def four(cloud: Any) -> dict[str, str]:
    """Four accounts that no other test uses."""
    return {environment: cloud.new_account() for environment in ("governance", "dev", "preprod", "prod")}


def wrong(findings: tuple[Finding, ...]) -> list[Finding]:
    return [each for each in findings if each.status != "ok"]


def remember(cloud: Any, home: str, prefix: str, name: str, accounts: dict[str, str], region: str = REGION) -> None:
    """Write the record that a bootstrap writes, beside the platform engineer that it makes."""
    value = json.dumps({"set": name, "region": region, "accounts": accounts})
    ssm = cloud.client("ssm", home, region=region)
    ssm.put_parameter(Name=f"/mlops-foundation/{prefix}", Type="String", Value=value)
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    cloud.client("iam", home).create_role(
        RoleName=persona_role("platform-engineer", region, home), AssumeRolePolicyDocument=trust
    )


def test_empty_accounts_are_ready(fleet: Fleet, four: dict[str, str]) -> None:
    workspaces = fleet({"name": "team", "accounts": four})
    preflight.require(workspaces)
    findings = preflight.accounts_report(workspaces)
    assert {each.check for each in findings} == {
        "credentials", "rights", "services", "platform", "bootstrap", "names", "quota", "addresses",
    }  # fmt: skip
    assert {each.account for each in findings} == set(four.values())


def test_a_set_that_is_gone_from_the_configuration_is_asked_about(
    cloud: Any, fleet: Fleet, four: dict[str, str]
) -> None:
    gone = {**four, "dev": cloud.new_account()}
    remember(cloud, four["governance"], "teamb", "team-b", gone)
    with pytest.raises(PlanError) as raised:
        preflight.require(fleet({"name": "team", "accounts": four}))
    (problem,) = raised.value.problems
    assert "team-b is not in the configuration" in problem.what
    assert gone["dev"] in problem.got
    assert "other_platforms" in problem.fix
    preflight.require_living(fleet({"name": "team", "accounts": four}, other_platforms=["teamb"]))


def test_an_account_that_is_gone_from_its_set_is_asked_about_and_one_more_is_not(
    cloud: Any, fleet: Fleet, four: dict[str, str]
) -> None:
    remember(cloud, four["governance"], "mlops", "team", {**four, "prod": four["preprod"]})
    preflight.require_living(fleet({"name": "team", "accounts": four}))
    with pytest.raises(PlanError) as raised:
        preflight.require_living(fleet({"name": "team", "accounts": {**four, "preprod": four["prod"]}}))
    assert {problem.got for problem in raised.value.problems} == {four["preprod"]}


def test_a_set_that_is_gone_is_asked_about_in_whatever_region_it_lives(
    cloud: Any, fleet: Fleet, four: dict[str, str]
) -> None:
    gone = {**four, "dev": cloud.new_account()}
    remember(cloud, four["governance"], "america", "america", gone, region="us-east-1")
    with pytest.raises(PlanError) as raised:
        preflight.require_living(fleet({"name": "team", "accounts": four}))
    assert ["america is not in the configuration" in each.what for each in raised.value.problems] == [True]


def test_a_living_set_keeps_its_name(cloud: Any, fleet: Fleet, four: dict[str, str]) -> None:
    remember(cloud, four["governance"], "mlops", "team", four)
    with pytest.raises(PlanError) as raised:
        preflight.require_living(fleet({"name": "crew", "accounts": four}))
    (problem,) = raised.value.problems
    assert "crew was called team" in problem.what
    assert "call it team again" in problem.fix


def test_a_living_set_stays_in_its_region(cloud: Any, fleet: Fleet, four: dict[str, str]) -> None:
    remember(cloud, four["governance"], "mlops", "team", four, region="eu-west-2")
    with pytest.raises(PlanError) as raised:
        preflight.require_living(fleet({"name": "team", "accounts": four}))
    assert "another region" in raised.value.problems[0].what


def test_another_platform_with_the_same_prefix(cloud: Any, fleet: Fleet, four: dict[str, str]) -> None:
    template = {
        "Parameters": {"TrustedPrincipals": {"Type": "String", "Default": "arn:aws:iam::999999999999:role/other"}},
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
    }
    client = cloud.client("cloudformation", four["dev"])
    client.create_stack(StackName="mlops-toolkit", TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName="mlops-toolkit", WaiterConfig={"Delay": 1})
    (finding,) = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four})))
    assert (finding.check, finding.status, finding.account) == ("platform", "missing", four["dev"])
    assert "999999999999" in finding.got


def test_names_that_somebody_else_has_taken(cloud: Any, fleet: Fleet, four: dict[str, str]) -> None:
    role = persona_role("data-scientist", REGION, four["dev"])
    trust = {"Version": "2012-10-17", "Statement": []}
    cloud.client("iam", four["dev"]).create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    bucket = f"cdk-mlops-assets-{four['prod']}-{REGION}"
    cloud.client("s3", four["governance"]).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    found = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four})))
    assert [(each.check, each.got) for each in found] == [("names", f"role {role}"), ("names", f"bucket {bucket}")]


def test_quotas_and_overlapping_addresses(cloud: Any, fleet: Fleet, four: dict[str, str]) -> None:
    ec2 = cloud.client("ec2", four["dev"])
    ec2.create_vpc(CidrBlock="10.0.0.0/24")
    for index in range(5 - len(ec2.describe_vpcs()["Vpcs"])):
        ec2.create_vpc(CidrBlock=f"172.16.{index}.0/24")
    found = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four})))
    assert [(each.check, each.status) for each in found] == [("quota", "missing"), ("addresses", "warning")]
    assert "5 used, 1 more, 5 allowed" in found[0].got
    assert "10.0.0.0/24" in found[1].got


def test_elastic_addresses_that_are_used_up(cloud: Any, fleet: Fleet, four: dict[str, str]) -> None:
    ec2 = cloud.client("ec2", four["prod"])
    for _ in range(5):
        ec2.allocate_address(Domain="vpc")
    found = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four}, network={"nat_gateways": 2})))
    assert [(each.check, each.status, each.account) for each in found] == [("quota", "missing", four["prod"])]
    assert "Elastic IP addresses" in found[0].what
    assert "5 used, 2 more, 5 allowed" in found[0].got
    assert "ec2 L-0263D0A3" in found[0].fix


def test_what_the_account_was_given_counts_and_not_the_default(
    cloud: Any, fleet: Fleet, four: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def limit(quota: accounts.Quota, client: Any) -> tuple[int, bool]:
        del client
        return (0, True) if quota.code == "L-FE177D64" else (quota.default, False)

    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    cloud.client("iam", four["dev"]).create_role(RoleName="one", AssumeRolePolicyDocument=trust)
    monkeypatch.setattr(accounts.Quota, "limit", limit)
    found = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four})))
    assert four["dev"] in {each.account for each in found}
    assert {(each.check, each.what) for each in found} == {("quota", "there are not enough IAM roles in the account")}
    assert "0 allowed (the account's quota)" in found[0].got


def test_the_roles_of_the_stacks_and_of_the_bootstrap_count_too(
    fleet: Fleet, four: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finds an account that has room for a project's roles only, and fails in the middle of the deployment."""

    def limit(quota: accounts.Quota, client: Any) -> tuple[int, bool]:
        del client
        return (3, True) if quota.code == "L-FE177D64" else (quota.default, False)

    monkeypatch.setattr(accounts.Quota, "limit", limit)
    found = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four})))
    more = {each.account: int(each.got.split(" used, ")[1].split(" more")[0]) for each in found}
    toolkit, network, targets, studio, catalog, project = 4, 1, 2, 8, 1, 7
    assert more == {
        four["governance"]: toolkit + 1,
        four["dev"]: toolkit + network + targets + studio + catalog + project,
        four["preprod"]: toolkit + network + targets,
        four["prod"]: toolkit + network + targets,
    }


@pytest.mark.parametrize("gone", [{"sagemaker", "codepipeline"}, {"codeartifact"}])
def test_services_that_the_region_lacks(
    fleet: Fleet, four: dict[str, str], monkeypatch: pytest.MonkeyPatch, gone: set[str]
) -> None:
    sets = {"name": "team", "accounts": four}
    (workspace,) = workspaces = fleet(sets, packages={"provider": "codeartifact"})
    wanted = set(preflight.services(workspace.plan, workspace.set_plan))
    assert gone <= wanted
    there = frozenset(wanted - gone)
    monkeypatch.setattr(accounts, "region_services", lambda ssm, region: there)
    found = wrong(preflight.accounts_report(workspaces))
    assert {(each.check, each.status, each.got) for each in found} == {("services", "missing", ", ".join(sorted(gone)))}
    assert {each.account for each in found} == set(four.values())
    # Where AWS does not tell, botocore's list does.
    monkeypatch.setattr(accounts, "region_services", lambda ssm, region: None)
    monkeypatch.setattr(accounts, "known_services", lambda region, services: there & set(services))
    found = wrong(preflight.accounts_report(fleet(sets, packages={"provider": "codeartifact"})))
    assert {each.got for each in found} == {", ".join(sorted(gone))}


def test_every_service_that_the_platform_makes_something_of_is_looked_for(assembly: Any) -> None:
    made = {
        resource["Type"].split("::")[1].lower()
        for _, template in assembly.templates()
        for resource in template["Resources"].values()
        if resource["Type"].startswith("AWS::")
    }
    # They are in every region, or are CloudFormation's own.
    everywhere = {"cdk", "cloudformation", "ec2", "iam", "route53", "s3", "sts"}
    plan = assembly.made.plan
    looked_for = set(preflight.services(plan, plan.sets[0]))
    assert made - everywhere <= looked_for, "a region may lack what nobody looks for"


class OneUser:
    """Credentials of one user for every account."""

    def __init__(self, endpoint_url: str, keys: Keys) -> None:
        self.endpoint_url: str | None = endpoint_url
        self._keys = keys

    def keys(self, account: str, role: str) -> Keys:
        """Return the user's keys, whoever is asked for."""
        del account, role
        return self._keys


def test_a_caller_without_the_rights(cloud: Any, fleet: Fleet, account: str) -> None:
    iam = cloud.client("iam", account)
    iam.create_user(UserName="intern")
    reading = [
        "cloudformation:Describe*",
        "iam:Get*",
        "iam:SimulatePrincipalPolicy",
        "ssm:Get*",
        "s3:*",
        "ec2:Describe*",
    ]
    statement = {"Effect": "Allow", "Action": reading, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="intern", PolicyName="read", PolicyDocument=document)
    made = iam.create_access_key(UserName="intern")["AccessKey"]
    soon = clock.now() + dt.timedelta(minutes=10)
    source = OneUser(cloud.endpoint_url, Keys(made["AccessKeyId"], made["SecretAccessKey"], expires=soon))
    one = dict.fromkeys(("governance", "dev", "preprod", "prod"), account)
    found = {
        each.check: each
        for each in wrong(preflight.accounts_report(fleet({"name": "team", "accounts": one}, source=source)))
    }
    assert (found["credentials"].status, found["rights"].status) == ("warning", "missing")
    assert "10 minutes" in found["credentials"].what or "9 minutes" in found["credentials"].what
    assert "iam:CreateRole" in found["rights"].got
    assert "s3:CreateBucket" not in found["rights"].got


def test_an_account_without_credentials_is_one_finding(fleet: Fleet, four: dict[str, str]) -> None:
    class Nobody:
        endpoint_url = None

        def keys(self, account: str, role: str) -> Keys:
            del role
            raise AccessDenied(f"there are no credentials for account {account}", fix="aws configure")

    found = wrong(preflight.accounts_report(fleet({"name": "team", "accounts": four}, source=Nobody())))
    assert [(each.check, each.status, each.fix) for each in found] == [("credentials", "missing", "aws configure")] * 4
