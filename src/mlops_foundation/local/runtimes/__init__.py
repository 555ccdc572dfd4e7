"""Image URI -> an environment of its own, locked, as that image would bring it.

A file ``<image>-<tag>.lock`` beside this module is the image's runtime on this machine. It is built by uv on first use
and kept in the user's cache under the hash of what it is made from, so that a changed lock or another interpreter is a
new environment.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mlops_foundation.core import caches
from mlops_foundation.local import interpreters
from mlops_foundation.local.interpreters import Interpreter

LOCKS: Final = Path(__file__).parent
PYTHON_VERSION: Final = "3.11"
"""Of the images that have a lock."""
_REGISTRY_URI: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<image>[\w./-]+):(?P<tag>[\w.-]+)"
)
_LAYOUT: Final = "1"
"""Changes when what we put into an environment besides the lock changes."""

Progress = Callable[[str], None]


class UnknownImageError(Exception):
    """No runtime of this machine stands for an image; the message names those that do."""


class RuntimeBuildError(Exception):
    """uv could not build an environment; the message ends with uv's own last lines."""


@dataclass(frozen=True)
class Runtime:
    """A built environment.

    Attributes:
        name: ``<image>-<tag>``.
        folder: The environment, read-only for what runs in it.
        interpreter: The Python it is made with, which stays where it is installed.
    """

    name: str
    folder: Path
    interpreter: Interpreter

    @property
    def base(self) -> Path:
        """Where its Python interpreter itself is installed."""
        return self.interpreter.base

    @property
    def difference(self) -> str:
        """One sentence when its Python is not the image's, else nothing."""
        return self.interpreter.difference(PYTHON_VERSION)

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def path(self) -> str:
        """PATH of what runs in it."""
        return f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"


def known() -> list[str]:
    """Return the images that have a runtime, as ``<image>-<tag>``."""
    return sorted(lock.stem for lock in LOCKS.glob("*.lock"))


def find(image_uri: str) -> str:
    """Return the name of the runtime that stands for an image.

    Raises:
        UnknownImageError: When there is none.
    """
    match = _REGISTRY_URI.fullmatch(image_uri)
    name = f"{match['image'].replace('/', '-')}-{match['tag']}" if match else image_uri
    if match is None or name not in known():
        message = f"no runtime for image {image_uri!r}; the local cloud has: {', '.join(known())}"
        raise UnknownImageError(message)
    return name


def cache_folder() -> Path:
    """Return where environments are kept: shared by all local clouds of this user."""
    return caches.cache_folder("runtimes")


def without_white_space(folder: Path) -> Path:
    """Return a path that leads to a folder and can stand in a script without quotes, as the SageMaker SDK's scripts do.

    A link in a new folder of this user's, when the folder's own path holds white space.
    """
    if not any(character.isspace() for character in str(folder)):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    link = Path(tempfile.mkdtemp(prefix="mlops-")) / folder.name
    link.symlink_to(folder, target_is_directory=True)
    return link


class Runtimes:
    """The environments of this machine.

    Args:
        cache: Where they are kept.
        environment: What uv runs with: PATH, package index and proxies of this machine.
    """

    def __init__(self, cache: Path, environment: Mapping[str, str]) -> None:
        self._cache = cache
        self._environment = dict(environment)

    def get(self, image_uri: str, progress: Progress = lambda _: None) -> Runtime:
        """Return the environment of an image, built first when this is its first use.

        Raises:
            UnknownImageError: When the image has no lock.
            RuntimeBuildError: When uv cannot install it.
        """
        return self.named(find(image_uri), progress)

    def named(self, name: str, progress: Progress = lambda _: None) -> Runtime:
        """Return the environment of one of the known images.

        Raises:
            RuntimeBuildError: When uv cannot install it.
        """
        lock = LOCKS / f"{name}.lock"
        interpreter = interpreters.choose(PYTHON_VERSION)
        if difference := interpreter.difference(PYTHON_VERSION):
            progress(difference)
        made_from = f"{_LAYOUT} {interpreter.executable} {interpreter.version} {sys.platform} {lock.read_text()}"
        folder = self._cache / hashlib.sha256(made_from.encode()).hexdigest()[:16]
        runtime = Runtime(name, folder, interpreter)
        if not runtime.python.exists():  # or it lost its interpreter
            with _exclusive(self._cache / f"{folder.name}.building"):
                if not runtime.python.exists():
                    self._build(runtime, lock, progress)
        return runtime

    def _build(self, runtime: Runtime, lock: Path, progress: Progress) -> None:
        progress(f"building the runtime {runtime.name}: first use on this machine")
        for left in self._cache.glob(f".{runtime.folder.name}-*"):  # by a build that was killed; nobody else builds now
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{runtime.folder.name}-", dir=self._cache))
        try:
            python = str(runtime.interpreter.executable)
            self._uv(progress, "venv", "--relocatable", "--allow-existing", "--python", python, str(scratch))
            target = ["--python", str(scratch / "bin" / "python"), "--require-hashes"]
            self._uv(progress, "pip", "sync", *target, str(lock))
            _compile(scratch)
            scratch.chmod(0o755)
            shutil.rmtree(runtime.folder, ignore_errors=True)
            scratch.rename(runtime.folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        progress(f"runtime {runtime.name} is ready")

    def _uv(self, progress: Progress, *arguments: str) -> None:
        environment = {key: value for key, value in self._environment.items() if key != "VIRTUAL_ENV"}
        done = subprocess.run(
            [sys.executable, "-m", "uv", "--no-progress", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        for line in lines:
            if not line.lstrip().startswith(("+", "-")):
                progress(line)
        if done.returncode:
            raise RuntimeBuildError("uv " + " ".join(arguments[:2]) + " failed: " + " ".join(lines[-4:]))


def _compile(environment: Path) -> None:
    """Compile what jobs import, which cannot write there; two thirds of the work would be the packages' own tests.

    What cannot be compiled is left to who imports it. It gives way to whatever a person waits for.
    """
    packages = next(environment.glob("lib/python*/site-packages"))
    command = [str(environment / "bin" / "python"), "-I", "-m", "compileall", "-q", "-j", "0", "-x", "/tests?/"]
    subprocess.run(["nice", *command, str(packages)], env={}, capture_output=True, check=False)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a file lock, so that two processes do not build the same environment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
