"""What of Studio can never be changed once its domain is there."""

from mlops_foundation.aws import studio
from mlops_foundation.core.errors import PlanError
from mlops_foundation.core.names import studio_domain
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace


def require_unchanged(workspace: Workspace) -> None:
    """Let a deployment begin only when the deployed domain signs people in as the configuration says.

    CloudFormation would replace the domain: a new one with the same name, which SageMaker refuses, halfway.

    Args:
        workspace: The set.

    Raises:
        PlanError: When the domain has another ``auth_mode``; nothing is changed.
    """
    wanted, account = workspace.config.studio.auth_mode, workspace.account("dev")
    with aws_errors(f"account {account}"):
        sagemaker = workspace.sessions.client("sagemaker", account)
        found = studio.find(sagemaker, studio_domain(workspace.set_plan.region))
    if found is None or found.auth_mode == wanted:
        return
    raise PlanError(
        "studio.auth_mode cannot be changed once the domain is there; nothing was changed",
        where=f"set {workspace.set_plan.name}, account {account}, domain {found.domain_id}",
        got=f"auth_mode: {wanted}",
        expected=f"auth_mode: {found.auth_mode}, as the deployed domain has it",
        fix=f"set studio.auth_mode to {found.auth_mode}, or remove the domain first; with it go its users' files",
    )
