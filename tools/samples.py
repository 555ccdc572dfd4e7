"""Which part of a long check is made: chosen by the commit, so that each commit looks elsewhere, and can be repeated.

MLOPS_SEED=1234 make test
"""

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
VARIABLE = "MLOPS_SEED"
ROOT = Path(__file__).parents[1]


def seed() -> int:
    """Return the seed of this commit, or what ``MLOPS_SEED`` says; 0 without git.

    Raises:
        SystemExit: When that is no number.
    """
    given = os.environ.get(VARIABLE, "")
    if given:
        if not given.isdecimal():
            message = f"{VARIABLE} is not a whole number; got {given!r}, expected such as 1234; fix: unset {VARIABLE}"
            raise SystemExit(message)
        return int(given)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout[:8], 16) if done.returncode == 0 else 0


def shuffled(things: Sequence[T], salt: str = "") -> list[T]:
    """Return the things in the order of this commit.

    Args:
        things: Anything.
        salt: Makes another order of the same seed.
    """
    order = list(things)
    random.Random(f"{seed()} {salt}").shuffle(order)  # noqa: S311  nobody must not guess it
    return order
