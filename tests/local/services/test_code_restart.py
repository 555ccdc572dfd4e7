"""What was under way when the local cloud stopped: approvals go on waiting, the rest has failed and says why."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from catalog_lab import Catalog
from code_clients import wait_for
from pipeline_lab import APPROVE, BUILD, BUILDSPEC, SOURCE, Lab, stage

from mlops_foundation.local import process
from ports import free_port

pytestmark = pytest.mark.cloud
KEYS = {"region_name": "eu-west-1", "aws_access_key_id": "222222222222", "aws_secret_access_key": "test"}
"""Of an account's root."""


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], process.Running]]:
    """Return what starts the one cloud of these tests, unless it runs."""
    folder, port = tmp_path_factory.mktemp("restart"), free_port()
    yield lambda: process.start(folder, port)
    process.reset(folder)


@pytest.fixture
def place(own_cloud: Callable[[], process.Running], cloud: Any, account: str) -> tuple[Any, str]:
    """That cloud, and an account of its own in it."""
    return type(cloud)(own_cloud()), account


@pytest.fixture
def restart(own_cloud: Callable[[], process.Running]) -> Callable[[], None]:
    """Return what stops the cloud and starts it again."""

    def again() -> None:
        assert process.stop(own_cloud().state_dir)
        own_cloud()

    return again


def test_a_waiting_approval_survives_a_restart(place: tuple[Any, str], restart: Callable[[], None]) -> None:
    lab = Lab(*place)
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    token = lab.approval()
    waiting = lab.start()
    wait_for(lambda: "inboundExecution" in lab.state("Gate"))
    restart()
    assert lab.approval() == token
    lab.decide(token)
    assert lab.ended(first) == "Succeeded"
    lab.decide(wait_for(lambda: (t := lab.approval()) != token and t))
    assert lab.ended(waiting) == "Succeeded"


def test_a_running_build_fails_with_the_reason_and_can_be_retried(
    place: tuple[Any, str], restart: Callable[[], None]
) -> None:
    lab = Lab(*place)
    lab.commit({"buildspec.yml": BUILDSPEC.replace("- cp", "- sleep 60\n      - cp")})
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    codebuild = lab.cloud.client("codebuild", lab.account)

    def build() -> dict[str, Any]:
        ids = codebuild.list_builds()["ids"]
        return dict(codebuild.batch_get_builds(ids=ids)["builds"][0]) if ids else {}

    wait_for(lambda: build().get("currentPhase") == "BUILD")
    restart()
    assert lab.ended(first) == "Failed"
    assert "was stopped while this action ran" in lab.error(first, "Build")["message"]
    assert build()["buildStatus"] in ("FAULT", "STOPPED")
    lab.client.retry_stage_execution(
        pipelineName="pipe", stageName="Build", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
    )
    wait_for(lambda: build()["buildStatus"] == "IN_PROGRESS" and build()["currentPhase"] == "BUILD")


def test_a_launch_that_was_under_way_is_closed_with_the_reason(
    place: tuple[Any, str], restart: Callable[[], None]
) -> None:
    catalog = Catalog(*place)
    waiting = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    condition = {"Handle": {"Ref": "Handle"}, "Timeout": "600"}
    template = {
        "Resources": {
            "Handle": waiting,
            "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": condition},
        }
    }
    s3 = catalog.cloud.client("s3", catalog.account)
    s3.put_object(Bucket=f"templates-{catalog.account}", Key="v1.json", Body=json.dumps(template))
    catalog.open()
    record = catalog.provision()

    def stack() -> str:
        found = catalog.cloud.client("cloudformation", catalog.account).describe_stacks()["Stacks"]
        return str(found[0]["StackStatus"]) if found else ""

    assert wait_for(stack) == "CREATE_IN_PROGRESS"
    restart()
    done = catalog.ended(record["RecordId"])["RecordDetail"]
    assert "was stopped while this product was under change" in done["RecordErrors"][0]["Description"]
    product = catalog.client().describe_provisioned_product(Name="mine")["ProvisionedProductDetail"]
    assert product["Status"] == "ERROR"


def test_a_stacks_clone_address_is_that_of_the_port_of_now(tmp_path: Path) -> None:
    """Finds an output of a stack that leads to a port where nobody answers any more."""
    repository = {"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": "code"}}
    address = {"Value": {"Fn::GetAtt": ["Code", "CloneUrlHttp"]}, "Export": {"Name": "address"}}
    template = json.dumps({"Resources": {"Code": repository}, "Outputs": {"Address": address}})
    try:
        before = process.start(tmp_path, free_port())
        stacks = boto3.client("cloudformation", endpoint_url=before.endpoint_url, **KEYS)
        stacks.create_stack(StackName="code", TemplateBody=template)
        stacks.get_waiter("stack_create_complete").wait(StackName="code", WaiterConfig={"Delay": 1})
        assert process.stop(tmp_path)
        now = process.start(tmp_path, free_port())
        assert now.port != before.port
        stacks = boto3.client("cloudformation", endpoint_url=now.endpoint_url, **KEYS)
        codecommit = boto3.client("codecommit", endpoint_url=now.endpoint_url, **KEYS)
        said = codecommit.get_repository(repositoryName="code")["repositoryMetadata"]["cloneUrlHttp"]
        (output,) = stacks.describe_stacks(StackName="code")["Stacks"][0]["Outputs"]
        (export,) = stacks.list_exports()["Exports"]
        assert output["OutputValue"] == export["Value"] == said
        assert str(now.port) in said
    finally:
        process.reset(tmp_path)
