"""What a network cannot be, said before synth: subnets do not fit, a region lacks an endpoint, blocks overlap."""

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from mlops_foundation.config.endpoints import in_region
from mlops_foundation.config.models import Config
from mlops_foundation.config.network import Vpc
from mlops_foundation.config.regions import TABLES_DATE
from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import Problem
from mlops_foundation.plan.addresses import SMALLEST_SUBNET, address_plan
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import SetPlan
from mlops_foundation.plan.network_check import Place, check_addresses
from mlops_foundation.plan.network_view import planned
from mlops_foundation.plan.sharing import Sharing


def check_vpcs(config: Config, set_plan: SetPlan) -> list[Problem]:
    """Return what is wrong with the networks of a set; what is wrong in several of them is said once."""
    merged: dict[Problem, list[str]] = {}
    for found in _problems(config, set_plan):
        merged.setdefault(replace(found, where=""), []).append(found.where)
    return [replace(each, where="; ".join(places)) for each, places in merged.items()]


def _problems(config: Config, set_plan: SetPlan) -> Iterator[Problem]:
    yield from _owner(config, set_plan)
    shared = set_plan.sharing
    for foundation in set_plan.foundations:
        if not foundation.stages and not (shared and shared.owned_by(foundation)):
            continue
        vpc = foundation.vpc
        where = f"set {set_plan.name}, {foundation.name}"
        if vpc.imported:
            continue
        if not vpc.cidr:
            yield _without_block(where)
            continue
        problems = [*_zones(vpc, where, set_plan.region), *_endpoints(vpc, where, set_plan.region)]
        yield from problems or _sizes(config, foundation, vpc, where, shared)
    if shared:
        yield from _sharing(shared, f"set {set_plan.name}, network.shared_endpoints")


def _zones(vpc: Vpc, where: str, region: Region) -> Iterator[Problem]:
    if vpc.nat_gateways > vpc.az_count:
        yield Problem(
            what="there are more NAT gateways than availability zones",
            where=where,
            got=f"{vpc.nat_gateways} in {vpc.az_count}",
            expected="at most one NAT gateway for each zone",
            fix=f"set nat_gateways to {vpc.az_count} or less",
        )
    elsewhere = [] if isinstance(vpc.azs, int) else [zone for zone in vpc.azs if zone[:-1] != region]
    if elsewhere:
        yield Problem(
            what="an availability zone is in another region",
            where=where,
            got=", ".join(elsewhere),
            expected=f"zones of {region}",
            fix="correct network.azs, or name their number",
        )


def _endpoints(vpc: Vpc, where: str, region: Region) -> Iterator[Problem]:
    for name in vpc.endpoints:
        if not in_region(name, region):
            yield Problem(
                what=f"the region has no endpoint {name}",
                where=where,
                got=f"{name} in {region}",
                expected=f"a service that is in the region, by the table of {TABLES_DATE} in config/regions.py",
                fix=f"take {name} out of network.endpoints, or leave endpoints out for all that the region has",
            )


def _without_block(where: str) -> Problem:
    return Problem(
        what="the owner of the shared endpoints has no block of addresses",
        where=where,
        got="network.cidr without governance",
        expected="a block for every VPC",
        fix="add governance to network.cidr",
    )


def _sizes(config: Config, foundation: Foundation, vpc: Vpc, where: str, shared: Sharing | None) -> Iterator[Problem]:
    plan = address_plan(vpc)
    if not plan.fits:
        total = len(plan.private) + len(plan.public)
        yield Problem(
            what="the subnets do not fit into the VPC",
            where=where,
            got=f"{len(plan.private)} of /{plan.masks.private} and {len(plan.public)} of /{plan.masks.public} "
            f"in {vpc.cidr}",
            expected=f"{total} subnets inside the block, each at most a /{SMALLEST_SUBNET}",
            fix="larger numbers in network.subnet_masks (smaller subnets), a larger network.cidr, or fewer azs",
        )
        return
    users = len(config.studio.users) + 1 if "dev" in foundation.stages else 0
    place = Place(
        foundation.name, foundation.account, foundation.region, foundation.stages, users, foundation.workloads
    )
    owner = shared.owner.vpc if shared and shared.uses(foundation) else None
    for finding in check_addresses(place, planned(vpc, foundation.region, owner)):
        if not finding.green:
            yield Problem(finding.what, where, finding.got, finding.expected, finding.fix)


def _owner(config: Config, set_plan: SetPlan) -> Iterator[Problem]:
    settings = config.network.shared_endpoints
    if settings is None:
        return
    where = f"set {set_plan.name}, network.shared_endpoints.owner"
    if settings.owner not in set_plan.accounts:
        yield Problem(
            what="the owner of the shared endpoints has no account",
            where=where,
            got=settings.owner,
            expected=f"one of {', '.join(set_plan.accounts)}",
            fix="name another owner, or add the account",
        )
        return
    owner = set_plan.foundation(settings.owner)
    vpc = owner.vpc
    if vpc.imported:
        yield Problem(
            what="the owner of the shared endpoints has an imported VPC, in which nothing is changed",
            where=where,
            got=f"{settings.owner}, {vpc.imported.vpc_id}",
            expected="an owner whose VPC the platform makes",
            fix="name another owner; imported VPCs keep endpoints of their own",
        )
    elif not vpc.interface_endpoints:
        yield Problem(
            what="there is no interface endpoint to share",
            where=where,
            got=f"endpoints of {owner.name}: {', '.join(vpc.endpoints) or 'none'}",
            expected="at least one endpoint beside s3, whose gateway every VPC has of its own",
            fix="name endpoints in network.endpoints, or take shared_endpoints out",
        )
    elif not owner.stages and set_plan.sharing is None:
        yield Problem(
            what="nobody shares the endpoints: every other VPC is imported",
            where=where,
            got=settings.owner,
            expected="at least one VPC that the platform makes",
            fix="take shared_endpoints out; imported VPCs keep endpoints of their own",
        )


def _sharing(shared: Sharing, where: str) -> Iterator[Problem]:
    everybody = (shared.owner, *shared.members)
    for first, second in combinations(everybody, 2):
        if not (first.vpc.cidr and second.vpc.cidr):
            continue
        blocks = ipaddress.IPv4Network(first.vpc.cidr), ipaddress.IPv4Network(second.vpc.cidr)
        if blocks[0].overlaps(blocks[1]):
            yield Problem(
                what="VPCs that are connected have overlapping addresses",
                where=where,
                got=f"{first.name} {blocks[0]}, {second.name} {blocks[1]}",
                expected="blocks that share no address: routes lead to one VPC only",
                fix="give each stage its own block in network.cidr or below its stages:",
            )
    for member in shared.members:
        lacking = [each for each in member.vpc.interface_endpoints if each not in shared.owner.vpc.endpoints]
        if lacking:
            yield Problem(
                what=f"{member.name} asks for endpoints that the owner of the shared endpoints has not",
                where=where,
                got=", ".join(lacking),
                expected=f"endpoints of {shared.owner.name}",
                fix=f"add them to the endpoints of {shared.owner.name}, or take them out",
            )
