"""The registry schemas of the types that the local cloud offers: what a template may say of each.

``tools/schemas.py`` cuts them out of cfn-lint, which carries what AWS publishes; ``schemas/SOURCE.json`` says of when.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from mlops_foundation.local.contract import Json

_TYPES: Final = {"array": "JSONArray", "object": "JSONObject", "string": "String", "integer": "Integer",
                 "number": "Number", "boolean": "Boolean", "null": "Null"}  # fmt: skip
_TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Schema:
    """What AWS publishes of one type.

    Attributes:
        type_name: For example ``AWS::IAM::Role``.
        document: The schema, without descriptions.
    """

    type_name: str
    document: Json

    @property
    def properties(self) -> frozenset[str]:
        """The names of all properties."""
        return frozenset(self.document["properties"])

    @property
    def create_only(self) -> frozenset[str]:
        """Properties whose change makes a new resource; one inside another stands as ``DnsOptions/Preference``."""
        return frozenset(self._pointers("createOnlyProperties"))

    @property
    def read_only(self) -> frozenset[str]:
        """Properties that only the resource itself sets: its attributes, without what may be said when it is made."""
        names = {name for name in self._pointers("readOnlyProperties") if "/" not in name}
        return frozenset(names - self.create_only)

    @property
    def identifier(self) -> tuple[str, ...]:
        """The properties that tell a resource from another."""
        return tuple(self._pointers("primaryIdentifier"))

    @property
    def tags(self) -> tuple[str, Literal["list", "map", ""]] | None:
        """The property that holds tags and its shape, or None when the type has none."""
        tagging = self.document.get("tagging", {})
        name = str(tagging.get("tagProperty", "/properties/Tags")).rpartition("/")[2]
        if name not in self.document["properties"] or not tagging.get("taggable", True):
            return None
        shape = self._resolved(self.document["properties"][name]).get("type", "array")
        return name, "map" if "object" in (shape if isinstance(shape, list) else [shape]) else "list"

    def _pointers(self, member: str) -> list[str]:
        return [pointer.removeprefix("/properties/") for pointer in self.document.get(member, ())]

    def _resolved(self, node: Json) -> Json:
        reference = node.get("$ref")
        if not reference:
            return node
        found: Json = self.document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return self._resolved(found)

    # --- what a template says -----------------------------------------------------------------------------------------

    def coerced(self, properties: Json) -> Json:
        """Return the properties with scalars as the schema has them: ``"true"`` for a boolean, ``80`` for a text."""
        made: Json = self._coerce(self.document, properties)
        return made

    def _coerce(self, node: Json, value: Any) -> Any:  # noqa: ANN401  any JSON
        node = self._resolved(node)
        if isinstance(value, dict):
            known = node.get("properties", {})
            for choice in (*node.get("oneOf", ()), *node.get("anyOf", ()), *node.get("allOf", ())):
                known = {**self._resolved(choice).get("properties", {}), **known}
            return {name: self._coerce(known[name], item) if name in known else item for name, item in value.items()}
        if isinstance(value, list):
            items = node.get("items")
            return [self._coerce(items, item) for item in value] if isinstance(items, dict) else value
        return _scalar(value, node.get("type"))

    def problems(self, properties: Json) -> list[str]:
        """Return what is wrong with properties, in the words of AWS's validation: ``#/Name: ...``, all of it."""
        found = [f"#: extraneous key [{name}] is not permitted" for name in properties if name in self.read_only]
        for error in sorted(self._validator.iter_errors(properties), key=lambda error: list(map(str, error.path))):
            found.extend(_sentences(error))
        return found

    @functools.cached_property
    def _validator(self) -> Draft7Validator:
        return Draft7Validator(self.document)


def _scalar(value: Any, types: Any) -> Any:  # noqa: ANN401  any JSON
    wanted = types if isinstance(types, list) else [types]
    if isinstance(value, bool):
        return str(value).lower() if "boolean" not in wanted and "string" in wanted else value
    if isinstance(value, (int, float)):
        return str(value) if not {"integer", "number"} & set(wanted) and "string" in wanted else value
    if isinstance(value, str) and "string" not in wanted:
        if "boolean" in wanted:
            return _TRUTH.get(value.lower(), value)
        if "integer" in wanted and re.fullmatch(r"[+-]?\d+", value):
            return int(value)
        if "number" in wanted and re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
            return float(value) if "." in value else int(value)
    return value


def _sentences(error: ValidationError) -> Iterator[str]:
    """Say one violation as CloudFormation does."""
    place = "#" + "".join(f"/{part}" for part in error.path)
    rule = str(error.validator)
    if rule == "additionalProperties":
        known = set(error.schema.get("properties", {})) if isinstance(error.schema, dict) else set()
        patterns = list(error.schema.get("patternProperties", ())) if isinstance(error.schema, dict) else []
        for name in _members(error.instance):
            if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                yield f"{place}: extraneous key [{name}] is not permitted"
    elif rule == "required":
        missing = re.match(r"'(.+)' is a required property", error.message)
        yield f"{place}: required key [{missing[1] if missing else error.message}] not found"
    elif rule == "type":
        wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        types = " or ".join(_TYPES[str(name)] for name in wanted)
        yield f"{place}: expected type: {types}, found: {_kind(error.instance)}"
    else:
        yield f"{place}: failed validation constraint for keyword [{rule}]"


def _members(value: object) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _kind(value: object) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return _TYPES[kinds.get(type(value), "null")]


@functools.cache
def schema_of(type_name: str) -> Schema | None:
    """Return the schema of a type, or None when the local cloud keeps none."""
    try:
        text = (_FOLDER / f"{type_name.replace('::', '-')}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return Schema(type_name, json.loads(text))


def type_names() -> list[str]:
    """Return the types whose schemas are kept."""
    names = (entry.name for entry in _FOLDER.iterdir() if entry.name.startswith("AWS-"))
    return sorted(name.removesuffix(".json").replace("-", "::") for name in names)


_FOLDER = resources.files(__package__) / "schemas"
