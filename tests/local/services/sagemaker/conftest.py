"""Fixtures of the SageMaker tests."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from workbench import REGION, Workbench, make_bench


@pytest.fixture
def bench(cloud: Any, account: str) -> Workbench:
    """An account of its own with a bucket and an execution role that reaches bucket and logs."""
    return make_bench(cloud, account)


@pytest.fixture
def events(cloud: Any, account: str) -> Callable[[str], list[dict[str, Any]]]:
    """Record the account's SageMaker events and return the details of one type."""
    sqs = cloud.client("sqs", account)
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    rules = cloud.client("events", account)
    rules.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    rules.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{account}:events"}])
    seen: list[dict[str, Any]] = []

    def read(detail_type: str) -> list[dict[str, Any]]:
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                seen.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [event["detail"] for event in seen if event["detail-type"] == detail_type]

    return read
