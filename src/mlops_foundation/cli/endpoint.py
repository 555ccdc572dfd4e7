"""``mlops endpoint``: what each stage serves, and asking it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.usecases.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Endpoints of a project: list them, invoke one, read its log.")


@working(app, name="list", epilog="Example: mlops endpoint list churn")
def list_endpoints(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    *,
    json: JsonOption = False,
) -> None:
    """Show each stage's endpoint and the version that it really serves."""
    from mlops_foundation.usecases import endpoints  # noqa: PLC0415

    found = endpoints.list_endpoints(workspace, project, role)
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    rows = [
        (each.stage, each.account, each.name, each.status, each.model_package.rsplit("/", 1)[-1], each.instances)
        for each in found
    ]
    output.table(("stage", "account", "endpoint", "status", "version", "instances"), rows)


@working(
    app,
    epilog="Examples: mlops endpoint invoke churn --stage prod --file rows.csv | "
    "echo 17.9,10.3,... | mlops endpoint invoke churn --stage dev",
)
def invoke(  # noqa: PLR0913, PLR0917  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    stage: Annotated[str, typer.Option(help="dev, preprod or prod.")] = "prod",
    file: Annotated[Path | None, typer.Option(help="The request's body; standard input when left out.")] = None,
    content_type: Annotated[str, typer.Option(help="Of the request.")] = "text/csv",
    accept: Annotated[str, typer.Option(help="Of the answer.")] = "application/json",
    *,
    json: JsonOption = False,
) -> None:
    """Ask a stage's endpoint and print its answer."""
    from mlops_foundation.usecases import endpoints  # noqa: PLC0415

    checked = endpoints.check_stage(stage)
    body = file.read_bytes() if file else sys.stdin.buffer.read()
    answer = endpoints.invoke(workspace, project, checked, body, content_type, accept, role)
    if json:
        output.as_json({"endpoint": workspace.project(project).endpoint(stage), "answer": answer})
        return
    output.say(answer)


@working(
    app,
    epilog="Examples: mlops endpoint logs churn --stage prod --lines 50 | mlops endpoint logs churn --stage dev -f",
)
def logs(  # noqa: PLR0913  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    stage: Annotated[str, typer.Option(help="dev, preprod or prod.")] = "prod",
    lines: Annotated[int, typer.Option(min=0, help="Only the last lines; 0 prints all.")] = 200,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Print the log of a stage's endpoint: what its containers wrote; with --json, -f is left out."""
    from mlops_foundation.usecases import endpoints  # noqa: PLC0415

    checked = endpoints.check_stage(stage)
    found = endpoints.logs(workspace, project, checked, role, lines=lines, follow=follow and not json)
    if json:
        output.as_json({"endpoint": workspace.project(project).endpoint(stage), "lines": list(found)})
        return
    for line in found:
        output.say(line)
