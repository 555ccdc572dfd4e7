"""Everything that the README and the pages of ``docs/tasks/`` tell people to type, typed line by line.

One platform for all pages, in the order in which people would read them; every page is a terminal of its own. The
folder and HOME are empty at the start. A block that is not run says in its page why not, and is in ``NOT_RUN``.
"""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import Line, blocks

from .conftest import MLOPS, free_port

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
CLONE = "mlops-foundation"
_KEPT = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "MLOPS_SANDBOX",
    "PIP_",
    "UV_",
    "HTTP",
    "NO_PROXY",
)
_KEPT_FILES = (".config/pip", ".config/uv", ".pip", ".npmrc")
"""What a machine needs that no page can know: certificate authorities, package indexes, whether it allows a sandbox."""
_TIMEOUT_S = 900


class Reader:
    """Somebody with a clone and an empty HOME, who copies what the pages say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "home" / ".config").mkdir(parents=True)
        for name in _KEPT_FILES:
            if (Path.home() / name).exists():
                (folder / "home" / name).symlink_to(Path.home() / name)
        (folder / CLONE).mkdir()
        (folder / CLONE / ".venv").symlink_to(Path(sys.executable).parents[1])  # what make setup leaves there
        self._port = free_port()

    def read(self, page: str) -> str:
        """Type a page's lines into a terminal of its own, and return what is wrong with the first that fails."""
        lines = [line for block in blocks(ROOT / page) if not block.not_run for line in block.lines]
        start = self.folder / CLONE if page == "README.md" else self.folder
        reached, said = self.folder / "reached", self.folder / "said"
        with said.open("a") as output:
            code = subprocess.run(
                ["bash", "-c", self._typed(lines, reached, said)],
                cwd=start,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_S,
                check=False,
            ).returncode
        if code == 0:
            return ""
        line = {str(line.number): line for line in lines}[reached.read_text().strip()]
        output_text = textwrap.indent(said.read_text()[-3000:], "  ")
        return f"{page}:{line.number}: exit code {code}\n  $ {line.text}\n{output_text}"

    def _typed(self, lines: list[Line], reached: Path, said: Path) -> str:
        """Return a program that types lines as a person does: what one changes stays, the first that fails ends it."""
        typed = []
        for line in lines:
            # Every test has a port of its own; a person has 4566.
            text = line.text.replace("mlops local start", f"mlops local start --port {self._port}")
            typed += [f"echo {line.number} > '{reached}'; : > '{said}'", text, "code=$?; [ $code = 0 ] || exit $code"]
        return "\n".join(typed)

    def _environment(self) -> dict[str, str]:
        caches = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # runtimes need not be built again
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
        own = {"HOME": str(self.folder / "home"), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        return {**own, **kept, "XDG_CACHE_HOME": caches}

    def leave(self) -> None:
        """Remove the cloud, wherever the reading ended."""
        state = self.folder / "my-platform" / ".mlops"
        subprocess.run([MLOPS, "local", "reset", "--yes", "--state-dir", str(state)], check=False, capture_output=True)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One for all pages."""
    somebody = Reader(tmp_path_factory.mktemp("reader"))
    try:
        yield somebody
    finally:
        somebody.leave()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_copied_line_by_line(page: str, reader: Reader) -> None:
    wrong = reader.read(page)
    assert not wrong, wrong


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
