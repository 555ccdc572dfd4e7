"""Everything that the README and the pages of ``docs/tasks/`` tell people to type, typed line by line.

One platform for all pages, in the order in which people would read them; every page is a terminal of its own. The
README is typed into an empty folder, with an empty HOME: what it makes is the golden platform. The others go on from a
copy of that. A block that is not run says in its page why not, and is in ``NOT_RUN``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_foundation.usecases import models
from once import Once
from pages import blocks

from . import golden
from .conftest import Checkout, Platform
from .reader import Reader

pytestmark = [pytest.mark.e2e, pytest.mark.story]
ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/tasks/platform-engineer.md",
    "docs/tasks/data-science-admin.md",
    "docs/tasks/data-scientist.md",
    "docs/tasks/lead-data-scientist.md",
    "docs/tasks/auditor.md",
)
NOT_RUN = {
    "README.md": [".ci/run makes both in a clean clone, in this order"],
    "docs/tasks/platform-engineer.md": [
        "the file is there since Get started; the first asks questions, the second reads a file of yours",
        "needs AWS",
        "needs AWS",
        "needs AWS and the profile of the platform engineer",
        "needs AWS",
    ],
    "docs/tasks/data-science-admin.md": ["the project is gone by now"],
    "docs/tasks/lead-data-scientist.md": ["the id is an example, and nothing has failed"],
}
"""What only names and options are checked of, by ``tests/test_docs.py``."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Reader]:
    """Who has read the README, and reads on: one for all pages."""
    somebody = golden.copy_reader(once, tmp_path_factory.mktemp("reader") / "copy")
    try:
        Platform(somebody.platform).wait_until_served()
        yield somebody
    finally:
        somebody.leave()


def test_the_readme_can_be_copied_line_by_line(reader: Reader) -> None:
    """Its first line that fails is the error of the golden platform; here is what it leaves."""
    assert Platform(reader.platform).served() == [("InService", "1")] * 3


@pytest.mark.parametrize("page", PAGES[1:4])
def test_a_page_can_be_copied_line_by_line(page: str, reader: Reader) -> None:
    wrong = reader.read(page)
    assert not wrong, wrong


def test_what_the_data_scientist_pushed_is_a_version_with_its_own_metrics_that_waits(reader: Reader) -> None:
    platform = Platform(reader.platform)
    first, second = (models.describe(platform.workspace, golden.PROJECT, each, "data-scientist") for each in "12")
    assert second.status == "PendingManualApproval"
    assert second.metrics.keys() == first.metrics.keys()
    assert second.metrics != first.metrics
    clone = Checkout(platform, reader.platform / "churn-build")
    assert clone.git("rev-list", "--count", "HEAD").strip() == "2"
    assert second.details["commit"] == clone.git("rev-parse", "HEAD").strip()
    assert first.details["commit"] == clone.git("rev-parse", "HEAD^").strip()


@pytest.mark.parametrize("page", PAGES[4:])
def test_a_page_of_who_decides_can_be_copied_line_by_line(page: str, reader: Reader) -> None:
    test_a_page_can_be_copied_line_by_line(page, reader)


def test_no_page_of_a_task_is_left_out() -> None:
    assert {path.name for path in (ROOT / "docs" / "tasks").iterdir()} == {Path(page).name for page in PAGES[1:]}


def test_what_is_not_run_is_known_with_its_reason() -> None:
    assert {
        page: reasons for page in PAGES if (reasons := [each.not_run for each in blocks(ROOT / page) if each.not_run])
    } == NOT_RUN


def test_the_first_line_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n    name=nowhere\n    cd $name\n    echo on\n")
    wrong = Reader(tmp_path).read(str(page))
    assert wrong.startswith(f"{page}:4: exit code 1\n  $ cd $name\n")
    assert "nowhere: No such file" in wrong
