"""How a table is put on a screen: what is left out, where cells are folded, and when rows become records.

An id is never cut: cells are folded between words, then after a separator, and within a word only when it has none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

GAP: Final = 2
"""Columns between two cells."""
_WHOLE_MAX: Final = 20
"""Words up to this length are never folded."""
_LINES_MAX: Final = 4
"""Rows higher than this are better read as records."""
_LINES_GOOD: Final = 2
"""Rows higher than this make it worth leaving out a column that can be spared."""
_WORDS: Final = re.compile(r"\s*\S+\s*")
_PARTS: Final = re.compile(r"[^:/._,-]*[:/._,-]+\s*|[^:/._,-]+")

_NUMBER: Final = re.compile(r"\s*[\d,.]+")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """A table as it is shown.

    Attributes:
        columns: Places of the columns that are shown.
        widths: Their widths.
    """

    columns: tuple[int, ...]
    widths: tuple[int, ...]

    def height(self, row: Sequence[str]) -> int:
        """Return how many lines a row takes."""
        cells = zip(self.columns, self.widths, strict=True)
        return max((len(fold(row[place], width)) for place, width in cells), default=1)


def layout(names: Sequence[str], rows: Rows, width: int, spare: Sequence[str] = ()) -> Layout | None:
    """Return how a table fits, or None when its rows are better shown as records.

    Args:
        names: Of the columns.
        rows: Cells as text.
        width: Columns of the screen.
        spare: Names of columns that may be left out, the first one first.
    """
    for left_out in range(len(spare) + 1):
        shown = [place for place, name in enumerate(names) if name not in spare[:left_out]]
        widths = _widths([[names[place], *(row[place] for row in rows)] for place in shown], width)
        if widths is None:
            continue
        found = Layout(tuple(shown), tuple(widths))
        highest = max((found.height(row) for row in rows), default=1)
        if highest <= (_LINES_MAX if left_out == len(spare) else _LINES_GOOD):
            return found
    return None


def filled(names: Sequence[str], rows: Rows) -> list[int]:
    """Return the places of the columns that say anything."""
    return [place for place, name in enumerate(names) if not rows or any(row[place] for row in rows) or not name]


def records(names: Sequence[str], rows: Rows, width: int, heading: int = 0) -> Iterator[str]:
    """Yield the lines of rows as records: each cell that is not empty in lines of its own, after its column's name.

    Args:
        names: Of the columns.
        rows: Cells as text.
        width: Columns of the screen.
        heading: How many of the first cells make one line above the others, without their names.
    """
    indent = max(map(cell_len, names[heading:]), default=0) + GAP
    for number, row in enumerate(rows):
        if number:
            yield ""
        if heading:
            yield from fold(" ".join(cell for cell in row[:heading] if cell), width)
        for name, cell in zip(names[heading:], row[heading:], strict=True):
            for part, text in enumerate(fold(cell, max(width - indent, 1)) if cell else ()):
                yield f"{'' if part else name:<{indent}}{text}"


def fold(text: str, width: int) -> list[str]:
    """Return the lines of a text that are no longer than a width."""
    return [line for paragraph in text.split("\n") for line in _folded(paragraph, width)]


def _folded(text: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _pieces(text, width):
        if line and cell_len((line + piece).rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
        while cell_len(line.rstrip()) > width:
            yield line[:width]
            line = line[width:]
    yield line.rstrip()


def _pieces(text: str, width: int) -> Iterator[str]:
    for word in _WORDS.findall(text):
        yield from (word,) if cell_len(word.strip()) <= width else _PARTS.findall(word)


def _widths(columns: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return a width for each column, whose first cell is its name; None when not even folded cells fit.

    Narrow columns get what they want first; the wide ones share the rest. A name may be folded before a cell is.
    """
    room = width - GAP * (len(columns) - 1)
    least = [max(map(_least, column)) for column in columns]
    if sum(least) > room:
        return None
    for first in (0, 1):
        wanted = [
            max([low, *(cell_len(line) for cell in column[first:] for line in cell.split("\n"))])
            for low, column in zip(least, columns, strict=True)
        ]
        if sum(wanted) <= room:
            return wanted
    return _shared(least, wanted, room)


def _shared(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Return widths that fill a room: all columns grow from their least by the same measure until they have enough."""
    widths = list(least)
    while sum(widths) < room:
        growing = [place for place, (now, want) in enumerate(zip(widths, wanted, strict=True)) if now < want]
        narrowest = min(growing, key=lambda place: widths[place])
        widths[narrowest] += 1
    return widths


def _least(cell: str) -> int:
    """Return the width that a cell needs so that nothing is cut that must be whole; a number has its spaces too."""
    if _NUMBER.fullmatch(cell):
        return cell_len(cell)
    return max((cell_len(part.strip()) for word in cell.split() for part in _pieces(word, _WHOLE_MAX)), default=0)
