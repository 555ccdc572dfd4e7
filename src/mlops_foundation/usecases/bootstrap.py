"""Prepare the accounts, once: scoped policies first, then the CDK toolkit that uses them."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mlops_foundation.aws import stacks
from mlops_foundation.core.interrupt import workers
from mlops_foundation.usecases import preflight
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.deploy import Deployed, assembly_folder, raise_first
from mlops_foundation.usecases.synth import Bootstrap, Synthesized, current
from mlops_foundation.usecases.workspace import Workspace

Report = Callable[[str], None]
_AT_ONCE: Final = 8


def bootstrap(workspaces: Sequence[Workspace], config_file: Path, report: Report) -> list[Deployed]:
    """Prepare every account of some sets, all at once, each as its own administrator.

    It can be run again: what is there and unchanged stays as it is.

    Raises:
        PlanError: When something is in the way in any account; nothing is changed then.
        DeployError: With what failed in each account; the others are finished.
        StackFailed: With the first resource that failed, when it is one account's.
    """
    preflight.require(workspaces)
    made = current(config_file, assembly_folder(config_file))
    work = [
        (workspace, each)
        for workspace in workspaces
        for each in made.bootstrap
        if each.set_name == workspace.set_plan.name
    ]
    with workers(_AT_ONCE) as pool:
        started = [pool.submit(_account, workspace, made, each, report) for workspace, each in work]
    raise_first([each.exception() for each in started])
    return [done for each in started for done in each.result()]


def _account(workspace: Workspace, made: Synthesized, each: Bootstrap, report: Report) -> list[Deployed]:
    client = workspace.sessions.client("cloudformation", each.account)
    tags = workspace.config.tags_of(workspace.account_set, workspace.set_plan.foundation_in(each.account).name)
    done = []
    for name, template in (
        (each.policies_stack, each.policies_template),
        (each.toolkit_stack, each.toolkit_template),
    ):
        environment = "+".join(each.environments)
        report(f"{each.set_name} {environment} ({each.account}): {name}")
        started = time.monotonic()
        text = (made.directory / template).read_text(encoding="utf-8")
        with aws_errors(f"bootstrap of {each.account}"):
            state = stacks.deploy(client, each.account, name, text, {}, tags)
        seconds = time.monotonic() - started
        done.append(
            Deployed(each.set_name, environment, each.account, name, state.status, seconds, outputs=state.outputs)
        )
    return done
