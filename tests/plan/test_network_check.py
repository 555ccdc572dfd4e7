"""What the check of a network finds, on views made by hand: each thing taken away is named."""

from dataclasses import replace

import pytest

from mlops_foundation.config.network import Network, StageNetwork
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.plan.findings import Finding
from mlops_foundation.plan.network_check import Place, check_network
from mlops_foundation.plan.network_view import (
    ANYWHERE,
    Endpoint,
    NetworkView,
    Route,
    Rule,
    SecurityGroup,
    Subnet,
    planned,
    service_name,
)
from mlops_foundation.plan.workloads import PACKAGE_INDEX, declared, workloads
from mlops_foundation.templates import TEMPLATES

REGION = Region("eu-west-1")
PRIVATE = workloads(TEMPLATES, ("dev",), "codeartifact")
PLACE = Place("dev", AccountId("222222222222"), REGION, ("dev",), 3, PRIVATE)
GROUP = SecurityGroup(
    "sg-1", "vpc-1", (Rule("-1", 0, 65535, "sg-1"),), (Rule("-1", 0, 65535, "sg-1"), Rule("tcp", 443, 443, ANYWHERE))
)
SERVICES = sorted({service for each in PRIVATE for service in each.services})


def subnet(number: int, **changes: object) -> Subnet:
    made = Subnet(f"subnet-{number}", "vpc-1", f"eu-west-1{'abc'[number]}", f"10.0.{number}.0/24", 200, "rtb-1", ())
    return replace(made, **changes)  # type: ignore[arg-type]


def endpoint(name: str) -> Endpoint:
    if name == "s3":
        return Endpoint(service_name(name, REGION), "gateway", route_table_ids=("rtb-1",))
    return Endpoint(service_name(name, REGION), "interface", ingress=(Rule("tcp", 443, 443, "sg-1"),))


VIEW = NetworkView("vpc-1", True, True, (subnet(0), subnet(1)), (GROUP,), tuple(endpoint(name) for name in SERVICES))


def red(view: NetworkView, place: Place = PLACE) -> list[Finding]:
    return [each for each in check_network(place, view) if not each.green]


def without(name: str) -> tuple[Endpoint, ...]:
    return tuple(each for each in VIEW.endpoints if each.service != service_name(name, REGION))


def with_endpoint(name: str, **changes: object) -> NetworkView:
    return replace(VIEW, endpoints=(*without(name), replace(endpoint(name), **changes)))  # type: ignore[arg-type]


def test_a_network_without_internet_that_has_everything_is_green() -> None:
    found = check_network(PLACE, VIEW)
    assert {each.status for each in found} == {"ok"}
    assert {each.check for each in found} >= {"belonging", "dns", "routes", "zones", "addresses", "security-groups"}
    assert {each.what.split(":")[0] for each in found if each.check == "service"} == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_each_endpoint_taken_away_names_service_and_workloads(name: str) -> None:
    (finding,) = red(replace(VIEW, endpoints=without(name)))
    assert finding.check == "service"
    assert f"cannot reach {name}" in finding.what
    callers = [each.name for each in PRIVATE if name in each.services]
    assert all(caller in finding.what for caller in callers)
    assert name in finding.fix


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"private_dns": False}, "no private name"),
        ({"available": False}, "not available"),
        ({"ingress": (Rule("tcp", 443, 443, "10.9.0.0/16"),)}, "do not let the workloads in"),
        ({"ingress": (Rule("tcp", 80, 80, ANYWHERE),)}, "do not let the workloads in"),
        ({"ingress": (Rule("tcp", 443, 443, "10.0.0.0/24"),)}, "do not let the workloads in"),
    ],
)
def test_an_endpoint_that_serves_nobody_is_named(changes: dict[str, object], reason: str) -> None:
    (finding,) = red(with_endpoint("sts", **changes))
    assert "sts" in finding.what
    assert reason in finding.got


@pytest.mark.parametrize("peer", [ANYWHERE, "10.0.0.0/16", "sg-1"])
def test_an_endpoint_may_let_the_workloads_in_by_block_or_group(peer: str) -> None:
    assert red(with_endpoint("sts", ingress=(Rule("tcp", 443, 443, peer),))) == []


def test_a_gateway_endpoint_needs_a_route_from_each_subnet() -> None:
    view = replace(VIEW, subnets=(subnet(0), subnet(1, route_table_id="rtb-2")))
    (finding,) = red(view)
    assert "s3" in finding.what
    assert "subnet-1" in finding.got


def test_a_way_out_stands_in_for_a_missing_endpoint_but_not_for_one_that_captures_its_name() -> None:
    nat = (Route(ANYWHERE, "nat-1"),)
    view = replace(VIEW, subnets=(subnet(0, routes=nat), subnet(1, routes=nat)))
    assert red(replace(view, endpoints=())) == []
    shut = replace(endpoint("sts"), ingress=())
    assert [each.check for each in red(replace(view, endpoints=(shut,)))] == ["service"]
    half = replace(VIEW, endpoints=without("sts"), subnets=(subnet(0, routes=nat), subnet(1)))
    (finding,) = red(half)
    assert "subnet-1" in finding.got


def test_a_public_subnet_is_no_way_out() -> None:
    igw = (Route(ANYWHERE, "igw-1"),)
    found = red(replace(VIEW, endpoints=without("logs"), subnets=(subnet(0, routes=igw), subnet(1, routes=igw))))
    assert [each.check for each in found] == ["routes", "routes", "service"]


def test_the_public_package_index_needs_a_way_out() -> None:
    place = replace(PLACE, workloads=workloads(TEMPLATES, ("dev",), "public"))
    (finding,) = red(VIEW, place)
    assert PACKAGE_INDEX in finding.what
    assert "codeartifact" in finding.fix


@pytest.mark.parametrize("name", ["dns_support", "dns_hostnames"])
def test_dns(name: str) -> None:
    (finding,) = red(replace(VIEW, **{name: False}))
    assert finding.check == "dns"
    assert "modify-vpc-attribute" in finding.fix


def test_one_zone_is_a_warning() -> None:
    view = replace(VIEW, subnets=(subnet(0), subnet(1, zone="eu-west-1a")))
    assert red(view) == []
    assert [each.check for each in check_network(PLACE, view) if each.status == "warning"] == ["zones"]


def test_addresses_count_users_instances_and_builds() -> None:
    (finding,) = red(replace(VIEW, subnets=(subnet(0, free_addresses=10), subnet(1, free_addresses=10))))
    assert finding.check == "addresses"
    assert finding.got == "20 free"
    assert "12 for 3 Studio users" in finding.expected
    full = red(replace(VIEW, subnets=(subnet(0, free_addresses=0), subnet(1))))
    assert "subnet-0 (10.0.0.0/24)" in full[0].what


@pytest.mark.parametrize(
    ("group", "named"),
    [
        (replace(GROUP, egress=GROUP.egress[:1]), "HTTPS out"),
        (replace(GROUP, ingress=()), "NFS"),
        (replace(GROUP, ingress=(Rule("tcp", 2049, 2049, "sg-1"),)), "kernels"),
        (replace(GROUP, egress=GROUP.egress[1:]), "NFS"),
    ],
)
def test_security_groups(group: SecurityGroup, named: str) -> None:
    found = [each for each in red(replace(VIEW, groups=(group,))) if each.check == "security-groups"]
    assert any(named in each.what for each in found)


def test_only_studio_needs_its_file_system() -> None:
    place = replace(PLACE, studio_users=0)
    assert red(replace(VIEW, groups=(replace(GROUP, ingress=()),)), place) == []


def test_subnets_and_groups_of_another_vpc() -> None:
    view = replace(VIEW, subnets=(subnet(0, vpc_id="vpc-2"), subnet(1)), groups=(replace(GROUP, vpc_id="vpc-3"),))
    assert [each.got for each in red(view) if each.check == "belonging"] == ["vpc-2", "vpc-3"]


def test_ids_that_do_not_exist_are_all_that_is_said() -> None:
    found = check_network(PLACE, replace(VIEW, missing={"subnet-9": "subnet", "sg-9": "security group"}))
    assert [(each.check, each.got) for each in found] == [("ids", "subnet-9"), ("ids", "sg-9")]


def test_what_the_local_cloud_has_seen_is_asked_for_too() -> None:
    place = replace(PLACE, seen={"athena": ["build"]})
    (finding,) = red(VIEW, place)
    assert finding.what == "build cannot reach athena"
    assert "seen by the local cloud" in finding.expected


def test_a_planned_network_of_tiny_subnets_has_no_room_for_its_endpoints() -> None:
    own = StageNetwork.model_validate({"cidr": "10.0.0.0/24", "subnet_masks": {"private": 28}})
    network = Network().resolved("dev", own, StageNetwork(), REGION)
    assert "addresses" in {each.check for each in red(planned(network, REGION, None))}


def test_builds_outside_the_vpc_ask_for_nothing() -> None:
    names = {each.name for each in workloads(TEMPLATES, ("dev",), "public", builds_in_vpc=False)}
    assert names == {"job", "endpoint", "studio"}
    assert [each.name for each in workloads(TEMPLATES, ("prod",), "public")] == ["endpoint"]


def test_every_call_has_a_reason() -> None:
    assert all(reason for each in declared(TEMPLATES) for reason in each.services.values())


@pytest.mark.parametrize(
    ("nat", "provider", "green"), [(1, "public", True), (0, "codeartifact", True), (0, "public", False)]
)
def test_the_planned_network(nat: int, provider: str, green: bool) -> None:
    network = Network(nat_gateways=nat).resolved("dev", StageNetwork(), StageNetwork(), REGION)
    place = replace(PLACE, workloads=workloads(TEMPLATES, ("dev",), provider))  # type: ignore[arg-type]
    assert (red(planned(network, REGION, None), place) == []) is green


def test_shared_endpoints_are_those_of_their_owner() -> None:
    lean = Network(nat_gateways=0, endpoints=("s3",)).resolved("dev", StageNetwork(), StageNetwork(), REGION)
    rich = Network(nat_gateways=0).resolved("prod", StageNetwork(), StageNetwork(), REGION)
    assert red(planned(lean, REGION, None))
    assert red(planned(lean, REGION, rich)) == []
