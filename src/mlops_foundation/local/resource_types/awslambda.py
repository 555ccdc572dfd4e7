"""Functions, layers, and who may call a function."""

import io
import time
import zipfile
from typing import Final

from mlops_foundation.local.contract import Json, ServiceError
from mlops_foundation.local.members import tag_pairs
from mlops_foundation.local.resource_types.called import CalledType, Name, Put, Request, Tags, Target, members

_CONFIGURED: Final = (
    "Role", "Handler", "Runtime", "Description", "Timeout", "MemorySize", "Environment", "Layers", "EphemeralStorage",
    "LoggingConfig", "TracingConfig", "KmsKeyArn", "VpcConfig", "DeadLetterConfig",
)  # fmt: skip
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_READY_S: Final = 60.0
_POLL_S: Final = 0.05


def _code(properties: Json) -> Json:
    """Return where the code is, as the API takes it: text in the template becomes an archive of one file.

    Source: AWS::Lambda::Function Code, ``ZipFile``: the file is named after the handler's module.
    """
    code = properties["Code"]
    if "ZipFile" not in code:
        return members(code, "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")
    module = str(properties.get("Handler", "index.handler")).split(".", maxsplit=1)[0]
    suffix = "py" if str(properties.get("Runtime", "")).startswith("python") else "js"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{module}.{suffix}", _ZIP_DATE)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, code["ZipFile"])
    return {"ZipFile": packed.getvalue()}


def _create(target: Target, properties: Json) -> Request:
    request = members(properties, *_CONFIGURED, "Architectures", "PackageType")
    if properties.get("Tags"):
        request["Tags"] = tag_pairs(properties["Tags"])
    request["Code"] = _code(properties)
    return Request("create_function", {"FunctionName": target.id, **request})


def _arn(target: Target) -> str:
    return target.arn("lambda", f"function:{target.id}")


def _ready(target: Target) -> None:
    """Wait until the function can be called, and its last change is done."""
    end = time.monotonic() + _READY_S
    while True:
        found = target.call(Request("get_function", {"FunctionName": target.id}))["Configuration"]
        states = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if states == ("Active", "Successful"):
            return
        if "Failed" in states or time.monotonic() > end:
            raise ServiceError("NotStabilized", f"{target.id} is {states[0]}, its last change {states[1]}")
        time.sleep(_POLL_S)


FUNCTION = CalledType(
    "AWS::Lambda::Function",
    "lambda",
    create=_create,
    delete=lambda target: Request("delete_function", {"FunctionName": target.id}),
    made_with=("PackageType",),
    name=Name("FunctionName", 64),
    attributes={"Arn": _arn},
    steps=(
        Put(
            ("Code", "Architectures"),
            lambda target, properties: Request(
                "update_function_code",
                {"FunctionName": target.id, **_code(properties), **members(properties, "Architectures")},
            ),
            on_create=False,
        ),
        Put(
            _CONFIGURED,
            lambda target, properties: Request(
                "update_function_configuration", {"FunctionName": target.id, **members(properties, *_CONFIGURED)}
            ),
            on_create=False,
        ),
        Put(
            ("ReservedConcurrentExecutions",),
            lambda target, properties: Request(
                "put_function_concurrency",
                {
                    "FunctionName": target.id,
                    "ReservedConcurrentExecutions": properties["ReservedConcurrentExecutions"],
                },
            ),
            lambda target: Request("delete_function_concurrency", {"FunctionName": target.id}),
        ),
        Tags(
            lambda target, tags: Request("tag_resource", {"Resource": _arn(target), "Tags": tags}),
            lambda target, keys: Request("untag_resource", {"Resource": _arn(target), "TagKeys": keys}),
        ),
    ),
    stable=_ready,
)

_ALLOWED: Final = ("FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken",
                   "FunctionUrlAuthType", "PrincipalOrgID")  # fmt: skip


def _allow(target: Target, properties: Json) -> Request:
    return Request("add_permission", {"StatementId": target.id, **members(properties, *_ALLOWED)})


PERMISSION = CalledType(
    "AWS::Lambda::Permission",
    "lambda",
    create=_allow,
    delete=lambda target: Request(
        "remove_permission", {"FunctionName": target.properties["FunctionName"], "StatementId": target.id}
    ),
    made_with=_ALLOWED,
    name=Name("Id", 100),
    attributes={"Id": lambda target: target.id},
)


def _layer(target: Target, properties: Json) -> Request:
    request = members(properties, "CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo")
    content = members(properties["Content"], "S3Bucket", "S3Key", "S3ObjectVersion")
    return Request("publish_layer_version", {"LayerName": target.id, "Content": content, **request})


def _delete_layer(target: Target) -> Request:
    name, version = target.id.split(":")[-2:]
    return Request("delete_layer_version", {"LayerName": name, "VersionNumber": int(version)})


LAYER_VERSION = CalledType(
    "AWS::Lambda::LayerVersion",
    "lambda",
    create=_layer,
    delete=_delete_layer,
    made_with=("Content", "CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"),
    name=Name("LayerName", 140),
    physical_id="LayerVersionArn",
    attributes={"LayerVersionArn": lambda target: target.id},
)

TYPES = (FUNCTION, PERMISSION, LAYER_VERSION)
