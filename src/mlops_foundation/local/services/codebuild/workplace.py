"""The folder that a build works in: one of a few places that stay the same.

Python keeps what it compiles under the source's path. In a place that the build before has used, the packages of the
next one are compiled already, which is most of the time a short build takes. A place holds one build at a time.
"""

import fcntl
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from mlops_foundation.core.caches import cache_folder

Spawn = Callable[[str, Callable[[], None]], None]


class Workplace:
    """A place that is taken until it is left, or until the process that took it ends.

    Attributes:
        folder: Empty when it is taken.
        bytecode: Where Python keeps what it compiles, for every build in this place.
    """

    def __init__(self, base: Path, number: int, lock: IO[bytes]) -> None:
        self.folder = base / str(number)
        self.bytecode = base / f"bytecode-{number}"
        self._gone = base / "gone"
        self._lock = lock

    @classmethod
    def take(cls) -> "Workplace":
        """Take the first free place; what an interrupted build left there is removed."""
        base = cache_folder("builds", "work")
        base.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            lock = (base / f"{number}.lock").open("wb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            place = cls(base, number, lock)
            if place.folder.exists():
                _remove(place.folder)
            place.folder.mkdir()
            return place
        raise AssertionError  # there is always a next number

    def leave(self, spawn: Spawn) -> None:
        """Give the place back at once; what is in it is removed in the background."""
        self._gone.mkdir(exist_ok=True)
        rubbish = Path(tempfile.mkdtemp(dir=self._gone))
        if self.folder.exists():
            self.folder.rename(rubbish / "work")
        self._lock.close()
        spawn("remove-build", lambda: _remove(rubbish))


def _remove(folder: Path) -> None:
    """Remove a folder in a process of its own: ten thousand files would keep the cloud's interpreter busy."""
    done = subprocess.run(["rm", "-rf", str(folder)], check=False, capture_output=True)
    if done.returncode:  # parts of it are read-only
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
