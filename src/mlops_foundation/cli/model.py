"""``mlops model``: versions in a project's registry."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.usecases.models import Version
    from mlops_foundation.usecases.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Versions of a project's model: list, describe, compare, approve, reject.")

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


@working(app, epilog="Examples: mlops model reject churn 3 -m 'recall fell' | mlops model reject churn 3 --yes")
def reject(  # noqa: PLR0913  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    version: VersionArgument = "latest",
    reason: ReasonOption = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, though a stage serves it.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Reject a version as lead data scientist; asks first when a stage serves it, but never with --json."""
    from mlops_foundation.usecases import models, rejection  # noqa: PLC0415

    persona = workspace.persona(role, "lead")
    told = rejection.warnings(workspace, project, version, persona)
    if told and not json:
        for line in told:
            output.warn(line)
        if not yes:
            typer.confirm(f"Reject version {version} of {project} all the same?", abort=True, err=True)
    found = models.decide(workspace, project, version, "Rejected", reason, persona)
    _print(found, as_json=json, warnings=told)


@working(app, epilog="Examples: mlops model compare churn 1 2 | mlops model compare churn 3 latest --json")
def compare(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    first: Annotated[str, typer.Argument(help="Number, latest, or ARN.", show_default=False)],
    second: Annotated[str, typer.Argument(help="The one to compare it with.")] = "latest",
    *,
    json: JsonOption = False,
) -> None:
    """Show two versions side by side: metrics with their difference, parameters, image, commit, data."""
    from mlops_foundation.usecases import comparison  # noqa: PLC0415

    found = comparison.compare(workspace, project, first, second, workspace.persona(role, "data-scientist"))
    if json:
        output.as_json(found.as_dict())
        return
    one, other = f"version {found.first.version}", f"version {found.second.version}"
    figures = [
        (each.name, _figure(each.first), _figure(each.second), _figure(each.difference, sign="+"))
        for each in found.metrics
    ]
    output.table(("metric", one, other, "difference"), figures)
    rows = [(each.name, _short(each.first), "=" if each.same else _short(each.second)) for each in found.properties]
    output.say("")
    output.table(("", one, other), rows)


def _figure(value: float | None, *, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.4f}"


def _short(value: str) -> str:
    """Leave out where something is kept, which is the same for all versions of a project; JSON has all of it."""
    if re.match(r"\d{4}-\d\d-\d\dT", value):
        return value[:19]
    if value.startswith("s3://"):
        return value.removeprefix("s3://").partition("/")[2]
    return value.rsplit("/", 1)[-1] if ".dkr.ecr." in value else value


def _print(found: "Version", *, as_json: bool, warnings: "list[str] | None" = None) -> None:
    if as_json:
        output.as_json(found.as_dict() | ({} if warnings is None else {"warnings": warnings}))
        return
    rows = [("status", found.status), ("created", found.created[:19])]
    rows += [(name, f"{value:.4f}") for name, value in found.metrics.items()]
    output.table((f"version {found.version}", found.arn), [*rows, *found.details.items()])
