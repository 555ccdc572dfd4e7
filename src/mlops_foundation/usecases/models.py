"""Versions of a project's model: list them, look at one, approve or reject it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from botocore.exceptions import ClientError

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases.known_project import project_errors
from mlops_foundation.usecases.workspace import Workspace

Decision = Literal["Approved", "Rejected"]
_LATEST: Final = "latest"


@dataclass(frozen=True)
class Version:
    """One registered version.

    Attributes:
        arn: Model package ARN.
        version: Its number.
        status: ``PendingManualApproval``, ``Approved`` or ``Rejected``.
        created: ISO 8601.
        metrics: Figures that the build registered with it.
        details: Image, artifact and the customer's metadata.
    """

    arn: str
    version: int
    status: str
    created: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


def list_versions(workspace: Workspace, project: str, persona: str) -> list[Version]:
    """Return every version of a project's model, newest first, without metrics."""
    sagemaker = workspace.client("sagemaker", "dev", persona)
    group = workspace.project(project).model_package_group
    with project_errors(workspace, project, persona, f"model package group {group}"):
        pages = sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
        )
        return [_summary(found) for page in pages for found in page["ModelPackageSummaryList"]]


def _summary(found: Mapping[str, Any]) -> Version:
    return Version(
        arn=found["ModelPackageArn"],
        version=found["ModelPackageVersion"],
        status=found["ModelApprovalStatus"],
        created=found["CreationTime"].isoformat(),
    )


def describe(workspace: Workspace, project: str, version: str, persona: str) -> Version:
    """Return one version with its metrics.

    Args:
        workspace: Where.
        project: Project name.
        version: Number, ``latest``, or ARN.
        persona: Who asks.

    Raises:
        ConfigError: When there is no such version.
    """
    sagemaker = workspace.client("sagemaker", "dev", persona)
    arn = resolve(workspace, project, version, persona)
    with project_errors(workspace, project, persona, f"version {version} of {project}"):
        found = sagemaker.describe_model_package(ModelPackageName=arn)
    container = found.get("InferenceSpecification", {}).get("Containers", [{}])[0]
    details = {
        "image": container.get("Image", ""),
        "artifact": container.get("ModelDataUrl", ""),
        **found.get("CustomerMetadataProperties", {}),
    }
    return Version(**{**_summary(found).as_dict(), "details": details, "metrics": _metrics(workspace, found, persona)})


def _metrics(workspace: Workspace, found: Mapping[str, Any], persona: str) -> dict[str, float]:
    """Read the figures of the evaluation report; none when the reader may not, or there is no report."""
    uri = found.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri", "")
    if not uri:
        return {}
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3 = workspace.client("s3", "dev", persona)
    try:
        report = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError:
        return {}
    return dict(_figures(report))


def _figures(report: object) -> dict[str, float]:
    """Flatten ``{"binary_classification_metrics": {"accuracy": {"value": 0.9}}}`` to ``{"accuracy": 0.9}``."""
    figures: dict[str, float] = {}
    if isinstance(report, dict):
        for name, value in report.items():
            if isinstance(value, dict) and isinstance(value.get("value"), int | float):
                figures[name] = float(value["value"])
            else:
                figures |= _figures(value)
    return figures


def resolve(workspace: Workspace, project: str, version: str, persona: str) -> str:
    """Return the ARN of a version given by number, ``latest`` or ARN.

    Raises:
        ConfigError: When the project has no such version.
    """
    if version.startswith("arn:"):
        return version
    versions = list_versions(workspace, project, persona)
    for found in versions:
        if version in {_LATEST, str(found.version)}:
            return found.arn
    numbers = ", ".join(str(found.version) for found in versions) or "none yet"
    raise ConfigError(
        f"project {project} has no version {version}",
        where=f"model package group {workspace.project(project).model_package_group}",
        got=version,
        expected=f"one of {numbers}, or {_LATEST}",
        fix=f"mlops model list {project}",
    )


def decide(workspace: Workspace, project: str, version: str, decision: Decision, reason: str, persona: str) -> Version:
    """Approve or reject a version; only the lead may.

    Raises:
        AccessDenied: When the persona may not.
        ConfigError: When there is no such version.
    """
    arn = resolve(workspace, project, version, persona)
    sagemaker = workspace.client("sagemaker", "dev", persona)
    request = {"ModelPackageArn": arn, "ModelApprovalStatus": decision}
    if reason:
        request["ApprovalDescription"] = reason
    with project_errors(workspace, project, persona, f"version {version} of {project}"):
        sagemaker.update_model_package(**request)
    return describe(workspace, project, arn, persona)
