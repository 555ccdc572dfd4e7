"""The network of one account: a VPC that is made, or word of one that is imported.

What other stacks need of it they read from SSM: the VPC, its private subnets, and the workloads' security groups.
"""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from mlops_foundation.config.network import ImportedVpc
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_vpc
from mlops_foundation.constructs.parameters import publish, publish_list
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import (
    PRIVATE_SUBNET_IDS,
    VPC_ID,
    WORKLOAD_SECURITY_GROUP_ID,
    WORKLOAD_SECURITY_GROUP_IDS,
)
from mlops_foundation.plan.addresses import address_plan
from mlops_foundation.stacks.network.endpoint_link import join
from mlops_foundation.stacks.network.endpoint_owner import share
from mlops_foundation.stacks.network.endpoint_policies import Passage
from mlops_foundation.stacks.network.endpoints import add_gateway, add_interfaces
from mlops_foundation.stacks.network.flow_logs import add_flow_logs
from mlops_foundation.stacks.network.security import let_in, workload_group


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build the network of one account."""
    stack = FoundationStack(scope, context)
    if context.network.imported:
        _imported(stack, context, context.network.imported)
    else:
        _made(stack, context)
    return stack


def _made(stack: FoundationStack, context: StackContext) -> None:
    vpc = _vpc(stack, context)
    workloads = workload_group(stack, vpc)
    add_gateway(context, vpc)
    add_flow_logs(stack, context, vpc)
    subnets = [subnet.subnet_id for subnet in (*vpc.private_subnets, *vpc.isolated_subnets)]
    _publish(stack, vpc.vpc_id, subnets, [workloads.security_group_id])
    shared = context.set_plan.sharing
    if shared and shared.uses(context.foundation):
        join(stack, context, shared, vpc)
    elif context.network.interface_endpoints:
        members = shared.members if shared else ()
        passage = Passage(context, [context.foundation, *members])
        made = add_interfaces(stack, context, vpc, passage, private_dns=shared is None)
        let_in(stack, "EndpointsIn", made[0], workloads, "Workloads to AWS services")
        if shared:
            share(stack, context, shared, vpc, made)


def _vpc(stack: FoundationStack, context: StackContext) -> ec2.Vpc:
    """Make the VPC; without NAT it has no public subnet and no internet gateway."""
    network, masks = context.network, address_plan(context.network).masks
    isolated, egress = ec2.SubnetType.PRIVATE_ISOLATED, ec2.SubnetType.PRIVATE_WITH_EGRESS
    subnets = [
        ec2.SubnetConfiguration(
            name="Private", subnet_type=egress if network.nat_gateways else isolated, cidr_mask=masks.private
        )
    ]
    if network.nat_gateways:
        public = ec2.SubnetType.PUBLIC
        subnets.append(
            ec2.SubnetConfiguration(
                name="Public", subnet_type=public, cidr_mask=masks.public, map_public_ip_on_launch=False
            )
        )
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(network.cidr),
        max_azs=network.az_count,
        nat_gateways=network.nat_gateways,
        restrict_default_security_group=False,
        subnet_configuration=subnets,
    )
    acknowledge_vpc(vpc)
    return vpc


def _imported(stack: FoundationStack, context: StackContext, imported: ImportedVpc) -> None:
    """Say where an existing VPC is; nothing of it is changed, and only a group that it lacks is made."""
    group_id = imported.security_group_id
    if group_id is None:
        # One zone stands for all: the group asks the VPC for nothing but its id.
        zones = [f"{context.region}a"]
        vpc = ec2.Vpc.from_vpc_attributes(stack, "Imported", vpc_id=imported.vpc_id, availability_zones=zones)
        group_id = workload_group(stack, vpc).security_group_id
    groups = [group_id, *imported.extra_security_group_ids]
    _publish(stack, imported.vpc_id, imported.private_subnet_ids, groups)


def _publish(stack: FoundationStack, vpc_id: str, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> None:
    publish(stack, "VpcId", VPC_ID, vpc_id)
    publish_list(stack, "PrivateSubnetIds", PRIVATE_SUBNET_IDS, subnet_ids)
    publish(stack, "SecurityGroupId", WORKLOAD_SECURITY_GROUP_ID, group_ids[0])
    publish_list(stack, "SecurityGroupIds", WORKLOAD_SECURITY_GROUP_IDS, group_ids)
