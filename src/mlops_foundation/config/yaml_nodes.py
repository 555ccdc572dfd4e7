"""YAML that remembers its lines: plain data, the line of every key and item, and the keys that are there twice.

Numbers that are identifiers (twelve digits, or a leading zero) stay text: YAML would read 012345678901 as octal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Path = tuple[str | int, ...]
_IDENTIFIER: Final = re.compile(r"0\d+|\d{11,}")


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
        yaml.YAMLError: When the text is not YAML, with its line in ``problem_mark``.
    """
    document = Document()
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is not None:
            document.data = _value(loader, document, root, ())
    finally:
        loader.dispose()
    return document


def _value(loader: yaml.SafeLoader, document: Document, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401  YAML
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, document, node, path)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            document.lines[*path, index] = item.start_mark.line + 1
            items.append(_value(loader, document, item, (*path, index)))
        return items
    if node.tag == "tag:yaml.org,2002:int" and _IDENTIFIER.fullmatch(node.value):
        return node.value
    return loader.construct_object(node)


def _mapping(loader: yaml.SafeLoader, document: Document, node: yaml.MappingNode, path: Path) -> Mapping[str, Any]:
    loader.flatten_mapping(node)
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in values:
            document.duplicates.append(Duplicate(key, line, document.lines[*path, key]))
            continue
        document.lines[*path, key] = line
        values[key] = _value(loader, document, value_node, (*path, key))
    return values
