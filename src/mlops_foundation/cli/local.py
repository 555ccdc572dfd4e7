"""``mlops local``: the local cloud."""

import shlex
from typing import Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import (
    CONFIG_FILE,
    STATE_DIR,
    ConfigOption,
    JsonOption,
    RoleOption,
    SetOption,
    StateOption,
)
from mlops_foundation.local import DEFAULT_PORT

app = typer.Typer(no_args_is_help=True, help="An AWS-compatible cloud on 127.0.0.1, with IAM enforced.")


@app.command(epilog="Examples: mlops local start | mlops local start --port 4600")
def start(
    port: Annotated[
        int | None, typer.Option(help=f"Port on 127.0.0.1; {DEFAULT_PORT} when left out.", min=1024, max=65535)
    ] = None,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Start it in the background; what it held before is there again."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    with output.progress("starting the local cloud", quiet=json, left=("it does not run", "mlops local start")):
        found = local.start(state_dir, port)
    if json:
        output.as_json(found.as_dict())
        return
    output.done(f"the local cloud answers at {found.endpoint_url} (process {found.pid}, state in {found.state_dir})")


@app.command(epilog="Example: mlops local stop")
def stop(state_dir: StateOption = STATE_DIR, *, json: JsonOption = False) -> None:
    """Stop it; everything it holds stays on disk."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    stopped = local.stop(state_dir)
    if json:
        output.as_json({"stopped": stopped})
        return
    output.done("stopped" if stopped else "it did not run")


@app.command(epilog="Example: mlops local status --json")
def status(state_dir: StateOption = STATE_DIR, *, json: JsonOption = False) -> None:
    """Say whether it runs; exit code 1 when it does not."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    found = local.status(state_dir)
    if json:
        output.as_json(found.as_dict())
    elif found.running:
        output.done(f"running at {found.endpoint_url} (process {found.pid}, state in {found.state_dir})")
        for service, reason in found.unsaved.items():
            output.note(f"the state of {service} could not be saved, and is tried again: {reason}")
    else:
        output.say("not running; start it: mlops local start")
    if not found.running:
        raise typer.Exit(1)


@app.command(epilog="Example: mlops local reset --yes")
def reset(
    state_dir: StateOption = STATE_DIR,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Stop it and remove everything it holds: all accounts, repositories, models."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    if not yes:
        typer.confirm(f"Remove everything in {state_dir}?", abort=True, err=True)
    local.reset(state_dir)
    if json:
        output.as_json({"reset": str(state_dir)})
        return
    output.done("everything is gone; start again: mlops local start")


@app.command(epilog="Example: mlops local logs --lines 200")
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many, from the end.", min=1)] = 50,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Print what the process said: errors and warnings of the cloud itself."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    said = list(local.logs(state_dir, lines))
    if json:
        output.as_json(said)
        return
    for line in said:
        output.say(line)


@app.command(
    epilog='Examples: eval "$(mlops local env --role lead)" | mlops local env --account prod --json | '
    "mlops local env --role data-scientist --project churn"
)
def env(  # noqa: PLR0913  each is an option
    account: Annotated[str, typer.Option(help="governance, dev, preprod, prod, or 12 digits.")] = "",
    role: RoleOption = "",
    project: Annotated[str, typer.Option(help="The project the session works in.")] = "",
    set_name: SetOption = "",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Print the variables with which any AWS client acts on the local cloud, as a role in an account."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    found = local.environment(config, state_dir, account, role, project, set_name)
    if json:
        output.as_json(found)
        return
    if "AWS_SESSION_TOKEN" not in found:
        output.say("unset AWS_SESSION_TOKEN")
    for name, value in found.items():
        output.say(f"export {name}={shlex.quote(value)}")


@app.command(epilog="Examples: mlops local calls | mlops local calls --since 30m --json")
def calls(
    since: Annotated[
        str, typer.Option(help="Only what was called since then: 90s, 30m, 2h, 1d, or an ISO 8601 time.")
    ] = "",
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Show which AWS services the workloads in a VPC have called: builds, jobs and endpoints."""
    from mlops_foundation.usecases import service_calls  # noqa: PLC0415

    found = service_calls.recorded(state_dir, since)
    if json:
        output.as_json([each.as_dict() for each in found])
        return
    rows = [(each.account, each.workload, each.name, each.service, each.calls, each.last[:19]) for each in found]
    output.table(("account", "workload", "name", "service", "calls", "last (UTC)"), rows, spare=("workload",))


@app.command(epilog='Example: "$(mlops local runtime IMAGE_URI)" -c "import sklearn; print(sklearn.__version__)"')
def runtime(
    image_uri: Annotated[str, typer.Argument(help="Image, as a job or a version names it.", show_default=False)],
    *,
    json: JsonOption = False,
) -> None:
    """Print the Python in which jobs and models of an image run here."""
    from mlops_foundation.usecases import local  # noqa: PLC0415

    with output.progress("building the runtime", quiet=json, left=("nothing of it is kept", "")) as shown:
        found = local.runtime(image_uri, shown.update)
    if json:
        output.as_json({"image": image_uri, "python": str(found.python), "difference": found.difference})
        return
    if found.difference:
        output.note(found.difference)
    output.say(str(found.python))
