"""The Pythons of this machine, and which of them stands for the Python of an image.

No interpreter comes as a package, and uv's own downloads come from a host that many networks forbid, so only what is
installed is used: the very version where uv finds one, else the nearest that the locks support. Jobs and builds say in
their log when it is another one.
"""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUPPORTED: Final = ("3.11", "3.12", "3.13")
"""What every lock of ours has wheels for, oldest first."""
_TIMEOUT_S: Final = 60
_QUERY: Final = """
import ctypes, json, os, sqlite3, ssl, sys, venv
executable = getattr(sys, "_base_executable", "") or sys.executable
print(json.dumps([os.path.realpath(executable), "%d.%d.%d" % sys.version_info[:3]]))
"""


@dataclass(frozen=True)
class Interpreter:
    """An installed CPython.

    Attributes:
        executable: The program itself, no link and no shim.
        version: Such as ``3.11.7``.
    """

    executable: Path
    version: str

    @property
    def minor(self) -> str:
        """The version without its patch: ``3.11``."""
        return self.version.rpartition(".")[0]

    @property
    def base(self) -> Path:
        """Where it is installed."""
        return self.executable.parent.parent

    def difference(self, wanted: str) -> str:
        """Return one sentence for a log when this is not the version that an image has, else nothing."""
        if self.minor == wanted:
            return ""
        return f"the image has Python {wanted}, which uv does not find on this machine: Python {self.version} stands in"


def own() -> Interpreter:
    """Return the interpreter that runs the platform, outside of any environment."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    executable = Path(sys.base_prefix) / "bin" / name
    version = ".".join(map(str, sys.version_info[:3]))
    return Interpreter(Path(os.path.realpath(executable if executable.exists() else sys.executable)), version)


def choose(wanted: str) -> Interpreter:
    """Return the installed interpreter that stands for a version.

    Args:
        wanted: Version of an image, as ``3.11``.

    Returns:
        One of that version; else the nearest that is supported, and of two that are equally near the newer.
    """
    running = own()
    if running.minor == wanted:
        return running
    installed = _installed()
    if any(not each.executable.exists() for each in installed):  # removed since we looked
        _listed.cache_clear()
        installed = _installed()
    return nearest(wanted, (running, *installed))


def nearest(wanted: str, interpreters: tuple[Interpreter, ...]) -> Interpreter:
    """Return the interpreter whose version is nearest to a wanted one; the first of several that are of one version."""

    def distance(interpreter: Interpreter) -> tuple[int, int]:
        number = int(interpreter.minor.partition(".")[2])
        return abs(number - int(wanted.partition(".")[2])), -number

    return min(interpreters, key=distance)


def _installed() -> tuple[Interpreter, ...]:
    names = ("PATH", "HOME", "PYENV_ROOT", "PYENV_VERSION", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME")
    return _listed(tuple((name, os.environ[name]) for name in names if name in os.environ))


@functools.lru_cache(maxsize=8)
def _listed(environment: tuple[tuple[str, str], ...]) -> tuple[Interpreter, ...]:
    """Return the supported interpreters that uv finds and that have the parts a build needs."""
    variables = dict(environment)
    command = [sys.executable, "-m", "uv", "python", "list", "--only-installed", "--no-python-downloads"]
    text = _answer([*command, "--offline", "--output-format", "json"], variables)
    interpreters = [
        _interpreter(listed["path"], variables)
        for listed in json.loads(text or "[]")
        if listed["implementation"] == "cpython" and listed["variant"] == "default" and _minor(listed) in SUPPORTED
    ]
    return tuple(dict.fromkeys(listed for listed in interpreters if listed))


def _minor(listed: Mapping[str, Mapping[str, int]]) -> str:
    return f"{listed['version_parts']['major']}.{listed['version_parts']['minor']}"


def _interpreter(path: str, environment: Mapping[str, str]) -> Interpreter | None:
    """Return the interpreter behind a path, which may be a link, a shim or an environment's; None if it is no use."""
    text = _answer([path, "-I", "-c", _QUERY], environment)
    if not text:
        return None
    executable, version = json.loads(text)
    return Interpreter(Path(executable), version)


def _answer(command: list[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            cwd="/",  # a .python-version beside us says nothing about an image
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
