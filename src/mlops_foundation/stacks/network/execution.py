"""What CloudFormation needs to deploy the network."""

from typing import Final

from mlops_foundation.constructs.execution import ExecutionScope, Statement, keys, may, parameters, pass_role, roles

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
    "NetworkInterfaces",
    "PrefixLists",
    "RouteTables",
    "SecurityGroupRules",
    "SecurityGroups",
    "Subnets",
    "Tags",
    "VpcAttribute",
    "VpcEndpointServices",
    "VpcEndpoints",
    "Vpcs",
)


def statements(scope: ExecutionScope) -> list[Statement]:
    """Return the rights of the network's deployment."""
    flow_logs = scope.iam(f"role{scope.names.role_path}{scope.names.prefix}-flow-logs-{scope.region}")
    return [
        may("Network", [f"ec2:{action}" for action in _EC2], [scope.arn("ec2", "*")]),
        may("ReadNetwork", [f"ec2:Describe{what}" for what in _DESCRIBE], ["*"], scope.in_region),
        # An interface endpoint's private name is a hosted zone that EC2 associates for the caller.
        may("PrivateNames", ["route53:AssociateVPCWithHostedZone"], ["arn:aws:route53:::hostedzone/*"]),
        may(
            "FlowLogGroup",
            [
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:DisassociateKmsKey",
                "logs:ListTagsForResource",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            [scope.arn("logs", f"log-group:/{scope.names.prefix}/*")],
        ),
        may("FindLogGroups", ["logs:DescribeLogGroups"], ["*"], scope.in_region),
        roles([flow_logs]),
        pass_role(flow_logs, "vpc-flow-logs.amazonaws.com"),
        *keys(scope),
        parameters(scope, "/vpc/*"),
    ]
