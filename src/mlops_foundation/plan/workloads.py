"""What runs inside the VPC, and which AWS services it calls from there.

Each service has its reason. ``mlops check network`` asks for a way to every one of them, and adds what the local cloud
has recorded. What projects run is said by their templates, what people run is here.

Some calls are made by AWS on behalf of a workload, through the workload's interface in the VPC: SageMaker reads a
job's data and writes its model, CodeBuild fetches the source and ships the log.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from mlops_foundation.core.names import Stage
from mlops_foundation.plan.specs import TemplateSpec, Workload

PACKAGE_INDEX: Final = "package index"
"""A public index on the internet: no endpoint leads there."""

_INDEX: Final = {PACKAGE_INDEX: "uv installs the locked packages"}
_PRIVATE_INDEX: Final = {
    "codeartifact.api": "the token and the address of the package index",
    "codeartifact.repositories": "uv installs the locked packages",
}
STUDIO: Final = Workload(
    "studio",
    "Apps of SageMaker Studio",
    ("dev",),
    {
        "sagemaker.api": "Studio does not start without it",
        "sagemaker.runtime": "invokes endpoints",
        "sagemaker.studio": "opens the user's apps",
        "s3": "data and models",
        "codecommit": "lists repositories",
        "git-codecommit": "clones and pushes",
        "servicecatalog": "lists and creates projects",
        "sts": "asks who it is, takes roles",
        "logs": "logs of apps and jobs",
        "monitoring": "metrics",
        "kms": "data is encrypted with the project's key",
        "ssm": "the platform's and the project's parameters",
        "codepipeline": "shows the project's pipelines",
        "codebuild": "shows the project's builds",
        "ecr.api": "images of apps",
        "ecr.dkr": "the images' layers",
    },
    installs=True,
)


def declared(templates: Sequence[TemplateSpec]) -> tuple[Workload, ...]:
    """Return every workload: those of the templates, each name once with all its services, and Studio."""
    found: dict[str, Workload] = {}
    for each in (*(workload for template in templates for workload in template.workloads), STUDIO):
        before = found.get(each.name, each)
        stages = tuple(dict.fromkeys((*before.stages, *each.stages)))
        installs = before.installs or each.installs
        found[each.name] = replace(
            before, stages=stages, services={**before.services, **each.services}, installs=installs
        )
    return tuple(found.values())


def workloads(
    templates: Sequence[TemplateSpec],
    stages: Sequence[Stage],
    provider: Literal["public", "codeartifact"],
    *,
    builds_in_vpc: bool = True,
) -> tuple[Workload, ...]:
    """Return what runs in the VPC of an account, with the package index among its services.

    Args:
        templates: The project templates in use.
        stages: The stages that the account serves.
        provider: Where packages come from.
        builds_in_vpc: Whether builds run in the VPC at all.
    """
    index = _PRIVATE_INDEX if provider == "codeartifact" else _INDEX
    found = [each for each in declared(templates) if set(each.stages) & set(stages)]
    found = [each for each in found if builds_in_vpc or not each.in_codebuild]
    return tuple(replace(each, services={**index, **each.services}) if each.installs else each for each in found)
