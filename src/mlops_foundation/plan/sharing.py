"""Who owns the interface endpoints of a set, and who reaches them there."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_foundation.config.endpoints import ENDPOINTS
from mlops_foundation.config.network import SharedEndpoints
from mlops_foundation.plan.foundations import Foundation


@dataclass(frozen=True)
class Sharing:
    """One VPC with interface endpoints, and the VPCs that reach them.

    Attributes:
        settings: How they are connected.
        owner: Whose VPC has the endpoints.
        members: Who reaches them from a VPC that the platform made; imported VPCs keep endpoints of their own.
    """

    settings: SharedEndpoints
    owner: Foundation
    members: tuple[Foundation, ...]

    @property
    def zones(self) -> tuple[str, ...]:
        """The private hosted zones that stand for the names of the endpoints' services."""
        region = self.owner.region
        found = [zone for name in self.owner.vpc.interface_endpoints for zone in ENDPOINTS[name].zones(region)]
        return tuple(dict.fromkeys(found))

    def owned_by(self, foundation: Foundation) -> bool:
        """Return whether a foundation has the endpoints."""
        return foundation.account == self.owner.account

    def uses(self, foundation: Foundation) -> bool:
        """Return whether a foundation reaches the endpoints of another one."""
        return any(foundation.account == each.account for each in self.members)


def sharing(settings: SharedEndpoints | None, foundations: Sequence[Foundation]) -> Sharing | None:
    """Return how a set shares its endpoints; None when each VPC has its own, or there is nothing or nobody to share.

    Args:
        settings: Who owns them, and how they are reached.
        foundations: The accounts of the set.
    """
    owner = next((each for each in foundations if settings and settings.owner in each.environments), None)
    if settings is None or owner is None or not owner.vpc.interface_endpoints:
        return None
    others = [each for each in foundations if each.stages and each.account != owner.account]
    members = tuple(each for each in others if not each.vpc.imported)
    return Sharing(settings, owner, members) if members else None
