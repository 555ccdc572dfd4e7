"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.core.names import PERSONAS, persona_role, studio_domain
from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.plan.specs import Claim, ClaimScope, QuotaScope, StackSpec

_PEOPLE: Final = tuple(persona for persona in PERSONAS if persona != "platform-engineer")


def _claims(place: ClaimScope) -> list[Claim]:
    roles = [Claim("role", persona_role(persona, place.region, place.account)) for persona in _PEOPLE]
    return [*roles, Claim("Studio domain", studio_domain(place.region))]


def _quotas(place: QuotaScope) -> dict[str, int]:
    """Return the roles: of people, of the function that switches templates, and of Studio's apps unless imported."""
    imported = place.vpc.imported
    apps = 0 if imported and imported.execution_role_arn else 2
    return {ROLES: len(_PEOPLE) + 1 + apps}


SPEC: Final = StackSpec(
    name="studio",
    description="SageMaker Studio domain and user profiles, persona roles and their policies",
    environments=("dev",),
    builder="mlops_foundation.stacks.studio.stack:build",
    execution="mlops_foundation.stacks.studio.execution:statements",
    needs=("network",),
    config_section="studio",
    exports=("/{prefix}/role/ds", "/{prefix}/role/lead", "/{prefix}/role/execution", "/{prefix}/studio/domain-id"),
    services=("kms", "lambda", "logs", "sagemaker", "ssm"),
    claims=_claims,
    quotas=_quotas,
    keys=("Studio",),
)
