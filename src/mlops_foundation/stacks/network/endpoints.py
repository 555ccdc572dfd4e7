"""VPC endpoints: the gateway to S3 in each VPC, and the interfaces behind a security group of their own."""

from aws_cdk import aws_ec2 as ec2

from mlops_foundation.config.endpoints import ENDPOINTS, GATEWAY, EndpointName
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.stacks.network.endpoint_policies import Passage


def add_gateway(context: StackContext, vpc: ec2.Vpc) -> None:
    """Add the gateway to S3, when the configuration switches it on."""
    if GATEWAY not in context.network.endpoints:
        return
    s3 = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    for statement in Passage(context, [context.foundation]).statements(ENDPOINTS[GATEWAY]):
        s3.add_to_policy(statement)


def add_interfaces(
    stack: FoundationStack, context: StackContext, vpc: ec2.Vpc, passage: Passage, *, private_dns: bool
) -> tuple[ec2.SecurityGroup, dict[EndpointName, ec2.InterfaceVpcEndpoint]]:
    """Add the interface endpoints that the configuration switches on.

    Args:
        stack: Where.
        context: What it is built from.
        vpc: The VPC that has them.
        passage: Who may reach whom through them.
        private_dns: Whether they answer to their services' names in this VPC themselves.

    Returns:
        Their security group, and each endpoint by its name in the configuration.
    """
    group = ec2.SecurityGroup(stack, "Endpoints", vpc=vpc, description="Interface endpoints", allow_all_outbound=False)
    made: dict[EndpointName, ec2.InterfaceVpcEndpoint] = {}
    for name in context.network.interface_endpoints:
        endpoint = ENDPOINTS[name]
        made[name] = vpc.add_interface_endpoint(
            endpoint.id,
            service=ec2.InterfaceVpcEndpointService(endpoint.service_name(context.region), 443),
            private_dns_enabled=private_dns,
            open=False,
            security_groups=[group],
            subnets=ec2.SubnetSelection(subnets=[*vpc.private_subnets, *vpc.isolated_subnets]),
        )
        for statement in passage.statements(endpoint):
            made[name].add_to_policy(statement)
    return group, made
