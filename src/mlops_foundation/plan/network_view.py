"""What a check of the network looks at: a VPC as pure data, from the plan or from the EC2 API."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final, Literal

from mlops_foundation.config.endpoints import ENDPOINTS
from mlops_foundation.config.network import Vpc
from mlops_foundation.plan.addresses import RESERVED, address_plan

ANYWHERE: Final = "0.0.0.0/0"
ALL_PROTOCOLS: Final = "-1"
PLANNED: Final = "planned"
"""In the place of an id that is not known before the deployment."""


@dataclass(frozen=True)
class Route:
    """One route; the target is an id such as ``nat-...``, ``tgw-...``, ``igw-...`` or ``local``."""

    destination: str
    target: str


@dataclass(frozen=True)
class Subnet:
    """One subnet with the routes that hold for it."""

    id: str
    vpc_id: str
    zone: str
    cidr: str
    free_addresses: int
    route_table_id: str
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Rule:
    """One rule of a security group; ``peer`` is a block, a group's id or a prefix list's id."""

    protocol: str
    first_port: int
    last_port: int
    peer: str

    def opens(self, port: int, protocol: str = "tcp") -> bool:
        """Return whether the rule is about a port."""
        if self.protocol == ALL_PROTOCOLS:
            return True
        return self.protocol == protocol and self.first_port <= port <= self.last_port


@dataclass(frozen=True)
class SecurityGroup:
    """One security group."""

    id: str
    vpc_id: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True)
class Endpoint:
    """One VPC endpoint.

    Attributes:
        service: Whole name of its service.
        kind: Gateway or interface.
        private_dns: Whether the service's usual name leads to it.
        available: Whether it is ready.
        route_table_ids: Tables that lead to a gateway.
        ingress: Rules of the groups of an interface; None when they are not known to be wrong (the plan's own).
    """

    service: str
    kind: Literal["gateway", "interface"]
    private_dns: bool = True
    available: bool = True
    route_table_ids: tuple[str, ...] = ()
    ingress: tuple[Rule, ...] | None = None


@dataclass(frozen=True)
class NetworkView:
    """One VPC with what of it the workloads use.

    Attributes:
        vpc_id: Id, or what it will be called.
        dns_support: Whether AWS's resolver answers in the VPC.
        dns_hostnames: Whether private names of endpoints can be used.
        subnets: The private subnets that are used.
        groups: The workloads' security groups; the first is theirs, the others are extra.
        endpoints: What leads to AWS services.
        missing: Ids that were looked for and do not exist -> what they are.
    """

    vpc_id: str
    dns_support: bool
    dns_hostnames: bool
    subnets: tuple[Subnet, ...]
    groups: tuple[SecurityGroup, ...]
    endpoints: tuple[Endpoint, ...]
    missing: dict[str, str] = field(default_factory=dict)


def service_name(endpoint: str, region: str) -> str:
    """Return the whole name of an endpoint's service in a region."""
    known = ENDPOINTS.get(endpoint)  # type: ignore[call-overload]
    return known.service_name(region) if known else f"com.amazonaws.{region}.{endpoint}"


def workload_group(vpc_id: str) -> SecurityGroup:
    """Return the workloads' group that the platform makes: everything among its members, HTTPS out."""
    among = Rule(ALL_PROTOCOLS, 0, 65535, "workloads")
    return SecurityGroup("workloads", vpc_id, (among,), (among, Rule("tcp", 443, 443, ANYWHERE)))


def planned(vpc: Vpc, region: str, shared: Vpc | None) -> NetworkView:
    """Return the VPC that the platform will make.

    Args:
        vpc: The resolved settings of a network that is not imported.
        region: Where.
        shared: The network that owns the interface endpoints, when another one does.
    """
    names = (
        vpc.endpoints
        if shared is None
        else tuple({*vpc.endpoints} & {"s3"}) + tuple(name for name in shared.endpoints if name != "s3")
    )
    interfaces = 0 if shared is not None else sum(name != "s3" for name in names)
    egress = (Route(ANYWHERE, "nat-gateway"),) if vpc.nat_gateways else ()
    subnets = tuple(
        Subnet(f"private {number}", PLANNED, zone, cidr, _free(cidr) - interfaces, f"private {number}", egress)
        for number, (zone, cidr) in enumerate(_private_subnets(vpc), 1)
    )
    tables = tuple(subnet.route_table_id for subnet in subnets)
    endpoints = tuple(
        Endpoint(service_name(name, region), "gateway", route_table_ids=tables)
        if name == "s3"
        else Endpoint(service_name(name, region), "interface")
        for name in names
    )
    return NetworkView(PLANNED, True, True, subnets, (workload_group(PLANNED),), endpoints)  # noqa: FBT003  DNS is always on


def _free(cidr: str) -> int:
    return ipaddress.IPv4Network(cidr).num_addresses - RESERVED


def _private_subnets(vpc: Vpc) -> list[tuple[str, str]]:
    """Return zone and block of each private subnet."""
    zones = [f"zone {number + 1}" for number in range(vpc.azs)] if isinstance(vpc.azs, int) else list(vpc.azs)
    return list(zip(zones, address_plan(vpc).private, strict=True))
