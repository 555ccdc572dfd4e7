"""What every measurement is made of: a figure, its baseline, and what the machine did meanwhile."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


class MeasurementError(Exception):
    """What was to be measured did not work; there is no figure."""


@dataclass(frozen=True)
class Figure:
    """One figure beside its baseline.

    Attributes:
        name: What was measured.
        value: Ours.
        baseline_name: What it is compared with.
        baseline: The same figure of the baseline.
        unit: Of both.
    """

    name: str
    value: float
    baseline_name: str
    baseline: float
    unit: str

    @property
    def ratio(self) -> float:
        """Ours over the baseline's."""
        return self.value / self.baseline

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as JSON data."""
        return {**asdict(self), "ratio": round(self.ratio, 3)}


def median_seconds(runs: int, *works: Callable[[], object]) -> list[float]:
    """Return each work's median time: all are run once to warm up, then in turn, so that they share the machine's mood.

    Args:
        runs: Measured runs of each.
        works: What is measured.
    """
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, seconds in zip(works, taken, strict=True):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return [statistics.median(seconds) for seconds in taken]


def run(argv: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it says; a failure is an error with its last lines."""
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementError(f"{' '.join(map(str, argv))[:200]} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


class Machine:
    """The machine of a run, and how much of its time other guests of the same host took (Linux only)."""

    def __init__(self) -> None:
        self._before = _ticks()

    def as_dict(self) -> dict[str, Any]:
        """Return what the machine is and the share of its time that was stolen since the start."""
        return {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "stolen_percent": self._stolen(),
        }

    def _stolen(self) -> float | None:
        after = _ticks()
        if not self._before or not after:
            return None
        spent = [new - old for old, new in zip(self._before, after, strict=True)]
        return round(100 * spent[7] / (sum(spent[:8]) or 1), 1)


def _ticks() -> list[int]:
    """Return the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, ..."""
    try:
        return [int(text) for text in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    except OSError:
        return []


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
