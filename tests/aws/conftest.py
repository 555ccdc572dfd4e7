"""What tests on real accounts share: the commands, and a workspace with each account's profile."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from mlops_foundation.usecases.workspace import Target, Workspace, open_workspaces


@dataclass(frozen=True)
class RealPlatform:
    """A configuration whose accounts have profiles.

    Attributes:
        config: ``MLOPS_AWS_CONFIG``.
        target: aws; ``MLOPS_AWS_TARGET=local`` tries the tests themselves on a running local cloud.
    """

    config: Path
    target: Target

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; it says JSON."""
        command = [str(Path(sys.executable).with_name("mlops")), *arguments, "--target", self.target]
        command += ["--config", str(self.config), "--json"]
        return subprocess.run(command, cwd=self.config.parent, capture_output=True, text=True, check=False)

    def mlops(self, *arguments: str) -> Any:
        """Run a command that has to succeed, and return what it says."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    @property
    def workspaces(self) -> list[Workspace]:
        """Every set of accounts."""
        return open_workspaces(self.config, (), self.target, self.config.parent / ".mlops")

    @contextlib.contextmanager
    def changed(self, **sections: Any) -> "Iterator[RealPlatform]":
        """Give the same platform with other sections of its configuration, in a file beside it."""
        values = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        with tempfile.NamedTemporaryFile("w", dir=self.config.parent, suffix=".yaml", encoding="utf-8") as file:
            json.dump(values | sections, file)
            file.flush()
            yield RealPlatform(Path(file.name), self.target)


@pytest.fixture(scope="session")
def platform() -> RealPlatform:
    if "MLOPS_AWS_CONFIG" not in os.environ:
        pytest.skip("set MLOPS_AWS_CONFIG to a mlops.yaml whose accounts have profiles")
    target = cast("Target", os.environ.get("MLOPS_AWS_TARGET", "aws"))
    return RealPlatform(Path(os.environ["MLOPS_AWS_CONFIG"]).absolute(), target)
