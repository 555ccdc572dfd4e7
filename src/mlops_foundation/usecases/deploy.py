"""Bring the platform to its accounts: bootstrap each account once, then deploy every stack with the cdk CLI."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mlops_foundation.aws import deploy as cdk
from mlops_foundation.aws import stacks
from mlops_foundation.core.errors import ConfigError, DeployError
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.synth import Bootstrap, Synthesized, current
from mlops_foundation.usecases.workspace import Workspace

Report = Callable[[str], None]
_GOVERNANCE: Final = "governance"


@dataclass(frozen=True)
class Deployed:
    """One stack after a deployment."""

    environment: str
    account: str
    stack: str
    status: str
    seconds: float = 0.0
    outputs: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return vars(self) | {"outputs": dict(self.outputs), "seconds": round(self.seconds, 2)}


def assembly_folder(config_file: Path) -> Path:
    """Return where deployments keep their assembly: beside the configuration, ignored by git."""
    return config_file.absolute().parent / ".mlops-assembly"


def bootstrap(workspace: Workspace, config_file: Path, report: Report) -> list[Deployed]:
    """Prepare every account of the set, as its administrator: scoped policies first, then the CDK toolkit.

    It can be run again: what is there and unchanged stays as it is.

    Raises:
        StackFailed: With the first resource that failed.
    """
    made = current(config_file, assembly_folder(config_file))
    wanted = [each for each in made.bootstrap if each.set_name == workspace.set_plan.name]
    # Governance first: the other accounts' roles trust its platform engineer.
    wanted.sort(key=lambda each: _GOVERNANCE not in each.environments)
    return [done for each in wanted for done in _bootstrap_account(workspace, made, each, report)]


def _bootstrap_account(workspace: Workspace, made: Synthesized, each: Bootstrap, report: Report) -> list[Deployed]:
    client = workspace.sessions.client("cloudformation", each.account)
    done = []
    for name, template in (
        (each.policies_stack, each.policies_template),
        (each.toolkit_stack, each.toolkit_template),
    ):
        environment = "+".join(each.environments)
        report(f"{environment} ({each.account}): {name}")
        started = time.monotonic()
        text = (made.directory / template).read_text(encoding="utf-8")
        with aws_errors(f"bootstrap of {each.account}"):
            state = stacks.deploy(client, each.account, name, text, {}, workspace.config.tags)
        done.append(Deployed(environment, each.account, name, state.status, time.monotonic() - started, state.outputs))
    return done


def deploy(
    workspace: Workspace,
    config_file: Path,
    stages: Sequence[str],
    chosen: Sequence[str],
    extra: Sequence[str],
    report: Report,
) -> list[Deployed]:
    """Deploy the stacks of the set to all accounts, or some of them.

    Args:
        workspace: Where.
        config_file: ``mlops.yaml``.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.
        extra: Arguments of ``cdk deploy``, passed through.
        report: Takes each line of the CLI.

    Raises:
        ConfigError: When there is no such stage or stack.
        DeployError: When an account is not bootstrapped.
        StackFailed: With the CLI's error lines.
    """
    patterns = _patterns(workspace, stages, chosen)
    _check_bootstrapped(workspace)
    made = current(config_file, assembly_folder(config_file))
    governance = workspace.account("governance")
    environment = workspace.sessions.environment(governance, workspace.role("governance", "platform-engineer"))
    cdk.deploy(made.directory, workspace.set_plan.names.toolkit_stack, patterns, extra, environment, report)
    return status(workspace)


def _patterns(workspace: Workspace, stages: Sequence[str], chosen: Sequence[str]) -> list[str]:
    set_plan = workspace.set_plan
    known_stages = {stage for foundation in set_plan.foundations for stage in foundation.environments}
    known_stacks = {stack.name for foundation in set_plan.foundations for stack in foundation.stacks}
    for option, values, known in (("--stage", stages, known_stages), ("--stack", chosen, known_stacks)):
        for value in values:
            if value not in known:
                raise ConfigError(
                    f"there is no {option.removeprefix('--')} {value}",
                    where=option,
                    got=value,
                    expected=f"one of {', '.join(sorted(known))}",
                    fix="mlops plan",
                )
    foundations = [
        foundation
        for foundation in set_plan.foundations
        if foundation.stacks and (not stages or set(stages) & set(foundation.environments))
    ]
    names = [f"{set_plan.name}-{foundation.name}" for foundation in foundations]
    return [f"{name}/{stack.capitalize()}" if stack else f"{name}/*" for name in names for stack in (chosen or [""])]


def _check_bootstrapped(workspace: Workspace) -> None:
    toolkit = workspace.set_plan.names.toolkit_stack
    missing = []
    for foundation in workspace.set_plan.foundations:
        client = workspace.sessions.client("cloudformation", foundation.account)
        with aws_errors(f"account {foundation.account}"):
            if not stacks.describe(client, foundation.account, toolkit).complete:
                missing.append(foundation.account)
    if missing:
        raise DeployError(
            "accounts are not bootstrapped",
            where=", ".join(missing),
            got=f"no stack {toolkit}",
            expected="the bootstrap in every account of the set",
            fix="mlops bootstrap",
        )


def status(workspace: Workspace) -> list[Deployed]:
    """Return every planned stack as it is."""
    found = []
    for foundation in workspace.set_plan.foundations:
        client = workspace.sessions.client("cloudformation", foundation.account)
        for stack in foundation.stacks:
            with aws_errors(f"stack {stack.stack_name}"):
                state = stacks.describe(client, foundation.account, stack.stack_name)
            environment = "+".join(foundation.environments)
            found.append(
                Deployed(environment, foundation.account, stack.stack_name, state.status, outputs=state.outputs)
            )
    return found
