"""``mlops status``: what there is, and what waits for whom."""

import textwrap
from typing import TYPE_CHECKING

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import (
    CONFIG_FILE,
    STATE_DIR,
    ConfigOption,
    JsonOption,
    RoleOption,
    SetsOption,
    StateOption,
    TargetOption,
)

if TYPE_CHECKING:
    from mlops_foundation.usecases.status import ProjectStatus, SetStatus

app = typer.Typer()
_WIDTH = 80
_INDENT = 4
_NAME = 10


@app.command(epilog="Examples: mlops status | mlops status --set team-a --json | mlops status --target aws")
def status(
    role: RoleOption = "",
    set_name: SetsOption = None,
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Show projects, versions, what waits for whom and what each stage serves, of every set of accounts."""
    from mlops_foundation.usecases import status as usecase  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspaces  # noqa: PLC0415

    found = usecase.look(open_workspaces(config, set_name or [], target, state_dir), role)
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    for each in found:
        _show_set(each)


def _show_set(found: "SetStatus") -> None:
    output.say(f"{found.name}  {found.region}", style="bold")
    if found.unseen:
        _line("not seen", found.unseen)
    elif not found.projects:
        output.say("  no project yet: mlops project create NAME --cost-center NUMBER")
    for each in found.projects:
        _show_project(each)


def _show_project(found: "ProjectStatus") -> None:
    from mlops_foundation.usecases.status import todo  # noqa: PLC0415

    name = found.project.name
    output.say(f"  {name}  {found.project.status}")
    if "versions" not in found.unseen:
        _line("versions", ", ".join(f"{each.version} {each.status}" for each in found.versions) or "none yet")
    for kind, state in found.pipelines.items():
        waits = todo(name, kind, state)
        if not waits:
            how = f"rejected before {state.rejected}" if state.rejected else state.status or "never ran"
            _line(kind, "  ".join(part for part in (how, state.subject) if part))
        for what, command in waits:
            _line(kind, what)
            output.say(f"{' ' * (_INDENT + _NAME)}{command}", style="yellow")
    for endpoint in found.endpoints:
        version = endpoint.model_package.rsplit("/", 1)[-1]
        served = f"{endpoint.status}  version {version}" if version else endpoint.status
        _line(endpoint.stage, f"{endpoint.account}  {served}")
    for part, reason in found.unseen.items():
        _line("not seen", f"{part}: {reason}")


def _line(name: str, text: str) -> None:
    """Print a name and what belongs to it, broken between words only: no account id is ever split."""
    begin = f"{' ' * _INDENT}{name:<{_NAME}}"
    lines = textwrap.wrap(
        text, _WIDTH, initial_indent=begin, subsequent_indent=" " * len(begin), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    for line in lines:
        output.say(line)
