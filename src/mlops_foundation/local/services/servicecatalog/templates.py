"""The template of a product version: what it asks for."""

import json

import yaml

from mlops_foundation.local.contract import Json, ServiceError

_CONSTRAINTS = ("AllowedValues", "AllowedPattern", "ConstraintDescription", "MaxLength", "MinLength", "MaxValue")


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (``!Ref``) without looking into them."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, suffix, _node: {f"Fn::{suffix}": ""})


def parse(text: str) -> Json:
    """Return a template as a mapping.

    Raises:
        ServiceError: ``InvalidParametersException`` when it is no template.
    """
    try:
        template = _read(text)
    except yaml.YAMLError as error:
        raise ServiceError("InvalidParametersException", f"Invalid templateBody: {error}") from error
    if not isinstance(template, dict) or not template.get("Resources"):
        raise ServiceError("InvalidParametersException", "Invalid templateBody: it has no Resources")
    return template


def _read(text: str) -> object:
    """Return what a JSON or YAML text says; YAML's reader takes a hundred times as long for JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.load(text, Loader=_TemplateLoader)  # noqa: S506  a SafeLoader


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
