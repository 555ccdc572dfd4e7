"""A whole platform with one project in production, and what tests do with it."""

import functools
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.local import process
from mlops_foundation.usecases import demo, endpoints, local, pipelines
from mlops_foundation.usecases.demo_folder import DemoFolder
from mlops_foundation.usecases.workspace import Workspace, open_workspace
from once import Once
from ports import free_port

from . import golden

MLOPS = str(Path(sys.executable).with_name("mlops"))


def last(states: Iterator[pipelines.PipelineState]) -> pipelines.PipelineState:
    """Follow an execution to its end, or to where it waits."""
    return deque(states, maxlen=1)[0]


class Platform:
    """A platform with a project in production.

    Args:
        folder: Of its configuration.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = DemoFolder(folder)
        self.config_file, self.state_dir = place.config_file, place.state_dir

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The workspace of its project."""
        return open_workspace(self.config_file, state_dir=self.state_dir, project=demo.PROJECT)

    @property
    def running(self) -> process.Running:
        """Its cloud."""
        return demo.process_of(self.state_dir)

    def served(self) -> list[tuple[str, str]]:
        """Return status and version of the endpoint of each stage."""
        found = endpoints.list_endpoints(self.workspace, demo.PROJECT)
        return [(each.status, each.model_package.rsplit("/", 1)[-1]) for each in found]

    def wait_until_served(self) -> None:
        """Wait until the endpoints are back, after the cloud was started again."""
        deadline = time.monotonic() + 120
        while [status for status, _ in self.served()] != ["InService"] * 3:
            assert time.monotonic() < deadline, self.served()
            time.sleep(0.2)

    def mlops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the platform's folder."""
        return subprocess.run(
            [MLOPS, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=600
        )

    def environment(self, role: str) -> dict[str, str]:
        """The variables of ``mlops local env``."""
        found = local.environment(self.config_file, self.state_dir, "", role, demo.PROJECT)
        return {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **found}

    def client(self, service: str, stage: str = "dev", role: str = "") -> Any:
        return self.workspace.client(service, stage, role)  # type: ignore[arg-type]

    def clone(self, folder: Path, repository: str = "churn-build") -> "Checkout":
        """Clone a repository as a data scientist would, with git."""
        url = f"{self.running.endpoint_url}/v1/repos/{repository}"
        checkout = Checkout(self, folder)
        checkout.git("clone", "--quiet", url, str(folder), cwd=folder.parent)
        return checkout


class Checkout:
    """A clone of a repository."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        settings = ["-c", "user.name=scientist", "-c", "user.email=scientist@example.com"]
        done = subprocess.run(
            ["git", *settings, *arguments],
            cwd=cwd or self.folder,
            env=self.platform.environment("data-scientist"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_over(self) -> None:
        """Put back the seed's files, whatever earlier pushes have changed; the next push says it too."""
        first = self.git("rev-list", "--max-parents=0", "HEAD").strip()
        self.git("checkout", "--quiet", first, "--", ".")

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def push(self, message: str, kind: str = "build") -> pipelines.PipelineState:
        """Commit and push everything, and follow the pipeline that this starts."""
        workspace = self.platform.workspace
        before = pipelines.executions(workspace, demo.PROJECT, kind, "data-scientist")
        self.git("commit", "--quiet", "--all", "--message", message)
        self.git("push", "--quiet")
        return last(pipelines.watch(workspace, demo.PROJECT, kind, "data-scientist", before))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Platform]:
    """A copy of the golden platform, with a cloud of its own."""
    folder = tmp_path_factory.mktemp("platform") / "copy"
    golden.copy(once, folder)
    copied = Platform(folder)
    try:
        process.start(copied.state_dir, free_port())
        copied.wait_until_served()
        yield copied
    finally:
        local.reset(copied.state_dir)
