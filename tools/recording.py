"""Record the demo in a real terminal, as one animated SVG: ``docs/recordings/demo.svg``.

    python tools/recording.py     # as long as mlops demo takes

The terminal is that of ``tools/captures.py``. A frame is kept when more than a spinner or a clock has changed; waiting
is cut short, and a screen that names a folder of this machine is left out. Who asks the browser for less motion sees
the last frame.
"""

import io
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import captures
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

FILE: Final = Path(__file__).parents[1] / "docs" / "recordings" / "demo.svg"
COMMAND: Final = "mlops demo"
SIZE: Final = (80, 24)
_SHORTEST_S, _LONGEST_S, _LAST_S = 0.4, 0.9, 6.0
_MOVES: Final = re.compile("[\N{BRAILLE PATTERN BLANK}-\N{BRAILLE PATTERN DOTS-12345678}]|\\d+(\\.\\d+)? s\\b")
_PARTS: Final = "{styles}\0{backgrounds}\0{matrix}"


@dataclass(frozen=True)
class Frame:
    """A screen, and how long it is shown.

    Attributes:
        lines: Of the screen, as many as it has rows.
        seconds: In the recording.
    """

    lines: tuple[Text, ...]
    seconds: float


def record(folder: Path) -> list[Frame]:
    """Run the command, and return its screens."""
    terminal = captures.Terminal(COMMAND, folder, SIZE)
    kept: list[tuple[float, tuple[Text, ...]]] = []
    seen = ""
    for text in terminal.shown():
        told, now = _MOVES.sub("", text), time.monotonic()
        if told != seen and text.strip() and str(Path.home()) not in text:
            if kept and now - kept[-1][0] < _SHORTEST_S:
                kept.pop()  # it was there for a blink
            kept.append((now, _screen(terminal)))
            seen = told
    kept.append((time.monotonic(), _screen(terminal)))
    ends = [began for began, _ in kept[1:]]
    shown = [min(max(end - began, _SHORTEST_S), _LONGEST_S) for (began, _), end in zip(kept, ends, strict=False)]
    return [Frame(lines, seconds) for (_, lines), seconds in zip(kept, [*shown, _LAST_S], strict=True)]


def _screen(terminal: captures.Terminal) -> tuple[Text, ...]:
    lines = terminal.picture(everything=False)
    return (*lines, *(Text() for _ in range(SIZE[1] - len(lines))))


def animated(frames: list[Frame]) -> str:
    """Return one SVG that shows frames one after the other, again and again."""
    total = sum(frame.seconds for frame in frames)
    styles, groups = [".frame { opacity: 0 }"], []
    began = 0.0
    for number, frame in enumerate(frames):
        name = f"f{number}"
        its_styles, backgrounds, matrix = _drawn(frame, _PARTS, name).split("\0")
        start, end = (round(100 * at / total, 2) for at in (began, began + frame.seconds))
        began += frame.seconds
        # The first has no time before it, the last none after it.
        before = "0% { opacity: 0 } " if number else ""
        after = f" {end}% {{ opacity: 0 }}" if frame is not frames[-1] else ""
        styles += [
            its_styles,
            f"@keyframes {name} {{ {before}{start}% {{ opacity: 1 }}{after} }}",
            f".{name} {{ animation: {name} {total:.1f}s step-end infinite }}",
        ]
        clipped = re.sub(r' clip-path="[^"]*"', "", f"{backgrounds}{matrix}")
        groups.append(f'<g class="frame {name}">{clipped}</g>')
    styles.append(
        f"@media (prefers-reduced-motion) {{ .frame {{ animation: none }} .f{len(frames) - 1} {{ opacity: 1 }} }}"
    )
    around = (
        captures.FORMAT.replace("{styles}", "@styles@").replace("{backgrounds}", "").replace("{matrix}", "@frames@")
    )
    whole = _drawn(frames[-1], around, "recording")
    return whole.replace("@styles@", "\n".join(styles)).replace("@frames@", "\n".join(groups))


def _drawn(frame: Frame, form: str, name: str) -> str:
    console = Console(width=SIZE[0], file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor")
    for line in frame.lines:
        console.print(line, no_wrap=True, crop=True)
    return console.export_svg(title=COMMAND, theme=DIMMED_MONOKAI, code_format=form, unique_id=name)


def main() -> None:
    """Record, and write the file."""
    with tempfile.TemporaryDirectory() as scratch:
        frames = record(Path(scratch))
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(animated(frames) + "\n", encoding="utf-8")
    print(f"{FILE.name}: {len(frames)} frames, {sum(frame.seconds for frame in frames):.0f} s")


if __name__ == "__main__":
    main()
