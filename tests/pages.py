"""The commands of a page, as a person would copy them: its blocks, and which of them no test runs, and why.

A block is indented by four spaces or fenced. Fences that name a language other than a shell's hold no commands. A block
that cannot be run here stands below a comment that says why: ``<!-- not run: needs AWS -->``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SHELLS = ("", "sh", "bash", "shell", "console")
_FENCE = re.compile(r"^```\s*([\w+-]*)")
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")


@dataclass(frozen=True)
class Line:
    """One line of a page's block."""

    number: int
    text: str


@dataclass(frozen=True)
class Block:
    """Lines that a person copies together.

    Attributes:
        lines: Those of the block, without its indentation; empty ones left out.
        not_run: Why no test runs it; empty for a block that is run.
    """

    lines: tuple[Line, ...]
    not_run: str = ""


def blocks(page: Path) -> list[Block]:
    """Return the blocks of commands of a page, in their order."""
    return [Block(tuple(lines), reason) for lines, reason in _blocks(page.read_text(encoding="utf-8"))]


def _blocks(text: str) -> Iterator[tuple[list[Line], str]]:
    lines: list[Line] = []
    reason = ""
    for kind, number, line in _kinds(text):
        if kind == "command":
            lines.append(Line(number, line))
        elif kind != "blank":
            if lines:
                yield lines, reason
                lines, reason = [], ""
            marked = _NOT_RUN.match(line)
            # Only the beginning of a fence stands between a comment and its commands.
            reason = marked[1] if marked else reason * (kind == "fence")


def _kinds(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield each line with what it is: command, fence, blank or text; and a text at the end."""
    language = None  # of the fence that is open
    for number, line in enumerate([*text.splitlines(), "the end"], start=1):
        if fence := _FENCE.match(line):
            language = fence[1] if language is None else None
            yield "fence", number, line
        elif not line.strip():
            yield "blank", number, line
        elif language is None:
            indented = line.startswith("    ")
            yield "command" if indented else "text", number, line[4:] if indented else line
        else:
            yield "command" if language in _SHELLS else "text", number, line
