"""What is said of mutants: the table of a page and back, and when a score has fallen."""

import mutation
import pytest
from mutation import ENDLESS, KILLED, SURVIVED, UNREACHED, Result

COMMIT = "2026-11-21 71810f4"
COUNTS = {KILLED: 160, SURVIVED: 30, UNREACHED: 8, ENDLESS: 2}
BEFORE = {"plan/check.py": Result("plan/check.py", 200, COUNTS, COMMIT)}


def sample(noticed: int, tried: int, module: str = "plan/check.py") -> list[Result]:
    return [Result(module, 200, {KILLED: noticed, SURVIVED: tried - noticed})]


def test_a_table_is_read_as_it_was_written() -> None:
    assert mutation.published(mutation.table(list(BEFORE.values()))) == BEFORE
    assert "| plan/check.py | 200 | 200 | 160 | 30 | 8 | 2 | 80 | 2026-11-21 71810f4 |" in mutation.table(
        list(BEFORE.values())
    )


@pytest.mark.parametrize(
    ("noticed", "tried", "falls"), [(80, 100, False), (70, 100, False), (60, 100, True), (0, 0, False)]
)
def test_a_sample_falls_when_chance_does_not_explain_it(*, noticed: int, tried: int, falls: bool) -> None:
    said = mutation.fallen(sample(noticed, tried), BEFORE)
    assert bool(said) is falls
    assert not falls or f"{noticed} of {tried}, expected about 80" in said


@pytest.mark.parametrize(("noticed", "falls"), [(160, False), (159, True)])
def test_all_of_them_fall_by_one(*, noticed: int, falls: bool) -> None:
    assert bool(mutation.fallen(sample(noticed, 200), BEFORE)) is falls


def test_a_module_that_the_page_does_not_know_counts_for_nothing() -> None:
    assert mutation.fallen(sample(0, 100, "plan/new.py"), BEFORE) == ""


def test_only_a_test_that_fails_notices_a_mutant() -> None:
    assert [mutation._outcome(code) for code in (1, 3, 0, 5, 33)] == [KILLED, KILLED, SURVIVED, UNREACHED, UNREACHED]
    # Out of time, out of CPU, a crash: on a busy machine the tests of any mutant end so.
    assert [mutation._outcome(code) for code in (36, 24, -24, -11)] == [ENDLESS] * 4


def test_every_module_of_every_group_is_there_with_its_tests() -> None:
    for name, group in mutation.GROUPS.items():
        for pattern in group.modules:
            assert list((mutation.ROOT / mutation.PACKAGE).glob(f"{pattern}.py")), (name, pattern)
        for path in group.tests:
            assert (mutation.ROOT / "tests" / path).exists(), (name, path)
