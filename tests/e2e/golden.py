"""The platform that the README makes, typed once in a test run; whoever wants one starts a cloud on a copy of it.

What a state folder holds names neither the folder nor the port, so a copy is a platform of its own. Typing the README
is the main path from nothing: it ends with a model in production.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_foundation.local import process
from mlops_foundation.usecases import models
from mlops_foundation.usecases.workspace import Workspace, open_workspace
from once import Once

from .reader import Reader

PROJECT = "churn"
"""The README's."""


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


def copy(once: Once, to: Path) -> None:
    """Copy the golden platform's folder; its cloud does not run.

    Args:
        once: Of this test run.
        to: Folder of the copy; must not exist.
    """
    shutil.copytree(once("golden", _make) / "reader" / "my-platform", to)


def copy_reader(once: Once, to: Path) -> Reader:
    """Copy everything that the README's reader has, and let somebody go on from there, on a cloud that runs again.

    Args:
        once: Of this test run.
        to: Folder of the copy; must not exist.
    """
    shutil.copytree(once("golden", _make) / "reader", to, symlinks=True)
    return Reader(to)


def _make(folder: Path) -> None:
    reader = Reader(folder / "reader")
    state_dir = reader.platform / ".mlops"
    try:
        wrong = reader.read("README.md")
        assert not wrong, wrong
        _keep_version(open_workspace(reader.platform / "mlops.yaml", state_dir=state_dir, project=PROJECT), folder)
    finally:
        process.stop(state_dir)


def _keep_version(workspace: Workspace, folder: Path) -> None:
    arn = models.resolve(workspace, PROJECT, "1", "data-scientist")
    sagemaker = workspace.client("sagemaker", "dev", "data-scientist")
    specification = sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"]
    (folder / "specification.json").write_text(json.dumps(specification))
    bucket, key = specification["Containers"][0]["ModelDataUrl"].removeprefix("s3://").split("/", 1)
    workspace.client("s3", "dev", "data-scientist").download_file(bucket, key, str(folder / "model.tar.gz"))
