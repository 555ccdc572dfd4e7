"""A local cloud of its own for a measurement: an account with a bucket and a role, clients, files of the seed."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

import mlops_foundation
from mlops_foundation.local import process
from mlops_foundation.local.contract import Credentials

ACCOUNT = "222222222222"
REGION = "eu-west-1"
BUCKET = f"bench-{ACCOUNT}"
IMAGE = f"141502667606.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
SEED = Path(mlops_foundation.__file__).parent / "templates" / "realtime" / "seed" / "build" / "src"
_ACTIONS = ["s3:*Object", "s3:ListBucket", "logs:Create*", "logs:Put*", "sagemaker:*", "iam:PassRole"]


class BenchCloud:
    """The running cloud and what was made in it before anything is measured."""

    def __init__(self, running: process.Running) -> None:
        self.port = running.port
        self._running = running
        self._session = boto3.session.Session()
        location = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        self.role = self._make_role("bench", {"Service": "sagemaker.amazonaws.com"}, _ACTIONS)
        endpoint = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/*"
        caller = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        self._make_role("caller", caller, ["sagemaker:InvokeEndpoint"], endpoint)

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 clients
        """Return a client of the account's root."""
        return self._session.client(
            service,
            region_name=REGION,
            endpoint_url=f"http://localhost:{self.port}",
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="test",
        )

    def caller(self) -> Credentials:
        """Return a session of a role that may invoke endpoints and nothing else."""
        return process.sign_in(self._running, ACCOUNT, "caller").credentials

    def put(self, key: str, file: Path) -> str:
        """Upload a file and return its URI."""
        self.client("s3").upload_file(str(file), BUCKET, key)
        return f"s3://{BUCKET}/{key}"

    def get(self, uri: str, file: Path) -> None:
        """Download a file."""
        self.client("s3").download_file(BUCKET, uri.removeprefix(f"s3://{BUCKET}/"), str(file))

    def _make_role(self, name: str, trusted: dict[str, str], actions: list[str], resource: str = "*") -> str:
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": actions, "Resource": resource}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=_document(rights))
        return str(made)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(state_dir: Path) -> Iterator[BenchCloud]:
    """Start a local cloud and stop it afterwards."""
    started = process.start(state_dir, free_port())
    try:
        yield BenchCloud(started)
    finally:
        process.stop(state_dir)
