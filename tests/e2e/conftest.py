"""One whole platform with one project in production, shared by every end-to-end test of a session."""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.local import process
from mlops_foundation.usecases import demo, local, pipelines
from mlops_foundation.usecases.demo_folder import DemoFolder
from mlops_foundation.usecases.workspace import Workspace

MLOPS = str(Path(sys.executable).with_name("mlops"))


def last(states: Iterator[pipelines.PipelineState]) -> pipelines.PipelineState:
    """Follow an execution to its end, or to where it waits."""
    return deque(states, maxlen=1)[0]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Quiet:
    """Shows nothing."""

    def line(self, text: str) -> None:
        """Take a line."""

    def pipeline(self, state: pipelines.PipelineState) -> None:
        """Take a state."""


class Platform:
    """The platform after the demo, and what tests do with it."""

    def __init__(self, running: demo.Demo, steps: list[demo.Done]) -> None:
        self.demo = running
        self.steps = steps
        self.folder = running.place.path

    @property
    def workspace(self) -> Workspace:
        return self.demo.workspace

    def mlops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the platform's folder."""
        return subprocess.run(
            [MLOPS, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=600
        )

    def environment(self, role: str) -> dict[str, str]:
        """The variables of ``mlops local env``."""
        found = local.environment(self.demo.config_file, self.demo.state_dir, "", role, demo.PROJECT)
        return {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **found}

    def client(self, service: str, stage: str = "dev", role: str = "") -> Any:
        return self.workspace.client(service, stage, role)  # type: ignore[arg-type]

    def clone(self, folder: Path, repository: str = "churn-build") -> "Checkout":
        """Clone a repository as a data scientist would, with git."""
        url = f"{process.find(self.demo.state_dir).endpoint_url}/v1/repos/{repository}"  # type: ignore[union-attr]
        checkout = Checkout(self, folder)
        checkout.git("clone", "--quiet", url, str(folder), cwd=folder.parent)
        return checkout

    def build(self) -> pipelines.PipelineState:
        """Follow the newest build to its end."""
        return last(pipelines.watch(self.workspace, demo.PROJECT, "build", "data-scientist"))


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

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def push(self, message: str) -> pipelines.PipelineState:
        """Commit and push everything, and follow the build that this starts."""
        workspace = self.platform.workspace
        before = pipelines.executions(workspace, demo.PROJECT, "build", "data-scientist")
        self.git("commit", "--quiet", "--all", "--message", message)
        self.git("push", "--quiet")
        return last(pipelines.watch(workspace, demo.PROJECT, "build", "data-scientist", before))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The demo, run to its end and kept."""
    running = demo.Demo(DemoFolder(tmp_path_factory.mktemp("platform")), 0, Quiet())
    try:
        yield Platform(running, list(running.run()))
    finally:
        running.stop()
