"""What runs inside the VPC, and which AWS services it calls from there.

Each service has its reason. ``mlops check network`` asks for a way to every one of them, and adds what the local cloud
has recorded; a test holds this table against the record of the main path, so that no seed calls what is not here.

Some calls are made by AWS on behalf of a workload, through the workload's interface in the VPC: SageMaker reads a
job's data and writes its model, CodeBuild fetches the source and ships the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from mlops_foundation.core.names import STAGES, Stage

PACKAGE_INDEX: Final = "package index"
"""A public index on the internet: no endpoint leads there."""

_INDEX: Final = {PACKAGE_INDEX: "uv installs the locked packages"}
_PRIVATE_INDEX: Final = {
    "codeartifact.api": "the token and the address of the package index",
    "codeartifact.repositories": "uv installs the locked packages",
}
_BUILD: Final = {
    "s3": "the source from CodePipeline, the artifacts that go back",
    "logs": "the build's log",
}


@dataclass(frozen=True)
class Workload:
    """One kind of workload.

    Attributes:
        name: As findings and the local cloud's record name it.
        title: What it is.
        stages: Where it runs.
        services: Endpoint name of each service that it calls -> why.
        installs: Whether it installs packages.
    """

    name: str
    title: str
    stages: tuple[Stage, ...]
    services: Mapping[str, str]
    installs: bool = False


WORKLOADS: Final[tuple[Workload, ...]] = (
    Workload(
        "build",
        "CodeBuild of a project's build pipeline",
        ("dev",),
        {
            **_BUILD,
            "sagemaker.api": "creates and follows the training pipeline, reads metrics of the version",
        },
        installs=True,
    ),
    Workload(
        "deploy-build",
        "CodeBuild of a project's deploy pipeline: synth and scan",
        ("dev",),
        {
            **_BUILD,
            "sagemaker.api": "finds the approved version",
            "codepipeline": "sees whether the version is on its way already",
        },
        installs=True,
    ),
    Workload(
        "deploy-test",
        "CodeBuild of a project's deploy pipeline: integration test",
        ("dev",),
        {
            **_BUILD,
            "sts": "takes the test role of the stage's account",
            "sagemaker.api": "sees which version the endpoint serves",
            "sagemaker.runtime": "asks the endpoint",
        },
        installs=True,
    ),
    Workload(
        "job",
        "Processing and training jobs",
        ("dev",),
        {
            "s3": "SageMaker reads inputs and writes outputs through the job's interface",
            "kms": "data and models are encrypted with the project's key",
            "logs": "the job's log",
            "monitoring": "the job's metrics",
            "ecr.api": "the image of the job, when the project brings its own",
            "ecr.dkr": "the image's layers",
            "sagemaker.api": "a job without network isolation may log to its experiment",
            "sts": "credentials of roles that a job's code takes",
        },
    ),
    Workload(
        "endpoint",
        "Containers of the endpoints",
        STAGES,
        {
            "s3": "SageMaker reads the model through the container's interface",
            "kms": "the model is encrypted with the project's key",
            "logs": "the container's log",
            "monitoring": "the container's metrics",
            "ecr.api": "the image, when the project brings its own",
            "ecr.dkr": "the image's layers",
        },
    ),
    Workload(
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
    ),
)

_PROJECT_BUILDS: Final = frozenset({"build", "deploy-build", "deploy-test"})


def workloads(
    stages: Sequence[Stage], provider: Literal["public", "codeartifact"], *, builds_in_vpc: bool = True
) -> tuple[Workload, ...]:
    """Return what runs in the VPC of an account, with the package index among its services.

    Args:
        stages: The stages that the account serves.
        provider: Where packages come from.
        builds_in_vpc: Whether builds run in the VPC at all.
    """
    index = _PRIVATE_INDEX if provider == "codeartifact" else _INDEX
    found = [each for each in WORKLOADS if set(each.stages) & set(stages)]
    found = [each for each in found if builds_in_vpc or each.name not in _PROJECT_BUILDS]
    return tuple(replace(each, services={**index, **each.services}) if each.installs else each for each in found)
