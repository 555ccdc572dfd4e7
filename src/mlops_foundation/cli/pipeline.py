"""``mlops pipeline``: the pipelines of a project."""

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import JsonOption, ProjectArgument, working

if TYPE_CHECKING:
    from mlops_foundation.usecases.pipelines import Decision, PipelineState
    from mlops_foundation.usecases.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True,
    help="A project's pipelines, build and deploy: watch, approve, reject, start, stop, retry, history, logs.",
)

KindArgument = Annotated[
    str, typer.Argument(help="build or deploy, as the project's template has them; the first when left out.")
]
StageArgument = Annotated[str, typer.Argument(help="preprod or prod.", show_default=False)]
ReasonOption = Annotated[str, typer.Option("--reason", "-m", help="Why; kept with the execution.")]
ExecutionOption = Annotated[
    str, typer.Option("--execution", help="Id of an execution, or the beginning of it; the newest when left out.")
]
HeldOption = Annotated[
    str, typer.Option("--execution", help="Only if this execution is the one that waits there: its id or beginning.")
]
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
        output.as_json([each.as_dict() for each in found.values()])
        return
    for kind, each in found.items():
        output.tree(output.stages(each))
        _next(each, project, kind)


@working(
    app,
    epilog="Examples: mlops pipeline watch churn build | mlops pipeline watch churn deploy --json | "
    "mlops pipeline watch churn deploy --execution 0a1b2c3d",
)
def watch(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "",
    execution: ExecutionOption = "",
    *,
    json: JsonOption = False,
) -> None:
    """Follow an execution until it ends or waits for a person; exit code 8 when it fails."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

    kind, persona = _kind(workspace, project, kind, role), workspace.persona(role, "data-scientist")
    now = None
    left = ("the pipeline goes on", f"mlops pipeline watch {project} {kind}")
    with output.progress(f"watching {project} {kind}", quiet=json, left=left) as shown:
        for now in pipelines.watch(workspace, project, kind, persona, execution_id=execution):
            shown.picture(output.stages(now))
            shown.update(_doing(now))
    if now is None:
        return
    if json:
        output.as_json(now.as_dict())
    else:
        output.tree(output.stages(now, reasons=False))
        _next(now, project, kind)
    pipelines.check(workspace, now, persona)


def _kind(workspace: "Workspace", project: str, kind: str, role: str) -> str:
    """Return the pipeline that is meant: the project's first when nothing was said."""
    from mlops_foundation.usecases import project_pipelines  # noqa: PLC0415

    return project_pipelines.of_asked(workspace, project, kind, workspace.persona(role, "data-scientist"))


def _started(workspace: "Workspace", project: str, kind: str, role: str) -> tuple[str, str]:
    """Return the pipeline that is meant, and who starts it: the lead what goes to production."""
    from mlops_foundation.usecases import project_pipelines  # noqa: PLC0415

    found = _kind(workspace, project, kind, role)
    return found, workspace.persona(role, project_pipelines.starter(workspace, found))


def _doing(now: "PipelineState") -> str:
    """Return in a line what happens now: what it waits for, or the stage and the step that run."""
    if now.wait:
        return now.wait.reason
    running = [stage for stage in now.stages if stage.status == "InProgress"]
    steps = [step.name for stage in running for action in stage.actions for step in action.steps]
    return " ".join([stage.name for stage in running] + steps[-1:])


def _next(now: "PipelineState", project: str, kind: str) -> None:
    from mlops_foundation.usecases.pipeline_state import asked_stage, short  # noqa: PLC0415

    waiting = now.waiting
    if not now.execution_id:
        output.say(f"it never ran; push, or: mlops pipeline start {project} {kind}")
    elif waiting:
        stage = asked_stage(waiting.name)
        output.say(f"waits for an approval: mlops pipeline approve {project} {stage}")
    elif now.wait:
        output.say(now.wait.reason)
        output.say(f"  {now.wait.command}")
    elif now.reason:
        output.say(now.reason)
    for each in now.pending:
        if now.wait is None or each.execution_id != now.wait.holder:
            stage = asked_stage(each.stage)
            output.say(f"{each.subject or 'another version'} waits too: mlops pipeline approve {project} {stage}")
    if now.superseded_by:
        output.say(f"  mlops pipeline watch {project} {kind} --execution {short(now.superseded_by)}")


@working(
    app, epilog="Examples: mlops pipeline approve churn preprod | mlops pipeline approve churn prod -m 'release 12'"
)
def approve(  # noqa: PLR0913  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    stage: StageArgument,
    reason: ReasonOption = "approved",
    execution: HeldOption = "",
    *,
    json: JsonOption = False,
) -> None:
    """Let the version that waits go on to a stage: to preprod as lead, to prod as production approver."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415

    persona = workspace.persona(role, _APPROVERS.get(stage, "lead"))
    done = pipelines.put_approval(
        workspace, project, stage, approve=True, summary=reason, persona=persona, execution_id=execution
    )
    _decided(done, f"goes on to {stage}", project, as_json=json)


@working(
    app,
    epilog="Examples: mlops pipeline reject churn prod -m 'not before the holidays' | "
    "mlops pipeline reject churn preprod --execution 0a1b2c3d",
)
def reject(  # noqa: PLR0913  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    stage: StageArgument,
    reason: ReasonOption = "rejected",
    execution: HeldOption = "",
    *,
    json: JsonOption = False,
) -> None:
    """Stop the version that waits before a stage; says which stages serve it already, and go on doing so."""
    from mlops_foundation.usecases import pipelines, rejection  # noqa: PLC0415

    persona = workspace.persona(role, _APPROVERS.get(stage, "lead"))
    done = pipelines.put_approval(
        workspace, project, stage, approve=False, summary=reason, persona=persona, execution_id=execution
    )
    _decided(done, f"stops before {stage}", project, as_json=json)
    if not json:
        for line in rejection.of_execution(workspace, project, done):
            output.warn(line)


def _decided(done: "Decision", what: str, project: str, *, as_json: bool) -> None:
    from mlops_foundation.usecases.pipelines import label  # noqa: PLC0415

    text = f"{project} {label(done.subject, done.execution_id)} {what}"
    if as_json:
        output.as_json({"execution": done.execution_id, "result": text, **done.as_dict()})
        return
    output.done(text)
    if done.behind:
        output.say(f"behind it comes {done.behind}: mlops pipeline watch {project} {done.kind}")


@working(
    app,
    epilog="Examples: mlops pipeline start churn build | mlops pipeline start churn deploy | "
    "mlops pipeline start churn deploy --version 2",
)
def start(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "",
    version: Annotated[
        str, typer.Option(help="To deploy: number, latest or ARN; the latest approved one when left out.")
    ] = "",
    *,
    json: JsonOption = False,
) -> None:
    """Start a pipeline with the newest source: a build as data scientist, a deployment as lead."""
    from mlops_foundation.usecases import executions  # noqa: PLC0415

    kind, persona = _started(workspace, project, kind, role)
    started = executions.start(workspace, project, kind, persona, version)
    if json:
        output.as_json({"execution": started})
        return
    output.done(f"{project} {kind} has started: execution {started[:8]}")
    output.say(f"next: mlops pipeline watch {project} {kind}")


@working(
    app,
    epilog="Examples: mlops pipeline stop churn build -m 'wrong data' | "
    "mlops pipeline stop churn deploy --execution 0a1b2c3d --abandon",
)
def stop(  # noqa: PLR0913, PLR0917  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "",
    execution: ExecutionOption = "",
    reason: ReasonOption = "",
    abandon: Annotated[bool, typer.Option("--abandon", help="Do not wait for what runs now.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Stop an execution once its running actions have ended, or at once."""
    from mlops_foundation.usecases import executions  # noqa: PLC0415

    kind, persona = _started(workspace, project, kind, role)
    found = executions.stop(workspace, project, kind, persona, execution_id=execution, reason=reason, abandon=abandon)
    if json:
        output.as_json(found.as_dict())
        return
    over = "is stopped" if found.ended else "stops when its running actions have ended; --abandon does not wait"
    output.done(f"{project} {kind} execution {found.execution_id[:8]} {over}")


@working(
    app,
    epilog="Examples: mlops pipeline retry churn build | mlops pipeline retry churn deploy --execution 0a1b2c3d",
)
def retry(  # noqa: PLR0913  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "",
    execution: ExecutionOption = "",
    all_actions: Annotated[bool, typer.Option("--all-actions", help="Those that succeeded too.")] = False,  # noqa: FBT002  a flag
    *,
    json: JsonOption = False,
) -> None:
    """Run the failed actions of the failed stage again, with the same source and version."""
    from mlops_foundation.usecases import executions  # noqa: PLC0415

    kind, persona = _started(workspace, project, kind, role)
    found, stage = executions.retry(workspace, project, kind, persona, execution_id=execution, all_actions=all_actions)
    if json:
        output.as_json({"stage": stage, **found.as_dict()})
        return
    output.done(f"{project} {kind} execution {found.execution_id[:8]} runs {stage} again")
    output.say(f"next: mlops pipeline watch {project} {kind}")


@working(app, epilog="Examples: mlops pipeline history churn deploy | mlops pipeline history churn build --limit 50")
def history(
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 10,
    *,
    json: JsonOption = False,
) -> None:
    """List executions, newest first: version or commit, what started them, how they ended, how long they took."""
    from mlops_foundation.usecases import executions  # noqa: PLC0415

    kind = _kind(workspace, project, kind, role)
    found = executions.history(workspace, project, kind, workspace.persona(role, "data-scientist"), limit)
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    rows = [
        (each.execution_id[:8], each.subject, each.status, each.started[:16], f"{each.seconds:.0f} s", each.trigger)
        for each in found
    ]
    output.table(("id", "of", "status", "started", "took", "by"), rows)


@working(
    app,
    epilog="Examples: mlops pipeline logs churn build -f | mlops pipeline logs churn build --job Train | "
    "mlops pipeline logs churn deploy --stage Scan --execution 0a1b2c3d",
)
def logs(  # noqa: PLR0913, PLR0917  each is an option
    workspace: "Workspace",
    role: str,
    project: ProjectArgument,
    kind: KindArgument = "",
    stage: Annotated[str, typer.Option(help="Only the builds of this stage, for example Build or Scan.")] = "",
    job: Annotated[
        str, typer.Option(help="A job of the training run instead: its step, for example Train, or its own name.")
    ] = "",
    execution: ExecutionOption = "",
    follow: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--follow", "-f", help="Go on until the execution ends or waits for a person.")
    ] = False,
    *,
    json: JsonOption = False,
) -> None:
    """Print the logs of an execution's builds, or of a job that a build has run."""
    from mlops_foundation.usecases import pipelines  # noqa: PLC0415
    from mlops_foundation.usecases.build_logs import Part  # noqa: PLC0415

    kind, persona = _kind(workspace, project, kind, role), workspace.persona(role, "data-scientist")
    lines = pipelines.logs(workspace, project, kind, persona, Part(stage, job), execution_id=execution, follow=follow)
    if json:
        found: dict[str, list[str]] = {}
        for name, line in lines:
            found.setdefault(name, []).append(line)
        output.as_json(found)
        return
    shown = ""
    for name, line in lines:
        if name != shown:
            output.say(name, style="bold")
            shown = name
        output.say(line)
