"""The VPC that a job or a model runs in: what SageMaker checks before it puts network interfaces there.

Sources: "Give SageMaker Training Jobs Access to Resources in Your Amazon VPC" and "SageMaker Roles" in the developer
guide for the permissions; EC2's own sentences about subnets and groups that it does not find.
"""

from collections.abc import Mapping
from typing import Final

from mlops_foundation.local.closed_proxy import CLOSED_PROXY
from mlops_foundation.local.contract import Call, Check, Cloud, Json, Principal, Scope, ServiceError

_READS: Final = (
    "DescribeDhcpOptions", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs",
)  # fmt: skip
_ON_INTERFACES: Final = ("CreateNetworkInterface", "CreateNetworkInterfacePermission", "DeleteNetworkInterface")


def vpc_of(request: Json) -> Json | None:
    """Return the VpcConfig of a job or a model, None when it runs in no VPC of the account."""
    found: Json | None = request.get("VpcConfig") or request.get("NetworkConfig", {}).get("VpcConfig")
    return found


def admit_vpc(call: Call, request: Json) -> None:
    """Refuse subnets and security groups that the account has not, before anything is made."""
    vpc = vpc_of(request)
    fault = call.cloud.vpc_fault(call.scope, vpc["Subnets"], vpc["SecurityGroupIds"]) if vpc else ""
    if fault:
        raise ServiceError("ValidationException", fault)


def attach(cloud: Cloud, principal: Principal, scope: Scope, vpc: Json) -> None:
    """Ask for everything that a role needs to have its network interfaces made.

    Raises:
        ServiceError: ``AccessDeniedException`` for the first action that it may not do.
    """
    arn = f"arn:aws:ec2:{scope.region}:{scope.account}:"
    checks = [Check(f"ec2:{name}", "*") for name in _READS]
    checks += [Check(f"ec2:{name}", f"{arn}network-interface/*") for name in _ON_INTERFACES]
    members = [*(f"subnet/{each}" for each in vpc["Subnets"])]
    members += [f"security-group/{each}" for each in vpc["SecurityGroupIds"]]
    checks += [Check("ec2:CreateNetworkInterface", f"{arn}{member}") for member in members]
    for check in checks:
        cloud.authorize(principal, check, region=scope.region)


def way_out(cloud: Cloud, scope: Scope, vpc: Json | None) -> Mapping[str, str]:
    """Return the variables of a container by where its VPC leads: a closed proxy when that is nowhere."""
    return {} if vpc is None or cloud.leads_out(scope, vpc["Subnets"]) else CLOSED_PROXY
