"""A program: build the cloud and check that what stands in for each name of ministack takes what ministack gives it.

    python replaced_names.py FOLDER NAME...

A replacement may have further parameters with defaults, and other names for those that are given in order. Writes how
many names it has looked at; a process builds the cloud once, so that tests start one for it.
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_foundation.local import server
from mlops_foundation.local.adapter import environment

ANY_NUMBER = 99


def current(name: str) -> Callable[..., Any]:
    """Return what a name below ``ministack`` is at the moment."""
    module, _, attribute = name.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"ministack.{module}"), attribute)
    return found


def arity(function: Callable[..., Any]) -> tuple[int, int]:
    """Return how many arguments a function needs and takes in order."""
    parameters = inspect.signature(function).parameters.values()
    in_order = [each for each in parameters if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    most = ANY_NUMBER if any(each.kind is each.VAR_POSITIONAL for each in parameters) else len(in_order)
    return sum(each.default is each.empty for each in in_order), most


def main(folder: Path, names: list[str]) -> None:
    """Compare each name before and after the cloud is built."""
    environment.prepare(folder, 4566)
    before = {name: current(name) for name in names}
    server.build(folder, 4566)
    for name, original in before.items():
        replacement = current(name)
        assert replacement is not original, f"{name} is not replaced"
        (needed, most), (now_needed, now_most) = arity(original), arity(replacement)
        assert now_needed <= needed, f"{name} needs more parameters than ministack gives"
        assert now_most >= most, f"{name} takes fewer parameters than ministack may give"
    sys.stdout.write(str(len(before)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
