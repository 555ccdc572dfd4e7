"""What the platform knows of this stack before it builds it."""

from typing import Final

from mlops_foundation.core.names import (
    PRIVATE_SUBNET_IDS,
    STAGES,
    VPC_ID,
    WORKLOAD_SECURITY_GROUP_ID,
    WORKLOAD_SECURITY_GROUP_IDS,
)
from mlops_foundation.plan.quotas import ELASTIC_ADDRESSES, ROLES, VPCS
from mlops_foundation.plan.specs import QuotaScope, StackSpec


def _quotas(place: QuotaScope) -> dict[str, int]:
    """Return what a VPC takes; with shared endpoints the owner has a role that others take, and these a function's."""
    vpc = place.vpc
    if vpc.imported:
        return {}
    roles = int(vpc.flow_logs.enabled) + int(vpc.shared_endpoints is not None)
    return {VPCS: 1, ELASTIC_ADDRESSES: vpc.nat_gateways, ROLES: roles}


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
    quotas=_quotas,
    owner_first=True,
)
