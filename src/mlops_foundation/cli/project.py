"""``mlops project``: projects of data scientists, from the catalog."""

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.usecases.workspace import Workspace
from mlops_foundation.core.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Create a project from the catalog; list and describe projects.")


@working(
    app,
    epilog="Examples: mlops project create churn --cost-center 4711 | "
    "mlops project create churn --cost-center 4711 --description 'who leaves' --tag team=retention",
)
def create(  # noqa: PLR0913, PLR0917  each is an option
    workspace: "Workspace",
    role: str,
    name: ProjectArgument,
    cost_center: Annotated[str, typer.Option(help="Who pays.", show_default=False)],
    description: Annotated[str, typer.Option(help="What it is for.")] = "a model",
    problem_type: Annotated[str, typer.Option(help="supervised")] = "supervised",
    inference_type: Annotated[str, typer.Option(help="realtime")] = "realtime",
    tag: Annotated[list[str] | None, typer.Option(help="Further tag, key=value; may be repeated.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Create a project as data science admin: repositories, pipelines, buckets, keys, registry."""
    from mlops_foundation.usecases import projects  # noqa: PLC0415

    new = projects.NewProject(name, cost_center, description, problem_type, inference_type, _tags(tag or []))
    with output.progress(f"creating {name}", quiet=json, left=_left(name)) as shown:
        made = projects.create(workspace, new, workspace.persona(role, "admin"), shown.update)
    if json:
        output.as_json(made.as_dict())
        return
    output.done(f"project {made.name} ({made.project_id}) is ready")
    output.say(f"next: mlops pipeline watch {name} build")


def _left(name: str) -> tuple[str, str]:
    return "what was begun in the accounts goes on", f"mlops project describe {name} says how far it is"


def _tags(texts: list[str]) -> dict[str, str]:
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise ConfigError("this is not a tag", where="--tag", got=", ".join(wrong), expected="key=value")
    return dict(text.split("=", 1) for text in texts)


@working(app, name="list", epilog="Example: mlops project list --json")
def list_projects(
    workspace: "Workspace",
    role: str,
    *,
    json: JsonOption = False,
) -> None:
    """List the projects of the dev account, newest first."""
    from mlops_foundation.usecases import projects  # noqa: PLC0415

    found = projects.list_projects(workspace, workspace.persona(role, "admin"))
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    rows = [(each.name, each.project_id, each.status, each.created[:19]) for each in found]
    output.table(("project", "id", "status", "created"), rows)


@working(app, epilog="Example: mlops project describe churn")
def describe(
    workspace: "Workspace",
    role: str,
    name: ProjectArgument,
    *,
    json: JsonOption = False,
) -> None:
    """Show a project and the names of what it consists of."""
    from mlops_foundation.usecases import projects  # noqa: PLC0415

    found = projects.describe(workspace, name, workspace.persona(role, "admin"))
    if json:
        output.as_json(found.as_dict())
        return
    rows = [("status", found.status), ("id", found.project_id), ("description", found.description)]
    reason = [("reason", found.reason)] if found.reason else []
    output.table((f"project {name}", ""), [*rows, *reason, *found.resources.items()])


@working(app, epilog="Example: mlops project delete churn --yes")
def delete(
    workspace: "Workspace",
    role: str,
    name: ProjectArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Delete a project's pipelines, repositories and roles; its data, model versions and endpoints stay."""
    from mlops_foundation.usecases import projects  # noqa: PLC0415

    if not yes:
        typer.confirm(f"Delete the project {name}?", abort=True)
    with output.progress(f"deleting {name}", quiet=json, left=_left(name)) as shown:
        projects.delete(workspace, name, workspace.persona(role, "admin"), shown.update)
    if json:
        output.as_json({"deleted": name})
        return
    output.done(f"project {name} is deleted; its buckets, keys, model versions and endpoints stay")
