"""The part of a page that a tool writes, between two marks; the rest is written by people."""

from pathlib import Path

BEGIN, END = "<!-- begin: written by tools/ -->", "<!-- end -->"


def replaced(text: str, block: str) -> str:
    """Return a page with the marked part written anew.

    Raises:
        ValueError: When the page has no marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"no {BEGIN} ... {END}"
        raise ValueError(message)
    return f"{before}{BEGIN}\n\n{block.strip()}\n\n{END}{after}"


def write(page: Path, block: str) -> None:
    """Write a page's marked part anew."""
    page.write_text(replaced(page.read_text(encoding="utf-8"), block), encoding="utf-8")
