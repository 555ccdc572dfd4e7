"""The recording of the demo: from its first step to its last, in one picture that moves by itself."""

import html
import importlib
import re
from pathlib import Path

import pytest
from rich.text import Text

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "recordings" / "demo.svg"
ROWS = 24


def frames(svg: str) -> list[str]:
    """Return what each frame says."""
    groups = re.findall(r'<g class="frame f\d+">(.*?)\n?(?=<g class="frame|$)', svg, re.DOTALL)
    texts = ("\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", group)) for group in groups)
    return [html.unescape(text).replace("\xa0", " ") for text in texts]


def test_it_goes_from_the_first_step_to_the_last() -> None:
    found = frames(FILE.read_text(encoding="utf-8"))
    assert len(found) > 20
    assert "start the local cloud" in found[1]
    assert any("Preprocess" in frame for frame in found)
    assert "prod says" in found[-1]
    assert re.search(r"done in \d+ s", found[-1])


def test_it_needs_nothing_from_elsewhere_and_names_no_place_of_a_machine() -> None:
    svg = FILE.read_text(encoding="utf-8")
    outside = re.sub(r"<text[^>]*>[^<]*</text>", "", svg)
    assert re.findall(r"https?://[^\"<)\s]*", outside) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"/root/|/home/|/work/|/tmp/", "".join(frames(svg)))


def test_who_wants_less_motion_sees_the_end() -> None:
    svg = FILE.read_text(encoding="utf-8")
    (last,) = re.findall(r"prefers-reduced-motion\).*\.f(\d+) \{ opacity: 1 \}", svg)
    assert int(last) == len(frames(svg)) - 1


def test_each_frame_is_shown_after_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    recording = importlib.import_module("recording")

    lines = [tuple(Text(f"line {row} of {name}") for row in range(ROWS)) for name in ("one", "two", "three")]
    shown = [recording.Frame(each, seconds) for each, seconds in zip(lines, (1.0, 1.0, 2.0), strict=True)]
    svg = recording.animated(shown)
    assert [frame.split(" of ")[1].split("\n")[0] for frame in frames(svg)] == ["one", "two", "three"]
    times = re.findall(r"@keyframes f\d \{ (?:0% \{ opacity: 0 \} )?([\d.]+)% .*?1 \}(?: ([\d.]+)%)?", svg)
    assert [(float(start), float(end or 100)) for start, end in times] == [(0, 25), (25, 50), (50, 100)]
