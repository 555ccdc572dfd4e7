"""What CloudFormation needs to deploy the network."""

from typing import Final

from mlops_foundation.constructs.execution import (
    ExecutionScope,
    Statement,
    custom_resource,
    keys,
    log_groups,
    may,
    parameters,
    pass_role,
    roles,
)
from mlops_foundation.core.names import role_arn
from mlops_foundation.plan.sharing import Sharing

_EC2: Final = (
    "AllocateAddress",
    "AssociateAddress",
    "AssociateRouteTable",
    "AttachInternetGateway",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateFlowLogs",
    "CreateInternetGateway",
    "CreateNatGateway",
    "CreateRoute",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateTags",
    "CreateVpc",
    "CreateVpcEndpoint",
    "DeleteFlowLogs",
    "DeleteInternetGateway",
    "DeleteNatGateway",
    "DeleteRoute",
    "DeleteRouteTable",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteTags",
    "DeleteVpc",
    "DeleteVpcEndpoints",
    "DetachInternetGateway",
    "DisassociateAddress",
    "DisassociateRouteTable",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "ModifyVpcEndpoint",
    "ReleaseAddress",
    "ReplaceRoute",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
)
_DESCRIBE: Final = (
    "Addresses",
    "AvailabilityZones",
    "FlowLogs",
    "InternetGateways",
    "NatGateways",
    "NetworkAcls",
    "NetworkInterfaces",
    "PrefixLists",
    "RouteTables",
    "SecurityGroupRules",
    "SecurityGroups",
    "Subnets",
    "Tags",
    "TransitGatewayAttachments",
    "TransitGatewayVpcAttachments",
    "TransitGateways",
    "VpcAttribute",
    "VpcEndpointServices",
    "VpcEndpoints",
    "VpcPeeringConnections",
    "Vpcs",
)


_NEW_ZONES: Final = ("ec2:DescribeVpcs", "route53:CreateHostedZone", "route53:ListHostedZonesByVPC")
_ZONES: Final = (
    "route53:AssociateVPCWithHostedZone",
    "route53:ChangeResourceRecordSets",
    "route53:ChangeTagsForResource",
    "route53:DeleteHostedZone",
    "route53:DisassociateVPCFromHostedZone",
    "route53:GetChange",
    "route53:GetHostedZone",
    "route53:ListQueryLoggingConfigs",
    "route53:ListResourceRecordSets",
    "route53:ListTagsForResource",
    "route53:UpdateHostedZoneComment",
)
_PEER: Final = ("ec2:CreateVpcPeeringConnection", "ec2:DeleteVpcPeeringConnection")
_ATTACH: Final = (
    "ec2:CreateTransitGatewayVpcAttachment",
    "ec2:DeleteTransitGatewayVpcAttachment",
    "ec2:ModifyTransitGatewayVpcAttachment",
)


def statements(scope: ExecutionScope) -> list[Statement]:
    """Return the rights of the network's deployment."""
    flow_logs = scope.iam(f"role{scope.names.role_path}{scope.names.prefix}-flow-logs-{scope.region}")
    return [
        may("Network", [f"ec2:{action}" for action in _EC2], [scope.arn("ec2", "*")]),
        may("ReadNetwork", [f"ec2:Describe{what}" for what in _DESCRIBE], ["*"], scope.in_region),
        # An interface endpoint's private name is a hosted zone that EC2 associates for the caller.
        may("PrivateNames", ["route53:AssociateVPCWithHostedZone"], ["arn:aws:route53:::hostedzone/*"]),
        log_groups("FlowLogGroup", [scope.arn("logs", f"log-group:/{scope.names.prefix}/*")]),
        may("FindLogGroups", ["logs:DescribeLogGroups"], ["*"], scope.in_region),
        roles([flow_logs, *_sharing_roles(scope)]),
        pass_role("vpc-flow-logs.amazonaws.com", flow_logs),
        *keys(scope),
        parameters(scope, "/vpc/*"),
        *_sharing(scope),
    ]


def _sharing_roles(scope: ExecutionScope) -> list[str]:
    """Return the ARN of the role that the account's side of shared endpoints has, when there are any."""
    shared, names = scope.sharing, scope.names
    if shared is None:
        return []
    if scope.account == shared.owner.account:
        return [scope.iam(f"role{names.role_path}{names.endpoint_owner_role(scope.region)}")]
    joins = any(scope.account == member.account for member in shared.members)
    return [scope.iam(f"role{names.role_path}{names.endpoint_link(scope.region)}")] if joins else []


def _sharing(scope: ExecutionScope) -> list[Statement]:
    """Return the rights that shared endpoints take besides, on the side that owns them and on the others."""
    shared = scope.sharing
    if shared is None:
        return []
    gateway = [may("TransitGateway", _ATTACH, [scope.arn("ec2", "*")])]
    attach = gateway if shared.settings.connection == "transit_gateway" else []
    if scope.account == shared.owner.account:
        zones = ["arn:aws:route53:::hostedzone/*", "arn:aws:route53:::change/*"]
        return [*attach, may("Zones", _ZONES, zones), may("NewZones", _NEW_ZONES, ["*"])]
    if not any(scope.account == member.account for member in shared.members):
        return []
    return [*(attach or [may("Peering", _PEER, [scope.arn("ec2", "*")])]), *_link(scope, shared)]


def _link(scope: ExecutionScope, shared: Sharing) -> list[Statement]:
    names = scope.names
    owner = role_arn(shared.owner.account, names.endpoint_owner_role(scope.region), names.role_path)
    accept = may("AcceptPeering", ["sts:AssumeRole"], [owner])
    return [accept, *custom_resource(scope, names.endpoint_link(scope.region))]
