"""References to variables in an action's configuration: ``#{variables.X}``, ``#{codepipeline.X}``, ``#{Namespace.X}``.

Source: "Variables reference" in the CodePipeline user guide.
"""

import re
from collections.abc import Iterator, Mapping

PIPELINE, EXECUTION = "variables", "codepipeline"
_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")
Namespaces = Mapping[str, Mapping[str, str]]


class UnresolvedVariable(Exception):  # noqa: N818  named after what it is
    """A reference has no value at this point of the execution."""


def references(text: str) -> Iterator[tuple[str, str]]:
    """Yield namespace and key of every reference in a text."""
    for match in _REFERENCE.finditer(text):
        yield match[1], match[2]


def resolve(text: str, known: Namespaces) -> str:
    """Replace every reference by its value.

    Raises:
        UnresolvedVariable: Naming the reference.
    """

    def value(match: re.Match[str]) -> str:
        found = known.get(match[1], {}).get(match[2])
        if found is None:
            raise UnresolvedVariable(f"The variable {match[0]} has no value: no action before this one made it")
        return found

    return _REFERENCE.sub(value, text)
