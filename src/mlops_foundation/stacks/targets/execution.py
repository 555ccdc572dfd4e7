"""What CloudFormation needs to deploy what pipelines find in an account."""

from mlops_foundation.constructs.execution import (
    ExecutionScope,
    Statement,
    keys,
    managed_policies,
    parameters,
    roles,
)


def statements(scope: ExecutionScope) -> list[Statement]:
    """Return the rights of the deployment of ``targets``."""
    names = scope.names
    deploy_roles = (names.deploy_action_role, names.deploy_execution_role)
    return [
        roles([scope.iam(f"role{names.role_path}{role}") for role in deploy_roles]),
        managed_policies([scope.iam(f"policy{names.role_path}{names.project_boundary}")]),
        *keys(scope, names.endpoint_key_alias),
        parameters(scope, names.endpoint_key_parameter),
    ]
