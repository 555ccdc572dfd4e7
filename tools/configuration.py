"""Write the tables of ``docs/configuration.md`` from the configuration's JSON Schema.

    python tools/configuration.py

``tests/test_docs.py`` fails when the page differs from what this would write.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marked

from mlops_foundation.config import json_schema

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
Schema = dict[str, Any]


def keys() -> list[str]:
    """Return every key as it is written in ``mlops.yaml``, nested by dots; ``[]`` is each item of a list."""
    schema = json_schema()
    return [path for path, _, _ in _walk(schema, schema, "")]


def render() -> str:
    """Return one table for each section of the file."""
    schema = json_schema()
    lines: list[str] = []
    section = None
    for path, property_schema, required in _walk(schema, schema, ""):
        top = path.split(".")[0].removesuffix("[]")
        if top != section:
            section = top
            lines += ["", f"## {top}", "", "| key | what | allowed | default |", "|---|---|---|---|"]
        default = "required" if required else _default(property_schema)
        what = _resolved(schema, property_schema, "description")
        lines.append(f"| `{path}` | {what} | {_allowed(schema, property_schema)} | {default} |")
    return "\n".join(lines)


def _walk(root: Schema, schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, child, name in schema.get("required", ())
        for nested, suffix in _nested(root, child):
            yield from _walk(root, nested, here + suffix)


def _nested(root: Schema, schema: Schema) -> Iterator[tuple[Schema, str]]:
    """Yield the objects that a value may be, or be a list or map of."""
    for each in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found = _target(root, each)
        if "properties" in found:
            yield found, ""
        if "items" in found:
            yield from ((nested, "[]" + suffix) for nested, suffix in _nested(root, found["items"]))
        if isinstance(found.get("additionalProperties"), dict):
            yield from ((nested, ".<key>" + suffix) for nested, suffix in _nested(root, found["additionalProperties"]))


def _target(root: Schema, schema: Schema) -> Schema:
    if "$ref" in schema:
        found: Schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        return found
    return schema


def _resolved(root: Schema, schema: Schema, field: str) -> str:
    return str(schema.get(field) or _target(root, schema).get(field, ""))


def _default(schema: Schema) -> str:
    if "default" not in schema or schema["default"] is None:
        return ""
    default = schema["default"]
    if isinstance(default, dict) and default:
        return "as below"
    return "all" if isinstance(default, list) and default else f"`{json.dumps(default)}`"


def _allowed(root: Schema, schema: Schema) -> str:
    """Return what a value may be, in words."""
    kinds = [*schema.get("anyOf", ()), *schema.get("oneOf", ())] or [schema]
    return " or ".join(filter(None, (_kind(root, each) for each in kinds)))


def _kind(root: Schema, schema: Schema) -> str:
    found = _target(root, schema)
    if "enum" in found or "const" in found:
        return ", ".join(f"`{value}`" for value in found.get("enum", [found.get("const")]))
    if found.get("type") == "array":
        return f"list of {_kind(root, found['items'])}"
    if found.get("type") == "object":
        names = found.get("propertyNames", {}).get("enum")
        return f"map by {', '.join(f'`{name}`' for name in names)}" if names else "map"
    if "pattern" in found:
        return f"`{found['pattern'].replace('|', chr(92) + '|')}`"
    if "minimum" in found:
        return f"{found['minimum']} to {found['maximum']}"
    return {"boolean": "`true`, `false`", "string": "text", "integer": "number"}.get(found.get("type", ""), "")


if __name__ == "__main__":
    marked.write(PAGE, render())
