"""What many tests share: the example configuration and its cloud assembly, synthesized once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.synth import Synthesized, synth


@dataclass(frozen=True)
class Assembly:
    """A synthesized assembly and everything in it that CloudFormation gets."""

    made: Synthesized

    @property
    def directory(self) -> Path:
        return self.made.directory

    def paths(self) -> list[Path]:
        """Return every template: stacks, products, bootstrap."""
        folders = ("assembly-*", "bootstrap/*/*", "products/*")
        return sorted(path for folder in folders for path in self.directory.glob(f"{folder}/*.template.json"))

    def templates(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each template with its path in the assembly."""
        for path in self.paths():
            yield str(path.relative_to(self.directory)), json.loads(path.read_text(encoding="utf-8"))

    def stack(self, name: str) -> dict[str, Any]:
        """Return the template of a stack by its CloudFormation name."""
        for manifest in self.directory.glob("assembly-*/manifest.json"):
            for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
                properties = artifact.get("properties", {})
                if artifact["type"] == "aws:cloudformation:stack" and properties.get("stackName") == name:
                    template: dict[str, Any] = json.loads((manifest.parent / properties["templateFile"]).read_text())
                    return template
        raise LookupError(name)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The cloud assembly of ``mlops init --yes``."""
    folder = tmp_path_factory.mktemp("assembly")
    write_config(folder / "mlops.yaml", Answers())
    return Assembly(synth(folder / "mlops.yaml", folder / "out"))
