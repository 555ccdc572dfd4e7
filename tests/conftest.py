"""What many tests share: the example configuration and its cloud assembly, synthesized once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import samples
from config_samples import TOPOLOGIES

import mlops_foundation
from mlops_foundation.core import node
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.synth import BOOTSTRAP_MANIFEST, Bootstrap, Synthesized, synth
from once import Once

pytest_plugins = ("budgets",)

LONGEST = (
    "test_topologies.py",
    "test_pages.py",
    "test_without_internet.py",
    "test_living_platform.py",
    "test_main_path.py",
    "test_sagemaker_seed.py",
    "test_shared_endpoints.py",
    "test_studio_users.py",
)
"""Files that take a process long. They come first, so that at the end no process waits for one that began late."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how what was chosen by the commit is chosen again."""
    terminalreporter.line(f"{samples.VARIABLE}={samples.seed()} repeats the samples of long checks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of a story into the order of their file again, after they were shuffled; long files come first."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(LONGEST)))
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

    def _stacks(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield the template of each stack, and what the CDK's manifest says of it."""
        for manifest in self.directory.glob("assembly-*/manifest.json"):
            for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
                if artifact["type"] == "aws:cloudformation:stack":
                    yield manifest.parent / artifact["properties"]["templateFile"], artifact

    def stack(self, name: str) -> dict[str, Any]:
        """Return the template of a stack by its CloudFormation name."""
        for path, artifact in self._stacks():
            if artifact["properties"].get("stackName") == name:
                template: dict[str, Any] = json.loads(path.read_text())
                return template
        raise LookupError(name)

    def accounts(self) -> dict[str, str]:
        """Return the account of each template of a stack or of the bootstrap, by its path in the assembly."""
        found = {
            path: each.account
            for each in self.made.bootstrap
            for path in (each.policies_template, each.toolkit_template)
        }
        for path, artifact in self._stacks():
            account = artifact["environment"].removeprefix("aws://").partition("/")[0]
            found[str(path.relative_to(self.directory))] = account
        return found


@pytest.fixture(scope="session")
def commit_seed() -> int:
    """Chooses what is tried of a check that is too long to be made whole; see ``tools/samples.py``."""
    return samples.seed()


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Once:
    """What this test run makes once."""
    base = tmp_path_factory.getbasetemp()
    # A process of pytest-xdist has a folder of its own in that of the run.
    return Once(base.parent if hasattr(request.config, "workerinput") else base)


def read_assembly(folder: Path) -> Synthesized:
    """Return the assembly ``out`` of the ``mlops.yaml`` of a folder."""
    directory = folder / "out"
    _, plan = load_and_plan(folder / "mlops.yaml")
    manifest = json.loads((directory / BOOTSTRAP_MANIFEST).read_text(encoding="utf-8"))
    products = tuple(str(path.relative_to(directory)) for path in sorted((directory / "products").rglob("*.json")))
    return Synthesized(directory, plan, tuple(map(Bootstrap.from_dict, manifest["bootstrap"])), products, 0)


@pytest.fixture(scope="session")
def assembly(once: Once) -> Assembly:
    """The cloud assembly of ``mlops init --yes``."""

    def make(folder: Path) -> None:
        write_config(folder / "mlops.yaml", Answers())
        synth(folder / "mlops.yaml", folder / "out")
        synthesize_deploy_app(folder / "seeds" / "realtime")

    folder = once("assembly", make)
    return Assembly(read_assembly(folder), folder / "seeds")


@pytest.fixture(scope="session")
def private_assembly(once: Once) -> Assembly:
    """The cloud assembly of a platform without NAT, with a package index of its own."""

    def make(folder: Path) -> None:
        config = folder / "mlops.yaml"
        write_config(config, Answers())
        text = config.read_text(encoding="utf-8")
        for old, new in (("nat_gateways: 1", "nat_gateways: 0"), ("provider: public", "provider: codeartifact")):
            assert old in text
            text = text.replace(old, new)
        config.write_text(text, encoding="utf-8")
        synth(config, folder / "out")

    folder = once("private", make)
    return Assembly(read_assembly(folder), folder / "seeds")


@pytest.fixture(scope="session")
def topologies(once: Once, assembly: Assembly, worker_id: str) -> dict[str, Assembly]:
    """The assembly of each shape of accounts, checked with both packs of cdk-nag."""

    def make(config: dict[str, Any]) -> Callable[[Path], None]:
        def fill(folder: Path) -> None:
            (folder / "mlops.yaml").write_text(json.dumps(config))
            synth(folder / "mlops.yaml", folder / "out", nist=True)

        return fill

    # Every second process begins at the end, so that two do not wait for each other at every one.
    names = list(TOPOLOGIES)[:: -1 if worker_id.endswith(("1", "3", "5", "7", "9")) else 1]
    folders = {name: once(f"topology {name}".replace(" ", "-"), make(TOPOLOGIES[name])) for name in names}
    return {name: Assembly(read_assembly(folders[name]), assembly.seeds) for name in TOPOLOGIES}


@pytest.fixture(scope="session")
def distinct(assembly: Assembly, topologies: dict[str, Assembly]) -> list[Path]:
    """Every template of the example, and of every shape of accounts, once."""
    paths = [path for each in (assembly, *topologies.values()) for path in each.paths()]
    return list({path.read_bytes(): path for path in reversed(paths)}.values())


def synthesize_deploy_app(out: Path) -> None:
    """Run the deploy app that projects are seeded with, as its pipeline does."""
    app = Path(mlops_foundation.__file__).parent / "templates" / "realtime" / "seed" / "deploy" / "app.py"
    facts = {
        "SAGEMAKER_PROJECT_NAME": "churn",
        "SAGEMAKER_PROJECT_ID": "p-1",
        "COST_CENTER": "4711",
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
