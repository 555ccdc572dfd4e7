"""The platform on real accounts: run it by hand, with profiles for the accounts of a configuration.

    MLOPS_AWS_CONFIG=mlops.yaml pytest -m aws tests/aws/test_on_aws.py

It checks the accounts, bootstraps and deploys the platform, looks at what it has made, creates a project, waits for its
first version, and deletes the project. What only AWS can show is here: that CloudFormation, IAM, SageMaker and Route 53
themselves take our templates and policies, and that our dated tables are still true.
"""

from typing import Any

import pytest
import yaml

from mlops_foundation.config.endpoints import ENDPOINTS, GATEWAY, in_region
from mlops_foundation.core.names import PRIVATE_SUBNET_IDS, VPC_ID, WORKLOAD_SECURITY_GROUP_ID
from mlops_foundation.usecases.workspace import Workspace

pytestmark = [pytest.mark.aws, pytest.mark.story]
PROJECT = "mlops-check"


def told(workspace: Workspace, environment: Any, name: str) -> str:
    """Return what an account's parameter says."""
    found = workspace.client("ssm", environment).get_parameter(Name=name)
    return str(found["Parameter"]["Value"])


def test_the_accounts_are_ready(platform: Any) -> None:
    report = platform.mlops("check", "accounts")
    assert [each for each in report["findings"] if each["status"] != "ok"] == []


def test_the_table_of_endpoints_is_what_the_regions_have(platform: Any) -> None:
    if platform.target == "local":
        pytest.skip("the local cloud does not say which endpoints there are")
    for workspace in platform.workspaces:
        region = workspace.set_plan.region
        pages = workspace.client("ec2", "dev").get_paginator("describe_vpc_endpoint_services").paginate()
        there = {name for page in pages for name in page["ServiceNames"]}
        known = {each.service_name(region) for name, each in ENDPOINTS.items() if in_region(name, region)}
        ours = {each.service_name(region) for each in ENDPOINTS.values()}
        assert known == ours & there


def test_the_platform_deploys_and_nothing_is_left_to_change(platform: Any) -> None:
    for command in ("bootstrap", "deploy"):
        assert {each["status"] for each in platform.mlops(command)} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert [each for each in platform.mlops("deploy", "--dry-run") if each["differs"]] == []


def test_the_networks_pass_as_imported_ones(platform: Any) -> None:
    """Read the VPC that the platform has made as if it were the company's own."""
    sets = yaml.safe_load(platform.config.read_text(encoding="utf-8"))["sets"]
    for workspace, account_set in zip(platform.workspaces, sets, strict=True):
        if workspace.set_plan.sharing or any(each.imported for each in vpcs(workspace)):
            pytest.skip("an imported VPC has endpoints of its own")
        imported = {
            "vpc_id": told(workspace, "dev", VPC_ID),
            "private_subnet_ids": told(workspace, "dev", PRIVATE_SUBNET_IDS).split(","),
            "security_group_id": told(workspace, "dev", WORKLOAD_SECURITY_GROUP_ID),
        }
        account_set["stages"] = {"dev": {"network": {"import": imported}}}
    with platform.changed(sets=sets) as other:
        for account_set in sets:
            report = other.mlops("check", "network", "--set", account_set["name"], "--stage", "dev")
            assert report["green"], [each for each in report["findings"] if each["status"] != "ok"]


def vpcs(workspace: Workspace) -> list[Any]:
    account_set = workspace.config.account_set(workspace.set_plan.name)
    return [workspace.config.vpc_of(account_set, stage) for stage in ("dev", "preprod", "prod")]


def test_shared_endpoints_answer_to_their_names_in_every_network(platform: Any) -> None:
    for workspace in platform.workspaces:
        shared = workspace.set_plan.sharing
        if shared is None:
            pytest.skip("the configuration shares no endpoints")
        region = workspace.set_plan.region
        names = [name for name in shared.owner.vpc.endpoints if name != GATEWAY]
        wanted = {zone for name in names for zone in ENDPOINTS[name].zones(region)}
        for member in shared.members:
            stage = member.foundation.stages[0]
            listed = workspace.client("route53", stage).list_hosted_zones_by_vpc(
                VPCId=told(workspace, stage, VPC_ID), VPCRegion=region
            )
            assert wanted <= {each["Name"].rstrip(".") for each in listed["HostedZoneSummaries"]}


@pytest.mark.parametrize(("switched", "status"), [(True, "Enabled"), (False, "Disabled")], ids=["on", "off"])
def test_sagemakers_own_templates_are_switched(platform: Any, switched: bool, status: str) -> None:
    studio = yaml.safe_load(platform.config.read_text(encoding="utf-8")).get("studio", {})
    with platform.changed(studio=studio | {"sagemaker_templates": switched}) as other:
        other.mlops("deploy", "--stage", "dev", "--stack", "studio")
    for workspace in platform.workspaces:
        found = workspace.client("sagemaker", "dev").get_sagemaker_servicecatalog_portfolio_status()
        assert found["Status"] == status


def test_a_project_registers_a_version(platform: Any) -> None:
    chosen = ("--set", platform.workspaces[0].set_plan.name)
    platform.mlops("project", "create", PROJECT, "--cost-center", "0000", *chosen)
    try:
        state = platform.mlops("pipeline", "watch", PROJECT, "build", *chosen)
        assert state["status"] == "Succeeded"
        (version,) = platform.mlops("model", "list", PROJECT, *chosen)
        assert version["status"] == "PendingManualApproval"
    finally:
        platform.mlops("project", "delete", PROJECT, "--yes", *chosen)
