"""What the cloud holds is there again after it ends, however it ends."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from ports import free_port

from mlops_foundation.core.errors import LocalCloudError
from mlops_foundation.local import process
from mlops_foundation.usecases import local

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


def fill(running: process.Running) -> None:
    client(running, "ssm").put_parameter(Name="/kept", Value="1", Type="String")
    client(running, "codecommit").create_repository(repositoryName="kept")
    s3 = client(running, "s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="kept", Key="x", Body=b"1")


def is_there(running: process.Running) -> bool:
    parameter = client(running, "ssm").get_parameter(Name="/kept")["Parameter"]["Value"]
    repository = client(running, "codecommit").get_repository(repositoryName="kept")["repositoryMetadata"]
    body = client(running, "s3").get_object(Bucket="kept", Key="x")["Body"].read()
    return (parameter, repository["repositoryName"], body) == ("1", "kept", b"1")


def saved(state_dir: Path, service: str) -> str:
    """Return what is on disk of a service of ministack, empty before its first save."""
    return "".join(path.read_text() for path in state_dir.rglob(f"ministack/{service}.json"))


def test_after_a_stop(tmp_path: Path) -> None:
    port = free_port()
    fill(process.start(tmp_path, port))
    process.stop(tmp_path)
    running = process.start(tmp_path, port)
    assert is_there(running)
    process.reset(tmp_path)
    assert not tmp_path.exists()


def test_sessions_go_on_and_nobody_else_reads_the_state(tmp_path: Path) -> None:
    port = free_port()
    running = process.start(tmp_path, port)
    client(running, "iam").create_role(RoleName="somebody", AssumeRolePolicyDocument='{"Statement": []}')
    found = process.sign_in(running, ACCOUNT, "somebody").credentials
    process.stop(tmp_path)
    process.start(tmp_path, port)
    sts = boto3.client(
        "sts",
        region_name="eu-west-1",
        endpoint_url=running.endpoint_url,
        aws_access_key_id=found.access_key_id,
        aws_secret_access_key=found.secret_access_key,
        aws_session_token=found.session_token,
    )
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/somebody/local")
    assert tmp_path.stat().st_mode & 0o077 == 0
    process.reset(tmp_path)


def test_after_a_kill(tmp_path: Path) -> None:
    port = free_port()
    running = process.start(tmp_path, port)
    fill(running)
    until(lambda: "/kept" in saved(tmp_path, "ssm") and "kept" in saved(tmp_path, "s3"))
    os.kill(running.pid, signal.SIGKILL)
    running = process.start(tmp_path, port)
    assert is_there(running)
    process.reset(tmp_path)


def test_a_kill_once_the_last_of_many_changes_is_saved_loses_none(tmp_path: Path) -> None:
    running = process.start(tmp_path, free_port())
    ssm, iam = client(running, "ssm"), client(running, "iam")
    for number in range(60):
        ssm.put_parameter(Name=f"/many/{number}", Value=str(number), Type="String")
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument='{"Statement": []}')
    until(lambda: "/many/59" in saved(tmp_path, "ssm") and "role-59" in saved(tmp_path, "iam"))
    os.kill(running.pid, signal.SIGKILL)
    running = process.start(tmp_path, running.port)
    assert client(running, "ssm").get_parameter(Name="/many/59")["Parameter"]["Value"] == "59"
    assert client(running, "iam").get_role(RoleName="role-59")["Role"]["RoleName"] == "role-59"
    assert process.unsaved(running) == {}
    process.reset(tmp_path)


def test_a_state_that_cannot_be_saved_is_said_by_the_cloud_and_saved_when_it_can_be(tmp_path: Path) -> None:
    running = process.start(tmp_path, free_port())
    fill(running)
    until(lambda: bool(list(tmp_path.rglob("ssm.json"))))
    folder = next(tmp_path.rglob("ssm.json")).parent
    in_the_way = folder / "ssm.json.tmp"
    in_the_way.mkdir()
    client(running, "ssm").put_parameter(Name="/late", Value="1", Type="String")
    until(lambda: "ssm" in process.unsaved(running))
    assert "ssm" in local.status(tmp_path).as_dict()["unsaved"]
    in_the_way.rmdir()
    until(lambda: process.unsaved(running) == {})
    os.kill(running.pid, signal.SIGKILL)
    running = process.start(tmp_path, running.port)
    assert client(running, "ssm").get_parameter(Name="/late")["Parameter"]["Value"] == "1"
    process.reset(tmp_path)


def until(right: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not right():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_a_taken_port_is_one_clear_error(tmp_path: Path) -> None:
    running = process.start(tmp_path / "first", free_port())
    with pytest.raises(LocalCloudError, match=f"port {running.port} is taken") as raised:
        process.start(tmp_path / "second", running.port)
    assert raised.value.exit_code == 7
    assert str(running.port + 1) in raised.value.problems[0].fix
    process.reset(tmp_path / "first")


def test_starting_twice_is_the_same_cloud(tmp_path: Path) -> None:
    running = process.start(tmp_path, free_port())
    assert process.start(tmp_path, free_port()) == running
    assert process.stop(tmp_path)
    assert not process.stop(tmp_path)
