"""5,000 broken files: never a traceback, and of every problem its file, line, reason and fix."""

import re
from collections import Counter
from pathlib import Path

import pytest
from broken_files import broken_files
from config_samples import ACCOUNTS, EVERYTHING, GOOD, LEADS, SCIENTISTS
from hypothesis import HealthCheck, Phase, given, settings

from mlops_foundation.config import legacy_accounts, load
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
EXAMPLES = {
    "mlops.yaml with every section": ("mlops.yaml", EVERYTHING, 1000),
    "mlops.yaml as it mostly is": ("mlops.yaml", WITH_FILES, 2400),
    "data_scientists.yml": ("data_scientists.yml", SCIENTISTS, 600),
    "lead_data_scientists.yml": ("lead_data_scientists.yml", LEADS, 500),
    "accounts.json": ("accounts.json", ACCOUNTS, 500),
}
"""What is broken: the file, its right content, how often. Together 5,000 times."""


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
def test_a_broken_file_is_told_and_never_a_traceback(kind: str, tmp_path: Path) -> None:
    name, right, count = EXAMPLES[kind]
    answers: Counter[str] = Counter()

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(content=broken_files(right))
    def feed(content: bytes) -> None:
        write(tmp_path, name, content)
        try:
            if name == "accounts.json":
                legacy_accounts.read(tmp_path / name)
            config = load(tmp_path / "mlops.yaml")
        except ConfigError as error:
            answers["refused"] += 1
            for problem in error.problems:
                assert_told_whole(problem, tmp_path)
            return
        answers["still right"] += 1
        try:
            build(config, STACKS, TEMPLATES)
        except PlanError as error:
            for problem in error.problems:
                assert problem.what
                assert problem.where
                assert problem.fix

    feed()
    assert answers.total() >= count
    assert answers["refused"] > count // 2, answers


def test_what_is_broken_was_right(tmp_path: Path) -> None:
    for name, right, _ in EXAMPLES.values():
        write(tmp_path, name, right.encode())
        assert load(tmp_path / "mlops.yaml").studio.users
    assert sum(count for _, _, count in EXAMPLES.values()) == 5000
