"""Whether a VPC has what the platform's workloads need: DNS, routes, zones, addresses, groups, a way to each service.

Pure functions of a :class:`NetworkView`: the same checks serve the plan of a new VPC and an existing one.

Sources: "Connect Studio in a VPC to external resources" and "Give SageMaker jobs access to resources in your VPC" in
the SageMaker developer guide; "Use CodeBuild with Amazon VPC" in the CodeBuild user guide.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import Stage
from mlops_foundation.plan.findings import Finding, Status
from mlops_foundation.plan.network_view import ANYWHERE, Endpoint, NetworkView, Rule, Subnet, service_name
from mlops_foundation.plan.specs import Workload
from mlops_foundation.plan.workloads import PACKAGE_INDEX

ADDRESSES_PER_STUDIO_USER: Final = 4
"""AWS recommends two to four for each user."""
ADDRESSES_PER_INSTANCE: Final = 2
"""AWS asks for two for each instance of a job or endpoint."""
INSTANCES: Final = 4
"""Instances of jobs and endpoints that run at the same time, for each stage."""
BUILDS: Final = 4
HTTPS, NFS = 443, 2049
KERNELS: Final = (8192, 65535)
"""Ports between Studio's apps and their kernels."""


@dataclass(frozen=True)
class Place:
    """The account that is checked, and what will run in it.

    Attributes:
        stage: The environments it serves, joined by ``+``.
        account: Account id.
        region: Region.
        stages: The stages among the environments.
        studio_users: Number of user profiles, 0 where there is no Studio.
        workloads: What runs in the VPC.
        seen: Endpoint name -> who the local cloud has seen calling it.
    """

    stage: str
    account: AccountId
    region: Region
    stages: tuple[Stage, ...]
    studio_users: int
    workloads: tuple[Workload, ...]
    seen: Mapping[str, Sequence[str]] = field(default_factory=dict)


Check = Callable[["_Checker"], Iterator[Finding]]


def check_network(place: Place, view: NetworkView) -> list[Finding]:
    """Return everything that was found about one VPC, in the order it should be put right."""
    checker = _Checker(place, view)
    if view.missing:
        return list(_ids(checker))
    return [finding for check in _CHECKS for finding in check(checker)]


@dataclass(frozen=True)
class _Checker:
    place: Place
    view: NetworkView

    def found(self, check: str, status: Status, what: str, got: str = "", expected: str = "", fix: str = "") -> Finding:
        return Finding(check, self.place.stage, self.place.account, status, what, got, expected, fix)


def check_addresses(place: Place, view: NetworkView) -> list[Finding]:
    """Return whether the private subnets have room for everything that runs in them."""
    return list(_addresses(_Checker(place, view)))


def _ids(at: _Checker) -> Iterator[Finding]:
    for missing, kind in at.view.missing.items():
        yield at.found(
            "ids",
            "missing",
            f"the {kind} does not exist",
            missing,
            f"a {kind} of account {at.place.account} in {at.place.region}",
            "correct the id below import: in mlops.yaml",
        )


def _belonging(at: _Checker) -> Iterator[Finding]:
    members = [("subnet", subnet.id, subnet.vpc_id) for subnet in at.view.subnets]
    members += [("security group", group.id, group.vpc_id) for group in at.view.groups]
    others = [each for each in members if each[2] != at.view.vpc_id]
    for kind, name, vpc_id in others:
        yield at.found(
            "belonging",
            "missing",
            f"the {kind} {name} belongs to another VPC",
            vpc_id,
            at.view.vpc_id,
            f"name a {kind} of {at.view.vpc_id} below import: in mlops.yaml",
        )
    if not others:
        count = f"{len(at.view.subnets)} private subnets, {len(at.view.groups)} security groups"
        yield at.found("belonging", "ok", "subnets and security groups belong to the VPC", count)


def _dns(at: _Checker) -> Iterator[Finding]:
    for name, on, purpose in (
        ("enableDnsSupport", at.view.dns_support, "names of AWS services are resolved"),
        ("enableDnsHostnames", at.view.dns_hostnames, "private names lead to endpoints and file systems"),
    ):
        if on:
            yield at.found("dns", "ok", f"{name} is on: {purpose}")
        else:
            option = "--enable-dns-support" if name == "enableDnsSupport" else "--enable-dns-hostnames"
            fix = f"aws ec2 modify-vpc-attribute --vpc-id {at.view.vpc_id} {option}"
            yield at.found("dns", "missing", f"the VPC has {name} off", "false", f"true, so that {purpose}", fix)


def _routes(at: _Checker) -> Iterator[Finding]:
    for subnet in at.view.subnets:
        target = default_target(subnet)
        if target.startswith("igw-"):
            yield at.found(
                "routes",
                "missing",
                f"the subnet {subnet.id} is public: what runs in it has no public address and gets no answer",
                f"{ANYWHERE} to {target}",
                "a private subnet: its way out leads to a NAT gateway, a transit gateway, or nowhere",
                "name private subnets below import: in mlops.yaml",
            )
        else:
            way = f"{ANYWHERE} to {target}" if target else "no way out; AWS services by endpoints"
            yield at.found("routes", "ok", f"the subnet {subnet.id} is private", way)


def _zones(at: _Checker) -> Iterator[Finding]:
    zones = sorted({subnet.zone for subnet in at.view.subnets})
    enough = len(zones) > 1
    yield at.found(
        "zones",
        "ok" if enough else "warning",
        f"the private subnets are in {len(zones)} availability zones"
        if enough
        else "all private subnets are in one availability zone: everything stops with it",
        ", ".join(zones),
        "" if enough else "at least 2",
        "" if enough else "name subnets of further zones, or set network.azs to 2 or 3",
    )


def _addresses(at: _Checker) -> Iterator[Finding]:
    instances = INSTANCES * (len(at.place.stages) + bool(at.place.studio_users))
    needed = {
        f"{at.place.studio_users} Studio users": at.place.studio_users * ADDRESSES_PER_STUDIO_USER,
        f"{instances} instances of jobs and endpoints": instances * ADDRESSES_PER_INSTANCE,
    }
    if any(each.installs for each in at.place.workloads):
        needed[f"{BUILDS} builds"] = BUILDS
    total = sum(needed.values())
    free = sum(max(0, subnet.free_addresses) for subnet in at.view.subnets)
    expected = f"{total}: " + ", ".join(f"{count} for {what}" for what, count in needed.items() if count)
    crowded = [f"{subnet.id} ({subnet.cidr})" for subnet in at.view.subnets if subnet.free_addresses < 1]
    if free >= total and not crowded:
        yield at.found("addresses", "ok", f"{free} addresses are free in the private subnets", str(free), expected)
        return
    what = (
        f"no address is free in {', '.join(crowded)}" if crowded else "the private subnets have too few free addresses"
    )
    fix = "larger subnets: network.subnet_masks or network.cidr; of an imported VPC, name further or larger ones"
    yield at.found("addresses", "missing", what, f"{free} free", expected, fix)


def _groups(at: _Checker) -> Iterator[Finding]:
    groups = at.view.groups
    ids = {group.id for group in groups}
    ingress = [rule for group in groups for rule in group.ingress]
    egress = [rule for group in groups for rule in group.egress]
    wanted: list[tuple[str, bool, str]] = [
        (
            "HTTPS out",
            any(rule.opens(HTTPS) and rule.peer not in ids for rule in egress),
            f"--ip-permissions IpProtocol=tcp,FromPort={HTTPS},ToPort={HTTPS},IpRanges=[{{CidrIp={ANYWHERE}}}]",
        ),
    ]
    if at.place.studio_users:
        for what, first, last in (("the file system of Studio (NFS)", NFS, NFS), ("Studio's kernels", *KERNELS)):
            good = _leads(ingress, ids, first, last) and _leads(egress, {*ids, ANYWHERE}, first, last)
            ports = f"IpProtocol=tcp,FromPort={first},ToPort={last},UserIdGroupPairs=[{{GroupId={groups[0].id}}}]"
            wanted.append((f"{what} between members, in and out", good, f"--ip-permissions {ports}"))
    for what, good, options in wanted:
        if good:
            yield at.found("security-groups", "ok", f"the workloads' security group allows {what}")
            continue
        direction = "egress" if what == "HTTPS out" else "ingress (and -egress)"
        yield at.found(
            "security-groups",
            "missing",
            f"the workloads' security group does not allow {what}",
            ", ".join(sorted(ids)),
            what,
            f"aws ec2 authorize-security-group-{direction} --group-id {groups[0].id} {options}",
        )


def _leads(rules: Sequence[Rule], peers: set[str], first: int, last: int) -> bool:
    return any(rule.peer in peers and rule.opens(first) and rule.opens(last) for rule in rules)


def _services(at: _Checker) -> Iterator[Finding]:
    callers: dict[str, dict[str, str]] = {}
    for workload in at.place.workloads:
        for service, reason in workload.services.items():
            callers.setdefault(service, {})[workload.name] = reason
    for service, names in at.place.seen.items():
        for name in names:
            callers.setdefault(service, {}).setdefault(name, "seen by the local cloud")
    for service, reasons in callers.items():
        yield _service(at, service, reasons)


def _service(at: _Checker, service: str, reasons: Mapping[str, str]) -> Finding:
    who = ", ".join(f"{name} ({reason})" for name, reason in reasons.items())
    seen = at.place.seen.get(service, ())
    called = f"{service}: called by {who}" if not seen else f"{service}: called by {who}; seen: {', '.join(seen)}"
    without_way_out = [subnet.id for subnet in at.view.subnets if not leads_out(subnet)]
    full_name = service_name(service, at.place.region)
    endpoint = next((each for each in at.view.endpoints if each.service == full_name), None)
    wrong = "there is no endpoint" if endpoint is None else _wrong_with(at, endpoint)
    if not wrong:
        return at.found("service", "ok", called, f"endpoint {full_name}")
    # The private name leads to an interface endpoint whatever routes there are, also to one that answers nobody.
    captured = endpoint is not None and endpoint.kind == "interface" and endpoint.private_dns
    if not without_way_out and not captured:
        return at.found("service", "ok", called, "the way out of the private subnets")
    names = ", ".join(reasons)
    if service == PACKAGE_INDEX:
        return at.found(
            "service",
            "missing",
            f"{names} cannot reach the {service}",
            f"no way out of {', '.join(without_way_out)}",
            "a NAT gateway, or a private package index",
            "set packages.provider to codeartifact, or network.nat_gateways to 1",
        )
    got = f"{wrong}; no way out of {', '.join(without_way_out)}" if without_way_out else wrong
    fix = f"add {service} to network.endpoints in mlops.yaml; in an imported VPC make an endpoint for {full_name}"
    return at.found("service", "missing", f"{names} cannot reach {service}", got, called, fix)


def _wrong_with(at: _Checker, endpoint: Endpoint) -> str:
    """Return why an endpoint does not serve the workloads, empty when it does."""
    if not endpoint.available:
        return "the endpoint is not available"
    if endpoint.kind == "gateway":
        left = [each.id for each in at.view.subnets if each.route_table_id not in endpoint.route_table_ids]
        return f"no route to the gateway endpoint from {', '.join(left)}" if left else ""
    if not endpoint.private_dns:
        return "the endpoint has no private name"
    if endpoint.ingress is None or _lets_in(at.view, endpoint.ingress):
        return ""
    return "the endpoint's security groups do not let the workloads in at port 443"


def _lets_in(view: NetworkView, rules: Sequence[Rule]) -> bool:
    open_to = {rule.peer for rule in rules if rule.opens(HTTPS)}
    if open_to & {ANYWHERE, *(group.id for group in view.groups)}:
        return True
    return all(any(_covers(peer, subnet.cidr) for peer in open_to) for subnet in view.subnets)


def _covers(peer: str, cidr: str) -> bool:
    return "/" in peer and ipaddress.IPv4Network(cidr).subnet_of(ipaddress.IPv4Network(peer))


def default_target(subnet: Subnet) -> str:
    """Return where a subnet's way out leads, empty when it has none."""
    return next((route.target for route in subnet.routes if route.destination == ANYWHERE), "")


def leads_out(subnet: Subnet) -> bool:
    """Return whether what runs in a subnet reaches the internet: an internet gateway needs a public address."""
    target = default_target(subnet)
    return bool(target) and not target.startswith("igw-")


_CHECKS: Final[tuple[Check, ...]] = (_belonging, _dns, _routes, _zones, _addresses, _groups, _services)
