"""``mlops pipeline``: the two pipelines of a project."""

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import (
    CONFIG_FILE,
    STATE_DIR,
    ConfigOption,
    JsonOption,
    ProjectArgument,
    RoleOption,
    SetOption,
    StateOption,
    TargetOption,
)

if TYPE_CHECKING:
    from mlops_foundation.usecases.pipelines import PipelineState

app = typer.Typer(no_args_is_help=True, help="The build and the deploy pipeline: list, watch, approve, reject, logs.")

KindArgument = Annotated[str, typer.Argument(help="build or deploy.")]
StageArgument = Annotated[str, typer.Argument(help="preprod or prod.", show_default=False)]
ReasonOption = Annotated[str, typer.Option("--reason", "-m", help="Why; kept with the execution.")]
_APPROVERS = {"preprod": "lead", "prod": "approver-prod"}


@app.command("list", epilog="Example: mlops pipeline list churn")
def list_pipelines(  # noqa: PLR0913  each is an option
    project: ProjectArgument,
    role: RoleOption = "",
    set_name: SetOption = "",
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Show where the newest execution of each pipeline stands."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspace  # noqa: PLC0415

    workspace = open_workspace(config, set_name, target, state_dir, project)
    found = pipelines.list_pipelines(workspace, project, workspace.persona(role, "data-scientist"))
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    for each in found:
        output.tree(output.stages(each))


@app.command(epilog="Examples: mlops pipeline watch churn build | mlops pipeline watch churn deploy --json")
def watch(  # noqa: PLR0913, PLR0917  each is an option
    project: ProjectArgument,
    kind: KindArgument = "build",
    role: RoleOption = "",
    set_name: SetOption = "",
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Follow the newest execution until it ends or waits for an approval; exit code 8 when it fails."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspace  # noqa: PLC0415

    workspace = open_workspace(config, set_name, target, state_dir, project)
    persona = workspace.persona(role, "data-scientist")
    now = None
    with output.progress(f"{project} {kind}", quiet=json) as shown:
        for now in pipelines.watch(workspace, project, kind, persona):
            shown.picture(output.stages(now))
    if now is None:
        return
    if json:
        output.as_json(now.as_dict())
    else:
        output.tree(output.stages(now))
        _next(now, project)
    pipelines.check(workspace, now, persona)


def _next(now: "PipelineState", project: str) -> None:
    waiting = now.waiting
    if waiting:
        stage = waiting.name.removeprefix("Approve").lower()
        output.say(f"waits for an approval: mlops pipeline approve {project} {stage}")
    elif now.reason:
        output.say(now.reason)


@app.command(
    epilog="Examples: mlops pipeline approve churn preprod | mlops pipeline approve churn prod -m 'release 12'"
)
def approve(  # noqa: PLR0913, PLR0917  each is an option
    project: ProjectArgument,
    stage: StageArgument,
    reason: ReasonOption = "approved",
    role: RoleOption = "",
    set_name: SetOption = "",
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Let a version go on to a stage: to preprod as lead, to prod as production approver."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspace  # noqa: PLC0415

    workspace = open_workspace(config, set_name, target, state_dir, project)
    persona = workspace.persona(role, _APPROVERS.get(stage, "lead"))
    done = pipelines.put_approval(workspace, project, stage, approve=True, summary=reason, persona=persona)
    _decided(done.execution_id, f"{project} goes on to {stage}", as_json=json)


@app.command(epilog="Example: mlops pipeline reject churn prod -m 'not before the holidays'")
def reject(  # noqa: PLR0913, PLR0917  each is an option
    project: ProjectArgument,
    stage: StageArgument,
    reason: ReasonOption = "rejected",
    role: RoleOption = "",
    set_name: SetOption = "",
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Stop a version before a stage."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspace  # noqa: PLC0415

    workspace = open_workspace(config, set_name, target, state_dir, project)
    persona = workspace.persona(role, _APPROVERS.get(stage, "lead"))
    done = pipelines.put_approval(workspace, project, stage, approve=False, summary=reason, persona=persona)
    _decided(done.execution_id, f"{project} stops before {stage}", as_json=json)


def _decided(execution_id: str, text: str, *, as_json: bool) -> None:
    if as_json:
        output.as_json({"execution": execution_id, "result": text})
        return
    output.done(text)


@app.command(epilog="Examples: mlops pipeline logs churn build | mlops pipeline logs churn deploy --stage Scan")
def logs(  # noqa: PLR0913, PLR0917  each is an option
    project: ProjectArgument,
    kind: KindArgument = "build",
    stage: Annotated[str, typer.Option(help="Only this stage, for example Build or Scan.")] = "",
    role: RoleOption = "",
    set_name: SetOption = "",
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Print the build logs of the newest execution."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspace  # noqa: PLC0415

    workspace = open_workspace(config, set_name, target, state_dir, project)
    persona = workspace.persona(role, "data-scientist")
    now = pipelines.state(workspace, project, kind, persona)
    found = {
        f"{each.name}/{action.name}": pipelines.log_lines(workspace, action, persona)
        for each in now.stages
        for action in each.actions
        if stage.lower() in {"", each.name.lower()}
    }
    if json:
        output.as_json(found)
        return
    for name, lines in found.items():
        if lines:
            output.say(name, style="bold")
            for line in lines:
                output.say(line)
