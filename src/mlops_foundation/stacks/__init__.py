"""The platform's stacks, one folder each, in the order they are deployed.

Adding one is a folder with a builder and a line here.
"""

from typing import Final

from mlops_foundation.core.names import (
    PRIVATE_SUBNET_IDS,
    STAGES,
    VPC_ID,
    WORKLOAD_SECURITY_GROUP_ID,
    WORKLOAD_SECURITY_GROUP_IDS,
)
from mlops_foundation.plan.models import StackSpec

STACKS: Final[tuple[StackSpec, ...]] = (
    StackSpec(
        name="network",
        description="VPC, subnets, NAT, VPC endpoints, security groups and flow logs",
        environments=STAGES,
        builder="mlops_foundation.stacks.network.stack:build",
        execution="mlops_foundation.stacks.network.execution:statements",
        config_section="network",
        # Also governance, when it owns the endpoints that the stages share.
        also_in=lambda config: (config.network.shared_endpoints.owner,) if config.network.shared_endpoints else (),
        exports=(VPC_ID, PRIVATE_SUBNET_IDS, WORKLOAD_SECURITY_GROUP_ID, WORKLOAD_SECURITY_GROUP_IDS),
    ),
    StackSpec(
        name="targets",
        description="What a project's deploy pipeline finds in an account: roles, boundary, the endpoints' key",
        environments=STAGES,
        builder="mlops_foundation.stacks.targets.stack:build",
        execution="mlops_foundation.stacks.targets.execution:statements",
        exports=("/{prefix}/endpoint/key-arn",),
    ),
    StackSpec(
        name="packages",
        description="Private package index of the builds: CodeArtifact in front of the public one",
        environments=("dev",),
        builder="mlops_foundation.stacks.packages.stack:build",
        execution="mlops_foundation.stacks.packages.execution:statements",
        config_section="packages",
        exports=("/{prefix}/packages/domain", "/{prefix}/packages/repository", "/{prefix}/packages/repository-arn"),
        wanted=lambda config: config.packages.private,
    ),
    StackSpec(
        name="studio",
        description="SageMaker Studio domain and user profiles, persona roles and their policies",
        environments=("dev",),
        builder="mlops_foundation.stacks.studio.stack:build",
        execution="mlops_foundation.stacks.studio.execution:statements",
        needs=("network",),
        config_section="studio",
        exports=("/{prefix}/role/ds", "/{prefix}/role/lead", "/{prefix}/role/execution", "/{prefix}/studio/domain-id"),
    ),
    StackSpec(
        name="catalog",
        description="Service Catalog portfolio, the product SageMaker Project and its launch role",
        environments=("dev",),
        builder="mlops_foundation.stacks.catalog.stack:build",
        execution="mlops_foundation.stacks.catalog.execution:statements",
        needs=("targets", "studio"),
        exports=("/{prefix}/catalog/product-id", "/{prefix}/catalog/portfolio-id"),
    ),
)
