"""What was under way when the local cloud stopped: approvals go on waiting, the rest has failed and says why."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from catalog_lab import Catalog
from code_clients import wait_for
from pipeline_lab import APPROVE, BUILD, BUILDSPEC, SOURCE, Lab, stage

from mlops_foundation.local import process

pytestmark = pytest.mark.cloud
ACCOUNT = "111122223333"


@pytest.fixture
def restarting(tmp_path: Path, cloud: Any) -> Iterator[Callable[[], Any]]:
    """Return a function that starts a cloud of the test's own, or starts it again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running: list[Any] = []

    def start() -> Any:
        if running:
            process.stop(tmp_path)
        running.append(process.start(tmp_path, port))
        return type(cloud)(running[-1])

    yield start
    process.stop(tmp_path)


def test_a_waiting_approval_survives_a_restart(restarting: Callable[[], Any]) -> None:
    lab = Lab(restarting(), ACCOUNT)
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    token = lab.approval()
    waiting = lab.start()
    wait_for(lambda: "inboundExecution" in lab.state("Gate"))
    restarting()
    assert lab.approval() == token
    lab.decide(token)
    assert lab.ended(first) == "Succeeded"
    lab.decide(wait_for(lambda: (t := lab.approval()) != token and t))
    assert lab.ended(waiting) == "Succeeded"


def test_a_running_build_fails_with_the_reason_and_can_be_retried(restarting: Callable[[], Any]) -> None:
    lab = Lab(restarting(), ACCOUNT)
    lab.commit({"buildspec.yml": BUILDSPEC.replace("- cp", "- sleep 60\n      - cp")})
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    codebuild = lab.cloud.client("codebuild", ACCOUNT)

    def build() -> dict[str, Any]:
        ids = codebuild.list_builds()["ids"]
        return dict(codebuild.batch_get_builds(ids=ids)["builds"][0]) if ids else {}

    wait_for(lambda: build().get("currentPhase") == "BUILD")
    restarting()
    assert lab.ended(first) == "Failed"
    assert "was stopped while this action ran" in lab.error(first, "Build")["message"]
    assert build()["buildStatus"] in ("FAULT", "STOPPED")
    lab.client.retry_stage_execution(
        pipelineName="pipe", stageName="Build", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
    )
    wait_for(lambda: build()["buildStatus"] == "IN_PROGRESS" and build()["currentPhase"] == "BUILD")


def test_a_launch_that_was_under_way_is_closed_with_the_reason(restarting: Callable[[], Any]) -> None:
    catalog = Catalog(restarting(), ACCOUNT)
    waiting = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    condition = {"Handle": {"Ref": "Handle"}, "Timeout": "600"}
    template = {
        "Resources": {
            "Handle": waiting,
            "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": condition},
        }
    }
    s3 = catalog.cloud.client("s3", ACCOUNT)
    s3.put_object(Bucket=f"templates-{ACCOUNT}", Key="v1.json", Body=json.dumps(template))
    catalog.open()
    record = catalog.provision()

    def stack() -> str:
        found = catalog.cloud.client("cloudformation", ACCOUNT).describe_stacks()["Stacks"]
        return str(found[0]["StackStatus"]) if found else ""

    assert wait_for(stack) == "CREATE_IN_PROGRESS"
    restarting()
    done = catalog.ended(record["RecordId"])["RecordDetail"]
    assert "was stopped while this product was under change" in done["RecordErrors"][0]["Description"]
    product = catalog.client().describe_provisioned_product(Name="mine")["ProvisionedProductDetail"]
    assert product["Status"] == "ERROR"
