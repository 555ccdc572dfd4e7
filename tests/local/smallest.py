"""The smallest request that the model of an operation allows, for tests over every operation of every service."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from mlops_foundation.local import wire
from mlops_foundation.local.contract import ServiceError

_NUMBERS = {"integer", "long", "float", "double"}
_DEPTH = 8


def smallest_request(operation: OperationModel, account: str, *, named: bool = False) -> dict[str, Any]:
    """Return a request with what the model requires and nothing else; every value keeps the model's limits.

    Args:
        operation: botocore's model.
        account: Whose ARNs it names.
        named: Also with what the model does not require though the request may be about it: all texts at the top.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    place = f"{operation.service_model.signing_name}:eu-west-1:{account}"
    request = dict(_value(shape, operation.name, place, _DEPTH))
    for name, member in shape.members.items():
        if named and name not in request and member.type_name == "string":
            with suppress(LookupError):
                request[name] = _text(member, name, place)
    return request


def _value(shape: Shape, name: str, place: str, depth: int) -> Any:
    if isinstance(shape, StructureShape):
        members = shape.required_members or (list(shape.members)[:1] if shape.metadata.get("union") else [])
        return {member: _value(shape.members[member], member, place, depth - 1) for member in members if depth}
    if isinstance(shape, ListShape):
        return [_value(shape.member, name, place, depth - 1) for _ in range(shape.metadata.get("min", 0))]
    if isinstance(shape, MapShape):
        return {}
    if shape.type_name in _NUMBERS:
        return shape.metadata.get("min", 1)
    if shape.type_name == "string":
        return _text(shape, name, place)
    return {"boolean": True, "blob": b"x", "timestamp": dt.datetime(2026, 11, 21, tzinfo=dt.UTC)}[shape.type_name]


def _text(shape: Shape, name: str, place: str) -> str:
    if shape.metadata.get("enum"):
        return str(shape.metadata["enum"][0])
    for text in _candidates(shape, name, place):
        try:
            wire.validate(shape, text)  # type: ignore[arg-type]
        except ServiceError:
            continue
        return text
    raise LookupError(f"no text is known for {shape.name} ({name}): {shape.metadata}; add one to the candidates")


def _candidates(shape: Shape, name: str, place: str) -> Iterator[str]:
    account = place.rpartition(":")[2]
    if "role" in name.lower():
        yield f"arn:aws:iam::{account}:role/smallest"
    if "arn" in name.lower():
        kind = xform_name(re.sub("(?i)arn$", "", name)).replace("_", "-")
        yield f"arn:aws:{place}:pipeline/smallest/execution/abcdefghijkl"
        yield from (f"arn:aws:{place}:{kind}/smallest", f"arn:aws:{place}:smallest")
    length = max(shape.metadata.get("min", 1), 1)
    yield from ("smallest", "a" * length, "1" * length, "d-smallest", account, "s3://smallest/key", "ml.m5.large")
    yield from ("{}", "true", "1.0", "abcdef01-2345-6789-abcd-ef0123456789", "0" * 40, "eu-west-1a")
