"""Write the tables of ``docs/local-cloud.md`` from the code: services, changes in ministack, types, images.

    python tools/operations.py

``tests/test_docs.py`` fails when the page differs from what this would write.
"""

from collections.abc import Iterator
from pathlib import Path

import marked

from mlops_foundation.local import runtimes
from mlops_foundation.local.adapter import changes, ec2_types, nested_stacks, requests, type_actions
from mlops_foundation.local.contract import Service
from mlops_foundation.local.operations import operation_table
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
    from_table = type_actions.TYPES.keys() - ec2_types.TYPES.keys()
    yield f"| our services | {_list(ours)} |"
    yield f"| CloudFormation, as a stack of its own | {_list(nested_stacks.TYPES)} |"
    yield f"| the EC2 API, since ministack has no type for them | {_list(ec2_types.TYPES)} |"
    yield f"| ministack, with the rights in `type_actions.py` | {_list(from_table)} |"
    custom = ["AWS::CloudFormation::CustomResource", "Custom::*"]
    yield f"| the function behind it, which really runs; with the right to invoke it | {_list(custom)} |"
    yield f"| nothing is called, so nothing is asked | {_list(type_actions._WITHOUT_ACTIONS)} |"  # noqa: SLF001
    yield from ("", "### Images", "", "| of | images |", "|---|---|")
    yield f"| jobs and models | {_list(runtimes.known())} |"
    yield f"| builds | {_list(images.IMAGES)} |"


def _list(names: object) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))  # type: ignore[call-overload]


if __name__ == "__main__":
    marked.write(PAGE, render())
