"""Which long checks are made in the time there is, and what is said of the others."""

import subprocess
import sys
from pathlib import Path

import long_checks
import mutation
import pytest
import samples
from long_checks import Part

ROOT = Path(__file__).parents[2]
PARTS = [Part(f"part-{number}", (), 100) for number in range(6)]


def made(seconds: float, failing: str = "") -> tuple[list[str], list[Part], list[Part]]:
    done: list[str] = []

    def make(part: Part) -> bool:
        done.append(part.name)
        return part.name != failing

    return done, *long_checks.run(PARTS, seconds, make)


def test_all_are_made_when_there_is_time_and_one_that_fails_stops_no_other() -> None:
    done, failed, left_out = made(1000, failing="part-3")
    assert sorted(done) == [part.name for part in PARTS]
    assert [part.name for part in failed] == ["part-3"]
    assert left_out == []


def test_what_does_not_fit_is_left_out_and_named() -> None:
    done, failed, left_out = made(50)
    assert (done, failed) == ([], [])
    assert sorted(part.name for part in left_out) == [part.name for part in PARTS]


def test_the_commit_chooses_which_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = set()
    for seed in range(8):
        monkeypatch.setenv(samples.VARIABLE, str(seed))
        orders.add(tuple(made(1000)[0]))
        assert made(1000)[0] == made(1000)[0], "the same seed, the same order"
    assert len({order[0] for order in orders}) > 2


def test_a_seed_that_is_no_number_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(samples.VARIABLE, "yesterday")
    with pytest.raises(SystemExit, match=r"MLOPS_SEED is not a whole number; got 'yesterday'"):
        samples.seed()


def test_every_long_test_and_every_other_python_is_a_part() -> None:
    names = [part.name for part in long_checks.everything()]
    assert "tests/test_cfn_lint.py::test_no_template_has_an_error" in names
    assert "tests/config/test_broken_files.py::test_every_broken_file_is_told_and_never_a_traceback" in names
    assert {"mutation-plan", "mutation-config", "mutation-boundary", "mutation-authorize"} <= set(names)
    assert len([name for name in names if name.startswith("mutation-")]) == len(mutation.GROUPS)
    script = ROOT / "tools" / "every_python.sh"
    listed = subprocess.run(["sh", script, "list"], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in names if name.startswith("python-")] == [f"python-{version}" for version in listed]


def test_a_part_that_there_is_not_is_told_with_those_there_are() -> None:
    command = [sys.executable, ROOT / "tools" / "long_checks.py", "everything"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no long check everything" in done.stderr
    assert "test_no_template_has_an_error" in done.stderr


def test_a_python_that_there_is_not_is_told() -> None:
    command = ["sh", ROOT / "tools" / "every_python.sh", "3.9.9"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no Python 3.9.9" in done.stderr
