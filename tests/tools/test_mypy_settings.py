"""mypy reads only those modules of the CDK that are listed: one that is used and not listed would be unchecked."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
_IMPORT = re.compile(r"^\s*(?:from|import) aws_cdk\b.*$", re.MULTILINE)
_MODULE = re.compile(r"\baws_(?!cdk\b)\w+")


def test_every_module_of_the_cdk_that_we_import_is_followed() -> None:
    """Would have found a stack whose calls of the CDK mypy takes for anything."""
    sections = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    followed = {name for each in sections if each.get("follow_imports") == "normal" for name in each["module"]}
    used = {
        f"aws_cdk.{module}"
        for path in (ROOT / "src" / "mlops_foundation").rglob("*.py")
        if "seed" not in path.parts and "functions" not in path.parts
        for line in _IMPORT.findall(path.read_text(encoding="utf-8"))
        for module in _MODULE.findall(line)
    }
    assert len(used) > 10
    assert used <= followed
