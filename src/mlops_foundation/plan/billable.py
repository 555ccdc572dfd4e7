"""What the platform's stacks make in each account that AWS charges for while nothing uses it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mlops_foundation.config.endpoints import ENDPOINTS, GATEWAY
from mlops_foundation.config.models import Config
from mlops_foundation.config.network import SharedEndpoints
from mlops_foundation.core.names import ENVIRONMENTS
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.plan.models import SetPlan
from mlops_foundation.plan.prices import Resource
from mlops_foundation.plan.sharing import Sharing, sharing

Mode = Literal["own", "shared"]
"""Interface endpoints in every VPC, or in one VPC that the others reach."""


@dataclass(frozen=True)
class Billable:
    """Some of one kind of resource in one account.

    Attributes:
        resource: Which kind.
        count: How many AWS charges for.
        detail: What they are.
    """

    resource: Resource
    count: int
    detail: str = ""


def in_mode(config: Config, mode: Mode, set_plan: SetPlan) -> Sharing | None:
    """Return how a set shares its endpoints in a mode, also in the one that the configuration does not choose.

    Where it chooses none, governance would own them, by peering: no stage then depends on another one's network.
    Without governance it is the first stage whose VPC the platform makes.
    """
    if mode == "own":
        return None
    return next(filter(None, (sharing(each, set_plan.foundations) for each in _choices(config, set_plan))), None)


def _choices(config: Config, set_plan: SetPlan) -> Iterator[SharedEndpoints]:
    if config.network.shared_endpoints is not None:
        yield config.network.shared_endpoints
        return
    for environment in ENVIRONMENTS:
        if environment in set_plan.accounts and set_plan.foundation(environment).vpc.imported is None:
            yield SharedEndpoints(owner=environment)


def billable(foundation: Foundation, shared: Sharing | None) -> tuple[Billable, ...]:
    """Return what one account has that AWS charges for.

    Args:
        foundation: The account.
        shared: Who owns the interface endpoints; None when each VPC has its own.
    """
    found = [*_network(foundation, shared), _keys(foundation, shared)]
    return tuple(each for each in found if each.count)


def _network(foundation: Foundation, shared: Sharing | None) -> Iterator[Billable]:
    vpc = foundation.vpc
    if not foundation.has_vpc(shared) or vpc.imported:
        return
    yield Billable("nat_gateway", vpc.nat_gateways)
    yield Billable("public_ipv4", vpc.nat_gateways, "of the NAT gateways")
    yield Billable("gateway_endpoint", vpc.endpoints.count(GATEWAY))
    if shared is None or shared.owned_by(foundation):
        count, zones = len(vpc.interface_endpoints), vpc.az_count
        yield Billable("interface_endpoint", count * zones, f"{count} endpoints, each in {zones} zones")
    if shared is not None:
        yield from _shared(foundation, shared)


def _shared(foundation: Foundation, shared: Sharing) -> Iterator[Billable]:
    """Yield the names of the endpoints, which are the owner's, and the connection; who asks for a peering has it."""
    if shared.owned_by(foundation):
        names = {
            zone for name in foundation.vpc.interface_endpoints for zone in ENDPOINTS[name].zones(foundation.region)
        }
        yield Billable("private_hosted_zone", len(names), "names of the shared endpoints, of all VPCs")
    if shared.settings.connection == "transit_gateway":
        yield Billable("transit_gateway_attachment", 1)
    elif shared.uses(foundation):
        yield Billable("vpc_peering", 1, f"to {shared.owner.name}")


def _keys(foundation: Foundation, shared: Sharing | None) -> Billable:
    keys = [key for stack in foundation.stacks for key in stack.keys]
    vpc = foundation.vpc
    if foundation.has_vpc(shared) and not vpc.imported and vpc.flow_logs.enabled:
        keys.append("flow logs")
    return Billable("kms_key", len(keys), ", ".join(keys))
