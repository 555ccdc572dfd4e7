"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.core.names import STAGES
from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.plan.specs import Claim, StackSpec

SPEC: Final = StackSpec(
    name="targets",
    description="What a project's deploy pipeline finds in an account: roles, boundary, the endpoints' key",
    environments=STAGES,
    builder="mlops_foundation.stacks.targets.stack:build",
    execution="mlops_foundation.stacks.targets.execution:statements",
    exports=("/{prefix}/endpoint/key-arn",),
    services=("kms", "ssm"),
    claims=lambda place: [
        Claim("role", name) for name in (place.names.deploy_action_role, place.names.deploy_execution_role)
    ],
    quotas=lambda _: {ROLES: 2},
    keys=("model endpoints",),
)
