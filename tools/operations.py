"""Write the tables of ``docs/local-cloud.md`` from the code: services, changes in ministack, types, images.

    python tools/operations.py

``tests/test_docs.py`` fails when the page differs from what this would write.
"""

from collections.abc import Iterator
from pathlib import Path

import marked

from mlops_foundation.local import runtimes
from mlops_foundation.local.adapter import changes, cloudformation, nested_stacks, requests
from mlops_foundation.local.contract import Service
from mlops_foundation.local.operations import operation_table
from mlops_foundation.local.resource_types import CALLED_TYPES
from mlops_foundation.local.services import SERVICES
from mlops_foundation.local.services.codebuild import images

PAGE = Path(__file__).parents[1] / "docs" / "local-cloud.md"


def operations(service: type[Service]) -> list[str]:
    """Return the AWS operations that a service answers, by name."""
    return sorted(offered.name for offered in operation_table(service).values() if offered.model)


def render() -> str:
    """Return the tables as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield from ("### Services of ours", "", "| service | operations |", "|---|---|")
    for service in SERVICES:
        yield f"| {', '.join(service.models)} | {', '.join(operations(service))} |"
    yield from ("", "### Services of ministack", "")
    yield f"{', '.join(sorted(requests.OFFERED))}."
    yield from (
        "",
        "### Changed in ministack",
        "",
        "| here | ministack by itself | this can go when ministack can |",
        "|---|---|---|",
    )
    for change in changes.CHANGES:
        yield f"| {change.name} | {change.why} | {change.upstream or 'stays ours'} |"
    yield from ("", "### CloudFormation types", "", "| made by | types |", "|---|---|")
    ours = [name for service in SERVICES for name in service.resource_types]
    called = [each.type_name for each in CALLED_TYPES]
    yield f"| the operations of our services | {_list(ours)} |"
    yield f"| the operations of ministack's services | {_list(called)} |"
    yield f"| CloudFormation, as a stack of its own | {_list(nested_stacks.TYPES)} |"
    custom = ["AWS::CloudFormation::CustomResource", "Custom::*"]
    yield f"| the function behind it, which is invoked with the stack's rights | {_list(custom)} |"
    nothing = set(cloudformation.WITHOUT_OPERATIONS) - set(custom)
    yield f"| nothing is called, so nothing is asked | {_list(nothing)} |"
    yield from (
        "",
        "### Properties that are not taken",
        "",
        "AWS takes them; here a template that sets one is refused, by name.",
        "",
        "| type | properties |",
        "|---|---|",
    )
    for each in CALLED_TYPES:
        left_out = each.schema.properties - each.properties - each.schema.read_only
        if left_out:
            yield f"| `{each.type_name}` | {_list(left_out)} |"
    yield from ("", "### Images", "", "| of | images |", "|---|---|")
    yield f"| jobs and models | {_list(runtimes.known())} |"
    yield f"| builds | {_list(images.IMAGES)} |"


def _list(names: object) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))  # type: ignore[call-overload]


if __name__ == "__main__":
    marked.write(PAGE, render())
