"""What the cloud holds is there again after it ends, however it ends."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from mlops_foundation.core.errors import LocalCloudError
from mlops_foundation.local import process
from mlops_foundation.usecases import local
from ports import free_port

pytestmark = pytest.mark.cloud
ACCOUNT = "222222222222"


def client(running: process.Running, service: str) -> object:
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=running.endpoint_url,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], process.Running]]:
    """Return what starts the one cloud of these tests, unless it runs; a test ends it and starts it again."""
    folder, port = tmp_path_factory.mktemp("state"), free_port()
    yield lambda: process.start(folder, port)
    process.reset(folder)
    assert not folder.exists()


def fill(running: process.Running, name: str) -> None:
    client(running, "ssm").put_parameter(Name=f"/{name}", Value="1", Type="String")
    client(running, "codecommit").create_repository(repositoryName=name)
    s3 = client(running, "s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=name, Key="x", Body=b"1")


def is_there(running: process.Running, name: str) -> bool:
    parameter = client(running, "ssm").get_parameter(Name=f"/{name}")["Parameter"]["Value"]
    repository = client(running, "codecommit").get_repository(repositoryName=name)["repositoryMetadata"]
    body = client(running, "s3").get_object(Bucket=name, Key="x")["Body"].read()
    return (parameter, repository["repositoryName"], body) == ("1", name, b"1")


def saved(running: process.Running, service: str) -> str:
    """Return what is on disk of a service of ministack, empty before its first save."""
    return "".join(path.read_text() for path in running.state_dir.rglob(f"ministack/{service}.json"))


def test_after_a_stop(up: Callable[[], process.Running]) -> None:
    fill(up(), "stopped")
    assert process.stop(up().state_dir)
    assert is_there(up(), "stopped")


def test_sessions_go_on_and_nobody_else_reads_the_state(up: Callable[[], process.Running]) -> None:
    client(up(), "iam").create_role(RoleName="somebody", AssumeRolePolicyDocument='{"Statement": []}')
    found = process.sign_in(up(), ACCOUNT, "somebody").credentials
    assert process.stop(up().state_dir)
    sts = boto3.client(
        "sts",
        region_name="eu-west-1",
        endpoint_url=up().endpoint_url,
        aws_access_key_id=found.access_key_id,
        aws_secret_access_key=found.secret_access_key,
        aws_session_token=found.session_token,
    )
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/somebody/local")
    assert up().state_dir.stat().st_mode & 0o077 == 0


def test_after_a_kill(up: Callable[[], process.Running]) -> None:
    running = up()
    fill(running, "killed")
    until(lambda: "/killed" in saved(running, "ssm") and "killed" in saved(running, "s3"))
    os.kill(running.pid, signal.SIGKILL)
    assert is_there(up(), "killed")


def test_a_kill_once_the_last_of_many_changes_is_saved_loses_none(up: Callable[[], process.Running]) -> None:
    running = up()
    ssm, iam = client(running, "ssm"), client(running, "iam")
    for number in range(60):
        ssm.put_parameter(Name=f"/many/{number}", Value=str(number), Type="String")
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument='{"Statement": []}')
    until(lambda: "/many/59" in saved(running, "ssm") and "role-59" in saved(running, "iam"))
    os.kill(running.pid, signal.SIGKILL)
    ssm, iam = client(up(), "ssm"), client(up(), "iam")
    for number in range(60):
        assert ssm.get_parameter(Name=f"/many/{number}")["Parameter"]["Value"] == str(number)
        assert iam.get_role(RoleName=f"role-{number}")["Role"]["RoleName"] == f"role-{number}"
    assert process.unsaved(up()) == {}


def test_a_state_that_cannot_be_saved_is_said_by_the_cloud_and_saved_when_it_can_be(
    up: Callable[[], process.Running],
) -> None:
    running = up()
    client(running, "ssm").put_parameter(Name="/early", Value="1", Type="String")
    until(lambda: "/early" in saved(running, "ssm"))
    in_the_way = running.state_dir / "ministack" / "ssm.json.tmp"
    in_the_way.mkdir()
    client(running, "ssm").put_parameter(Name="/late", Value="1", Type="String")
    until(lambda: "ssm" in process.unsaved(running))
    assert "ssm" in local.status(running.state_dir).as_dict()["unsaved"]
    in_the_way.rmdir()
    until(lambda: process.unsaved(running) == {})
    os.kill(running.pid, signal.SIGKILL)
    assert client(up(), "ssm").get_parameter(Name="/late")["Parameter"]["Value"] == "1"


def until(right: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not right():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_a_taken_port_is_one_clear_error(up: Callable[[], process.Running], tmp_path: Path) -> None:
    running = up()
    with pytest.raises(LocalCloudError, match=f"port {running.port} is taken") as raised:
        process.start(tmp_path, running.port)
    assert raised.value.exit_code == 7
    assert str(running.port + 1) in raised.value.problems[0].fix


def test_starting_twice_is_the_same_cloud_and_stopping_twice_stops_once(up: Callable[[], process.Running]) -> None:
    running = up()
    assert process.start(running.state_dir, free_port()) == running
    assert process.stop(running.state_dir)
    assert not process.stop(running.state_dir)


WAITING = {
    "Queue": {"Type": "AWS::SQS::Queue"},
    "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": "Queue"},
    "Nobody": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "3000"},
    },
}


def test_a_stack_under_way_has_failed_after_a_kill_and_can_be_removed(up: Callable[[], process.Running]) -> None:
    running = up()
    cloudformation = client(running, "cloudformation")
    cloudformation.create_stack(StackName="cut", TemplateBody=json.dumps({"Resources": WAITING}))
    until(
        lambda: "CREATE_IN_PROGRESS" in saved(running, "cloudformation") and "Queue" in saved(running, "cloudformation")
    )
    until(lambda: "cut-Queue" in saved(running, "sqs"))
    os.kill(running.pid, signal.SIGKILL)
    running = up()
    cloudformation = client(running, "cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName="cut")["Stacks"]
    assert (stack["StackStatus"], "was stopped" in stack["StackStatusReason"]) == ("CREATE_FAILED", True)
    cloudformation.delete_stack(StackName="cut")
    ended = cloudformation.get_waiter("stack_delete_complete")
    ended.wait(StackName=stack["StackId"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert not client(running, "sqs").list_queues().get("QueueUrls")
