"""What is said of mutants: the table of a page and back, and when a score has fallen."""

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(("noticed", "falls"), [(70, False), (64, False), (55, True)])
def test_a_small_sample_that_was_all_noticed_does_not_promise_that_all_are(*, noticed: int, falls: bool) -> None:
    before = {"plan/check.py": Result("plan/check.py", 200, {KILLED: 40}, COMMIT)}
    assert bool(mutation.fallen(sample(noticed, 70), before)) is falls


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


def test_no_module_is_in_two_groups_whose_scores_would_overwrite_each_other() -> None:
    package = mutation.ROOT / mutation.PACKAGE
    modules = [
        path
        for group in mutation.GROUPS.values()
        for path in {path for pattern in group.modules for path in package.glob(f"{pattern}.py")}
    ]
    assert sorted(modules) == sorted(set(modules))


def test_the_page_has_a_score_of_every_group_or_says_that_there_is_none() -> None:
    text = mutation.PAGE.read_text(encoding="utf-8")
    page = mutation.published(text)
    package = mutation.ROOT / mutation.PACKAGE
    for name, group in mutation.GROUPS.items():
        modules = {str(path.relative_to(package)) for each in group.modules for path in package.glob(f"{each}.py")}
        measured = any(page[module].tried for module in modules & set(page))
        assert measured is not (f"`{name}` has no score yet" in text), name
        assert all(page[module].commit for module in modules & set(page)), name


def test_ids_of_tests_are_the_same_however_often_a_process_collects(tmp_path: Path) -> None:
    """pytest escapes given ids once more each time: workers of mutmut did not find the tests they were to run."""
    (tmp_path / "test_ids.py").write_text(IDS)
    (tmp_path / "twice.py").write_text(TWICE)
    for options, same in (((), False), (mutation.SAME_IDS, True)):
        command = [sys.executable, "twice.py", "-p", "no:cacheprovider", *options]
        alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is same, done.stdout


IDS = """
import pytest

@pytest.mark.parametrize("text", ["a"], ids=["one\\ntwo"])
def test_it(text):
    pass
"""
TWICE = """
import sys
import pytest

class Seen:
    def pytest_collection_modifyitems(self, items):
        self.ids = [item.nodeid for item in items]

seen = Seen()
pytest.main(["--collect-only", *sys.argv[1:]], plugins=[seen])
sys.exit(pytest.main([*sys.argv[1:], *seen.ids]))
"""

SHOWN = """\
# a.x_one__mutmut_1: not checked
--- src/a.py
+++ src/a.py
@@ -1,2 +1,2 @@
 def one():
-    return "s3:GetObject"
+    return "s3:getobject"

# a.x_one__mutmut_2: not checked
--- src/a.py
+++ src/a.py
@@ -1,2 +1,2 @@
 def one():
-    return "s3:GetObject"
+    return "XXs3:GetObjectXX"
"""


def test_a_mutant_that_differs_in_case_only_is_told_from_one_that_differs() -> None:
    assert mutation._alike(SHOWN) == {"a.x_one__mutmut_1"}
