"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.core.names import (
    PRIVATE_SUBNET_IDS,
    STAGES,
    VPC_ID,
    WORKLOAD_SECURITY_GROUP_ID,
    WORKLOAD_SECURITY_GROUP_IDS,
)
from mlops_foundation.plan.quotas import ELASTIC_ADDRESSES, VPCS
from mlops_foundation.plan.specs import StackSpec

SPEC: Final = StackSpec(
    name="network",
    description="VPC, subnets, NAT, VPC endpoints, security groups and flow logs",
    environments=STAGES,
    builder="mlops_foundation.stacks.network.stack:build",
    execution="mlops_foundation.stacks.network.execution:statements",
    config_section="network",
    # Also governance, when it owns the endpoints that the stages share.
    also_in=lambda config: (config.network.shared_endpoints.owner,) if config.network.shared_endpoints else (),
    exports=(VPC_ID, PRIVATE_SUBNET_IDS, WORKLOAD_SECURITY_GROUP_ID, WORKLOAD_SECURITY_GROUP_IDS),
    services=("kms", "lambda", "logs", "ssm"),
    quotas=lambda vpc: {} if vpc.imported else {VPCS: 1, ELASTIC_ADDRESSES: vpc.nat_gateways},
)
