"""Parameters."""

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import CalledType, Name, Put, Request, Tags, Target, members, pairs

_CARRIED = ("Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType")


def _create(target: Target, properties: Json) -> Request:
    tags = {"Tags": pairs(properties["Tags"])} if properties.get("Tags") else {}
    return Request("put_parameter", {"Name": target.id, **members(properties, *_CARRIED), **tags})


def _overwrite(target: Target, properties: Json) -> Request:
    return Request("put_parameter", {"Name": target.id, "Overwrite": True, **members(properties, *_CARRIED)})


PARAMETER = CalledType(
    "AWS::SSM::Parameter",
    "ssm",
    create=_create,
    delete=lambda target: Request("delete_parameter", {"Name": target.id}),
    name=Name("Name", 512),
    attributes={
        "Type": lambda target: str(target.properties["Type"]),
        "Value": lambda target: str(target.properties["Value"]),
    },
    steps=(
        Put(_CARRIED, _overwrite, on_create=False),
        Tags(
            lambda target, tags: Request(
                "add_tags_to_resource",
                {"ResourceType": "Parameter", "ResourceId": target.id, "Tags": pairs(tags)},
            ),
            lambda target, keys: Request(
                "remove_tags_from_resource",
                {"ResourceType": "Parameter", "ResourceId": target.id, "TagKeys": keys},
            ),
        ),
    ),
)

TYPES = (PARAMETER,)
