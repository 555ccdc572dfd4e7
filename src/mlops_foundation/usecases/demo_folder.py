"""The folder of a demo: made by it, marked as its own, and the only one that it ever changes or removes."""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlops_foundation.config.schema import SCHEMA_FILE
from mlops_foundation.core.errors import ConfigError, LocalCloudError
from mlops_foundation.local import process
from mlops_foundation.usecases import local
from mlops_foundation.usecases.deploy import assembly_folder
from mlops_foundation.usecases.init import Answers, render, write_config

MARKER: Final = "demo.json"
"""Says whose folder it is: the process of the demo, and whether what it made is to stay."""


@dataclass(frozen=True)
class DemoFolder:
    """Where a demo's configuration and local cloud are.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """The demo's own configuration."""
        return self.path / "mlops.yaml"

    @property
    def state_dir(self) -> Path:
        """The demo's own local cloud."""
        return (self.path / ".mlops").absolute()

    def take(self, *, keep: bool, force: bool) -> None:
        """Make the folder, or take one that a demo left; what is in it then is removed.

        Args:
            keep: What the demo makes is to stay.
            force: Remove even what an earlier demo was to leave.

        Raises:
            ConfigError: When the folder is not a demo's, or an earlier demo's is to stay.
        """
        earlier = self._marker()
        if earlier is None and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise ConfigError(
                "this folder is not the demo's own",
                where=str(self.path.absolute()),
                got="a folder with something else in it" if self.path.is_dir() else "a file",
                expected="a new folder, an empty one, or one that mlops demo made",
                fix="mlops demo --folder NEW",
            )
        if earlier is not None:
            self._check_earlier(earlier, force=force)
            self.remove()
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / MARKER).write_text(json.dumps({"made_by": "mlops demo", "process": os.getpid(), "keep": keep}))
        # With own endpoints, which cost nothing here: shared ones would be one more network to wait for.
        write_config(self.config_file, Answers(), force=True)

    def remove(self) -> None:
        """End the cloud and remove what the demo made, and the folder itself unless somebody put more in it."""
        local.reset(self.state_dir)
        shutil.rmtree(assembly_folder(self.config_file), ignore_errors=True)
        for name in (SCHEMA_FILE, self.config_file.name, MARKER):
            (self.path / name).unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            with suppress(OSError):  # ``.`` stays: it is where somebody stands
                self.path.rmdir()

    def _marker(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.path / MARKER).read_text())
        except (OSError, ValueError):
            return None
        return found if found.get("made_by") == "mlops demo" else None

    def _check_earlier(self, marker: dict[str, Any], *, force: bool) -> None:
        """Refuse to remove what somebody works with: a demo under way, what one was to leave, its configuration."""
        number = marker.get("process", 0)
        if number != os.getpid() and _is_demo(number):
            what, fix = "a demo is under way in this folder", "wait for it, or mlops demo --folder NEW"
            raise LocalCloudError(
                what, where=str(self.path), got=f"process {number}", expected="one at a time", fix=fix
            )
        cloud = process.find(self.state_dir)
        changed = self.config_file.exists() and self.config_file.read_text(encoding="utf-8") != render(Answers())
        if force or not (changed or (marker.get("keep") and self.state_dir.exists())):
            return
        raise ConfigError(
            "an earlier demo is still here",
            where=str(self.path.absolute()),
            got=f"a local cloud that runs at {cloud.endpoint_url}" if cloud else "a local cloud that is stopped",
            expected="a folder whose demo has ended",
            fix=f"look at it: cd {self.path}; mlops endpoint list churn | end it: mlops local reset --yes there | "
            "replace it: mlops demo --force | keep it: mlops demo --folder NEW",
        )


def _is_demo(number: int) -> bool:
    """Return whether a process lives; on Linux one of another program does not count."""
    if not process.alive(number):
        return False
    command = Path(f"/proc/{number}/cmdline")
    return not command.exists() or b"mlops" in command.read_bytes()
