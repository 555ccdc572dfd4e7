"""``mlops pipeline``: the two pipelines of a project."""

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.usecases.pipelines import PipelineState
    from mlops_foundation.usecases.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="The build and the deploy pipeline: list, watch, approve, reject, logs.")

KindArgument = Annotated[str, typer.Argument(help="build or deploy.")]
StageArgument = Annotated[str, typer.Argument(help="preprod or prod.", show_default=False)]
ReasonOption = Annotated[str, typer.Option("--reason", "-m", help="Why; kept with the execution.")]
_APPROVERS = {"preprod": "lead", "prod": "approver-prod"}


@working(app, name="list", epilog="Example: mlops pipeline list churn")
def list_pipelines(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    *,
    json: JsonOption = False,
) -> None:
    """Show where the newest execution of each pipeline stands."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

    found = pipelines.list_pipelines(workspace, project, workspace.persona(role, "data-scientist"))
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    for each in found:
        output.tree(output.stages(each))


@working(app, epilog="Examples: mlops pipeline watch churn build | mlops pipeline watch churn deploy --json")
def watch(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "build",
    *,
    json: JsonOption = False,
) -> None:
    """Follow the newest execution until it ends or waits for an approval; exit code 8 when it fails."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

    persona = workspace.persona(role, "data-scientist")
    now = None
    left = ("the pipeline goes on", f"mlops pipeline watch {project} {kind}")
    with output.progress(f"watching {project} {kind}", quiet=json, left=left) as shown:
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


@working(
    app, epilog="Examples: mlops pipeline approve churn preprod | mlops pipeline approve churn prod -m 'release 12'"
)
def approve(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    stage: StageArgument,
    reason: ReasonOption = "approved",
    *,
    json: JsonOption = False,
) -> None:
    """Let a version go on to a stage: to preprod as lead, to prod as production approver."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

    persona = workspace.persona(role, _APPROVERS.get(stage, "lead"))
    done = pipelines.put_approval(workspace, project, stage, approve=True, summary=reason, persona=persona)
    _decided(done.execution_id, f"{project} goes on to {stage}", as_json=json)


@working(app, epilog="Example: mlops pipeline reject churn prod -m 'not before the holidays'")
def reject(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    stage: StageArgument,
    reason: ReasonOption = "rejected",
    *,
    json: JsonOption = False,
) -> None:
    """Stop a version before a stage."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

    persona = workspace.persona(role, _APPROVERS.get(stage, "lead"))
    done = pipelines.put_approval(workspace, project, stage, approve=False, summary=reason, persona=persona)
    _decided(done.execution_id, f"{project} stops before {stage}", as_json=json)


def _decided(execution_id: str, text: str, *, as_json: bool) -> None:
    if as_json:
        output.as_json({"execution": execution_id, "result": text})
        return
    output.done(text)


@working(app, epilog="Examples: mlops pipeline logs churn build | mlops pipeline logs churn deploy --stage Scan")
def logs(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "build",
    stage: Annotated[str, typer.Option(help="Only this stage, for example Build or Scan.")] = "",
    *,
    json: JsonOption = False,
) -> None:
    """Print the build logs of the newest execution."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

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
