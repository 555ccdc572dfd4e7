"""Who owns the interface endpoints of a set, and who reaches them there."""

from dataclasses import dataclass

from mlops_foundation.config.endpoints import ENDPOINTS
from mlops_foundation.config.models import Config
from mlops_foundation.config.network import SharedEndpoints, Vpc
from mlops_foundation.plan.models import Foundation, SetPlan


@dataclass(frozen=True)
class Member:
    """One account's network in a set with shared endpoints."""

    foundation: Foundation
    vpc: Vpc


@dataclass(frozen=True)
class Sharing:
    """One VPC with interface endpoints, and the VPCs that reach them.

    Attributes:
        settings: How they are connected.
        owner: Whose VPC has the endpoints.
        members: Who reaches them from a VPC that the platform made; imported VPCs keep endpoints of their own.
    """

    settings: SharedEndpoints
    owner: Member
    members: tuple[Member, ...]

    @property
    def zones(self) -> tuple[str, ...]:
        """The private hosted zones that stand for the names of the endpoints' services."""
        region = self.owner.foundation.region
        found = [zone for name in self.owner.vpc.interface_endpoints for zone in ENDPOINTS[name].zones(region)]
        return tuple(dict.fromkeys(found))

    def owned_by(self, foundation: Foundation) -> bool:
        """Return whether a foundation has the endpoints."""
        return foundation.account == self.owner.foundation.account

    def uses(self, foundation: Foundation) -> bool:
        """Return whether a foundation reaches the endpoints of another one."""
        return any(foundation.account == each.foundation.account for each in self.members)


def sharing(config: Config, set_plan: SetPlan) -> Sharing | None:
    """Return how a set shares its endpoints; None when each VPC has its own, or there is nothing or nobody to share."""
    settings = config.network.shared_endpoints
    if settings is None or settings.owner not in set_plan.accounts:
        return None
    owner = set_plan.foundation(settings.owner)
    vpc = _vpc(config, set_plan, owner)
    if not vpc.interface_endpoints:
        return None
    networks = [Member(each, _vpc(config, set_plan, each)) for each in set_plan.foundations if each.stages]
    members = tuple(each for each in networks if each.foundation.account != owner.account and not each.vpc.imported)
    return Sharing(settings, Member(owner, vpc), members) if members else None


def _vpc(config: Config, set_plan: SetPlan, foundation: Foundation) -> Vpc:
    return config.vpc_of(config.account_set(set_plan.name), foundation.name)
