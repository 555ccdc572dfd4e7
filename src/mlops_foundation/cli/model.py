"""``mlops model``: versions in a project's registry."""

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.usecases.models import Version
    from mlops_foundation.usecases.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Versions of a project's model: list, describe, approve, reject.")

VersionArgument = Annotated[str, typer.Argument(help="Number, latest, or ARN.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-m", help="Why; kept with the version.")]


@working(app, name="list", epilog="Example: mlops model list churn")
def list_versions(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    *,
    json: JsonOption = False,
) -> None:
    """List the versions of a project's model, newest first."""
    from mlops_foundation.usecases import models  # noqa: PLC0415

    found = models.list_versions(workspace, project, workspace.persona(role, "data-scientist"))
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    output.table(("version", "status", "created"), [(each.version, each.status, each.created[:19]) for each in found])


@working(app, epilog="Examples: mlops model describe churn | mlops model describe churn 3 --json")
def describe(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    version: VersionArgument = "latest",
    *,
    json: JsonOption = False,
) -> None:
    """Show a version: its metrics, its image and artifact, where it came from."""
    from mlops_foundation.usecases import models  # noqa: PLC0415

    found = models.describe(workspace, project, version, workspace.persona(role, "data-scientist"))
    _print(found, as_json=json)


@working(app, epilog="Examples: mlops model approve churn | mlops model approve churn 3 -m 'better recall'")
def approve(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    version: VersionArgument = "latest",
    reason: ReasonOption = "",
    *,
    json: JsonOption = False,
) -> None:
    """Approve a version as lead data scientist; that starts its way to production."""
    from mlops_foundation.usecases import models  # noqa: PLC0415

    found = models.decide(workspace, project, version, "Approved", reason, workspace.persona(role, "lead"))
    _print(found, as_json=json)


@working(app, epilog="Example: mlops model reject churn 3 -m 'recall fell'")
def reject(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    version: VersionArgument = "latest",
    reason: ReasonOption = "",
    *,
    json: JsonOption = False,
) -> None:
    """Reject a version as lead data scientist."""
    from mlops_foundation.usecases import models  # noqa: PLC0415

    found = models.decide(workspace, project, version, "Rejected", reason, workspace.persona(role, "lead"))
    _print(found, as_json=json)


def _print(found: "Version", *, as_json: bool) -> None:
    if as_json:
        output.as_json(found.as_dict())
        return
    rows = [("status", found.status), ("created", found.created[:19])]
    rows += [(name, f"{value:.4f}") for name, value in found.metrics.items()]
    output.table((f"version {found.version}", found.arn), [*rows, *found.details.items()])
