"""Cut the registry schemas of the types that the local cloud offers out of cfn-lint, which carries them.

    cd tools && ../.venv/bin/python schemas.py

Descriptions are left out, and patterns that Python has no spelling for.
"""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import cfnlint
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from mlops_foundation.local.resource_types import CALLED_TYPES
from mlops_foundation.local.services import SERVICES

FOLDER = Path(__file__).parents[1] / "src/mlops_foundation/local/resource_types/schemas"
REGION = "eu-west-1"
LEFT_OUT = {"description", "title", "$comment", "examples", "cfnLint", "$schema", "typeName", "sourceUrl",
            "replacementStrategy", "documentationUrl"}  # fmt: skip


def main() -> None:
    """Write one file for each type, and where they are from."""
    names = {each.type_name for each in CALLED_TYPES} | {name for each in SERVICES for name in each.resource_types}
    for path in FOLDER.glob("AWS-*.json"):
        path.unlink()
    for name in sorted(names):
        schema = cut(PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name).schema)
        (FOLDER / f"{name.replace('::', '-')}.json").write_text(written(schema), encoding="utf-8")
    source = {
        "package": f"cfn-lint {metadata.version('cfn-lint')}",
        "schemas_of": json.loads(version_file().read_text(encoding="utf-8"))["schema_date"],
        "region": REGION,
        "licence": "MIT-0",
    }
    (FOLDER / "SOURCE.json").write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")


def version_file() -> Path:
    """Return the file in which cfn-lint says of when its schemas are."""
    return Path(cfnlint.__file__).parent / "data/schemas/version.json"


def cut(node: Any, *, named: bool = False) -> Any:  # noqa: ANN401  any JSON
    """Return a schema without what nobody reads here; ``named`` says that the keys are names, not keywords."""
    if isinstance(node, list):
        return [cut(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if not named and (key in LEFT_OUT or (key == "pattern" and not compiles(value))):
            continue
        if not named and key == "patternProperties":
            kept[key] = {name if compiles(name) else ".*": cut(item) for name, item in value.items()}
            continue
        kept[key] = cut(value, named=not named and key in ("properties", "definitions"))
    return kept


def compiles(pattern: object) -> bool:
    """Return whether Python takes a pattern."""
    try:
        re.compile(str(pattern))
    except re.error:
        return False
    return True


def written(schema: dict[str, Any]) -> str:
    """Return a schema as JSON with a line for each property and definition, so that a change is seen."""
    lines = []
    for key in sorted(schema):
        value = schema[key]
        if key in ("properties", "definitions"):
            inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value[name])}" for name in sorted(value))
            lines.append(f" {json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
