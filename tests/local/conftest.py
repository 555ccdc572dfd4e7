"""A real local cloud for tests: its own process, a free port, a state directory that goes away."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from mlops_foundation.local import process
from ports import free_port

REGION = "eu-west-1"
MODELS = boto3.session.Session()
"""One for all clients: it reads each service's model once, which takes longer than most tests."""


class CloudUnderTest:
    """The running cloud and clients of it."""

    def __init__(self, running: process.Running) -> None:
        self.running = running
        self.endpoint_url = running.endpoint_url
        self.state_dir: Path = running.state_dir
        self._accounts = itertools.count(100000000001)

    def new_account(self) -> str:
        """Return an account that no other test uses."""
        return str(next(self._accounts))

    def client(
        self,
        service: str,
        account: str,
        role: str = "",
        region: str = REGION,
        tags: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Any:
        """Return a boto3 client that signs as an account's root, or as a role in it with session tags.

        ``settings`` are botocore's: ``parameter_validation=False`` sends what the client would refuse.
        """
        found = process.sign_in(self.running, account, role, tags).credentials
        return MODELS.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=found.access_key_id,
            aws_secret_access_key=found.secret_access_key,
            aws_session_token=found.session_token,
            config=Config(**settings),
        )

    def environment(self, account: str, role: str = "", region: str = REGION) -> dict[str, str]:
        """Return the AWS_* variables for a child process (AWS CLI, git, cdk)."""
        found = process.sign_in(self.running, account, role).credentials
        values = {
            "AWS_ACCESS_KEY_ID": found.access_key_id,
            "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
            "AWS_SESSION_TOKEN": found.session_token or "",
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }
        return {name: value for name, value in values.items() if value}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudUnderTest]:
    """A local cloud with IAM enforced, shared by a session's tests; use ``cloud.new_account()`` to be alone."""
    state_dir = tmp_path_factory.mktemp("cloud")
    running = process.start(state_dir, free_port())
    yield CloudUnderTest(running)
    process.stop(state_dir)


@pytest.fixture
def account(cloud: CloudUnderTest) -> str:
    """An account of its own for one test."""
    return cloud.new_account()
