"""A copy of the platform to which a test adds a folder and a line, as somebody does who adds a template or a stack."""

import difflib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlops_foundation
from mlops_foundation.usecases import local
from mlops_foundation.usecases.workspace import Workspace, open_workspace

_PACKAGE = Path(mlops_foundation.__file__).parent
_MLOPS = str(Path(sys.executable).with_name("mlops"))


class Copy:
    """The package in a folder of its own, a configuration, and a local cloud that this copy runs."""

    def __init__(self, folder: Path, config: Mapping[str, object]) -> None:
        self.folder = folder
        self.package = folder / "src" / "mlops_foundation"
        shutil.copytree(_PACKAGE, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.state_dir = folder / ".mlops"
        self.config_file = folder / "mlops.yaml"
        self.config_file.write_text(json.dumps(config), encoding="utf-8")

    def add(self, kind: str, name: str, files: Mapping[str, str]) -> None:
        """Write a folder of ``templates`` or ``stacks``, and its line."""
        home = self.package / kind
        for path, text in files.items():
            file = home / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        listed = home / "__init__.py"
        lines = listed.read_text(encoding="utf-8").splitlines(keepends=True)
        last = max(index for index, line in enumerate(lines) if line.startswith('        "'))
        lines.insert(last + 1, f'        "{name}",\n')
        listed.write_text("".join(lines), encoding="utf-8")

    def changed(self, own: Path) -> list[str]:
        """Return the lines that differ from the package, outside a folder; nothing is taken away."""
        found = []
        for file in sorted(self.package.rglob("*.py")):
            if file.is_relative_to(own):
                continue
            before = (_PACKAGE / file.relative_to(self.package)).read_text(encoding="utf-8").splitlines()
            after = file.read_text(encoding="utf-8").splitlines()
            found += [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
        return found

    def mlops(self, *arguments: str, fails: bool = False) -> Any:
        """Run the copy's command to its end and return what it says as JSON."""
        environment = {**os.environ, "PYTHONPATH": str(self.package.parent)}
        command = [_MLOPS, *arguments, "--json"]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=900
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, port: int) -> None:
        """Start the local cloud with the copy's code."""
        self.mlops("local", "start", "--port", str(port))

    def stop(self) -> None:
        """End the cloud and remove its state."""
        local.reset(self.state_dir)

    def client(self, service: str, account: str) -> Any:
        """Return a client of the account's administrator."""
        return self.workspace.sessions.client(service, account)

    @property
    def workspace(self) -> Workspace:
        """The copy's platform, for what the command line does not show."""
        return open_workspace(self.config_file, "default", "local", self.state_dir)
