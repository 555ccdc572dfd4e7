"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.plan.quotas import ROLES
from mlops_foundation.plan.specs import StackSpec

SPEC: Final = StackSpec(
    name="catalog",
    description="Service Catalog portfolio, the product SageMaker Project and its launch role",
    environments=("dev",),
    builder="mlops_foundation.stacks.catalog.stack:build",
    execution="mlops_foundation.stacks.catalog.execution:statements",
    needs=("targets", "studio"),
    exports=("/{prefix}/catalog/product-id", "/{prefix}/catalog/portfolio-id"),
    services=("servicecatalog", "ssm"),
    quotas=lambda _: {ROLES: 1},
)
