"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.core.names import PERSONAS, persona_role, studio_domain
from mlops_foundation.plan.specs import Claim, ClaimScope, StackSpec


def _claims(place: ClaimScope) -> list[Claim]:
    people = [persona for persona in PERSONAS if persona != "platform-engineer"]
    roles = [Claim("role", persona_role(persona, place.region, place.account)) for persona in people]
    return [*roles, Claim("Studio domain", studio_domain(place.region))]


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
    keys=("Studio",),
)
