"""Show what commands look like in a real terminal: SVG pictures of both sizes, in ``docs/captures/``.

    python tools/captures.py             # all of them: some minutes, for the demo runs once for each size
    python tools/captures.py plan cost   # those whose names begin so

Each command runs on a pseudo-terminal of that size, pyte follows what it draws, and rich writes the picture.
"""

import argparse
import fcntl
import io
import itertools
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

FOLDER: Final = Path(__file__).parents[1] / "docs" / "captures"
SIZES: Final = ((80, 24), (140, 50))
END: Final = ""
# Pictures name no address: a font that is not there is the reader's own.
FORMAT: Final = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
_HISTORY: Final = 2000


@dataclass(frozen=True)
class Moment:
    """One picture of a command.

    Attributes:
        name: Of the picture's file, before its size.
        shows: What the screen shows then, as a regular expression; ``END`` is everything that was said, at the end.
    """

    name: str
    shows: str = END


@dataclass(frozen=True)
class Capture:
    """A command and when it is taken.

    Attributes:
        command: As it is typed, in a folder with the configuration of ``mlops init --yes``.
        moments: The pictures, in the order in which they come.
    """

    command: str
    moments: tuple[Moment, ...]


CAPTURES: Final = (
    Capture("mlops plan", (Moment("plan"),)),
    Capture("mlops plan --cost", (Moment("cost"),)),
    Capture("mlops check network", (Moment("check-network"),)),
    Capture("mlops check network --stage prod --all", (Moment("check-network-all"),)),
    Capture("mlops demo --keep", (Moment("demo-live", shows="● Synth|● Scan|● Deploy"), Moment("demo"))),
)
LIVING: Final = (
    Capture("mlops pipeline start churn build", ()),
    Capture("mlops pipeline watch churn build", (Moment("watch-live", shows="● Evaluate"), Moment("watch"))),
    Capture("mlops status", (Moment("status"),)),
    Capture("mlops local reset --yes", ()),
)
"""What is typed in the folder of the demo that goes on running."""


class Terminal:
    """A command on a pseudo-terminal, and the screen that it draws."""

    def __init__(self, command: str, folder: Path, size: tuple[int, int]) -> None:
        columns, rows = size
        self.screen = pyte.HistoryScreen(columns, rows, history=_HISTORY)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            command.split(),
            cwd=folder,
            env=environment(),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def shown(self) -> Iterator[str]:
        """Yield the screen's text each time that it has changed, until the command ends."""
        while True:
            ready, _, _ = select.select([self._master], [], [], 1)
            try:
                said = os.read(self._master, 1 << 16) if ready else b""
            except OSError:  # the other side is closed
                break
            if said:
                self._stream.feed(said)
                yield "\n".join(self.screen.display)
            elif self._process.poll() is not None:
                break
        code = self._process.wait()
        os.close(self._master)
        if code:
            sys.exit(f"exit code {code}:\n" + "\n".join(self.screen.display))

    def picture(self, *, everything: bool) -> list[Text]:
        """Return the lines of the screen, or everything that was ever on it."""
        lines = [*self.screen.history.top] if everything else []
        lines += [self.screen.buffer[row] for row in range(self.screen.lines)]
        drawn = [_line(line, self.screen.columns) for line in lines]
        while drawn and not drawn[-1].plain.strip():
            drawn.pop()
        return drawn


def environment() -> dict[str, str]:
    """Return the variables of a person's terminal, without settings of this machine for the platform."""
    unset = ("MLOPS_", "AWS_", "NO_COLOR", "COLUMNS", "LINES", "CI")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    return {**inherited, "PATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def _line(line: dict[int, pyte.screens.Char], columns: int) -> Text:
    text = Text()
    # One piece of text for each run of equal style keeps the pictures small.
    for style, run in itertools.groupby((line[column] for column in range(columns)), _style):
        text.append("".join(character.data for character in run), style)
    text.rstrip()
    return text


def _style(character: pyte.screens.Char) -> Style:
    return Style(color=_color(character.fg), bold=character.bold, italic=character.italics)


def _color(name: str) -> str | None:
    if name == "default":
        return None
    return f"#{name}" if re.fullmatch(r"[0-9a-f]{6}", name) else {"brown": "yellow"}.get(name, name)


def write(name: str, command: str, size: tuple[int, int], lines: list[Text]) -> None:
    """Write one picture."""
    columns, rows = size
    console = Console(width=columns, file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, no_wrap=True, crop=True)
    file = f"{name}-{columns}x{rows}"
    svg = console.export_svg(title=command, theme=DIMMED_MONOKAI, code_format=FORMAT, unique_id=file)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{file}.svg").write_text(svg + "\n", encoding="utf-8")
    print(f"{file}.svg: {len(lines)} lines")


def take(capture: Capture, folder: Path, size: tuple[int, int]) -> None:
    """Run a command and write its pictures."""
    terminal = Terminal(capture.command, folder, size)
    waiting = list(capture.moments)
    for text in terminal.shown():
        if waiting and waiting[0].shows != END and re.search(waiting[0].shows, text):
            write(waiting.pop(0).name, capture.command, size, terminal.picture(everything=False))
    for moment in waiting:
        if moment.shows != END:
            sys.exit(f"{capture.command} never showed {moment.shows}")
        write(moment.name, capture.command, size, terminal.picture(everything=True))


def main() -> None:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="Beginnings of the pictures' names; all when left out.")
    names = tuple(parser.parse_args().names) or ("",)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            ["mlops", "init", "--yes"], cwd=scratch, env=environment(), check=True, stdout=subprocess.DEVNULL
        )
        for size in SIZES:
            take_all(Path(scratch), size, names)


def take_all(folder: Path, size: tuple[int, int], names: tuple[str, ...]) -> None:
    """Take the pictures of one size; those of a living platform take the demo's as well."""

    def asked(capture: Capture) -> bool:
        return any(moment.name.startswith(names) for moment in capture.moments)

    living = any(map(asked, LIVING))
    for capture in CAPTURES:
        if asked(capture) or (living and capture is CAPTURES[-1]):
            take(capture, folder, size)
    if living or asked(CAPTURES[-1]):
        for capture in LIVING if living else LIVING[-1:]:
            take(capture, folder / ".mlops-demo", size)
        shutil.rmtree(folder / ".mlops-demo")


if __name__ == "__main__":
    main()
