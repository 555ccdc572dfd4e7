"""``mlops check``: is everything there that a deployment and its workloads need?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_foundation.cli import output
from mlops_foundation.cli.options import (
    CONFIG_FILE,
    STATE_DIR,
    ConfigOption,
    JsonOption,
    RoleOption,
    SetOption,
    SetsOption,
    StateOption,
    TargetOption,
)
from mlops_foundation.core.errors import PlanError, UsageError

if TYPE_CHECKING:
    from mlops_foundation.plan.findings import Finding

app = typer.Typer(no_args_is_help=True, help="Look at what is needed before anything is changed.")

_MARKS = {"ok": "✓", "warning": "!", "missing": "✗", "unknown": "?"}


@app.callback()
def _check() -> None:
    """Look at what is needed before anything is changed."""


@app.command(
    epilog="Examples: mlops check network | mlops check network --stage prod --all | "
    "mlops check network --target aws --json"
)
def network(  # noqa: PLR0913  each is an option
    stage: Annotated[list[str] | None, typer.Option(help="dev, preprod or prod; all when left out.")] = None,
    set_name: SetOption = "",
    role: RoleOption = "",
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    show_all: Annotated[bool, typer.Option("--all", help="Show also what is right.")] = False,
    json: JsonOption = False,
) -> None:
    """Check DNS, routes, addresses, security groups, and a way to every AWS service that workloads call.

    A VPC that the platform makes is checked as planned, without credentials; an imported one by the API, read only.
    Exit code 3 when something is missing.
    """
    from mlops_foundation.usecases import check_network  # noqa: PLC0415

    with output.progress("checking the networks", quiet=json, left=output.UNCHANGED):
        report = check_network.network(config, set_name, target, state_dir, stage or (), role)
    if json:
        output.as_json(report.as_dict())
    else:
        show(report.findings, show_all=show_all)
        if not report.recorded and target == "local":
            output.note("the local cloud does not run: what workloads really called is not part of this check")
    if not report.green:
        raise typer.Exit(PlanError.exit_code)


@app.command(
    epilog="Examples: mlops check accounts | mlops check accounts --set team-a --all | "
    "mlops check accounts --target aws --json"
)
def accounts(
    set_name: SetsOption = None,
    target: TargetOption = "local",
    config: ConfigOption = CONFIG_FILE,
    state_dir: StateOption = STATE_DIR,
    *,
    show_all: Annotated[bool, typer.Option("--all", help="Show also what is right.")] = False,
    json: JsonOption = False,
) -> None:
    """Check every account before anything is changed: credentials, rights, services, quotas, names, what is there.

    mlops bootstrap does the same before it begins. Exit code 3 when something is missing.
    """
    from mlops_foundation.usecases import preflight  # noqa: PLC0415
    from mlops_foundation.usecases.workspace import open_workspaces  # noqa: PLC0415

    workspaces = open_workspaces(config, set_name or [], target, state_dir)
    with output.progress("checking the accounts", quiet=json, left=output.UNCHANGED):
        preflight.require_living(workspaces)
        findings = preflight.accounts_report(workspaces)
    green = all(each.green for each in findings)
    if json:
        output.as_json({"green": green, "findings": [each.as_dict() for each in findings]})
    else:
        show(findings, show_all=show_all)
    if not green:
        raise typer.Exit(PlanError.exit_code)


@app.command(
    epilog="Examples: mlops check secrets | mlops check secrets --hook | mlops check secrets mlops.yaml --json"
)
def secrets(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; what git knows or would add here, when left out.")
    ] = None,
    *,
    staged: Annotated[bool, typer.Option("--staged", help="What the next commit would have, as it is staged.")] = False,
    hook: Annotated[bool, typer.Option("--hook", help="Let git do so before each commit from now on.")] = False,
    json: JsonOption = False,
) -> None:
    """Look for keys, tokens and private keys in files.

    A line that is known to be no secret says "pragma: allowlist secret". Exit code 3 when something is found.
    """
    from mlops_foundation.usecases import repository_guard  # noqa: PLC0415
    from mlops_foundation.usecases import secrets as usecase  # noqa: PLC0415

    if staged and paths:
        raise UsageError("--staged looks at everything that is staged", got=" ".join(map(str, paths)), fix="leave one")
    if hook:
        repository_guard.require_hook(Path())
    found = usecase.staged(Path()) if staged else usecase.in_files(paths or [Path()])
    if json:
        output.as_json({"green": not found, "secrets": [secret.as_dict() for secret in found]})
    elif found:
        output.table(("where", "what"), [(f"{secret.path}:{secret.line}", secret.kind) for secret in found])
        output.say(
            f"{len(found)} of them must not land in a repository: take them out, and make them worthless", style="red"
        )
        output.say(f'one that is no secret: write "{usecase.ALLOWED}" in its line')
    else:
        output.done("no key, token or private key")
    if found:
        raise typer.Exit(PlanError.exit_code)


def show(findings: "Sequence[Finding]", *, show_all: bool) -> None:
    """Print findings as a table, and what to do about those that are not right.

    Args:
        findings: What was found.
        show_all: Show also what is right.
    """
    wanted = [each for each in findings if show_all or each.status != "ok"]
    rows = [
        (_MARKS[each.status], f"{each.stage} {each.account}", each.check, each.what, each.got, each.expected, each.fix)
        for each in wanted
    ]
    if rows:
        output.table(("", "where", "check", "what", "got", "expected", "fix"), rows, heading=3)
    red = sum(not each.green for each in findings)
    if red:
        output.say(f"{red} of {len(findings)} findings are not right", style="red")
    else:
        output.done(f"{len(findings)} findings, nothing is missing")
