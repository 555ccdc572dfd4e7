"""A test over its budget fails the run and is named; a slow machine and a shared fixture do not."""

import subprocess
import sys
from pathlib import Path

import pytest

from budgets import BUDGETS_S, Timed, over, said, slowness

TESTS = Path(__file__).parent


def test_a_budget_grows_with_the_slowness_of_the_machine() -> None:
    took = BUDGETS_S["cloud"] * 1.5
    quiet, busy = Timed("quiet", "cloud", took, 1.0), Timed("busy", "cloud", took, 2.0)
    assert over([quiet, busy, Timed("whole", "long", 9999, 1.0)]) == [quiet]


def test_the_ten_slowest_are_named_and_quick_ones_are_not() -> None:
    lines = list(said([Timed(f"test-{number}", "unit", float(number), 1.0) for number in range(13)]))
    assert [line.split()[-1] for line in lines] == [f"test-{number}" for number in range(12, 2, -1)]
    assert list(said([Timed("quick", "unit", 0.9, 1.0)])) == []


def test_the_machine_is_never_quicker_than_the_one_that_budgets_are_for() -> None:
    assert slowness() >= 1


@pytest.mark.parametrize(("own", "shared", "code"), [(0.3, 0, 1), (0, 0.3, 0)])
def test_a_run_fails_by_a_tests_own_time_only(own: float, shared: float, code: int, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.append({str(TESTS)!r})\nimport budgets\n"
        "from budgets import *\nbudgets.BUDGETS_S['unit'] = 0.2\nbudgets.slowness = lambda: 1.0\n"
    )
    (tmp_path / "test_sleepy.py").write_text(
        f"import time, pytest\n\n@pytest.fixture\ndef shared():\n    time.sleep({shared})\n\n"
        f"def test_sleepy(shared):\n    time.sleep({own})\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("over its budget: test_sleepy.py::test_sleepy took" in done.stdout) is bool(code)
