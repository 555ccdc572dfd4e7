"""YAML that remembers its lines: plain data, the line of every key and item, and the keys that are there twice.

Numbers that are identifiers (twelve digits, or a leading zero) stay text: YAML would read 012345678901 as octal.
Whatever a file holds, the answer is data or a ``yaml.YAMLError`` that knows its line: what YAML could do but a
configuration never needs (types of one's own, aliases of themselves, aliases that grow without end) is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Path = tuple[str | int, ...]
_IDENTIFIER: Final = re.compile(r"0\d+|\d{11,}")
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")
_INTEGER_LIMIT: Final = 2**63
VALUES_MAX: Final = 10_000
"""Values in one file, aliases counted as often as they are used: a file of 1 kB can stand for billions."""

DEPTH_MAX: Final = 50
"""Levels in one file; no configuration has ten."""

_PREFIX: Final = "tag:yaml.org,2002:"
_SHAPES: Final = {_PREFIX + name for name in ("map", "seq")}
_SCALARS: Final = {_PREFIX + name for name in ("null", "bool", "int", "float", "timestamp", "str")}


@dataclass(frozen=True)
class Duplicate:
    """A key that a mapping has twice."""

    key: str
    line: int
    first_line: int


@dataclass
class Document:
    """One YAML document.

    Attributes:
        data: The plain values.
        lines: Line (from 1) of every key and list item by its path.
        duplicates: Keys that are there twice; the first one's value is kept.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    duplicates: list[Duplicate] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Return the line of the longest known part of a path; unknown parts in between are passed over."""
        known: Path = ()
        for part in path:
            if (*known, part) in self.lines:
                known = (*known, part)
        return self.lines.get(known, 1)


def read(text: str) -> Document:
    """Read one YAML document.

    Raises:
        yaml.YAMLError: When the text is not YAML, or more than a configuration needs.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        reader = _Reader(loader)
        if root is not None:
            reader.document.data = reader.value(root, ())
        return reader.document
    finally:
        loader.dispose()


def refused(node: yaml.Node, why: str) -> yaml.MarkedYAMLError:
    """Return the error for a node."""
    return yaml.constructor.ConstructorError(None, None, why, node.start_mark)


def _too_deep(mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, f"there are more than {DEPTH_MAX} levels", mark)


class _Loader(yaml.SafeLoader):
    """Stops at the level that is too deep, before PyYAML spends seconds on the levels below it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Read one node with what is below it."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _too_deep(self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Reader:
    """Turns the nodes of one document into values."""

    def __init__(self, loader: _Loader) -> None:
        self.document = Document()
        self._loader = loader
        self._open: set[int] = set()
        self._values = 0

    def value(self, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401  YAML
        self._values += 1
        if self._values > VALUES_MAX:
            raise refused(node, f"there are more than {VALUES_MAX} values, with what aliases repeat")
        if len(path) > DEPTH_MAX:
            raise _too_deep(node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in _SHAPES:
            raise refused(node, f"the tag {_short(node.tag)} is not known here")
        if id(node) in self._open:
            raise refused(node, "an alias stands inside of what it repeats")
        self._open.add(id(node))
        found = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._sequence(node, path)
        self._open.remove(id(node))
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:  # noqa: ANN401  YAML
        if _HALF_CHARACTER.search(node.value):
            raise refused(node, "there is half of a character (a surrogate)")
        if node.tag not in _SCALARS:
            raise refused(node, f"the tag {_short(node.tag)} is not known here")
        if node.tag == f"{_PREFIX}int" and _IDENTIFIER.fullmatch(node.value):
            return node.value
        try:
            made = self._loader.construct_object(node)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # PyYAML trusts its patterns: 2026-02-30 looks like a date.
            raise refused(node, f"{_shown(node.value)} looks like a {_short(node.tag)} but is none") from error
        too_big = isinstance(made, int) and abs(made) >= _INTEGER_LIMIT
        return node.value if too_big else made

    def _sequence(self, node: yaml.Node, path: Path) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self.document.lines[*path, index] = item.start_mark.line + 1
            items.append(self.value(item, (*path, index)))
        return items

    def _mapping(self, node: yaml.Node, path: Path) -> Mapping[str, Any]:
        values: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_PREFIX}merge":
                merged.append(value_node)
                continue
            key = self._key(key_node)
            line = key_node.start_mark.line + 1
            if key in values:
                self.document.duplicates.append(Duplicate(key, line, self.document.lines[*path, key]))
                continue
            self.document.lines[*path, key] = line
            values[key] = self.value(value_node, (*path, key))
        for each in merged:
            for other in _merged(each):
                values = {**self.value(other, path), **values}
        return values

    @staticmethod
    def _key(node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise refused(node, "a key is a list or a mapping")
        if _HALF_CHARACTER.search(node.value):
            raise refused(node, "there is half of a character (a surrogate)")
        return str(node.value)


def _merged(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the mappings that ``<<`` brings in; the first one's values win."""
    found = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for each in found:
        if not isinstance(each, yaml.MappingNode):
            raise refused(each, "<< takes a mapping or a list of mappings")
        yield each


def _short(tag: str) -> str:
    return _shown(tag.removeprefix(_PREFIX))


def _shown(text: str) -> str:
    short = text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004  enough to find it by
    return short.encode("utf-8", "backslashreplace").decode()
