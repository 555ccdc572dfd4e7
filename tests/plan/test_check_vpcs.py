"""Networks that cannot be: each is one clear error before anything is made."""

import json

import pytest
from botocore.session import get_session

from mlops_foundation.config import load_text
from mlops_foundation.config.endpoints import ENDPOINTS, available, in_region
from mlops_foundation.config.network import Network, StageNetwork
from mlops_foundation.core.errors import PlanError, Problem
from mlops_foundation.plan import Plan, build
from mlops_foundation.plan.addresses import address_plan
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
IMPORT = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}


def plan(network: dict[str, object], stages: dict[str, object] | None = None, **sections: object) -> Plan:
    accounts = sections.pop("accounts", FOUR)
    only = {"name": "default", "accounts": accounts, "stages": stages or {}}
    text = {"region": "eu-west-1", "sets": [only], "tags": {"CostCenter": "0"}, "network": network, **sections}
    return build(load_text(json.dumps(text)), STACKS, TEMPLATES)


def problem(network: dict[str, object], stages: dict[str, object] | None = None, **sections: object) -> Problem:
    """Return the one reason why a configuration is refused."""
    with pytest.raises(PlanError) as raised:
        plan(network, stages, **sections)
    (found,) = raised.value.problems
    assert found.fix
    assert found.expected
    return found


def shared(owner: str, **more: object) -> dict[str, object]:
    return {"shared_endpoints": {"owner": owner, **more}}


def test_subnets_that_do_not_fit_name_the_stage() -> None:
    stages = {"prod": {"network": {"subnet_masks": {"private": 20, "public": 19}}}}
    found = problem({}, stages)
    assert (found.where, found.got) == ("set default, prod", "3 of /20 and 3 of /19 in 10.0.128.0/18")
    assert plan({"nat_gateways": 0}, stages, builds={"in_vpc": False})


def test_private_subnets_too_small_for_studio() -> None:
    small = {"dev": {"network": {"subnet_masks": {"private": 28, "public": 28}}}}
    people = {"data_scientists": [f"person{number}" for number in range(30)]}
    found = problem({"endpoints": ["s3"]}, small, studio=people)
    assert found.what == "the private subnets have too few free addresses"
    assert "31 Studio users" in found.expected
    assert plan({"endpoints": ["s3"]}, {"dev": {"network": {"subnet_masks": {"private": 26}}}}, studio=people)


def test_endpoints_take_addresses_too() -> None:
    found = problem({}, {"prod": {"network": {"subnet_masks": {"private": 28}}}})
    assert "no address is free" in found.what


def test_an_endpoint_that_the_region_lacks() -> None:
    found = problem({"endpoints": ["s3", "codecommit"]}, region="eu-central-2")
    assert found.what == "the region has no endpoint codecommit"
    assert found.where == "set default, dev; set default, preprod; set default, prod"
    assert "2026-11-21" in found.expected
    assert plan({}, region="eu-central-2")


def test_more_nat_gateways_than_zones() -> None:
    found = problem({}, {"prod": {"network": {"azs": 1, "nat_gateways": 2}}})
    assert found.what == "there are more NAT gateways than availability zones"


def test_a_zone_of_another_region() -> None:
    assert (
        problem({"azs": ["eu-west-2a"], "nat_gateways": 1}, accounts=dict.fromkeys(FOUR, "5" * 12)).got == "eu-west-2a"
    )


def test_overlapping_blocks_are_refused_only_where_they_are_connected() -> None:
    stages = {"prod": {"network": {"cidr": "10.0.64.0/20"}}}
    found = problem(shared("dev"), stages)
    assert found.what == "VPCs that are connected have overlapping addresses"
    assert found.got == "preprod 10.0.64.0/18, prod 10.0.64.0/20"
    assert plan({}, stages)


def test_an_owner_with_an_imported_vpc() -> None:
    found = problem(shared("prod"), {"prod": {"network": {"import": IMPORT}}})
    assert "imported VPC" in found.what
    assert plan(shared("dev"), {"prod": {"network": {"import": IMPORT}}})


def test_an_owner_without_an_account() -> None:
    accounts = {name: account for name, account in FOUR.items() if name != "governance"}
    assert problem(shared("governance"), accounts=accounts).what == "the owner of the shared endpoints has no account"


def test_an_owner_without_a_block() -> None:
    blocks = {"dev": "10.1.0.0/16", "preprod": "10.2.0.0/16", "prod": "10.3.0.0/16"}
    found = problem({**shared("governance"), "cidr": blocks})
    assert found.what == "the owner of the shared endpoints has no block of addresses"
    assert plan({**shared("governance"), "cidr": {**blocks, "governance": "10.4.0.0/16"}})


def test_nothing_to_share() -> None:
    found = problem({**shared("governance"), "endpoints": ["s3"]})
    assert (found.what, found.got) == ("there is no interface endpoint to share", "endpoints of governance: s3")


def test_nobody_to_share_with() -> None:
    imported = {stage: {"network": {"import": IMPORT}} for stage in ("dev", "preprod", "prod")}
    found = problem(shared("governance"), imported)
    assert found.what == "nobody shares the endpoints: every other VPC is imported"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    stages = {
        "dev": {"network": {"subnet_masks": {"private": 28}}},
        "preprod": {"network": {"subnet_masks": {"private": 20, "public": 19}}},
        "prod": {"network": {"endpoints": ["codecommit"]}},
    }
    people = {"data_scientists": [f"person{number}" for number in range(30)]}
    with pytest.raises(PlanError) as raised:
        plan({"endpoints": ["s3"]}, stages, region="ap-southeast-4", studio=people)
    found = [(each.where, each.what) for each in raised.value.problems]
    assert found == [
        ("set default, dev", "the private subnets have too few free addresses"),
        ("set default, preprod", "the subnets do not fit into the VPC"),
        ("set default, prod", "the region has no endpoint codecommit"),
    ]


def test_an_endpoint_that_the_owner_has_not() -> None:
    lean: dict[str, object] = {"network": {"endpoints": ["s3", "kms"]}}
    stages = {"dev": {"network": {"endpoints": ["s3", "sts"]}}, "preprod": lean, "prod": lean}
    found = problem(shared("prod"), stages)
    assert found.what == "dev asks for endpoints that the owner of the shared endpoints has not"
    assert found.got == "sts"


def test_the_table_of_regions_agrees_with_botocore() -> None:
    """A service in botocore's list has its endpoint in the region; what differs is in a table of our own."""
    session = get_session()
    names = {"codeartifact.api": "codeartifact", "codeartifact.repositories": "codeartifact", "ecr.api": "ecr",
             "ecr.dkr": "ecr", "git-codecommit": "codecommit", "monitoring": "cloudwatch", "s3": "s3"}  # fmt: skip
    for region in session.get_available_regions("ec2"):
        for name in ENDPOINTS:
            service = names.get(name, "sagemaker" if name.startswith("sagemaker") else name)
            assert in_region(name, region) == (region in session.get_available_regions(service)), (name, region)


def test_every_default_endpoint_is_in_the_region() -> None:
    assert available("eu-west-1") == tuple(ENDPOINTS)
    assert "codecommit" not in available("eu-south-2")


@pytest.mark.parametrize(("nat", "public"), [(0, 0), (1, 3), (3, 3)])
def test_a_vpc_is_cut_as_the_cdk_cuts_it(nat: int, public: int) -> None:
    cut = address_plan(Network(nat_gateways=nat).resolved("prod", StageNetwork(), StageNetwork(), "eu-west-1"))
    assert cut.private == ("10.0.128.0/21", "10.0.136.0/21", "10.0.144.0/21")
    assert len(cut.public) == public
    assert cut.fits
