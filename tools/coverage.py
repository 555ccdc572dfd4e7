"""Write ``docs/coverage.md`` from ``docs/coverage.yaml``: what the platform must be able to do, clause by clause.

    python tools/coverage.py

``tests/test_docs.py`` fails when the page differs from what this would write, or the file names what is not there.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import marked
import yaml

DOCS = Path(__file__).parents[1] / "docs"
PAGE, ROWS = DOCS / "coverage.md", DOCS / "coverage.yaml"
GROUPS = {
    "000": "the platform in four accounts",
    "001": "self-service",
    "002": "foundation",
    "003": "bring your own container",
    "004": "multi-account with CDK",
}
STATUSES = ("shown", "partly", "not yet")


@dataclass(frozen=True)
class Clause:
    """A part of a row.

    Attributes:
        of: Its words.
        by: The command that does it, empty when none does.
        tests: ``file::test`` below ``tests/``.
        lacks: What is missing or not proven, empty when nothing is.
    """

    of: str
    by: str = ""
    tests: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def status(self) -> str:
        """``shown`` when a test fails without it and nothing is missing."""
        return "not yet" if not self.tests else "partly" if self.lacks else "shown"


def rows() -> dict[str, tuple[Clause, ...]]:
    """Return the clauses of each row by its number."""
    loaded = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    return {
        number: tuple(Clause(**{**clause, "tests": tuple(clause.get("tests", ()))}) for clause in clauses)
        for number, clauses in loaded.items()
    }


def status(clauses: tuple[Clause, ...]) -> str:
    """Return a row's status: that of its clauses when they agree."""
    found = {clause.status for clause in clauses}
    return found.pop() if len(found) == 1 else "partly"


def render() -> str:
    """Return the summary and every row."""
    return "\n".join([*_summary(), *(line for group, title in GROUPS.items() for line in _group(group, title))])


def _summary() -> Iterator[str]:
    found = rows()
    yield "| | rows | shown whole | partly | not yet | clauses | shown | partly | not yet |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for group in (*GROUPS, ""):
        mine = [clauses for number, clauses in found.items() if number.startswith(group)]
        whole = Counter(map(status, mine))
        parts = Counter(clause.status for clauses in mine for clause in clauses)
        cells = [len(mine), *(whole[each] for each in STATUSES), parts.total(), *(parts[each] for each in STATUSES)]
        yield f"| {group or '**all**'} | {' | '.join(map(str, cells))} |"
    yield ""


def _group(group: str, title: str) -> Iterator[str]:
    yield from (f"## {group}: {title}", "")
    for number, clauses in rows().items():
        if number.startswith(group):
            yield from (f"### {number}", "", f"{status(clauses)}; on AWS not tried", "")
            yield from ("| clause | status | command | tests |", "|---|---|---|---|")
            yield from map(_line, clauses)
            yield ""


def _line(clause: Clause) -> str:
    told = f"{clause.status}: {clause.lacks}" if clause.lacks else clause.status
    tests = " ".join(f"`{test}`" for test in clause.tests)
    return " | ".join([f"| {clause.of}", told, f"`{clause.by}`" if clause.by else "", f"{tests} |"]).replace("  ", " ")


if __name__ == "__main__":
    marked.write(PAGE, render())
