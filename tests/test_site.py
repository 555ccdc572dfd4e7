"""The documentation as a site: it builds, and its readers need nothing from elsewhere."""

import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIAGRAMS = ROOT / "docs" / "diagrams"
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
"""What a browser fetches by itself, apart from links with a ``rel`` other than these."""
_NAMED_ONLY = {"canonical", "prev", "next"}


class Addresses(HTMLParser):
    """Collects what a page makes a browser fetch, and pictures without words for who does not see them."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.wordless: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in FETCHED:
            self.fetched.append(given.get(FETCHED[tag], ""))
        if tag == "link" and given.get("rel") not in _NAMED_ONLY:
            self.fetched.append(given.get("href", ""))
        if tag == "img" and not given.get("alt"):
            self.wordless.append(given.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as ``make docs`` builds it."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_page_is_there(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    assert pages <= {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}


def test_no_page_needs_anything_from_elsewhere(site: Path) -> None:
    foreign, wordless = [], []
    for page in sorted(site.rglob("*.html")):
        found = Addresses()
        found.feed(page.read_text(encoding="utf-8"))
        assert found.fetched
        foreign += [(page.name, each) for each in found.fetched if re.match(r"(https?:)?//", each)]
        wordless += [(page.name, each) for each in found.wordless]
    assert (foreign, wordless) == ([], [])


def test_no_page_has_a_diagram_that_a_script_would_draw(site: Path) -> None:
    assert [page.name for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text(encoding="utf-8")] == []


def test_styles_and_pictures_name_no_address(site: Path) -> None:
    for path in [*(ROOT / "docs").rglob("*.svg"), *site.rglob("*.css")]:
        fetched = re.findall(r"(?:url\(|@import |xlink:href=|src=)[\"']?(https?:[^\"')\s]*)", path.read_text("utf-8"))
        assert fetched == [], path.name


def test_who_reads_goes_on_and_back_and_chooses_light_or_dark(site: Path) -> None:
    page = (site / "tasks" / "data-scientist.html").read_text(encoding="utf-8")
    assert 'rel="prev"' in page
    assert 'rel="next"' in page
    assert page.count('data-md-color-scheme="') >= 3


@pytest.mark.parametrize("drawing", sorted(DIAGRAMS.glob("*.dot")), ids=lambda path: path.stem)
def test_a_diagram_is_drawn_from_its_source(drawing: Path) -> None:
    digest = hashlib.sha256(drawing.read_bytes()).hexdigest()
    assert f"<!-- drawing {digest} -->" in drawing.with_suffix(".svg").read_text(encoding="utf-8"), "tools/diagrams.sh"


def test_every_diagram_is_on_a_page() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    assert [path.name for path in DIAGRAMS.glob("*.svg") if f"diagrams/{path.name}" not in texts] == []
