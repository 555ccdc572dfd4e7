"""The template of a product version: where it is, and what it asks for."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from mlops_foundation.local.contract import Json, ServiceError

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com")
_CONSTRAINTS = ("AllowedValues", "AllowedPattern", "ConstraintDescription", "MaxLength", "MinLength", "MaxValue")


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (``!Ref``) without looking into them."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, suffix, _node: {f"Fn::{suffix}": ""})


def place_of(url: str) -> tuple[str, str]:
    """Return bucket and key of an S3 address, path style or virtual-hosted."""
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    match = _VIRTUAL_HOST.fullmatch(parts.netloc)
    if match:
        return match["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def read(s3: Any, url: str) -> str:  # noqa: ANN401  a boto3 client
    """Return the text of a template, read with the rights of the client."""
    bucket, key = place_of(url)
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")


def parse(text: str) -> Json:
    """Return a template as a mapping.

    Raises:
        ServiceError: ``InvalidParametersException`` when it is no template.
    """
    try:
        template = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        raise ServiceError("InvalidParametersException", f"Invalid templateBody: {error}") from error
    if not isinstance(template, dict) or not template.get("Resources"):
        raise ServiceError("InvalidParametersException", "Invalid templateBody: it has no Resources")
    return template


def parameters(template: Json) -> list[Json]:
    """Return a template's parameters as Service Catalog shows them."""
    return [_parameter(key, value) for key, value in template.get("Parameters", {}).items()]


def _parameter(key: str, value: Json) -> Json:
    shown: Json = {
        "ParameterKey": key,
        "ParameterType": value["Type"],
        "IsNoEcho": str(value.get("NoEcho", False)).lower() == "true",
    }
    if "Default" in value:
        shown["DefaultValue"] = str(value["Default"])
    if "Description" in value:
        shown["Description"] = value["Description"]
    limits: Json = {name: str(value[name]) for name in (*_CONSTRAINTS[1:], "MinValue") if name in value}
    if "AllowedValues" in value:
        limits["AllowedValues"] = [str(item) for item in value["AllowedValues"]]
    return {**shown, "ParameterConstraints": limits}
