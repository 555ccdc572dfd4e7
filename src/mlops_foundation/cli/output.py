"""The one place that prints: text for people, JSON for programs, progress for who waits.

``NO_COLOR`` and a pipe turn colors off; progress goes to standard error, so that standard output stays clean.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mlops_foundation.core.errors import FoundationError

if TYPE_CHECKING:
    from mlops_foundation.usecases.pipelines import PipelineState

_PIPE_WIDTH = 200
"""Columns where there is no terminal: a file or a program reads it."""
LINE_EVERY_S = 15.0
"""Seconds between lines of progress where there is no terminal; CI ends what is silent for long."""


def _console(*, stderr: bool) -> Console:
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else _PIPE_WIDTH)


out = _console(stderr=False)
err = _console(stderr=True)


def say(text: str, *, style: str = "") -> None:
    """Print one line."""
    out.print(escape(text), style=style or None, soft_wrap=True)


def note(text: str) -> None:
    """Print one line that is not the result, to standard error."""
    err.print(escape(text), style="dim", soft_wrap=True)


def done(text: str) -> None:
    """Print that something is done."""
    out.print(f"[green]✓[/] {escape(text)}", soft_wrap=True)


def step(title: str, result: str, seconds: float) -> None:
    """Print one step of long work that is over."""
    out.print(f"[green]✓[/] {escape(title)}  [dim]{escape(result)}  {seconds:.1f} s[/]")


def as_json(value: Any) -> None:  # noqa: ANN401  anything that JSON can say
    """Print a result for programs."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print a table; every cell is shown as text."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    out.print(made)


def tree(root: Tree) -> None:
    """Print a tree."""
    out.print(root)


def branch(parent: Tree | None, text: str, detail: str = "", *, style: str = "") -> Tree:
    """Add a line to a tree, or start one."""
    label = Text(text, style=style)
    if detail:
        label.append(f"  {detail}", style="dim")
    return Tree(label) if parent is None else parent.add(label)


_MARKS = {
    "Succeeded": ("✓", "green"),
    "Failed": ("✗", "red"),
    "InProgress": ("●", "cyan"),
    "Waiting": ("?", "yellow"),
    "Stopped": ("■", "yellow"),
    "Superseded": ("»", "dim"),
}


def stages(state: "PipelineState") -> Tree:
    """Return a pipeline as a tree of stages and actions."""
    root = branch(None, state.name, f"{state.status or 'never ran'}  {state.execution_id}", style="bold")
    for stage in state.stages:
        below = branch(root, f"{_mark(stage.status)[0]} {stage.name}", style=_mark(stage.status)[1])
        for action in stage.actions:
            if len(stage.actions) > 1 or action.summary or action.status in {"Failed", "Waiting"}:
                mark, style = _mark(action.status)
                branch(below, f"{mark} {action.name}", action.summary, style=style)
    return root


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
                err.print(f"  [dim]{name:<9}[/]{escape(value)}", soft_wrap=True)


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

    def __rich__(self) -> Group:
        """Return what is drawn."""
        self._spinner.update(text=Text(self.line, overflow="ellipsis", no_wrap=True))
        return Group(self._spinner, *([self._picture] if self._picture else []))


@contextmanager
def progress(title: str, *, quiet: bool = False, every_s: float = LINE_EVERY_S) -> Iterator[Progress]:
    """Show progress on standard error while something runs; on no terminal a plain line now and then.

    Args:
        title: What is done.
        quiet: Show nothing, for ``--json``.
        every_s: Seconds between plain lines.
    """
    shown = Progress(title)
    if quiet:
        yield shown
    elif err.is_terminal:
        with Live(shown, console=err, refresh_per_second=8, transient=True):
            yield shown
    else:
        with _lines(shown, every_s):
            yield shown


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
