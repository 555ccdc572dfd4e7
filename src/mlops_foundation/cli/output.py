"""The one place that prints: text for people, JSON for programs, progress for who waits.

``NO_COLOR`` and a pipe turn colors off; progress goes to standard error, so that standard output stays clean.
"""

import json
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich import markup
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mlops_foundation.cli import tables
from mlops_foundation.core import interrupt
from mlops_foundation.core.errors import FoundationError, Interrupted

if TYPE_CHECKING:
    from mlops_foundation.usecases.pipelines import PipelineState

_PIPE_WIDTH = 200
"""Columns where there is no terminal: a file or a program reads it."""
_FIELD_INDENT = 11
_SPINNER_WIDTH = 2
UNCHANGED = ("nothing was changed", "")
"""What is left of work that only looks, when somebody ends it."""
LINE_EVERY_S = 15.0
"""Seconds between lines of progress where there is no terminal; CI ends what is silent for long."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let ``cli.app`` end the command quietly."""
        raise BrokenPipeError


def _console(*, stderr: bool) -> Console:
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return _Console(stderr=stderr, highlight=False, width=None if terminal else _PIPE_WIDTH)


out = _console(stderr=False)
err = _console(stderr=True)


def _live() -> Console:
    """Return the console that a live line is drawn on: the one that lines are printed on, where both are a terminal."""
    return out if out.is_terminal and err.is_terminal else err


_COLORS: Final = re.compile(r"\x1b\[[\d;]*m")
_CONTROLS: Final = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def plain(text: str) -> str:
    """Return text without what steers a terminal: whoever may push writes logs and commits that others look at."""
    return _COLORS.sub("", text).translate(_CONTROLS)


def escape(text: str) -> str:
    """Return text that the console shows as it is: no markup of rich's, nothing that steers the terminal."""
    return markup.escape(plain(text))


def say(text: str, *, style: str = "") -> None:
    """Print one line."""
    out.print(escape(text), style=style or None, soft_wrap=True)


def note(text: str) -> None:
    """Print one line that is not the result, to standard error."""
    # A live line moves away for what its own console prints, and for nothing else.
    console = _live() if _drawing else err
    console.print(escape(text), style="dim", soft_wrap=not console.is_terminal)


def end_line() -> None:
    """Begin a new line on a terminal that still shows a question, or the ^C that was typed."""
    if err.is_terminal:
        err.print()


def warn(text: str) -> None:
    """Print one line that nobody should miss, to standard error."""
    err.print(f"[bold yellow]warning[/]: {escape(text)}", soft_wrap=True)


def done(text: str) -> None:
    """Print that something is done."""
    out.print(f"[green]✓[/] {escape(text)}", soft_wrap=True)


def step(title: str, result: str, seconds: float) -> None:
    """Print one step of long work that is over."""
    out.print(f"[green]✓[/] {escape(title)}  [dim]{seconds:.1f} s  {escape(result)}[/]")


def as_json(value: Any) -> None:  # noqa: ANN401  anything that JSON can say
    """Print a result for programs."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    spare: Sequence[str] = (),
    heading: int = 0,
) -> None:
    """Print a table; every cell is shown as text, and no id is cut. On a narrow screen its rows become records.

    Args:
        columns: Their names; a column that says nothing is left out.
        rows: Their cells.
        title: Above it.
        spare: Names of columns that a narrow screen may do without, the first one first.
        heading: How many of the first cells stand together above the others of a record.
    """
    title = plain(title)
    text = [["" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    places = tables.filled(columns, text)
    names, cells = [columns[place] for place in places], [[row[place] for place in places] for row in text]
    found = tables.layout(names, cells, out.width, spare)
    if found is not None:
        out.print(_drawn(found, names, cells, title))
        return
    if title:
        out.print(Text(title, style="italic"))
    for line in tables.records(names, cells, out.width, heading):
        out.print(Text(line), soft_wrap=True)


def _drawn(found: "tables.Layout", names: Sequence[str], cells: tables.Rows, title: str) -> Table:
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    columns = list(zip(found.columns, found.widths, strict=True))
    for place, width in columns:
        made.add_column(Text("\n".join(tables.fold(names[place], width))), width=width, no_wrap=True)
    for row in cells:
        made.add_row(*(Text("\n".join(tables.fold(row[place], width))) for place, width in columns))
    return made


def tree(root: Tree) -> None:
    """Print a tree."""
    out.print(root)


def branch(parent: Tree | None, text: str, detail: str = "", *, style: str = "", one_line: bool = False) -> Tree:
    """Add a line to a tree, or start one; on one line, what is too long is cut."""
    label = Text(plain(text), style=style, no_wrap=one_line, overflow="ellipsis" if one_line else None)
    if detail:
        label.append(f"  {plain(detail)}", style="dim")
    return Tree(label) if parent is None else parent.add(label)


_BUSY: Final = frozenset("✗●?")
"""Marks of what is going on, has failed or waits."""
_MARKS = {
    "Succeeded": ("✓", "green"),
    "Failed": ("✗", "red"),
    "InProgress": ("●", "cyan"),
    "Waiting": ("?", "yellow"),
    "Stopped": ("■", "yellow"),
    "Superseded": ("»", "dim"),
}


def stages(state: "PipelineState", *, reasons: bool = True) -> Tree:
    """Return a pipeline as a tree of stages, actions and the steps of a training run.

    Args:
        state: What to draw.
        reasons: Say why an action failed; not where the error that follows says it.
    """
    detail = "  ".join(part for part in (state.subject, state.status or "never ran", state.execution_id[:8]) if part)
    root = branch(None, state.name, detail, style="bold")
    for stage in state.stages:
        below = branch(root, f"{_mark(stage.status)[0]} {stage.name}", style=_mark(stage.status)[1])
        for action in stage.actions:
            shown = below
            if len(stage.actions) > 1 or action.summary or action.status in {"Failed", "Waiting"}:
                told = action.summary.partition("\n")[0] if reasons or action.status != "Failed" else ""
                shown = _leaf(below, action.status, action.name, told)
            for step in action.steps:
                _leaf(shown, step.status, step.name, f"{step.seconds:.0f} s  {step.last_line}")
    return root


def _leaf(parent: Tree, status: str, name: str, detail: str) -> Tree:
    mark, style = _mark(status)
    return branch(parent, f"{mark} {name}", detail, style=style, one_line=True)


def _mark(status: str) -> tuple[str, str]:
    return _MARKS.get(status, ("·", "dim"))


def error(failure: FoundationError, *, as_json: bool) -> None:
    """Print an error: every problem with its place, value, what is allowed and the fix."""
    if as_json:
        sys.stdout.write(json.dumps({"errors": failure.as_dicts()}, indent=2) + "\n")
        return
    err.print(f"[bold red]{failure.code}[/]: {escape(failure.what)}")
    for problem in failure.problems:
        several = len(failure.problems) > 1 or problem.what != failure.what
        if several:
            err.print(f"\n[bold]{escape(problem.what)}[/]")
        fields = (("where", problem.where), ("got", problem.got), ("expected", problem.expected), ("fix", problem.fix))
        for name, value in fields:
            if value:
                _field(name, value)


def _field(name: str, value: str) -> None:
    """Print one part of an error; the fix is never folded, since it may be copied."""
    whole = name == "fix" or not err.is_terminal
    first, *more = [value] if whole else tables.fold(value, err.width - _FIELD_INDENT)
    err.print(f"  [dim]{name:<9}[/]{escape(first)}", soft_wrap=True)
    for line in more:
        err.print(" " * _FIELD_INDENT + escape(line), soft_wrap=True)


class Progress:
    """What long work is doing now: the step, the time it takes, the last line it said."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._detail = ""
        self._started = time.monotonic()
        self._spinner = Spinner("dots")
        self._picture: Tree | None = None

    def update(self, detail: str) -> None:
        """Show another last line."""
        self._detail = detail

    def clear(self) -> None:
        """Show nothing below the line."""
        self._picture = None

    def picture(self, drawn: Tree) -> None:
        """Show a tree below the line."""
        self._picture = drawn

    @property
    def line(self) -> str:
        """What is done, the seconds that have passed, and the last line."""
        return f"{self._title}  {time.monotonic() - self._started:.0f} s  {self._detail}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what is drawn: never higher than the screen, which a terminal could not take back."""
        line = Text(plain(self.line))
        line.truncate(options.max_width - _SPINNER_WIDTH, overflow="ellipsis")
        self._spinner.update(text=line)
        yield self._spinner
        if self._picture:
            lines = console.render_lines(self._picture, options.update(no_wrap=True, overflow="ellipsis"), pad=False)
            for shown in fit(lines, console.height - 2):
                yield from shown
                yield Segment.line()


def fit(lines: Sequence[list[Segment]], height: int) -> list[list[Segment]]:
    """Return the lines of a picture that a screen has room for: the first, and those around what is going on.

    Args:
        lines: All of them.
        height: Lines that there is room for.
    """
    if len(lines) <= height:
        return list(lines)
    busy = [index for index, line in enumerate(lines) if any(_BUSY & set(part.text) for part in line)]
    last = min(len(lines), (busy[-1] if busy else len(lines) - 1) + 2)
    first = max(1, last - max(1, height - 2))
    return [lines[0], [Segment(f"… {first - 1} lines above")], *lines[first:last]]


_drawing: list[Progress] = []


@contextmanager
def progress(
    title: str, *, quiet: bool = False, left: tuple[str, str] = ("", ""), every_s: float = LINE_EVERY_S
) -> Iterator[Progress]:
    """Show progress while something runs, on the terminal; where there is none, a plain line now and then.

    Args:
        title: What is done.
        quiet: Show nothing, for ``--json``.
        left: What is left, and how to go on, when somebody ends it with Ctrl-C.
        every_s: Seconds between plain lines.

    Raises:
        Interrupted: On Ctrl-C, with what is left.
    """
    shown = Progress(title)
    try:
        with _shown(shown, quiet=quiet, every_s=every_s):
            yield shown
    except KeyboardInterrupt:
        remains, again = left
        what = f"stopped: {title}" + (f"; {remains}" if remains else "")
        raise Interrupted(what, fix=again, by=interrupt.received() or signal.SIGINT) from None


@contextmanager
def _shown(shown: Progress, *, quiet: bool, every_s: float) -> Iterator[None]:
    if quiet:
        yield
    elif err.is_terminal:
        _drawing.append(shown)
        try:
            with Live(shown, console=_live(), refresh_per_second=8, transient=True):
                yield
        finally:
            _drawing.remove(shown)
    else:
        with _lines(shown, every_s):
            yield


@contextmanager
def _lines(shown: Progress, every_s: float) -> Iterator[None]:
    over = threading.Event()

    def say_how_far() -> None:
        while not over.wait(every_s):
            note(shown.line)

    thread = threading.Thread(target=say_how_far, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
