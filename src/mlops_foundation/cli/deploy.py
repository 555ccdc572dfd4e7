"""``mlops bootstrap`` and ``mlops deploy``: bring the platform to its accounts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import (
    CONFIG_FILE,
    STATE_DIR,
    ConfigOption,
    JsonOption,
    SetsOption,
    StateOption,
    TargetOption,
)

if TYPE_CHECKING:
    from mlops_foundation.aws.diff import StackDiff
    from mlops_foundation.usecases.deploy import Deployed

bootstrap_app = typer.Typer()
deploy_app = typer.Typer()

_LEFT = ("what CloudFormation has begun in the accounts goes on", "run the command again: it goes on where it ended")


@bootstrap_app.command(epilog="Examples: mlops bootstrap | mlops bootstrap --target aws --set team-a")
def bootstrap(
    set_name: SetsOption = None,
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    json: JsonOption = False,
) -> None:
    """Prepare every account once: what CloudFormation may do, and the CDK toolkit with narrowed trust."""
    from mlops_foundation.usecases import bootstrap as usecase  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspaces  # noqa: PLC0415

    workspaces = open_workspaces(config, set_name or [], target, state_dir)
    with output.progress("bootstrapping", quiet=json, left=_LEFT) as shown:
        done = usecase.bootstrap(workspaces, config, shown.update)
    _print(done, as_json=json)


@deploy_app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Examples: mlops deploy | mlops deploy --stage dev --stack network | mlops deploy --dry-run | mlops deploy "
    "--target aws -v",
)
def deploy(  # noqa: PLR0913, PLR0917  each is an option
    context: typer.Context,
    stage: Annotated[list[str] | None, typer.Option(help="Only this environment; may be repeated.")] = None,
    stack: Annotated[list[str] | None, typer.Option(help="Only this stack; may be repeated.")] = None,
    set_name: SetsOption = None,
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    only_show: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Deploy every stack to its account with the cdk CLI; further arguments go to cdk deploy (or diff) as they are."""
    from mlops_foundation.usecases import deploy as usecase  # noqa: PLC0415
    from mlops_foundation.usecases import dry_run  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspaces  # noqa: PLC0415

    workspaces = open_workspaces(config, set_name or [], target, state_dir)
    if only_show:
        with output.progress("comparing", quiet=json, left=output.UNCHANGED) as shown:
            found = dry_run.dry_run(workspaces, config, stage or [], stack or [], context.args, shown.update)
        _print_changes(found, as_json=json)
        return
    with output.progress("deploying", quiet=json, left=_LEFT) as shown:
        done = usecase.deploy(workspaces, config, stage or [], stack or [], context.args, shown.update)
    _print(done, as_json=json)


def _print(done: "Sequence[Deployed]", *, as_json: bool) -> None:
    if as_json:
        output.as_json([each.as_dict() for each in done])
        return
    rows = [(each.set_name, each.environment, each.account, each.stack, each.status) for each in done]
    output.table(("set", "environment", "account", "stack", "status"), rows)


def _print_changes(found: "Sequence[StackDiff]", *, as_json: bool) -> None:
    if as_json:
        output.as_json([each.as_dict() for each in found])
        return
    rows = [
        (stack.account, stack.stack, each.action, each.type, each.logical_id, each.effect)
        for stack in found
        for each in stack.changes
    ]
    rows += [
        (stack.account, stack.stack, "change", "", "nothing but its text", "")
        for stack in found
        if stack.differs and not stack.changes
    ]
    if rows:
        output.table(("account", "stack", "would", "type", "resource", "effect"), rows)
    else:
        output.done(f"nothing would change (stacks compared: {len(found)})")
