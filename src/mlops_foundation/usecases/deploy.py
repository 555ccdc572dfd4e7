"""Bring the platform to its accounts: every stack with the cdk CLI, for one set of accounts or several at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mlops_foundation.aws import deploy as cdk
from mlops_foundation.aws import stacks
from mlops_foundation.core.errors import ConfigError, DeployError, FoundationError
from mlops_foundation.core.interrupt import workers
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.usecases import bootstrap_state, check_network, check_studio, preflight
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.deploy_order import Run, in_order, left_out_owners
from mlops_foundation.usecases.synth import current
from mlops_foundation.usecases.workspace import Workspace

Report = Callable[[str], None]
_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Deployed:
    """One stack after a deployment."""

    set_name: str
    environment: str
    account: str
    stack: str
    status: str
    seconds: float = 0.0
    outputs: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        fields = {("set" if name == "set_name" else name): value for name, value in vars(self).items()}
        return fields | {"outputs": dict(self.outputs), "seconds": round(self.seconds, 2)}


def assembly_folder(config_file: Path) -> Path:
    """Return where deployments keep their assembly: beside the configuration, ignored by git."""
    return config_file.absolute().parent / ".mlops-assembly"


def deploy(
    workspaces: Sequence[Workspace],
    config_file: Path,
    stages: Sequence[str],
    chosen: Sequence[str],
    extra: Sequence[str],
    report: Report,
) -> list[Deployed]:
    """Deploy the stacks of some sets to all their accounts, or some of them.

    What one platform engineer deploys is one run of the cdk CLI; runs of several engineers go on side by side. Networks
    that own shared endpoints go first.

    Args:
        workspaces: The sets.
        config_file: ``mlops.yaml``.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.
        extra: Arguments of ``cdk deploy``, passed through.
        report: Takes each line of the CLI.

    Raises:
        ConfigError: When there is no such stage or stack.
        PlanError: When the configuration has lost a platform or an account that lives, or an imported network lacks
            something; nothing is changed then.
        DeployError: When an account is not bootstrapped, or not for what is configured now; or when a network would
            wait for shared endpoints that nobody makes.
        StackFailed: With the CLI's error lines.
    """
    order = prepare(workspaces, stages, chosen)
    made = current(config_file, assembly_folder(config_file))

    def run(each: Run) -> None:
        workspace = each.workspace
        role = workspace.role_in(each.home, "platform-engineer")
        environment = workspace.sessions.environment(each.home, role)
        cdk.deploy(made.directory, workspace.set_plan.names.toolkit_stack, each.patterns, extra, environment, report)

    for runs in order:
        with workers(_AT_ONCE) as pool:
            finished = [pool.submit(run, each) for each in runs]
        raise_first([each.exception() for each in finished])
    return status(workspaces, stages, _with_needed(workspaces, chosen, extra))


def _with_needed(workspaces: Sequence[Workspace], chosen: Sequence[str], extra: Sequence[str]) -> list[str]:
    """Return the chosen stacks with those that they need: the cdk CLI deploys these too, unless it is told not to."""
    if {"--exclusively", "-e"} & set(extra):
        return list(chosen)
    planned = [stack for each in workspaces for found in each.set_plan.foundations for stack in found.stacks]
    needs = {stack.name: stack.needs for stack in planned}
    found = list(chosen)
    for name in found:
        found += [need for need in needs.get(name, ()) if need not in found]
    return found


def prepare(workspaces: Sequence[Workspace], stages: Sequence[str], chosen: Sequence[str]) -> list[list[Run]]:
    """Check everything that can be known before anything is changed, and return what is deployed after one another.

    Args:
        workspaces: The sets.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.

    Raises:
        FoundationError: As :func:`deploy` says.
    """
    _check_known(workspaces, stages, chosen)
    order = in_order(workspaces, stages, chosen)
    bootstrap_state.require(workspaces)
    preflight.require_living(workspaces, "platform-engineer")
    for each in workspaces:
        check_network.require_imported(each)
        check_studio.require_unchanged(each)
    require_owners(workspaces, stages, chosen)
    return order


def _check_known(workspaces: Sequence[Workspace], stages: Sequence[str], chosen: Sequence[str]) -> None:
    foundations = [each for workspace in workspaces for each in workspace.set_plan.foundations]
    known_stages = {stage for foundation in foundations for stage in foundation.environments}
    known_stacks = {stack.name for foundation in foundations for stack in foundation.stacks}
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


def require_owners(workspaces: Sequence[Workspace], stages: Sequence[str], chosen: Sequence[str]) -> None:
    """Let nobody wait for shared endpoints that are neither there nor deployed now.

    Args:
        workspaces: The sets.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.

    Raises:
        DeployError: When the network that owns them is not whole.
    """
    for each in left_out_owners(workspaces, stages, chosen):
        account = each.owner.account
        stack = next(stack for stack in each.owner.stacks if stack.owner_first)
        with aws_errors(f"stack {stack.stack_name}"):
            found = stacks.describe(
                each.workspace.sessions.client("cloudformation", account), account, stack.stack_name
            )
        if not found.complete:
            raise DeployError(
                "a network waits for shared endpoints that are not there",
                where=f"set {each.workspace.set_plan.name}, network.shared_endpoints",
                got=f"{stack.stack_name} of account {account}: {found.status}",
                expected=f"the network of {each.owner.name} deployed, before or with the others",
                fix=f"mlops deploy --stage {each.owner.name} --stack {stack.name}, then this again",
            )


def status(workspaces: Sequence[Workspace], stages: Sequence[str] = (), chosen: Sequence[str] = ()) -> list[Deployed]:
    """Return every planned stack as it is, or those of some stages and of these names.

    Args:
        workspaces: The sets.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.
    """

    def of(workspace: Workspace, foundation: Foundation) -> list[Deployed]:
        client = workspace.sessions.client("cloudformation", foundation.account)
        found = []
        for stack in foundation.stacks:
            if chosen and stack.name not in chosen:
                continue
            with aws_errors(f"stack {stack.stack_name}"):
                state = stacks.describe(client, foundation.account, stack.stack_name)
            found.append(
                Deployed(
                    workspace.set_plan.name,
                    "+".join(foundation.environments),
                    foundation.account,
                    stack.stack_name,
                    state.status,
                    outputs=state.outputs,
                )
            )
        return found

    places = [
        (each, foundation)
        for each in workspaces
        for foundation in each.set_plan.foundations
        if not stages or set(stages) & set(foundation.environments)
    ]
    with workers(_AT_ONCE) as pool:
        return [each for found in pool.map(lambda place: of(*place), places) for each in found]


def raise_first(failures: Sequence[BaseException | None]) -> None:
    """Raise what failed: a bug first, one error as it is, several as one error with all their problems."""
    found = [each for each in failures if each]
    for each in found:
        if not isinstance(each, FoundationError) or len(found) == 1:
            raise each
    if found:
        problems = [problem for each in found if isinstance(each, FoundationError) for problem in each.problems]
        raise DeployError(f"{len(found)} accounts failed", problems=problems)
