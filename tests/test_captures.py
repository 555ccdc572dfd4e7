"""The pictures of commands in ``docs/captures/``: all there, of every size, as a terminal shows them."""

import html
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "captures"


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("captures", ROOT / "tools" / "captures.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules["captures"] = made
    spec.loader.exec_module(made)
    return made


captures = tool()
NAMES = [
    f"{moment.name}-{columns}x{rows}"
    for columns, rows in captures.SIZES
    for capture in (*captures.CAPTURES, *captures.LIVING)
    for moment in capture.moments
]


def text(name: str) -> str:
    """Return what a picture says."""
    parts = re.findall(r"<text[^>]*>([^<]*)</text>", (FOLDER / f"{name}.svg").read_text(encoding="utf-8"))
    return html.unescape("\n".join(parts)).replace("\xa0", " ")


def test_every_picture_is_there_and_no_other() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_needs_nothing_from_elsewhere(name: str) -> None:
    svg = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    around = re.sub(r"<text[^>]*>[^<]*</text>", "", svg)
    assert re.findall(r"https?://[^\"<)\s]*", around) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in around
    assert str(Path.home()) not in text(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("plan", "cost", "demo-8", "demo-1"))])
def test_account_ids_are_whole(name: str) -> None:
    assert {"222222222222", "333333333333", "444444444444"} <= set(re.findall(r"\b\d{12}\b", text(name)))


def test_a_terminal_has_the_size_that_is_asked_for_and_keeps_what_has_scrolled_away(tmp_path: Path) -> None:
    program = "import os; print(*os.get_terminal_size()); print('x\\n' * 40 + 'end')"
    (tmp_path / "program.py").write_text(program)
    terminal = captures.Terminal("python program.py", tmp_path, (80, 24))
    seen = list(terminal.shown())
    assert any("end" in text for text in seen)
    assert len(terminal.picture(everything=False)) <= 24
    lines = [line.plain for line in terminal.picture(everything=True)]
    assert (lines[0], lines[-1], lines.count("x")) == ("80 24", "end", 40)
