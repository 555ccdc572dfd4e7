"""Fixtures of the code services: git as a role of the test's account, and the events it causes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from code_clients import Git
from pipeline_lab import Lab

from mlops_foundation.local.git_login import git_settings


@pytest.fixture
def git(cloud: Any, account: str, tmp_path: Path) -> Callable[..., Git]:
    """Return a function that gives git as a role (or root) of the test's account, in a new folder."""

    def make(role: str = "", helper: str = "", **environment: str) -> Git:
        folder = tmp_path / f"git-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        settings = {} if helper else git_settings(cloud.endpoint_url)
        return Git(folder, {**cloud.environment(account, role), **settings, **environment}, helper)

    return make


@pytest.fixture
def events(cloud: Any, account: str) -> Callable[[str], list[dict[str, Any]]]:
    """Record the account's service events and return them by detail type."""
    sqs = cloud.client("sqs", account)
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    rules = cloud.client("events", account)
    pattern = {"source": ["aws.codecommit", "aws.codebuild", "aws.codepipeline"]}
    rules.put_rule(Name="all", EventPattern=json.dumps(pattern))
    rules.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:eu-west-1:{account}:events"}])
    seen: list[dict[str, Any]] = []

    def read(detail_type: str) -> list[dict[str, Any]]:
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                seen.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [event["detail"] for event in seen if event["detail-type"] == detail_type]

    return read


@pytest.fixture
def lab(cloud: Any, account: str) -> Lab:
    """Give one account with everything a pipeline needs."""
    return Lab(cloud, account)
