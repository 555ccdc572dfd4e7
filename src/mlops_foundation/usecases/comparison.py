"""Two versions of a model side by side: figures with their difference, parameters, image, commit and data."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.usecases import models
from mlops_foundation.usecases.models import Version
from mlops_foundation.usecases.workspace import Workspace

_JOB: Final = re.compile(r"/([A-Za-z0-9-]+)/output/model\.tar\.gz$")
"""SageMaker writes a training job's model below its name."""
_OWN_CHANNELS: Final = {"code", "sm_drivers"}
"""Channels in which the SageMaker SDK brings the code, not data."""


@dataclass(frozen=True)
class Figure:
    """One metric of both versions; None where a version has none."""

    name: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """What the second has more than the first."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True)
class Property:
    """One thing of both versions that is no figure; empty where a version has none."""

    kind: str
    name: str
    first: str
    second: str

    @property
    def same(self) -> bool:
        """Whether both have the same."""
        return self.first == self.second


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side."""

    first: Version
    second: Version
    metrics: tuple[Figure, ...]
    properties: tuple[Property, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {
            "first": self.first.as_dict(),
            "second": self.second.as_dict(),
            "metrics": [{**asdict(each), "difference": each.difference} for each in self.metrics],
            "properties": [{**asdict(each), "same": each.same} for each in self.properties],
        }


def compare(workspace: Workspace, project: str, first: str, second: str, persona: str) -> Comparison:
    """Compare two versions of a project's model.

    Args:
        workspace: Where.
        project: Project name.
        first: Number, latest, or ARN.
        second: The one that is compared with it.
        persona: Who asks.

    Raises:
        ConfigError: When there is no such version.
    """
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda each: models.describe(workspace, project, each, persona), (first, second))
        before, after = pool.map(lambda each: _training(workspace, each, persona), (one, other))
    figures = [
        Figure(name, one.metrics.get(name), other.metrics.get(name)) for name in _names(one.metrics, other.metrics)
    ]
    rows = [("version", "status", one.status, other.status), ("version", "created", one.created, other.created)]
    rows += [
        ("version", name, one.details.get(name, ""), other.details.get(name, ""))
        for name in _names(one.details, other.details)
    ]
    rows += [
        (kind, name, before[kind].get(name, ""), after[kind].get(name, ""))
        for kind in before
        for name in _names(before[kind], after[kind])
    ]
    return Comparison(one, other, tuple(figures), tuple(Property(*row) for row in rows))


def _names(first: Mapping[str, object], second: Mapping[str, object]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def _training(workspace: Workspace, version: Version, persona: str) -> dict[str, dict[str, str]]:
    """Return parameters and data of the training job that made a version; nothing where it cannot be told."""
    found = _JOB.search(version.details.get("artifact", ""))
    if found is None:
        return {"parameter": {}, "data": {}}
    sagemaker = workspace.client("sagemaker", "dev", persona)
    try:
        job = sagemaker.describe_training_job(TrainingJobName=found[1])
    except ClientError:
        return {"parameter": {}, "data": {}}
    channels = {
        channel["ChannelName"]: channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
        for channel in job.get("InputDataConfig", [])
        if channel["ChannelName"] not in _OWN_CHANNELS
    }
    return {"parameter": dict(job.get("HyperParameters", {})), "data": channels}
