"""VPC endpoints with their policies: what may pass, for principals of the platform's accounts."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from mlops_foundation.config.endpoints import ENDPOINTS, VpcEndpoint
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.stack import FoundationStack


def add_endpoints(stack: FoundationStack, context: StackContext, vpc: ec2.Vpc, workloads: ec2.ISecurityGroup) -> None:
    """Add the endpoints that the configuration switches on, behind a security group of their own."""
    switched = [ENDPOINTS[name] for name in context.network.endpoints]
    interfaces = [endpoint for endpoint in switched if endpoint.id != "S3"]
    if len(interfaces) < len(switched):
        s3 = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        for statement in (*_statements(context, ENDPOINTS["s3"]), *_aws_owned_buckets(context)):
            s3.add_to_policy(statement)
    if not interfaces:
        return
    group = ec2.SecurityGroup(stack, "Endpoints", vpc=vpc, description="Interface endpoints", allow_all_outbound=False)
    ec2.CfnSecurityGroupIngress(
        stack,
        "EndpointsIn",
        group_id=group.security_group_id,
        source_security_group_id=workloads.security_group_id,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        description="Workloads to AWS services",
    )
    for endpoint in interfaces:
        made = vpc.add_interface_endpoint(
            endpoint.id,
            service=ec2.InterfaceVpcEndpointService(endpoint.service_name(context.region), 443),
            private_dns_enabled=True,
            open=False,
            security_groups=[group],
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        )
        for statement in _statements(context, endpoint):
            made.add_to_policy(statement)


def _statements(context: StackContext, endpoint: VpcEndpoint) -> list[iam.PolicyStatement]:
    """An endpoint's policy can name principals only by condition: AWS takes nothing but ``*`` for gateways."""
    return [
        iam.PolicyStatement(
            sid="OwnAccounts",
            principals=[iam.AnyPrincipal()],
            actions=list(endpoint.actions),
            resources=["*"],
            conditions={"StringEquals": {"aws:PrincipalAccount": sorted(set(context.accounts.values()))}},
        )
    ]


def _aws_owned_buckets(context: StackContext) -> list[iam.PolicyStatement]:
    """Image layers are read from ECR's own bucket, with ECR's credentials."""
    return [
        iam.PolicyStatement(
            sid="ImageLayers",
            principals=[iam.AnyPrincipal()],
            actions=["s3:GetObject"],
            resources=[f"arn:aws:s3:::prod-{context.region}-starport-layer-bucket/*"],
        )
    ]
