"""Which Python stands for the one of an image."""

import subprocess
import sys
from pathlib import Path

import pytest

import mlops_foundation
from mlops_foundation.local import interpreters
from mlops_foundation.local.interpreters import SUPPORTED, Interpreter, choose, nearest
from mlops_foundation.local.runtimes import LOCKS

SEED = Path(mlops_foundation.__file__).parent / "templates" / "realtime" / "seed"
PURE = ("inotify-simple", "sagemaker-inference", "sagemaker-training")
"""Published as source only; none of them needs a compiler."""
LOCKED = [*sorted(LOCKS.glob("*.lock")), *sorted(SEED.glob("*/requirements*.txt")), SEED / "build" / "sdk.txt"]


def python(version: str, place: str = "/opt") -> Interpreter:
    return Interpreter(Path(f"{place}/python{version}"), version)


@pytest.mark.parametrize(
    ("wanted", "found", "chosen"),
    [
        ("3.11", ("3.13.0", "3.12.1"), "3.12.1"),
        ("3.11", ("3.13.0",), "3.13.0"),
        ("3.12", ("3.11.2", "3.13.0"), "3.13.0"),
        ("3.12", ("3.11.2", "3.12.1", "3.13.0"), "3.12.1"),
        ("3.13", ("3.11.7", "3.11.2"), "3.11.7"),
    ],
)
def test_the_nearest_version_stands_in(wanted: str, found: tuple[str, ...], chosen: str) -> None:
    assert nearest(wanted, tuple(map(python, found))).version == chosen


def test_another_version_is_told_and_the_right_one_is_not() -> None:
    assert python("3.11.2").difference("3.11") == ""
    assert "Python 3.11" in python("3.13.0").difference("3.11")
    assert "Python 3.13.0" in python("3.13.0").difference("3.11")


def test_the_platforms_own_python_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = choose(f"3.{sys.version_info[1]}")
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.executable.resolve() == found.executable
    command = [found.executable, "-c", "import sys; print(sys.prefix == sys.base_prefix)"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"


def test_a_python_behind_a_link_or_a_shim_is_found_where_it_really_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shim of pyenv starts whichever version a folder asks for: not what a cache is to be made with."""
    real, name = interpreters.own().executable, f"python3.{sys.version_info[1]}"
    for folder in ("linked", "shims"):
        (tmp_path / folder).mkdir()
    (tmp_path / "linked" / name).symlink_to(real)
    shim = tmp_path / "shims" / name
    shim.write_text(f'#!/bin/sh\nexec "{real}" "$@"\n')
    shim.chmod(0o755)
    for folder in ("linked", "shims"):
        monkeypatch.setenv("PATH", str(tmp_path / folder))
        assert [each.executable for each in interpreters._installed()] == [real]


def test_a_python_that_was_removed_is_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "3.11" if sys.version_info[1] != 11 else "3.12"
    gone = Interpreter(tmp_path / "python", f"{missing}.9")
    answers = [(gone,), ()]
    monkeypatch.setattr(interpreters, "_installed", lambda: answers.pop(0))
    assert choose(missing).version == interpreters.own().version
    assert not answers


@pytest.mark.cloud  # it asks the package index
@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("lock", LOCKED, ids=lambda lock: f"{lock.parent.name}/{lock.name}")
def test_every_lock_installs_on_every_python_from_wheels(lock: Path, version: str, tmp_path: Path) -> None:
    """What a machine with another Python would find out after minutes: a package without a wheel for it."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:"]
    command += [word for name in PURE for word in ("--no-binary", name)]
    command += ["--require-hashes", "--python-version", version, "--target", str(tmp_path), "-r", str(lock)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
