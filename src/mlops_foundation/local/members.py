"""Reading requests of operations and properties of templates: what is at a path, and tags in every spelling."""

from collections.abc import Iterator
from typing import Any, Final

from mlops_foundation.local.contract import Json

SYSTEM_TAG: Final = "aws:"
"""What the tags that AWS itself sets start with: no caller may set one, and none has to be allowed to."""


def texts_at(value: object, path: str) -> Iterator[str]:
    """Yield the texts at a path, entering lists; empty ones are left out.

    Args:
        value: A request or properties.
        path: Names with dots between them.
    """
    name, _, rest = path.partition(".")
    if isinstance(value, list):
        for item in value:
            yield from texts_at(item, path)
    elif not path:
        if isinstance(value, str) and value:
            yield value
    elif isinstance(value, dict) and name in value:
        yield from texts_at(value[name], rest)


def tag_pairs(tags: Any) -> dict[str, str]:  # noqa: ANN401  a list of pairs in either spelling, a map or nothing
    """Return tags as a map."""
    if isinstance(tags, dict):
        return dict(tags)
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value", "")) for tag in tags or ()}


def without_system_tags(properties: Json, name: str = "Tags") -> Json:
    """Return properties whose tags, if there are any, are the template's and the stack's own, in their own shape."""
    tags = properties.get(name)
    if isinstance(tags, dict):
        own: object = {key: value for key, value in tags.items() if not key.startswith(SYSTEM_TAG)}
    elif isinstance(tags, list):
        own = [tag for tag in tags if not tag["Key"].startswith(SYSTEM_TAG)]
    else:
        return properties
    return {**properties, name: own}
