"""In which order the stacks of some sets are deployed: who deploys what in one run of the cdk CLI, and what goes first.

The accounts of a set need nothing of each other while they are deployed, with one exception: a network that reaches
shared endpoints waits for the one that owns them. The owners' networks go first, because what waits would otherwise
take the places of the CLI's ``--concurrency`` from what it waits for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.sharing import Sharing
from mlops_foundation.usecases.workspace import Workspace


@dataclass
class Run:
    """What one platform engineer deploys.

    Attributes:
        workspace: Any of the sets.
        home: The engineer's account.
        patterns: Stacks of the assembly.
    """

    workspace: Workspace
    home: str
    patterns: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Awaited:
    """An account that owns shared endpoints and is not deployed with those that wait for it."""

    workspace: Workspace
    owner: Foundation


def in_order(workspaces: Sequence[Workspace], stages: Sequence[str], chosen: Sequence[str]) -> list[list[Run]]:
    """Return what is deployed one after another; the runs of one list go on side by side.

    Args:
        workspaces: The sets.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.
    """
    first: dict[tuple[str, str], Run] = {}
    then: dict[tuple[str, str], Run] = {}
    for workspace in workspaces:
        set_plan = workspace.set_plan
        shared = _awaited(workspace, stages, chosen)
        for foundation in _deployed(workspace, stages):
            home = set_plan.engineer_account(foundation.account)
            key, name = (home, set_plan.region), f"{set_plan.name}-{foundation.name}"
            if shared and shared.owned_by(foundation):
                awaited = [f"{name}/{stack.name.capitalize()}" for stack in foundation.stacks if stack.owner_first]
                first.setdefault(key, Run(workspace, home)).patterns.extend(awaited)
            run = then.setdefault(key, Run(workspace, home))
            run.patterns += [f"{name}/{stack.capitalize()}" for stack in chosen] or [f"{name}/*"]
    return [list(runs.values()) for runs in (first, then) if runs]


def left_out_owners(workspaces: Sequence[Workspace], stages: Sequence[str], chosen: Sequence[str]) -> list[Awaited]:
    """Return the owners of shared endpoints that somebody waits for and nobody deploys."""
    found = []
    for workspace in workspaces:
        shared = _awaited(workspace, stages, chosen)
        if shared and not any(shared.owned_by(each) for each in _deployed(workspace, stages)):
            found.append(Awaited(workspace, shared.owner))
    return found


def _deployed(workspace: Workspace, stages: Sequence[str]) -> list[Foundation]:
    return [
        each
        for each in workspace.set_plan.foundations
        if each.stacks and (not stages or set(stages) & set(each.environments))
    ]


def _awaited(workspace: Workspace, stages: Sequence[str], chosen: Sequence[str]) -> Sharing | None:
    """Return how a set shares endpoints, when a stack that waits for them is deployed."""
    shared = workspace.set_plan.sharing
    if shared is None:
        return None
    members = [each for each in _deployed(workspace, stages) if shared.uses(each)]
    waiting = {stack.name for each in members for stack in each.stacks if stack.owner_first}
    return shared if waiting & set(chosen or waiting) else None
