"""Topics, their policies and subscriptions."""

from typing import Final

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import (
    CalledType,
    Items,
    Name,
    Put,
    Request,
    Tags,
    Target,
    as_text,
    members,
    pairs,
)

_TOPIC_ATTRIBUTES: Final = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication",
                            "SignatureVersion", "TracingConfig")  # fmt: skip


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _create_topic(target: Target, properties: Json) -> Request:
    attributes = {name: _text(value) for name, value in members(properties, *_TOPIC_ATTRIBUTES).items()}
    return Request("create_topic", {"Name": target.id, "Attributes": attributes, "Tags": properties.get("Tags", [])})


def _attribute(name: str) -> Put:
    def put(target: Target, properties: Json) -> Request:
        value = _text(properties[name]) if name in properties else ""
        return Request("set_topic_attributes", {"TopicArn": target.id, "AttributeName": name, "AttributeValue": value})

    return Put((name,), put, on_create=False)


TOPIC = CalledType(
    "AWS::SNS::Topic",
    "sns",
    create=_create_topic,
    delete=lambda target: Request("delete_topic", {"TopicArn": target.id}),
    made_with=("FifoTopic",),
    name=Name("TopicName", 256),
    physical_id="TopicArn",
    attributes={
        "TopicArn": lambda target: target.id,
        "TopicName": lambda target: target.id.rpartition(":")[2],
    },
    steps=(
        *(_attribute(name) for name in _TOPIC_ATTRIBUTES if name != "FifoTopic"),
        Items(
            ("Subscription",),
            lambda target, item: Request("subscribe", {"TopicArn": target.id, **members(item, "Protocol", "Endpoint")}),
            lambda target, item: Request("unsubscribe", {"SubscriptionArn": _subscription(target, item)}),
        ),
        Tags(
            lambda target, tags: Request("tag_resource", {"ResourceArn": target.id, "Tags": pairs(tags)}),
            lambda target, keys: Request("untag_resource", {"ResourceArn": target.id, "TagKeys": keys}),
        ),
    ),
)


def _subscription(target: Target, item: Json) -> str:
    found = target.call(Request("list_subscriptions_by_topic", {"TopicArn": target.id}))["Subscriptions"]
    return next(
        (each["SubscriptionArn"] for each in found
         if (each["Protocol"], each["Endpoint"]) == (item["Protocol"], item["Endpoint"])),
        f"{target.id}:gone",
    )  # fmt: skip


def _own_policy(target: Target, topic: str) -> Request:
    """Return the operation that gives a topic the policy it was made with: its account may do everything."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{target.stack.call.account}:root"},
        "Action": ["sns:Publish", "sns:Subscribe", "sns:SetTopicAttributes", "sns:GetTopicAttributes"],
        "Resource": topic,
    }
    return _policy(topic, {"Version": "2012-10-17", "Statement": [statement]})


def _policy(topic: str, document: Json | str) -> Request:
    return Request(
        "set_topic_attributes", {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": as_text(document)}
    )


TOPIC_POLICY = CalledType(
    "AWS::SNS::TopicPolicy",
    "sns",
    name=Name("Id", 256),
    attributes={"Id": lambda target: target.id},
    steps=(
        Items(
            ("PolicyDocument", "Topics"),
            lambda _target, item: _policy(item[0], item[1]),
            lambda target, item: _own_policy(target, item[0]),
            key=lambda item: item[0],
            items=lambda properties: [
                (topic, properties["PolicyDocument"]) for topic in properties.get("Topics") or ()
            ],
            on_delete=True,
        ),
    ),
)

_SUBSCRIBED: Final = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
                      "SubscriptionRoleArn")  # fmt: skip


def _subscribe(target: Target, properties: Json) -> Request:
    del target
    attributes = {name: _value(value) for name, value in members(properties, *_SUBSCRIBED).items()}
    request = members(properties, "TopicArn", "Protocol", "Endpoint")
    return Request("subscribe", {**request, "Attributes": attributes, "ReturnSubscriptionArn": True})


def _value(value: object) -> str:
    return as_text(value) if isinstance(value, dict) else _text(value)


def _subscribed(name: str) -> Put:
    def put(target: Target, properties: Json) -> Request:
        value = _value(properties[name]) if name in properties else ""
        return Request(
            "set_subscription_attributes",
            {"SubscriptionArn": target.id, "AttributeName": name, "AttributeValue": value},
        )

    return Put((name,), put, on_create=False)


SUBSCRIPTION = CalledType(
    "AWS::SNS::Subscription",
    "sns",
    create=_subscribe,
    delete=lambda target: Request("unsubscribe", {"SubscriptionArn": target.id}),
    made_with=("TopicArn", "Protocol", "Endpoint"),
    physical_id="SubscriptionArn",
    attributes={"Arn": lambda target: target.id},
    steps=tuple(_subscribed(name) for name in _SUBSCRIBED),
)

TYPES = (TOPIC, TOPIC_POLICY, SUBSCRIPTION)
