"""What of Studio can never be changed once its domain is there."""

from typing import Final

from mlops_foundation.aws import stacks, studio
from mlops_foundation.core.arns import AccountId
from mlops_foundation.core.errors import PlanError
from mlops_foundation.core.names import studio_domain
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace

_MADE_NOTHING: Final = frozenset({"ABSENT", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"})


def require_unchanged(workspace: Workspace) -> None:
    """Let a deployment begin only when the deployed domain signs people in as the configuration says.

    CloudFormation would replace the domain: a new one with the same name, which SageMaker refuses, halfway.

    Args:
        workspace: The set.

    Raises:
        PlanError: When the domain has another ``auth_mode``, or is not ours; nothing is changed.
    """
    wanted, account = workspace.config.studio.auth_mode, workspace.account("dev")
    name = studio_domain(workspace.set_plan.region)
    with aws_errors(f"account {account}"):
        found = studio.find(workspace.sessions.client("sagemaker", account), name)
    if found is None:
        return
    _require_ours(workspace, account, name, found)
    if found.auth_mode == wanted:
        return
    raise PlanError(
        "studio.auth_mode cannot be changed once the domain is there; nothing was changed",
        where=f"set {workspace.set_plan.name}, account {account}, domain {found.domain_id}",
        got=f"auth_mode: {wanted}",
        expected=f"auth_mode: {found.auth_mode}, as the deployed domain has it",
        fix=f"set studio.auth_mode to {found.auth_mode}, or remove the domain first; with it go its users' files",
    )


def _require_ours(workspace: Workspace, account: AccountId, name: str, found: studio.Domain) -> None:
    """A domain outlives its stack: a new stack would make a second one with the same name, which SageMaker refuses."""
    stack = workspace.set_plan.names.stack("studio", "dev")
    with aws_errors(f"account {account}"):
        state = stacks.describe(workspace.sessions.client("cloudformation", account), account, stack)
    if state.status in _MADE_NOTHING:
        raise PlanError(
            f"there is a Studio domain called {name} that no stack of ours has; nothing was changed",
            where=f"set {workspace.set_plan.name}, account {account}",
            got=f"domain {found.domain_id}, and the stack {stack}: {state.status}",
            expected="no domain, or the stack that made it",
            fix=f"copy its users' files, then: aws sagemaker delete-domain --domain-id {found.domain_id}",
        )
