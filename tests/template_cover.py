"""A few templates that stand for many: together they have every skeleton that any of them has.

A skeleton is what a linter's rules look at beside plain values: which properties stand beside each other at a place of
a resource, and what kind of value a property has there. A place is the resource's type and the path in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Skeleton = tuple[tuple[str, ...], Any]
_SECTIONS = ("Parameters", "Outputs", "Conditions", "Rules", "Mappings")


def skeletons(template: Mapping[str, Any]) -> set[Skeleton]:
    """Return every skeleton of a template."""
    found: set[Skeleton] = set()
    for resource in template["Resources"].values():
        # What cdk-nag writes into metadata is of no concern to CloudFormation.
        found |= set(_parts({key: each for key, each in resource.items() if key != "Metadata"}, (resource["Type"],)))
    for section in _SECTIONS:
        for each in template.get(section, {}).values():
            found |= set(_parts(each, (section,)))
    return found


def _parts(value: Any, place: tuple[str, ...]) -> Iterator[Skeleton]:
    if isinstance(value, dict):
        yield place, tuple(sorted(value))
        for key, each in value.items():
            yield from _parts(each, (*place, key))
    elif isinstance(value, list):
        for each in value:
            yield from _parts(each, place)
    else:
        yield place, value if isinstance(value, bool) else type(value).__name__


def cover(templates: Sequence[Path]) -> list[Path]:
    """Return some of the templates that have every skeleton of all, found greedily: the one with most new ones next."""
    left_of = {path: skeletons(json.loads(path.read_text(encoding="utf-8"))) for path in templates}
    chosen = []
    while any(left_of.values()):
        # Of equals the smaller, then the first by name, so that the choice is the same each time.
        best = min(left_of, key=lambda path: (-len(left_of[path]), path.stat().st_size, str(path)))
        new = left_of.pop(best)
        left_of = {path: left - new for path, left in left_of.items()}
        chosen.append(best)
    return chosen
