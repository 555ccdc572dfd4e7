"""The VPC that the platform will make: its subnets to the last address, and what a check of the network sees of it."""

from typing import Any

import pytest

from mlops_foundation.config import load_text
from mlops_foundation.config.network import Network, StageNetwork, SubnetMasks, Vpc
from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import PluginError
from mlops_foundation.plan import build
from mlops_foundation.plan.addresses import address_plan
from mlops_foundation.plan.network_view import ANYWHERE, Endpoint, Rule, planned, service_name
from mlops_foundation.plan.specs import load_builder
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

REGION = Region("eu-west-1")


def vpc(**settings: Any) -> Vpc:
    own = StageNetwork.model_validate({"cidr": "10.0.0.0/18", **settings})
    return Network().resolved("dev", own, StageNetwork(), REGION)


@pytest.mark.parametrize(("zones", "mask"), [(1, 19), (2, 20), (3, 21)])
def test_without_sizes_all_subnets_are_equal_parts(zones: int, mask: int) -> None:
    found = address_plan(vpc(azs=zones, nat_gateways=1))
    assert found.masks == SubnetMasks(private=mask, public=mask)
    assert (len(found.private), len(found.public), found.fits) == (zones, zones, True)
    assert found.private[0] == f"10.0.0.0/{mask}"


def test_private_subnets_stay_where_they_are_when_public_ones_come() -> None:
    without, with_public = (address_plan(vpc(azs=2, nat_gateways=count)) for count in (0, 1))
    assert without.private == with_public.private == ("10.0.0.0/20", "10.0.16.0/20")
    assert (without.public, with_public.public) == ((), ("10.0.32.0/20", "10.0.48.0/20"))


@pytest.mark.parametrize(
    ("private", "public", "nat", "fits"), [(20, 20, 1, True), (19, 19, 0, True), (19, 28, 1, False), (20, 19, 1, False)]
)
def test_subnets_fit_to_the_last_address(private: int, public: int, nat: int, *, fits: bool) -> None:
    masks = {"private": private, "public": public}
    assert address_plan(vpc(azs=2, nat_gateways=nat, subnet_masks=masks)).fits is fits


def test_a_subnet_begins_at_a_multiple_of_its_size() -> None:
    found = address_plan(vpc(azs=1, nat_gateways=1, subnet_masks={"private": 24, "public": 22}))
    assert (found.private, found.public) == (("10.0.0.0/24",), ("10.0.4.0/22",))


def test_a_check_sees_zones_free_addresses_the_way_out_and_every_endpoint() -> None:
    view = planned(vpc(azs=2, nat_gateways=1, endpoints=["s3", "sts", "logs"]), REGION, None)
    # Two interface endpoints take an address of each subnet; AWS keeps five.
    assert [(each.zone, each.cidr, each.free_addresses) for each in view.subnets] == [
        ("zone 1", "10.0.0.0/20", 4096 - 5 - 2),
        ("zone 2", "10.0.16.0/20", 4096 - 5 - 2),
    ]
    assert {route for each in view.subnets for route in each.routes} == {view.subnets[0].routes[0]}
    assert view.subnets[0].routes[0].destination == ANYWHERE
    tables = tuple(each.route_table_id for each in view.subnets)
    assert len(set(tables)) == 2
    assert view.endpoints == (
        Endpoint(service_name("s3", REGION), "gateway", route_table_ids=tables),
        Endpoint(service_name("sts", REGION), "interface"),
        Endpoint(service_name("logs", REGION), "interface"),
    )
    (group,) = view.groups
    assert group.ingress == (Rule("-1", 0, 65535, group.id),)
    assert group.egress == (Rule("-1", 0, 65535, group.id), Rule("tcp", 443, 443, ANYWHERE))
    assert (view.dns_support, view.dns_hostnames, view.missing) == (True, True, {})


def test_named_zones_are_kept_and_without_nat_there_is_no_way_out() -> None:
    view = planned(vpc(azs=["eu-west-1a", "eu-west-1c"], nat_gateways=0, endpoints=[]), REGION, None)
    assert [(each.zone, each.routes) for each in view.subnets] == [("eu-west-1a", ()), ("eu-west-1c", ())]
    assert view.subnets[0].free_addresses == 4096 - 5


def test_shared_interfaces_take_no_address_and_the_gateway_stays_ones_own() -> None:
    owner = vpc(endpoints=["s3", "sts"])
    for own, services in ((["s3", "logs"], ["s3", "sts"]), (["logs"], ["sts"])):
        view = planned(vpc(azs=1, endpoints=own), REGION, owner)
        assert [each.service for each in view.endpoints] == [service_name(name, REGION) for name in services]
        assert view.subnets[0].free_addresses == 8192 - 5


def test_the_plan_carries_what_the_configuration_says_of_the_whole_platform() -> None:
    text = """\
region: eu-west-1
sets: [{name: team, accounts: {dev: "222222222222", preprod: "333333333333", prod: "444444444444"}}]
studio: {data_scientists: [ann]}
packages: {provider: codeartifact}
source: {branch: trunk}
sign_in: {principals: {lead: ["arn:aws:iam::222222222222:role/Ann"]}}
builds: {in_vpc: false}
tags: {CostCenter: "0"}
"""
    config = load_text(text)
    found = build(config, STACKS, TEMPLATES).settings
    assert (found.studio, found.packages, found.source, found.sign_in) == (
        config.studio,
        config.packages,
        config.source,
        config.sign_in,
    )
    assert found.builds_in_vpc is False


@pytest.mark.parametrize("path", ["mlops_foundation.nothing:build", "mlops_foundation.plan:nothing", "no"])
def test_a_builder_that_is_not_there_names_its_owner_and_its_path(path: str) -> None:
    with pytest.raises(PluginError, match="the builder of the stack x cannot be loaded") as raised:
        load_builder(path, "the stack x")
    (problem,) = raised.value.problems
    assert (problem.where, problem.got, problem.expected) == ("the stack x", path, "package.module:function")
    assert load_builder("mlops_foundation.plan:build", "x") is build
