"""What a platform costs without use: what is counted is what the templates make, in both modes."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.config import Config, load_text
from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import PlanError
from mlops_foundation.plan import build
from mlops_foundation.plan.cost import AccountCost, Cost, ModeCost, cost
from mlops_foundation.plan.cost_table import IMPORTED, cost_lines, title
from mlops_foundation.plan.prices import load_prices
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
IMPORT = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678", "subnet-87654321"]}
OF_TYPE = {
    "AWS::EC2::NatGateway": "nat_gateway",
    "AWS::EC2::EIP": "public_ipv4",
    "AWS::EC2::TransitGatewayAttachment": "transit_gateway_attachment",
    "AWS::EC2::VPCPeeringConnection": "vpc_peering",
    "AWS::KMS::Key": "kms_key",
    "AWS::Route53::HostedZone": "private_hosted_zone",
}


def priced(*sets: dict[str, Any], **sections: Any) -> Cost:
    listed = [{"name": f"set{index}", "accounts": FOUR, **each} for index, each in enumerate(sets or ({},))]
    config: Config = load_text(
        json.dumps({"region": "eu-west-1", "sets": listed, "tags": {"CostCenter": "0"}, **sections})
    )
    return cost(config, build(config, STACKS, TEMPLATES), load_prices())


def modes(**sections: Any) -> dict[str, ModeCost]:
    (only,) = priced(**sections).sets
    return {each.mode: each for each in only.modes}


def counts(mode: ModeCost, environment: str) -> dict[str, int]:
    return {line.resource: line.billable.count for line in account(mode, environment).resources}


def account(mode: ModeCost, environment: str) -> AccountCost:
    return next(each for each in mode.accounts if environment in each.environments)


# --- what the templates make ------------------------------------------------------------------------------------------


def made(directory: Path) -> dict[str, Counter[str]]:
    """Count what AWS charges for in the templates of an assembly's stacks, by account."""
    found: dict[str, Counter[str]] = {}
    for manifest in directory.glob("assembly-*/manifest.json"):
        for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
            if artifact["type"] != "aws:cloudformation:stack":
                continue
            account_id = artifact["environment"].removeprefix("aws://").split("/")[0]
            template = json.loads((manifest.parent / artifact["properties"]["templateFile"]).read_text("utf-8"))
            for resource in template["Resources"].values():
                found.setdefault(account_id, Counter()).update(_charged(resource))
    return found


def _charged(resource: dict[str, Any]) -> dict[str, int]:
    if resource["Type"] == "AWS::EC2::VPCEndpoint":
        properties = resource["Properties"]
        if properties["VpcEndpointType"] == "Gateway":
            return {"gateway_endpoint": 1}
        return {"interface_endpoint": len(properties["SubnetIds"])}
    return {OF_TYPE[resource["Type"]]: 1} if resource["Type"] in OF_TYPE else {}


def counted(directory: Path, config_file: Path) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """Return what the templates have and what the configured mode counts, by account."""
    from mlops_foundation.usecases.plan import load_and_price

    (only,) = load_and_price(config_file).sets
    mode = next(each for each in only.modes if each.mode == only.configured)
    planned = {
        each.account: Counter({line.resource: line.billable.count for line in each.resources})
        for each in mode.accounts
        if each.resources
    }
    return {account_id: each for account_id, each in made(directory).items() if each}, planned


def test_the_default_configuration_is_counted_as_its_templates_are(assembly: Any) -> None:
    templates, planned = counted(assembly.directory, assembly.directory.parent / "mlops.yaml")
    assert planned == templates
    assert templates["2" * 12]["kms_key"] == 3
    assert templates["2" * 12]["interface_endpoint"] > 3


def test_a_platform_without_internet_is_counted_as_its_templates_are(private_assembly: Any) -> None:
    templates, planned = counted(private_assembly.directory, private_assembly.directory.parent / "mlops.yaml")
    assert planned == templates
    assert templates["2" * 12]["kms_key"] == 4  # with the packages' own
    assert "nat_gateway" not in templates["2" * 12]


def test_accounts_that_differ_are_counted_as_their_templates_are(tmp_path: Path) -> None:
    from mlops_foundation.usecases.synth import synth

    stages = {
        "dev": {"network": {"azs": ["eu-west-1a", "eu-west-1b"], "nat_gateways": 2}},
        "preprod": {"network": {"azs": 3, "nat_gateways": 3, "endpoints": ["logs", "sts"]}},
        "prod": {"network": {"import": IMPORT}},
    }
    network = {"flow_logs": {"enabled": False}}
    sets = [{"name": "mixed", "accounts": FOUR, "stages": stages}]
    config = {"region": "eu-west-1", "sets": sets, "network": network, "tags": {"CostCenter": "0"}}
    file = tmp_path / "mlops.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    templates, planned = counted(synth(file, tmp_path / "out").directory, file)
    assert planned == templates
    assert templates["3" * 12] == {"nat_gateway": 3, "public_ipv4": 3, "interface_endpoint": 6, "kms_key": 1}
    assert templates["4" * 12] == {"kms_key": 1}


@pytest.mark.parametrize(
    "sharing",
    [
        {"owner": "governance"},
        {"owner": "dev", "connection": "transit_gateway", "transit_gateway_id": "tgw-12345678"},
    ],
    ids=lambda sharing: sharing["owner"],
)
def test_shared_endpoints_are_counted_as_their_templates_are(sharing: dict[str, str], tmp_path: Path) -> None:
    from mlops_foundation.usecases.synth import synth

    config = {
        "region": "eu-west-1",
        "sets": [{"name": "default", "accounts": FOUR}],
        "network": {"shared_endpoints": sharing},
        "tags": {"CostCenter": "0"},
    }
    file = tmp_path / "mlops.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    templates, planned = counted(synth(file, tmp_path / "out").directory, file)
    assert planned == templates
    assert [each for each in templates if templates[each]["interface_endpoint"]] == [FOUR[sharing["owner"]]]


# --- both modes -------------------------------------------------------------------------------------------------------


def test_each_vpc_has_its_own_endpoints_unless_they_are_shared() -> None:
    own = modes(network={"azs": 2, "nat_gateways": 2, "endpoints": ["s3", "sts", "logs", "kms"]})["own"]
    network = {"nat_gateway": 2, "public_ipv4": 2, "gateway_endpoint": 1, "interface_endpoint": 6}
    assert counts(own, "governance") == {}
    assert counts(own, "dev") == {**network, "kms_key": 3}
    assert counts(own, "prod") == {**network, "kms_key": 2}


def test_shared_endpoints_and_their_names_are_one_vpcs_and_the_others_have_a_connection() -> None:
    network = {"azs": 2, "endpoints": ["s3", "sts", "logs", "kms"], "shared_endpoints": {"owner": "governance"}}
    shared = modes(network=network)["shared"]
    owner = {"gateway_endpoint": 1, "interface_endpoint": 6, "private_hosted_zone": 3, "kms_key": 1}
    member = {"nat_gateway": 1, "public_ipv4": 1, "gateway_endpoint": 1, "vpc_peering": 1}
    assert counts(shared, "governance") == owner
    assert counts(shared, "dev") == {**member, "kms_key": 3}
    assert counts(shared, "preprod") == {**member, "kms_key": 2}


def test_every_vpc_is_attached_to_a_transit_gateway_and_the_owners_too() -> None:
    sharing = {"owner": "dev", "connection": "transit_gateway", "transit_gateway_id": "tgw-12345678"}
    shared = modes(network={"endpoints": ["sts"], "shared_endpoints": sharing})["shared"]
    assert counts(shared, "governance") == {}
    assert [counts(shared, each)["transit_gateway_attachment"] for each in ("dev", "preprod", "prod")] == [1, 1, 1]
    assert "vpc_peering" not in counts(shared, "prod")
    assert counts(shared, "dev")["interface_endpoint"] == 3


def test_the_mode_that_is_not_configured_is_there_for_comparison() -> None:
    (by_itself,) = priced().sets
    (chosen,) = priced(network={"shared_endpoints": {"owner": "governance"}}).sets
    assert (by_itself.configured, chosen.configured) == ("own", "shared")
    assert [each.monthly for each in by_itself.modes] == [each.monthly for each in chosen.modes]
    assert by_itself.difference is not None
    assert by_itself.difference < 0
    assert chosen.difference == -by_itself.difference
    assert by_itself.modes[1].monthly - by_itself.modes[0].monthly == by_itself.difference
    assert [title(each, "own") for each in by_itself.modes] == [
        "own endpoints (configured)",
        "shared by governance, peering",
    ]


def test_without_governance_a_stage_would_own_them() -> None:
    accounts = {name: each for name, each in FOUR.items() if name != "governance"}
    (only,) = priced({"accounts": accounts}).sets
    assert title(only.modes[1], "own") == "shared by dev, peering"


def test_one_account_has_nobody_to_share_with() -> None:
    (only,) = priced({"accounts": dict.fromkeys(FOUR, "5" * 12)}).sets
    assert [each.mode for each in only.modes] == ["own"]
    assert only.difference is None
    assert counts(only.modes[0], "prod")["nat_gateway"] == 1


def test_an_imported_vpc_costs_nothing_of_ours_and_says_so() -> None:
    (only,) = priced({"stages": {"prod": {"network": {"import": IMPORT}}}}).sets
    for mode in only.modes:
        assert counts(mode, "prod") == {"kms_key": 1}
        assert account(mode, "prod").imported
        assert not account(mode, "dev").imported
    (line,) = [each for each in cost_lines(only, load_prices()) if each.resource == IMPORTED]
    assert line.environments == "prod"
    assert {each.monthly for each in line.amounts.values()} == {Decimal(0)}


def test_flow_logs_that_are_off_need_no_key() -> None:
    own = modes(network={"flow_logs": {"enabled": False}})["own"]
    assert counts(own, "prod")["kms_key"] == 1


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_figures_are_counts_times_prices() -> None:
    own = modes(network={"azs": 2, "endpoints": ["s3", "sts", "logs"]})["own"]
    # A NAT gateway 35.04 and its address 3.65, two endpoints in two zones 4 x 8.03, two keys.
    assert account(own, "prod").monthly == Decimal("72.81")
    assert own.monthly == Decimal("72.81") * 3 + 1  # dev has a third key


def test_two_sets_are_priced_each_in_its_region() -> None:
    first, second = priced({}, {"prefix": "america", "region": "us-east-1"}).sets
    assert account(second.modes[0], "prod").region == "us-east-1"
    assert second.modes[0].monthly < first.modes[0].monthly


def test_a_region_without_prices_is_refused() -> None:
    with pytest.raises(PlanError, match="no prices for eu-west-3"):
        priced({}, {"prefix": "france", "region": "eu-west-3"})


def test_a_figure_without_a_source_is_named() -> None:
    assert priced().unconfirmed == ()
    assert priced({"region": "eu-central-1"}).unconfirmed == (("interface_endpoint", "eu-central-1"),)


def test_the_lines_of_the_table_add_up_to_its_sums() -> None:
    (only,) = priced().sets
    lines = cost_lines(only, load_prices())
    for mode in only.modes:
        amounts = [(line.is_sum, line.environments, line.amounts.get(mode.mode)) for line in lines]
        total = sum(each.monthly for is_sum, _, each in amounts if each and not is_sum)
        assert total == mode.monthly
        sums = [each.monthly for is_sum, environments, each in amounts if each and is_sum and environments != "all"]
        assert sum(sums) == mode.monthly
    assert lines[-1].amounts["own"].monthly == only.modes[0].monthly


def test_a_project_costs_what_the_keys_of_its_template_cost() -> None:
    (only,) = priced().sets
    assert [each.template for each in only.projects] == [each.name for each in TEMPLATES]
    for project, template in zip(only.projects, TEMPLATES, strict=True):
        assert project.keys == template.keys
        assert project.monthly == load_prices().monthly("kms_key", len(template.keys), Region("eu-west-1"))
    assert priced().as_dict()["sets"][0]["projects"][0]["monthly"] == 2.0
