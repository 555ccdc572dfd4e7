"""Expressions of a pipeline definition: Get, Std:Join, Std:JsonGet and conditions, evaluated while it runs."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops_foundation.local.contract import Json

_TOKEN: Final = re.compile(r"\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]|([^.\[\]]+)")
_LIST_KEYS: Final = ("OutputName", "InputName", "ChannelName", "MetricName", "Name")
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}

Value = Any


class ExpressionError(Exception):
    """An expression has no value; the message says which and why."""


class Evaluator:
    """Gives expressions their values.

    Args:
        parameters: Value of each parameter.
        execution: Value of each execution variable.
        read_json: Reads a JSON document at an S3 URI, as the pipeline's role.
    """

    def __init__(self, parameters: Json, execution: Json, read_json: Callable[[str], Value]) -> None:
        self._parameters, self._execution, self._read_json = parameters, execution, read_json
        self._properties: dict[str, Json] = {}
        self._files: dict[str, dict[str, str]] = {}

    def finished(self, step: Json, properties: Json) -> None:
        """Let other steps read a step's properties and property files."""
        name = step["Name"]
        self._properties[name] = properties
        outputs = properties.get("ProcessingOutputConfig", {}).get("Outputs", [])
        places = {output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs}
        self._files[name] = {
            file["PropertyFileName"]: f"{places[file['OutputName']].rstrip('/')}/{file['FilePath']}"
            for file in step.get("PropertyFiles") or ()
        }

    def resolve(self, value: Value) -> Value:
        """Return a value with every expression in it replaced.

        Raises:
            ExpressionError: When one cannot be.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Get"}:
            return self._get(value["Get"])
        if value.keys() == {"Std:Join"}:
            return value["Std:Join"]["On"].join(_text(self.resolve(item)) for item in value["Std:Join"]["Values"])
        if value.keys() == {"Std:JsonGet"}:
            return self._json_get(value["Std:JsonGet"])
        return {key: self.resolve(item) for key, item in value.items()}

    def holds(self, condition: Json) -> bool:
        """Decide one condition."""
        kind = condition["Type"]
        if kind == "Not":
            return not self.holds(condition["Expression"])
        if kind == "Or":
            return any(self.holds(item) for item in condition["Conditions"])
        if kind == "In":
            return self.resolve(condition["QueryValue"]) in self.resolve(condition["Values"])
        if kind not in _COMPARE:
            message = f"unknown condition type {kind}"
            raise ExpressionError(message)
        left, right = self.resolve(condition["LeftValue"]), self.resolve(condition["RightValue"])
        try:
            return _COMPARE[kind](left, right)
        except TypeError as error:
            message = f"{kind} cannot compare {left!r} with {right!r}"
            raise ExpressionError(message) from error

    def _get(self, path: str) -> Value:
        head, _, rest = path.partition(".")
        if head == "Parameters":
            return self._parameters[rest]
        if head == "Execution" and rest in self._execution:
            return self._execution[rest]
        if head != "Steps":
            message = f"unknown variable {path}"
            raise ExpressionError(message)
        name, *tokens = _tokens(rest)
        return _walk(self._properties.get(str(name), {}), tokens, path)

    def _json_get(self, arguments: Json) -> Value:
        if "PropertyFile" in arguments:
            _, step, _, file = arguments["PropertyFile"]["Get"].split(".", 3)
            uri = self._files.get(step, {}).get(file)
            if uri is None:
                message = f"step {step} has no property file {file}"
                raise ExpressionError(message)
        else:
            uri = str(self.resolve(arguments["S3Uri"]))
        return _walk(self._read_json(uri), _tokens(arguments["Path"]), f"{uri} {arguments['Path']}")


def _tokens(path: str) -> list[str | int]:
    return [int(index) if index else single or double or plain for single, double, index, plain in _TOKEN.findall(path)]


def _walk(value: Value, tokens: list[str | int], path: str) -> Value:
    for token in tokens:
        try:
            if isinstance(value, list) and isinstance(token, str):
                value = next(item for item in value if token in (item.get(key) for key in _LIST_KEYS))
            else:
                value = value[token]
        except (KeyError, IndexError, StopIteration, TypeError) as error:
            message = f"nothing at {path}"
            raise ExpressionError(message) from error
    return value


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def coerce(shape: Shape | None, value: Value) -> Value:
    """Return a value with the scalars an operation's model wants: parameters of type Integer may land in strings."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {key: coerce(shape.members.get(key), item) for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [coerce(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: coerce(shape.value, item) for key, item in value.items()}
    if shape is not None and shape.type_name == "string" and not isinstance(value, str):
        return _text(value)
    if shape is not None and shape.type_name == "integer" and isinstance(value, str) and value.isdigit():
        return int(value)
    return value
