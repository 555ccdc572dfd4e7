"""What the cloud holds is there again after it ends, however it ends."""

import os
import signal
import time
from pathlib import Path

import boto3
import pytest
from ports import free_port

from mlops_foundation.core.errors import LocalCloudError
from mlops_foundation.local import process

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
    time.sleep(3)
    os.kill(running.pid, signal.SIGKILL)
    running = process.start(tmp_path, port)
    assert is_there(running)
    process.reset(tmp_path)


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
