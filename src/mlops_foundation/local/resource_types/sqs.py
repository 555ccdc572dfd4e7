"""Queues and their policies."""

from typing import Final

from mlops_foundation.local.contract import Json
from mlops_foundation.local.members import tag_pairs
from mlops_foundation.local.resource_types.called import CalledType, Items, Name, Put, Request, Tags, Target, as_text

_ATTRIBUTES: Final = {
    "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue", "KmsDataKeyReusePeriodSeconds": "300", "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "", "RedrivePolicy": "", "SqsManagedSseEnabled": "true", "VisibilityTimeout": "30",
}  # fmt: skip
"""Attribute -> what it is when the template says nothing (SetQueueAttributes' documentation)."""


def _text(value: object) -> str:
    if isinstance(value, dict):
        return as_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _create(target: Target, properties: Json) -> Request:
    names = [name for name in (*_ATTRIBUTES, "FifoQueue") if name in properties]
    attributes = {name: _text(properties[name]) for name in names}
    tags = {"tags": tag_pairs(properties["Tags"])} if properties.get("Tags") else {}
    return Request("create_queue", {"QueueName": target.id, "Attributes": attributes, **tags})


def _configure(target: Target, properties: Json) -> Request:
    attributes = {name: _text(properties[name]) for name in _ATTRIBUTES if name in properties}
    fifo_only = {"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}
    absent = fifo_only if not properties.get("FifoQueue") else set()
    defaults = {name: default for name, default in _ATTRIBUTES.items() if name not in properties and name not in absent}
    return Request("set_queue_attributes", {"QueueUrl": target.id, "Attributes": defaults | attributes})


QUEUE = CalledType(
    "AWS::SQS::Queue",
    "sqs",
    create=_create,
    delete=lambda target: Request("delete_queue", {"QueueUrl": target.id}),
    made_with=("FifoQueue",),
    name=Name("QueueName", 80),
    physical_id="QueueUrl",
    attributes={
        "Arn": lambda target: target.arn("sqs", target.id.rpartition("/")[2]),
        "QueueName": lambda target: target.id.rpartition("/")[2],
        "QueueUrl": lambda target: target.id,
    },
    steps=(
        Put(tuple(_ATTRIBUTES), _configure, on_create=False),
        Tags(
            lambda target, tags: Request("tag_queue", {"QueueUrl": target.id, "Tags": tags}),
            lambda target, keys: Request("untag_queue", {"QueueUrl": target.id, "TagKeys": keys}),
        ),
    ),
)


def _policy(url: str, document: str) -> Request:
    return Request("set_queue_attributes", {"QueueUrl": url, "Attributes": {"Policy": document}})


QUEUE_POLICY = CalledType(
    "AWS::SQS::QueuePolicy",
    "sqs",
    name=Name("Id", 128),
    attributes={"Id": lambda target: target.id},
    steps=(
        Items(
            ("PolicyDocument", "Queues"),
            lambda _target, item: _policy(item[0], as_text(item[1])),
            lambda _target, item: _policy(item[0], ""),
            key=lambda item: item[0],
            items=lambda properties: [
                (queue, properties["PolicyDocument"]) for queue in properties.get("Queues") or ()
            ],
            on_delete=True,
        ),
    ),
)

TYPES = (QUEUE, QUEUE_POLICY)
