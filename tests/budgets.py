"""The ten slowest tests of a run, and a budget for each kind of test: what takes much longer fails the run.

Only a test's own time counts, not that of what it shares with others and is made once. The budget is several times what
the slowest of its kind takes, and grows with the machine's slowness, which is measured when a test came near its
budget: how long a fixed piece of work takes then, and how many processes wanted each core in the last minute. On a
machine that is busy a test may take longer; a test that waits for what never comes, or does everything twice, is over
its budget.
"""

import os
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pytest

BUDGETS_S: Final = {"unit": 30.0, "cloud": 45.0, "e2e": 180.0}
"""Seconds of one test, on a machine of 2 cores at 2.5 GHz on which nothing else runs. Long checks have none."""
NEAR: Final = 0.5
SHOWN: Final = 10
_SHOWN_FROM_S: Final = 1.0
_WORK_S: Final = 0.06
"""What the fixed piece of work takes there."""


class Timed(NamedTuple):
    """A test that ran.

    Attributes:
        name: Its node id.
        kind: A key of the budgets, or ``long``.
        seconds: Of the test itself.
        slowness: Of the machine beside it; 1 or more.
    """

    name: str
    kind: str
    seconds: float
    slowness: float

    @property
    def budget_s(self) -> float:
        """What it may take here and now."""
        return BUDGETS_S.get(self.kind, float("inf")) * self.slowness


def over(timed: list[Timed]) -> list[Timed]:
    """Return the tests that took longer than they may."""
    return [each for each in timed if each.seconds > each.budget_s]


def said(timed: list[Timed]) -> Iterator[str]:
    """Yield what a person is told: the slowest, then those over their budget."""
    slowest = sorted(timed, key=lambda each: -each.seconds)[:SHOWN]
    for each in slowest:
        if each.seconds >= _SHOWN_FROM_S:
            yield f"{each.seconds:6.1f} s  {each.kind:5}  {each.name}"
    for each in over(timed):
        allowed = f"{BUDGETS_S[each.kind]:.0f} s for kind {each.kind}, times {each.slowness:.1f} for a busy machine"
        yield (
            f"over its budget: {each.name} took {each.seconds:.1f} s, "
            f"expected {each.budget_s:.0f} s at most ({allowed}); "
            "fix: let it wait for less, share what it makes, or mark it long"
        )


def kind_of(item: pytest.Item) -> str:
    """Return the kind of a test, by its markers."""
    return next((kind for kind in ("long", "e2e", "cloud") if item.get_closest_marker(kind)), "unit")


def slowness() -> float:
    """Return how many times as slow the machine is as one that does nothing else."""
    started = time.perf_counter()
    number = 0
    for step in range(1_000_000):
        number = (number * 31 + step) & 0xFFFF
    processes = os.getloadavg()[0] / (os.cpu_count() or 1)
    return max(1.0, processes, (time.perf_counter() - started) / _WORK_S)


_timed: list[Timed] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Put a test's kind into its report, and how slow the machine is when it comes near its budget."""
    report = yield
    if call.when == "call":
        kind = kind_of(item)
        near = call.duration > NEAR * BUDGETS_S.get(kind, float("inf"))
        report.user_properties += [("kind", kind), ("slowness", slowness() if near else 1.0)]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember a test; with pytest-xdist, in the process that all report to."""
    told = dict(report.user_properties)
    if report.when == "call" and "kind" in told:
        _timed.append(Timed(report.nodeid, str(told["kind"]), report.duration, float(str(told["slowness"]))))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which a test took longer than it may."""
    if exitstatus == pytest.ExitCode.OK and over(_timed) and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which were the slowest."""
    lines = list(said(_timed))
    if lines:
        terminalreporter.section(f"the slowest of {len(_timed)} tests")
        for line in lines:
            terminalreporter.line(line)
