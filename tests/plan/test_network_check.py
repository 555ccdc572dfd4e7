"""What the check of a network finds, on views made by hand: each thing taken away is named."""

from dataclasses import replace

import pytest

from mlops_foundation.config.network import Network, StageNetwork
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.plan.findings import Finding
from mlops_foundation.plan.network_check import (
    Place,
    check_addresses,
    check_network,
    default_target,
    leads_out,
)
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
    assert (finding.check, finding.got) == ("service", "no way out of subnet-0, subnet-1")
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


def found(view: NetworkView, check: str, place: Place = PLACE) -> list[Finding]:
    return [each for each in check_network(place, view) if each.check == check]


def free(*counts: int) -> NetworkView:
    return replace(VIEW, subnets=tuple(subnet(number, free_addresses=count) for number, count in enumerate(counts)))


# Three users, the instances of Studio and of one stage, and the builds, which install: 12 + 16 + 4.
@pytest.mark.parametrize(
    ("place", "needed", "words"),
    [
        (PLACE, 32, "32: 12 for 3 Studio users, 16 for 8 instances of jobs and endpoints, 4 for 4 builds"),
        (replace(PLACE, studio_users=0), 12, "12: 8 for 4 instances of jobs and endpoints, 4 for 4 builds"),
        (
            replace(PLACE, stages=("dev", "preprod"), workloads=()),
            36,
            "36: 12 for 3 Studio users, 24 for 12 instances of jobs and endpoints",
        ),
    ],
)
def test_just_enough_addresses_are_enough_and_one_less_is_not(place: Place, needed: int, words: str) -> None:
    (enough,) = check_addresses(place, free(needed - 1, 1))
    assert (enough.status, enough.got, enough.expected) == ("ok", str(needed), words)
    (less,) = check_addresses(place, free(needed - 2, 1))
    assert (less.status, less.got, less.expected) == ("missing", f"{needed - 1} free", words)
    assert "too few" in less.what


def test_a_subnet_that_is_full_is_named_whatever_the_others_have_and_takes_nothing_from_them() -> None:
    """AWS places what it starts in any of the subnets: one that is full fails now and then."""
    (full,) = check_addresses(PLACE, free(32, 0, -5))
    assert (full.status, full.got) == ("missing", "32 free")
    assert full.what == "no address is free in subnet-1 (10.0.1.0/24), subnet-2 (10.0.2.0/24)"
    assert check_addresses(PLACE, free(31, 1))[0].status == "ok"


def test_a_network_that_is_right_says_what_was_found() -> None:
    assert found(VIEW, "belonging")[0].got == "2 private subnets, 1 security groups"
    assert found(VIEW, "zones")[0].got == "eu-west-1a, eu-west-1b"
    assert (found(VIEW, "zones")[0].expected, found(VIEW, "zones")[0].fix) == ("", "")
    assert "2 availability zones" in found(VIEW, "zones")[0].what
    assert [each.got for each in found(VIEW, "routes")] == ["no way out; AWS services by endpoints"] * 2
    assert {each.got for each in found(VIEW, "service")} == {
        f"endpoint {service_name(name, REGION)}" for name in SERVICES
    }
    assert {(each.stage, each.account) for each in check_network(PLACE, VIEW)} == {("dev", "222222222222")}


def test_one_zone_says_what_to_do() -> None:
    (warning,) = found(replace(VIEW, subnets=(subnet(0),)), "zones")
    assert (warning.got, warning.expected) == ("eu-west-1a", "at least 2")
    assert "network.azs" in warning.fix


@pytest.mark.parametrize("target", ["nat-1", "tgw-1"])
def test_where_a_private_subnet_leads_is_said(target: str) -> None:
    local = Route("10.0.0.0/16", "local")
    view = replace(VIEW, subnets=(subnet(0, routes=(local, Route(ANYWHERE, target))), subnet(1, routes=(local,))))
    assert [each.got for each in found(view, "routes")] == [
        f"{ANYWHERE} to {target}", "no way out; AWS services by endpoints",
    ]  # fmt: skip
    assert [default_target(each) for each in view.subnets] == [target, ""]
    assert [leads_out(each) for each in view.subnets] == [True, False]


def test_a_public_subnet_among_private_ones_is_named_alone() -> None:
    view = replace(VIEW, subnets=(subnet(0, routes=(Route(ANYWHERE, "igw-1"),)), subnet(1)))
    first, second = found(view, "routes")
    assert (first.status, second.status) == ("missing", "ok")
    assert "subnet-0 is public" in first.what
    assert first.got == f"{ANYWHERE} to igw-1"
    assert not leads_out(view.subnets[0])


@pytest.mark.parametrize(
    ("name", "setting", "option"),
    [
        ("dns_support", "enableDnsSupport", "--enable-dns-support"),
        ("dns_hostnames", "enableDnsHostnames", "--enable-dns-hostnames"),
    ],
)
def test_dns_that_is_off_says_which_and_how_to_turn_it_on(name: str, setting: str, option: str) -> None:
    (finding,) = red(replace(VIEW, **{name: False}))
    assert setting in finding.what
    assert finding.got == "false"
    assert finding.fix == f"aws ec2 modify-vpc-attribute --vpc-id vpc-1 {option}"
    assert [each.status for each in found(replace(VIEW, **{name: False}), "dns")].count("ok") == 1


INSIDE = Rule("-1", 0, 65535, "sg-1")
OUT = Rule("tcp", 443, 443, ANYWHERE)


@pytest.mark.parametrize(
    ("ingress", "egress", "lacking"),
    [
        ((INSIDE,), (INSIDE, OUT), []),
        # HTTPS among members only leads to no service.
        ((INSIDE,), (INSIDE,), ["HTTPS out"]),
        ((INSIDE,), (INSIDE, Rule("tcp", 444, 65535, ANYWHERE)), ["HTTPS out"]),
        ((INSIDE,), (INSIDE, Rule("udp", 443, 443, ANYWHERE)), ["HTTPS out"]),
        # Out to everything serves members too; in from everything does not make them known to each other.
        ((INSIDE,), (Rule("-1", 0, 65535, ANYWHERE),), []),
        ((Rule("-1", 0, 65535, ANYWHERE),), (INSIDE, OUT), ["NFS", "kernels"]),
        ((Rule("tcp", 2049, 2049, "sg-1"), Rule("tcp", 8192, 65535, "sg-1")), (INSIDE, OUT), []),
        ((INSIDE,), (Rule("tcp", 2049, 2049, "sg-1"), OUT), ["kernels"]),
        ((Rule("tcp", 8193, 65535, "sg-1"), Rule("tcp", 2049, 2049, "sg-1")), (INSIDE, OUT), ["kernels"]),
        ((Rule("tcp", 8192, 65534, "sg-1"), Rule("tcp", 2049, 2049, "sg-1")), (INSIDE, OUT), ["kernels"]),
        ((Rule("-1", 0, 65535, "sg-2"),), (INSIDE, OUT), ["NFS", "kernels"]),
    ],
)
def test_what_the_group_of_the_workloads_has_to_let_through(
    ingress: tuple[Rule, ...], egress: tuple[Rule, ...], lacking: list[str]
) -> None:
    findings = found(replace(VIEW, groups=(replace(GROUP, ingress=ingress, egress=egress),)), "security-groups")
    assert len(findings) == 3
    wrong = [each for each in findings if not each.green]
    assert [word for word in ("HTTPS out", "NFS", "kernels") if any(word in each.what for each in wrong)] == lacking
    for each in wrong:
        assert each.got == "sg-1"
        assert "--group-id sg-1 " in each.fix
        ports = {"HTTPS": "FromPort=443,ToPort=443", "NFS": "FromPort=2049,ToPort=2049"}
        wanted = next((text for word, text in ports.items() if word in each.what), "FromPort=8192,ToPort=65535")
        assert wanted in each.fix
        assert ("security-group-egress" in each.fix) is ("HTTPS" in each.what)


def test_several_groups_work_together_and_the_first_is_mended() -> None:
    more = SecurityGroup("sg-2", "vpc-1", (), (OUT,))
    apart = replace(GROUP, egress=(INSIDE,))
    assert red(replace(VIEW, groups=(apart, more))) == []
    (finding,) = red(replace(VIEW, groups=(apart, replace(more, egress=(Rule("tcp", 443, 443, "sg-1"),)))))
    assert finding.got == "sg-1, sg-2"
    assert "--group-id sg-1 " in finding.fix


NAT = (Route(ANYWHERE, "nat-1"),)
WITH_NAT = replace(VIEW, subnets=(subnet(0, routes=NAT), subnet(1, routes=NAT)))


@pytest.mark.parametrize(
    ("name", "changes", "green"),
    [
        ("sts", {"private_dns": False}, True),
        ("sts", {"available": False}, False),
        ("sts", {"ingress": ()}, False),
        ("sts", {"ingress": None}, True),
        ("s3", {"available": False}, True),
        ("s3", {"route_table_ids": ()}, True),
    ],
)
def test_an_endpoint_that_serves_nobody_is_passed_by_unless_it_takes_the_services_name(
    name: str, changes: dict[str, object], green: bool
) -> None:
    endpoints = (*without(name), replace(endpoint(name), **changes))  # type: ignore[arg-type]
    findings = red(replace(WITH_NAT, endpoints=endpoints))
    assert (findings == []) is green
    for each in findings:
        assert "no way out" not in each.got, "there is one; the endpoint is what is wrong"
    if green and changes != {"ingress": None}:
        (served,) = [each for each in found(replace(WITH_NAT, endpoints=endpoints), "service")
                     if each.what.startswith(f"{name}:")]  # fmt: skip
        assert served.got == "the way out of the private subnets"


@pytest.mark.parametrize(
    ("peers", "green"),
    [
        (["10.0.0.0/24", "10.0.1.0/24"], True),
        (["10.0.0.0/25", "10.0.1.0/24"], False),
        (["sg-9", "10.0.0.0/16"], True),
        (["pl-1"], False),
        ([], False),
    ],
)
def test_an_endpoint_lets_in_every_subnet_by_its_block(peers: list[str], green: bool) -> None:
    rules = tuple(Rule("tcp", 443, 443, peer) for peer in peers)
    assert (red(with_endpoint("sts", ingress=rules)) == []) is green


def test_a_service_that_is_lacking_says_who_calls_it_why_and_what_to_add() -> None:
    place = replace(PLACE, seen={"sts": ["job", "stranger"]})
    (finding,) = red(replace(VIEW, endpoints=without("sts")), place)
    reasons = {each.name: each.services["sts"] for each in PRIVATE if "sts" in each.services}
    who = [*(f"{name} ({reason})" for name, reason in reasons.items())]
    names = dict.fromkeys([*reasons, "job", "stranger"])
    assert finding.what == f"{', '.join(names)} cannot reach sts"
    assert finding.got == "there is no endpoint; no way out of subnet-0, subnet-1"
    assert all(each in finding.expected for each in who)
    assert "stranger (seen by the local cloud)" in finding.expected
    assert finding.expected.endswith("; seen: job, stranger")
    assert finding.fix.endswith(f"make an endpoint for {service_name('sts', REGION)}")


def test_what_is_not_there_is_named_with_its_place() -> None:
    findings = check_network(PLACE, replace(VIEW, missing={"subnet-9": "subnet"}))
    assert [(each.check, each.status, each.what) for each in findings] == [
        ("ids", "missing", "the subnet does not exist")
    ]
    assert findings[0].expected == "a subnet of account 222222222222 in eu-west-1"


def test_what_belongs_to_another_vpc_is_named_with_its_kind() -> None:
    view = replace(VIEW, subnets=(subnet(0), subnet(1, vpc_id="vpc-2")), groups=(replace(GROUP, vpc_id="vpc-3"),))
    first, second = found(view, "belonging")
    assert (first.what, first.got, first.expected) == ("the subnet subnet-1 belongs to another VPC", "vpc-2", "vpc-1")
    assert (second.what, second.got) == ("the security group sg-1 belongs to another VPC", "vpc-3")
    assert "name a security group of vpc-1" in second.fix
