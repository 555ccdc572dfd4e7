"""How a VPC's block is cut into subnets: the plan's and the stack's one answer.

The private subnets come first, and are cut the same with and without public ones: a NAT gateway that is added or taken
away never moves a workload's subnet.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

from mlops_foundation.config.network import SubnetMasks, Vpc

SMALLEST_SUBNET: Final = 28
"""AWS's smallest subnet, with 16 addresses."""
RESERVED: Final = 5
"""AWS keeps the first four addresses of a subnet and its last one."""


@dataclass(frozen=True)
class AddressPlan:
    """The subnets of one VPC.

    Attributes:
        masks: Sizes of the subnets.
        private: Block of the private subnet of each zone.
        public: Block of the public subnet of each zone; none without NAT.
        fits: Whether the VPC's block holds them all.
    """

    masks: SubnetMasks
    private: tuple[str, ...]
    public: tuple[str, ...]
    fits: bool


def address_plan(vpc: Vpc) -> AddressPlan:
    """Cut a VPC that is not imported.

    Subnets follow one another, each at the next multiple of its size, as the CDK lays them out.
    """
    block = ipaddress.IPv4Network(vpc.cidr)
    masks = vpc.subnet_masks or _equal_parts(block, vpc.az_count)
    zones = vpc.az_count
    wanted = [masks.private] * zones + [masks.public] * (zones if vpc.nat_gateways else 0)
    cut: list[str] = []
    position = int(block.network_address)
    for mask in wanted:
        size = 1 << (32 - mask)
        start = -(-position // size) * size
        cut.append(f"{ipaddress.IPv4Address(start)}/{mask}")
        position = start + size
    return AddressPlan(masks, tuple(cut[:zones]), tuple(cut[zones:]), position <= int(block.broadcast_address) + 1)


def _equal_parts(block: ipaddress.IPv4Network, zones: int) -> SubnetMasks:
    """Return the size of equal parts, with room for a public subnet in each zone even where there is none."""
    mask = block.prefixlen + (2 * zones - 1).bit_length()
    return SubnetMasks(private=mask, public=mask)
