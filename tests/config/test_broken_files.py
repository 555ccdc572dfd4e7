"""Broken files: never a traceback, and of every problem its file, line, reason and fix.

5,000 of them are a long check; `make test` takes a tenth, other ones for each commit.
"""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from broken_files import broken_files
from config_samples import ACCOUNTS, EVERYTHING, GOOD, LEADS, SCIENTISTS
from hypothesis import HealthCheck, Phase, given, seed, settings

from mlops_foundation.config import Config, legacy_accounts, load
from mlops_foundation.core.errors import ConfigError, PlanError, Problem
from mlops_foundation.plan import build
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

WITH_FILES = GOOD.replace(
    "tags:\n",
    "  users_from: {data_scientists: data_scientists.yml, lead_data_scientists: lead_data_scientists.yml}\ntags:\n",
)
FILES = {
    "mlops.yaml": WITH_FILES,
    "data_scientists.yml": SCIENTISTS,
    "lead_data_scientists.yml": LEADS,
    "accounts.json": ACCOUNTS,
}


class Example(NamedTuple):
    """A file that is broken.

    Attributes:
        file: Its name.
        right: Its content before.
        count: How often it is broken.
    """

    file: str
    right: str
    count: int


EXAMPLES = {
    "mlops.yaml with every section": Example("mlops.yaml", EVERYTHING, 1000),
    "mlops.yaml as it mostly is": Example("mlops.yaml", WITH_FILES, 2400),
    "data_scientists.yml": Example("data_scientists.yml", SCIENTISTS, 600),
    "lead_data_scientists.yml": Example("lead_data_scientists.yml", LEADS, 500),
    "accounts.json": Example("accounts.json", ACCOUNTS, 500),
}
"""What is broken, together 5,000 times."""


def write(folder: Path, name: str, content: bytes) -> None:
    for each, text in FILES.items():
        (folder / each).write_text(text, encoding="utf-8")
    (folder / name).write_bytes(content)


def assert_told_whole(problem: Problem, folder: Path) -> None:
    """File and line, the reason, what is allowed and the fix; each fit for a terminal."""
    place = re.fullmatch(rf"{re.escape(str(folder))}/({'|'.join(map(re.escape, FILES))}):(\d+)", problem.where)
    assert place, problem
    lines = (folder / place[1]).read_bytes().count(b"\n") + 1
    # YAML also ends lines at characters that are none for others, such as U+2028.
    breaks = len((folder / place[1]).read_text(encoding="utf-8", errors="replace").splitlines())
    assert 1 <= int(place[2]) <= max(lines, breaks) + 1, problem
    for part in (problem.what, problem.expected, problem.fix):
        assert part.strip(), problem
    for part in problem.as_dict().values():
        part.encode("utf-8")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_broken_file_is_told_and_never_a_traceback(kind: str, tmp_path: Path, commit_seed: int) -> None:
    feed(kind, EXAMPLES[kind].count // 10, tmp_path, commit_seed)


@pytest.mark.long
@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_broken_file_is_told_and_never_a_traceback(kind: str, tmp_path: Path) -> None:
    feed(kind, EXAMPLES[kind].count, tmp_path, None)


def assert_built_or_told(config: Config) -> None:
    try:
        build(config, STACKS, TEMPLATES)
    except PlanError as error:
        for problem in error.problems:
            assert problem.what
            assert problem.where
            assert problem.fix


def feed(kind: str, count: int, folder: Path, number: int | None) -> None:
    """Break a file as often as it says, and look at each answer.

    Args:
        kind: Of file.
        count: How often.
        folder: Where the files are.
        number: Says which files; None is always the same ones.
    """
    name, right, _ = EXAMPLES[kind]
    answers: Counter[str] = Counter()

    def broken(content: bytes) -> None:
        write(folder, name, content)
        try:
            if name == "accounts.json":
                legacy_accounts.read(folder / name)
            config = load(folder / "mlops.yaml")
        except ConfigError as error:
            answers["refused"] += 1
            for problem in error.problems:
                assert_told_whole(problem, folder)
            return
        answers["still right"] += 1
        assert_built_or_told(config)

    test = given(content=broken_files(right))(broken)
    if number is not None:
        test = seed(number)(test)
    settings(
        max_examples=count,
        derandomize=number is None,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(test)()
    assert answers.total() >= count
    assert answers["refused"] > count // 2, answers


def test_what_is_broken_was_right(tmp_path: Path) -> None:
    for name, right, _ in EXAMPLES.values():
        write(tmp_path, name, right.encode())
        assert load(tmp_path / "mlops.yaml").studio.users
    assert sum(count for _, _, count in EXAMPLES.values()) == 5000
