"""Run long checks: tests marked ``long``, mutation testing, every other Python; as many as fit into the time there is.

Which ones come first is chosen by the commit, so that a machine with little time makes all of them within some commits.
What does not fit is named at the end, with the command that makes it.
"""

import argparse
import ast
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mutation
import samples

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
MARK: Final = "pytest.mark.long"
TEST_S: Final = 150
PYTHON_S: Final = 420
MUTATION_S: Final = 420
"""What a part takes on a slow machine: without that much time left it is not begun."""


@dataclass(frozen=True)
class Part:
    """A check that is made whole or not at all.

    Attributes:
        name: As it is asked for.
        command: Makes it; exit code 0 when all is well.
        seconds: What it takes on a slow machine.
    """

    name: str
    command: tuple[str, ...]
    seconds: int


def tests() -> list[Part]:
    """Return a part for each test function that is marked long."""
    names = [
        f"{path.relative_to(ROOT)}::{function.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and MARK in map(ast.unparse, function.decorator_list)
    ]
    command = (str(PROGRAMS / "pytest"), "-n", "2", "-m", "long")
    return [Part(name, (*command, name), TEST_S) for name in names]


def pythons() -> list[Part]:
    """Return a part for each other Python of this machine."""
    script = str(ROOT / "tools" / "every_python.sh")
    listed = subprocess.run([script, "list"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Part(f"python-{version}", (script, version), PYTHON_S) for version in listed.stdout.split()]


def run(parts: Sequence[Part], seconds: float, make: Callable[[Part], bool]) -> tuple[list[Part], list[Part]]:
    """Make the parts that fit, in the order of this commit.

    Args:
        parts: To choose from.
        seconds: That there are.
        make: Makes one; whether all is well.

    Returns:
        Those that failed, and those that were left out.
    """
    deadline = time.monotonic() + seconds
    failed, left_out = [], []
    for part in samples.shuffled(parts):
        if time.monotonic() + part.seconds > deadline:
            left_out.append(part)
        elif not make(part):
            failed.append(part)
    return failed, left_out


def shown(part: Part) -> bool:
    """Make a part, saying how long it took."""
    print(f"== {part.name}", flush=True)
    began = time.monotonic()
    good = subprocess.run(part.command, cwd=ROOT, check=False).returncode == 0
    print(f"== {part.name}: {'done' if good else 'FAILED'} after {time.monotonic() - began:.0f} s", flush=True)
    return good


def mutations() -> list[Part]:
    """Return a part for each group of modules that are mutated."""
    script = str(ROOT / "tools" / "mutation.py")
    return [Part(f"mutation-{group}", (sys.executable, script, group), MUTATION_S) for group in mutation.GROUPS]


def everything() -> list[Part]:
    """Return all parts."""
    return [*tests(), *mutations(), *pythons()]


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="how long it may take; as long as it does if left out"
    )
    parser.add_argument("--list", action="store_true", help="name the parts only")
    parser.add_argument("parts", nargs="*", help="names of parts; all if left out")
    given = parser.parse_args()
    parts = everything()
    names = [part.name for part in parts]
    if given.list:
        print("\n".join(names))
        return 0
    for name in set(given.parts) - set(names):
        print(f"there is no long check {name}; there are: {' '.join(names)}", file=sys.stderr)
        return 2
    chosen = [part for part in parts if part.name in given.parts or not given.parts]
    failed, left_out = run(chosen, 60 * given.minutes, shown)
    for part in left_out:
        print(f'left out for want of time: {part.name}; make it: make long PARTS="{part.name}"')
    print(f"long checks: {len(chosen) - len(left_out)} of {len(chosen)} made, {len(failed)} failed", end="")
    print(f"; {samples.VARIABLE}={samples.seed()} makes the same")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
