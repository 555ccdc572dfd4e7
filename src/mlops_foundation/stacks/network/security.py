"""The workloads' security group: what they may say to one another, and to whom outside."""

from aws_cdk import aws_ec2 as ec2

from mlops_foundation.constructs.nag import acknowledge_own_members
from mlops_foundation.constructs.stack import FoundationStack

HTTPS, NFS = 443, 2049
ALL_PROTOCOLS = "-1"


def workload_group(stack: FoundationStack, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """Make the group of Studio's apps, builds, jobs and endpoints.

    Everything among its members: the instances of a distributed job choose their ports, and so do Studio's apps and
    kernels. NFS has a rule of its own, so that home directories stay reachable whatever becomes of the first rule.
    HTTPS to anywhere: S3 has no address of its own that a rule could name without a look-up, so that routes and the
    policies of the endpoints, and not this group, decide where it leads. Without NAT no route leads out of the VPC.
    """
    group = ec2.SecurityGroup(
        stack, "Workloads", vpc=vpc, description="Studio, builds and jobs", allow_all_outbound=False
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "AWS services and package indexes over TLS")
    _among_members(stack, group, "Workloads", "distributed jobs, Studio's apps and kernels", ALL_PROTOCOLS)
    _among_members(stack, group, "HomeDirectories", "NFS, Studio's home directories", "tcp", NFS)
    return group


def let_in(
    stack: FoundationStack, construct_id: str, group: ec2.ISecurityGroup, peer: ec2.ISecurityGroup, description: str
) -> None:
    """Let the members of one group reach another one over HTTPS."""
    ec2.CfnSecurityGroupIngress(
        stack,
        construct_id,
        group_id=group.security_group_id,
        source_security_group_id=peer.security_group_id,
        ip_protocol="tcp",
        from_port=HTTPS,
        to_port=HTTPS,
        description=description,
    )


def let_in_block(
    stack: FoundationStack, construct_id: str, group: ec2.ISecurityGroup, block: str, description: str
) -> None:
    """Let a block of addresses reach a group over HTTPS: a group of another account's VPC cannot be named."""
    ec2.CfnSecurityGroupIngress(
        stack,
        construct_id,
        group_id=group.security_group_id,
        cidr_ip=block,
        ip_protocol="tcp",
        from_port=HTTPS,
        to_port=HTTPS,
        description=description,
    )


def _among_members(
    stack: FoundationStack,
    group: ec2.SecurityGroup,
    construct_id: str,
    what: str,
    protocol: str,
    port: int | None = None,
) -> None:
    # Rules of their own resources, because a group cannot name itself; add_ingress_rule would put the set's name into
    # their logical ids.
    rule = ec2.CfnSecurityGroupIngress(
        stack,
        f"{construct_id}In",
        group_id=group.security_group_id,
        source_security_group_id=group.security_group_id,
        ip_protocol=protocol,
        from_port=port,
        to_port=port,
        description=f"Workloads among themselves: {what}",
    )
    acknowledge_own_members(rule)
    ec2.CfnSecurityGroupEgress(
        stack,
        f"{construct_id}Out",
        group_id=group.security_group_id,
        destination_security_group_id=group.security_group_id,
        ip_protocol=protocol,
        from_port=port,
        to_port=port,
        description=f"Workloads among themselves: {what}",
    )
