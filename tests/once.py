"""What a test run makes once, by whichever of its processes needs it first."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path


class Once:
    """Folders of one test run.

    Args:
        base: The same folder for all processes of the run.
    """

    def __init__(self, base: Path) -> None:
        self._base = base

    def __call__(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a folder, which is filled first when nobody has; who asks meanwhile waits.

        Args:
            name: Of the folder.
            make: Fills it; it is empty then. What it left when it failed is removed before the next attempt.
        """
        folder, done = self._base / name, self._base / f"{name}.done"
        with (self._base / f"{name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder
