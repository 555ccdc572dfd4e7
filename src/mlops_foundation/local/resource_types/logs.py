"""Log groups."""

from mlops_foundation.local.contract import Json
from mlops_foundation.local.members import tag_pairs
from mlops_foundation.local.resource_types.called import CalledType, Name, Put, Request, Tags, Target, members


def _create(target: Target, properties: Json) -> Request:
    request = members(properties, kmsKeyId="KmsKeyId", logGroupClass="LogGroupClass")
    tags = {"tags": tag_pairs(properties["Tags"])} if properties.get("Tags") else {}
    return Request("create_log_group", {"logGroupName": target.id, **request, **tags})


def _arn(target: Target) -> str:
    return target.arn("logs", f"log-group:{target.id}")


LOG_GROUP = CalledType(
    "AWS::Logs::LogGroup",
    "logs",
    create=_create,
    delete=lambda target: Request("delete_log_group", {"logGroupName": target.id}),
    made_with=("LogGroupClass", "KmsKeyId"),
    name=Name("LogGroupName", 512),
    attributes={"Arn": lambda target: f"{_arn(target)}:*"},
    steps=(
        Put(
            ("RetentionInDays",),
            lambda target, properties: Request(
                "put_retention_policy",
                {"logGroupName": target.id, "retentionInDays": properties["RetentionInDays"]},
            ),
            lambda target: Request("delete_retention_policy", {"logGroupName": target.id}),
        ),
        Tags(
            lambda target, tags: Request("tag_resource", {"resourceArn": _arn(target), "tags": tags}),
            lambda target, keys: Request("untag_resource", {"resourceArn": _arn(target), "tagKeys": keys}),
        ),
    ),
)

TYPES = (LOG_GROUP,)
