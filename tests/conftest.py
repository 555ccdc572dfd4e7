"""What many tests share: the example configuration and its cloud assembly, synthesized once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mlops_foundation
from mlops_foundation.core import node
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.synth import Synthesized, synth


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of a story into the order of their file again, after they were shuffled."""
    for path in {item.path for item in items if item.get_closest_marker("story")}:
        places = [index for index, item in enumerate(items) if item.path == path]
        told = sorted((items[index] for index in places), key=lambda item: item.reportinfo()[1] or 0)
        for index, item in zip(places, told, strict=True):
            items[index] = item


@dataclass(frozen=True)
class Assembly:
    """A synthesized assembly and everything in it that CloudFormation gets."""

    made: Synthesized
    seeds: Path
    """Templates of the deploy apps that projects are seeded with."""

    @property
    def directory(self) -> Path:
        return self.made.directory

    def paths(self) -> list[Path]:
        """Return every template: stacks, products, bootstrap."""
        folders = ("assembly-*", "bootstrap/*/*", "products/*")
        found = sorted(path for folder in folders for path in self.directory.glob(f"{folder}/*.template.json"))
        return [*found, *sorted(self.seeds.glob("*/*.template.json"))]

    def templates(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each template with its path in the assembly."""
        for path in self.paths():
            top = self.directory if path.is_relative_to(self.directory) else self.seeds.parent
            yield str(path.relative_to(top)), json.loads(path.read_text(encoding="utf-8"))

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
    made = synth(folder / "mlops.yaml", folder / "out")
    synthesize_deploy_app(folder / "seeds" / "realtime")
    return Assembly(made, folder / "seeds")


@pytest.fixture(scope="session")
def private_assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The cloud assembly of a platform without NAT, with a package index of its own."""
    folder = tmp_path_factory.mktemp("private")
    config = folder / "mlops.yaml"
    write_config(config, Answers())
    text = config.read_text(encoding="utf-8")
    for old, new in (("nat_gateways: 1", "nat_gateways: 0"), ("provider: public", "provider: codeartifact")):
        assert old in text
        text = text.replace(old, new)
    config.write_text(text, encoding="utf-8")
    return Assembly(synth(config, folder / "out"), folder / "seeds")


def synthesize_deploy_app(out: Path) -> None:
    """Run the deploy app that projects are seeded with, as its pipeline does."""
    app = Path(mlops_foundation.__file__).parent / "templates" / "realtime" / "seed" / "deploy" / "app.py"
    facts = {
        "SAGEMAKER_PROJECT_NAME": "churn",
        "SAGEMAKER_PROJECT_ID": "p-1",
        "DEV_ACCOUNT": "222222222222",
        "DEPLOYMENT_REGION": "eu-west-1",
        "DEPLOY_ROLE_PATH": "/mlops/churn/",
        "PERMISSIONS_BOUNDARY": "/mlops/mlops-project-boundary",
        "ENDPOINT_KEY_PARAMETER": "/mlops/endpoint/key-arn",
    }
    out.parent.mkdir()
    node.use()
    command = [sys.executable, "-B", str(app), "--out", str(out)]
    done = subprocess.run(command, env={**os.environ, **facts}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
