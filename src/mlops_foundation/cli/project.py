"""``mlops project``: projects of data scientists, from the catalog."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.plan import TemplateSpec
    from mlops_foundation.usecases.project_remains import Remain
    from mlops_foundation.usecases.workspace import Workspace
from mlops_foundation.core.errors import ConfigError, FoundationError

app = typer.Typer(
    no_args_is_help=True, help="Create a project from the catalog; list, describe, delete and purge projects."
)


def _problem_types() -> list[str]:
    return list(dict.fromkeys(each for template in _in_use() for each in template.problem_types))


def _inference_types() -> list[str]:
    return list(dict.fromkeys(each for template in _in_use() for each in template.inference_types))


def _templates() -> list[str]:
    return [template.name for template in _in_use()]


def _in_use() -> "tuple[TemplateSpec, ...]":
    from mlops_foundation.templates import TEMPLATES  # noqa: PLC0415

    return TEMPLATES


@app.command(epilog="Example: mlops project templates")
def templates(*, json: JsonOption = False) -> None:
    """List the project templates, and which problem and inference types choose each."""
    found = _in_use()
    if json:
        fields = ("name", "description", "problem_types", "inference_types")
        output.as_json([{name: getattr(each, name) for name in fields} for each in found])
        return
    rows = [
        (each.name, ", ".join(each.problem_types), ", ".join(each.inference_types), each.description) for each in found
    ]
    output.table(("template", "problem type", "inference type", "what it makes"), rows)


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
    problem_type: Annotated[
        str, typer.Option(help="Kind of problem; chooses the template.", autocompletion=_problem_types)
    ] = "",
    inference_type: Annotated[
        str, typer.Option(help="How predictions are served; chooses the template.", autocompletion=_inference_types)
    ] = "",
    template: Annotated[
        str, typer.Option(help="Make it by this template's own product.", autocompletion=_templates)
    ] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Further tag, key=value; may be repeated.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Create a project as data science admin: repositories, pipelines, buckets, keys, registry."""
    from mlops_foundation.usecases import projects  # noqa: PLC0415

    new = projects.NewProject(name, cost_center, description, problem_type, inference_type, template, _tags(tag or []))
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
    rows = [
        ("status", found.status),
        ("id", found.project_id),
        ("template", found.template),
        ("description", found.description),
    ]
    reason = [("reason", found.reason)] if found.reason else []
    output.table((f"project {name}", ""), [*rows, *reason, *found.resources.items()])


@working(
    app,
    epilog="Examples: mlops project delete churn --dry-run | mlops project delete churn --keep-data | "
    "mlops project delete churn --purge --yes",
)
def delete(  # noqa: PLR0913  each is an option
    workspace: "Workspace",
    role: str,
    name: ProjectArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; without --purge the data stays.")] = False,  # noqa: FBT002  a flag
    purged: Annotated[
        bool | None,
        typer.Option("--purge/--keep-data", help="Delete its data, versions, keys and endpoints too, or keep them."),
    ] = None,
    only_show: Annotated[bool, typer.Option("--dry-run", help="Show what would be gone; change nothing.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Delete a project's pipelines, repositories and roles, and on demand its data, model versions and endpoints.

    Data is deleted as the administrator of each account, because no persona may. A name whose data is kept is free for
    a new project only after mlops project purge.
    """
    from mlops_foundation.usecases import project_remains, projects  # noqa: PLC0415

    persona = workspace.persona(role, "admin")
    projects.describe(workspace, name, persona)
    remains = _remains(workspace, name, needed=bool(purged or only_show), quiet=json) if purged or not yes else []
    if only_show or not (yes or json):
        _show_remains(remains, as_json=json, first=f"{name}: pipelines, repositories, builds, roles and parameters")
    if only_show:
        return
    if purged is None and not yes and remains:
        purged = typer.confirm("Delete all of this for good (no: keep what is listed)?", default=False)
    if not yes:
        what = "and all of its data" if purged else "and keep its data"
        typer.confirm(f"Delete the project {name} {what}?", abort=True)
    with output.progress(f"deleting {name}", quiet=json, left=_left(name)) as shown:
        projects.delete(workspace, name, persona, shown.update)
        # A build that was under way may have added to what was shown.
        gone = (
            project_remains.purge(workspace, name, project_remains.find(workspace, name), shown.update)
            if purged
            else []
        )
    if json:
        data = "purged" if purged else "kept"
        output.as_json({"deleted": name, "data": data, "purged": [each.as_dict() for each in gone]})
        return
    _say_deleted(name, purged=bool(purged))


def _remains(workspace: "Workspace", name: str, *, needed: bool, quiet: bool) -> "list[Remain]":
    """Return what a project has left; nothing when only its data is kept and the accounts may not be looked at."""
    from mlops_foundation.usecases import project_remains  # noqa: PLC0415

    try:
        with output.progress(f"looking at {name}", quiet=quiet):
            return project_remains.find(workspace, name)
    except FoundationError as error:
        if needed:
            raise
        output.note(f"what the project holds cannot be shown: {error}")
        return []


def _say_deleted(name: str, *, purged: bool) -> None:
    if purged:
        output.done(f"project {name} is deleted with its data; its keys end in 7 days")
        return
    output.done(f"project {name} is deleted; its buckets, keys, model versions and endpoints stay (--keep-data)")
    output.say(f"delete them too, which frees the name: mlops project purge {name}")


@working(app, epilog="Examples: mlops project purge churn --dry-run | mlops project purge churn --yes")
def purge(
    workspace: "Workspace",
    role: str,
    name: ProjectArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002  a flag
    only_show: Annotated[bool, typer.Option("--dry-run", help="Show what would be gone; change nothing.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Delete for good what a deleted project has left: endpoints, versions, keys, buckets with every version.

    It acts as the administrator of each account, on AWS by its profile, because no persona may delete data.
    """
    from mlops_foundation.usecases import project_remains, projects  # noqa: PLC0415

    with output.progress(f"looking at {name}", quiet=json):
        projects.require_deleted(workspace, name, workspace.persona(role, "admin"))
        remains = project_remains.find(workspace, name)
    if only_show or not (yes or json):
        _show_remains(remains, as_json=json)
    if only_show:
        return
    if remains and not yes:
        typer.confirm(f"Delete all of this for good, as administrator of {_accounts(remains)}?", abort=True)
    with output.progress(f"purging {name}", quiet=json) as shown:
        gone = project_remains.purge(workspace, name, remains, shown.update)
    if json:
        kept = [each.as_dict() for each in remains if each not in gone]
        output.as_json({"purged": [each.as_dict() for each in gone], "kept": kept})
        return
    output.done(f"{len(gone)} things of {name} are gone" if gone else f"there is nothing left of {name}")


def _accounts(remains: "Sequence[Remain]") -> str:
    return ", ".join(dict.fromkeys(each.account for each in remains))


def _show_remains(remains: "Sequence[Remain]", *, as_json: bool, first: str = "") -> None:
    if as_json:
        output.as_json({"would_purge": [each.as_dict() for each in remains if not each.foreign]})
        return
    if first:
        output.say(f"gone in any case: {first}")
    rows = [
        (each.account, each.kind, each.name, each.detail, "stays: not this project's" if each.foreign else "gone")
        for each in remains
    ]
    if rows:
        output.table(("account", "kind", "name", "holds", "with --purge"), rows)
