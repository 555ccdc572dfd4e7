"""Requests and responses of our services, read and written by the botocore model.

The model is the parser's source: which operation, which members, which types, which limits. Two protocols are spoken:
``json`` (X-Amz-Target) and ``rest-json`` (paths), which cover every service we have.
"""

import base64
import binascii
import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from mlops_foundation.local.contract import Json, ServiceError


@functools.cache
def service_model(name: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(name)


@functools.cache
def operation_model(service: str, name: str) -> OperationModel:
    """Return botocore's model of one operation."""
    return service_model(service).operation_model(name)


@dataclass(frozen=True)
class Route:
    """Which operation a request is for, and the values its path carries."""

    operation: OperationModel
    path_values: Mapping[str, str]


@functools.cache
def _rest_routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    model = service_model(service)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].split("?")[0]
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", path)
        routes.append((http["method"], re.compile(pattern + r"/?"), name))
    return routes


def route(services: tuple[str, ...], method: str, path: str, target: str) -> Route | None:
    """Find the operation of a request among the models of one service; None when there is none."""
    for service in services:
        model = service_model(service)
        if target:
            prefix, _, name = target.rpartition(".")
            if model.metadata.get("targetPrefix") == prefix and name in model.operation_names:
                return Route(operation_model(service, name), {})
        elif model.metadata["protocol"] == "rest-json":
            for verb, pattern, name in _rest_routes(service):
                if verb == method and (match := pattern.fullmatch(path)):
                    values = {key: unquote(value) for key, value in match.groupdict().items()}
                    return Route(operation_model(service, name), values)
    return None


def read_request(
    target: Route, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]] | None = None
) -> Json:
    """Return the request's members as Python values, validated by the model.

    Args:
        target: The operation.
        headers: With names in lower case.
        body: As it came.
        query: Values of the query string by name.

    Raises:
        ServiceError: ``SerializationException`` for a body that is not what the protocol says,
            ``ValidationException`` for values outside the model's constraints.
    """
    shape = target.operation.input_shape
    if shape is None:
        return {}
    if target.operation.service_model.metadata["protocol"] == "rest-json":
        request = _read_rest(shape, target.path_values, headers, body) | _read_query(shape, query or {})
    else:
        request = _decode(shape, _parse_json(body))
    validate(shape, request)
    return request


def _parse_json(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The request body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ServiceError("SerializationException", "The request body is not a JSON object")
    return value


def _read_rest(shape: StructureShape, path_values: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Json:
    payload = shape.serialization.get("payload")
    request: Json = {}
    body_members: dict[str, Shape] = {}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "uri":
            request[name] = path_values[wire_name]
        elif location == "header":
            if wire_name.lower() in headers:
                request[name] = headers[wire_name.lower()]
        elif name == payload:
            request[name] = body
        elif location is None:
            body_members[name] = member
    if payload is None and body_members and body:
        values = _parse_json(body)
        known = {name: member for name, member in body_members.items() if name in values}
        request |= {name: _decode(member, values[name]) for name, member in known.items()}
    return request


def _read_query(shape: StructureShape, query: Mapping[str, list[str]]) -> Json:
    request: Json = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        if member.serialization.get("location") == "querystring" and wire_name in query:
            request[name] = _from_text(member, query[wire_name])
    return request


def _from_text(shape: Shape, values: list[str]) -> Any:  # noqa: ANN401  JSON
    """Read a member that came as text: lists have several values, numbers and truth values are written out."""
    if isinstance(shape, ListShape):
        return values
    text = values[0]
    try:
        if shape.type_name in {"integer", "long"}:
            return int(text)
    except ValueError as error:
        raise ServiceError("SerializationException", f"{text!r} is not a number") from error
    return text == "true" if shape.type_name == "boolean" else text


def _decode(shape: Shape, value: Any) -> Any:  # noqa: ANN401  JSON
    """Turn wire JSON into Python values: blobs to bytes, timestamps to datetimes; unknown members are dropped."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        known = (
            (name, member) for name, member in shape.members.items() if value.get(_wire_name(name, member)) is not None
        )
        return {name: _decode(member, value[_wire_name(name, member)]) for name, member in known}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_decode(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _decode(shape.value, item) for key, item in value.items()}
    decoder = _SCALARS.get(shape.type_name)
    return value if decoder is None else decoder(value)


def _wire_name(name: str, member: Shape) -> str:
    return str(member.serialization.get("name", name))


def _blob(value: Any) -> bytes:  # noqa: ANN401  JSON
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ServiceError("SerializationException", "a blob is not base64") from error


def _timestamp(value: Any) -> dt.datetime:  # noqa: ANN401  JSON
    if isinstance(value, int | float):
        return dt.datetime.fromtimestamp(value, dt.UTC)
    try:
        return dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ServiceError("SerializationException", f"{value!r} is not a timestamp") from error


_SCALARS: dict[str, Callable[[Any], Any]] = {"blob": _blob, "timestamp": _timestamp}


def encode(value: Any) -> Any:  # noqa: ANN401  JSON
    """Turn Python values into wire JSON: datetimes to epoch seconds, bytes to base64, None members left out."""
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def write_response(operation: OperationModel, response: Json) -> bytes:
    """Return the body of a successful answer.

    Raises:
        ValueError: When the service answers a member that the model does not have, which is a bug of the service.
    """
    shape = operation.output_shape
    if shape is None:
        return b""
    unknown = response.keys() - shape.members.keys()
    if unknown:
        msg = f"{operation.name} answers members that its model has not: {sorted(unknown)}"
        raise ValueError(msg)
    wire = {_wire_name(name, shape.members[name]): value for name, value in response.items()}
    return json.dumps(encode(wire)).encode()


# --- validation -------------------------------------------------------------------------------------------------------

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "blob": (bytes,),
    "timestamp": (dt.datetime,),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


def validate(shape: Shape, request: Json) -> None:
    """Check a request against the model, all problems in one error, worded as AWS words them.

    Raises:
        ServiceError: ``ValidationException``.
    """
    problems: list[str] = []
    _check(shape, request, "", problems)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ServiceError("ValidationException", count + "; ".join(problems))


def _check(shape: Shape, value: Any, path: str, problems: list[str]) -> None:  # noqa: ANN401  JSON
    expected = _PYTHON_TYPES.get(shape.type_name)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)):
        problems.append(f"Value at '{path}' failed to satisfy constraint: Member must be a {shape.type_name}")
        return
    if isinstance(shape, StructureShape):
        _check_structure(shape, value, path, problems)
    elif isinstance(shape, ListShape):
        _check_size(shape, len(value), path, "length", problems)
        for number, item in enumerate(value, 1):
            _check(shape.member, item, f"{path}.{number}.member", problems)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            _check(shape.key, key, f"{path}.{key}", problems)
            _check(shape.value, item, f"{path}.{key}", problems)
    else:
        _check_scalar(shape, value, path, problems)


def _check_structure(shape: StructureShape, value: Json, path: str, problems: list[str]) -> None:
    for name in shape.required_members:
        if name not in value:
            where = _join(path, name)
            problems.append(f"Value null at '{where}' failed to satisfy constraint: Member must not be null")
    for name, item in value.items():
        if name in shape.members:
            _check(shape.members[name], item, _join(path, name), problems)
        else:
            known = ", ".join(sorted(shape.members))
            problems.append(f"Unknown member '{_join(path, name)}': must be one of [{known}]")


def _join(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _check_size(shape: Shape, size: float, path: str, what: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    noun = "have length" if what == "length" else "have value"
    if low is not None and size < low:
        problems.append(
            f"Value at '{path}' failed to satisfy constraint: Member must {noun} greater than or equal to {low}"
        )
    if high is not None and size > high:
        problems.append(
            f"Value at '{path}' failed to satisfy constraint: Member must {noun} less than or equal to {high}"
        )


def _check_scalar(shape: Shape, value: Any, path: str, problems: list[str]) -> None:  # noqa: ANN401  JSON
    if isinstance(value, str):
        _check_size(shape, len(value), path, "length", problems)
        _check_text(shape, value, path, problems)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_size(shape, value, path, "value", problems)


def _check_text(shape: Shape, value: str, path: str, problems: list[str]) -> None:
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        allowed = ", ".join(enum)
        problems.append(
            f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]"
        )
    pattern = _pattern(shape)
    if pattern and not pattern.fullmatch(value):
        problems.append(
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern.pattern}"
        )


def _pattern(shape: Shape) -> re.Pattern[str] | None:
    text = shape._shape_model.get("pattern")  # noqa: SLF001  botocore keeps patterns nowhere else
    return _compile(text) if text else None


@functools.cache
def _compile(text: str) -> re.Pattern[str] | None:
    r"""Compile an AWS pattern; those that Python's ``re`` does not know (``\p{L}``) are not checked here."""
    try:
        return re.compile(text)
    except re.error:
        return None
