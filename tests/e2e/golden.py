"""The platform after the demo, made once in a test run; whoever wants one copies it and starts a cloud on the copy.

What a state folder holds names neither the folder nor the port, so a copy is a platform of its own. The demo that makes
it is the main path from nothing, and what it did and said is kept beside it.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops_foundation.local import process
from mlops_foundation.usecases import demo, endpoints, models, pipelines
from mlops_foundation.usecases.demo_folder import DemoFolder
from mlops_foundation.usecases.workspace import Workspace
from once import Once


class Quiet:
    """Shows nothing."""

    def line(self, text: str) -> None:
        """Take a line."""

    def pipeline(self, state: pipelines.PipelineState) -> None:
        """Take a state."""


@dataclass(frozen=True)
class Told:
    """What a demo did and said.

    Attributes:
        steps: Titles, in their order.
        answers: What prod said, one for each row.
        metrics: Of the version that was deployed.
        served: Stage, status and model package of each endpoint at the end.
    """

    steps: list[str]
    answers: list[dict[str, Any]]
    metrics: dict[str, float]
    served: list[list[str]]


def tell(running: demo.Demo, steps: list[demo.Done]) -> Told:
    """Return what a demo that is over did and said."""
    found = endpoints.list_endpoints(running.workspace, demo.PROJECT)
    served = [[each.stage, each.status, each.model_package] for each in found]
    return Told([each.step for each in steps], running.answers, running.metrics, served)


@dataclass(frozen=True)
class Version:
    """The version that the golden platform's build registered.

    Attributes:
        specification: Its InferenceSpecification.
        artifact: Its ``model.tar.gz``.
    """

    specification: dict[str, Any]
    artifact: bytes


def version(once: Once) -> Version:
    """Return the golden platform's version, for a project whose own build would make the same."""
    folder = once("golden", _make)
    return Version(json.loads((folder / "specification.json").read_text()), (folder / "model.tar.gz").read_bytes())


def copy(once: Once, to: Path) -> Told:
    """Copy the golden platform; its cloud does not run.

    Args:
        once: Of this test run.
        to: Folder of the copy; must not exist.
    """
    folder = once("golden", _make)
    shutil.copytree(folder / "platform", to)
    return Told(**json.loads((folder / "told.json").read_text()))


def _make(folder: Path) -> None:
    running = demo.Demo(DemoFolder(folder / "platform"), 0, Quiet())
    try:
        told = tell(running, list(running.run()))
        _keep_version(running.workspace, folder)
    finally:
        process.stop(running.state_dir)
    (folder / "told.json").write_text(json.dumps(asdict(told)))


def _keep_version(workspace: Workspace, folder: Path) -> None:
    arn = models.resolve(workspace, demo.PROJECT, "1", "data-scientist")
    sagemaker = workspace.client("sagemaker", "dev", "data-scientist")
    specification = sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"]
    (folder / "specification.json").write_text(json.dumps(specification))
    bucket, key = specification["Containers"][0]["ModelDataUrl"].removeprefix("s3://").split("/", 1)
    workspace.client("s3", "dev", "data-scientist").download_file(bucket, key, str(folder / "model.tar.gz"))
