"""The Pythons that the platform runs on are said in many places, which agree."""

from pathlib import Path

import pytest

from mlops_foundation.local.interpreters import SUPPORTED

ROOT = Path(__file__).parents[2]
MINORS = [int(version.removeprefix("3.")) for version in SUPPORTED]
OLDEST, NEWEST = MINORS[0], MINORS[-1]
SAID = {
    "pyproject.toml": [
        f'requires-python = ">=3.{OLDEST},<3.{NEWEST + 1}"',
        f'target-version = "py3{OLDEST}"',
    ],
    "tools/setup.sh": [
        f"oldest={OLDEST} newest={NEWEST}",
        "for python in python3 " + " ".join(f"python3.{minor}" for minor in reversed(MINORS)),
    ],
    "tools/every_python.sh": [
        f"if (3, {OLDEST}) <= sys.version_info < (3, {NEWEST + 1})",
        "command -v " + " ".join(f"python3.{minor}" for minor in MINORS),
    ],
    "Makefile": [f"--python-version 3.{OLDEST}"],
    "README.md": [f"Python 3.{', 3.'.join(map(str, MINORS[:-1]))} or 3.{NEWEST}"],
}


def test_they_are_without_a_gap() -> None:
    assert list(range(OLDEST, NEWEST + 1)) == MINORS


@pytest.mark.parametrize("file", SAID)
def test_every_place_says_the_same(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    for words in SAID[file]:
        assert words in text, f"{file} does not say: {words}"
