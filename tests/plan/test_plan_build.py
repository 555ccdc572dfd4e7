"""Configuration to plan: which stacks go where, and what is refused before synth."""

import json

import pytest

from mlops_foundation.config import Config, load_text
from mlops_foundation.core.errors import ConfigError, PlanError, PluginError
from mlops_foundation.plan import Plan, StackSpec, build
from mlops_foundation.plan.quotas import ELASTIC_ADDRESSES, ROLES, VPCS
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
ONE = dict.fromkeys(FOUR, "5" * 12)
THREE = {**FOUR, "prod": FOUR["preprod"]}


def config(*sets: dict[str, object], **sections: object) -> Config:
    listed = [{"name": f"set{index}", **each} for index, each in enumerate(sets)]
    return load_text(json.dumps({"region": "eu-west-1", "sets": listed, "tags": {"CostCenter": "0"}, **sections}))


def plan(*sets: dict[str, object], **sections: object) -> Plan:
    return build(config(*sets, **sections), STACKS, TEMPLATES)


def reasons(*sets: dict[str, object], **sections: object) -> list[str]:
    with pytest.raises(PlanError) as raised:
        plan(*sets, **sections)
    assert raised.value.exit_code == 3
    return [problem.what for problem in raised.value.problems]


def test_four_accounts_get_their_stacks_in_order() -> None:
    (only,) = plan({"accounts": FOUR}).sets
    assert [(each.name, [stack.stack_name for stack in each.stacks]) for each in only.foundations] == [
        ("governance", []),
        ("dev", ["mlops-network-dev", "mlops-targets-dev", "mlops-studio-dev", "mlops-catalog-dev"]),
        ("preprod", ["mlops-network-preprod", "mlops-targets-preprod"]),
        ("prod", ["mlops-network-prod", "mlops-targets-prod"]),
    ]


def test_one_account_is_one_foundation_with_every_stack_once() -> None:
    (only,) = plan({"accounts": ONE}).sets
    (foundation,) = only.foundations
    assert foundation.environments == ("governance", "dev", "preprod", "prod")
    assert [stack.stack_name for stack in foundation.stacks] == [
        "mlops-network-dev",
        "mlops-targets-dev",
        "mlops-studio-dev",
        "mlops-catalog-dev",
    ]


def test_preprod_and_prod_in_one_account_share_its_stacks() -> None:
    (only,) = plan({"accounts": THREE}).sets
    shared = only.foundation("prod")
    assert shared.stages == ("preprod", "prod")
    assert [stack.stack_name for stack in shared.stacks] == ["mlops-network-preprod", "mlops-targets-preprod"]


def test_the_exported_parameters_carry_the_sets_prefix() -> None:
    (only,) = plan({"accounts": FOUR, "prefix": "other"}).sets
    exports = [name for stack in only.foundation("dev").stacks for name in stack.exports]
    assert "/vpc/id" in exports
    assert "/other/role/lead" in exports


def test_sets_that_share_an_account_need_prefixes_of_their_own() -> None:
    other = {**{name: account.replace(account[0], "9") for name, account in FOUR.items()}, "governance": "1" * 12}
    first, second = {"accounts": FOUR}, {"accounts": other}
    assert reasons(first, second) == ["two sets that share an account have the same prefix"]
    assert len(plan(first, {**second, "prefix": "other"}).sets) == 2


def test_sets_cannot_share_a_stages_account_in_one_region() -> None:
    shared = {**FOUR, "governance": "8" * 12, "preprod": "8" * 12, "prod": "8" * 12}
    first, second = {"accounts": FOUR}, {"accounts": shared, "prefix": "other"}
    assert reasons(first, second) == ["two sets have stacks in the same account and region"]
    assert plan(first, {**second, "region": "eu-west-2"}).sets[1].region == "eu-west-2"


def test_without_nat_builds_need_a_package_index_of_their_own() -> None:
    without = {"network": {"nat_gateways": 0}}
    (reason,) = reasons({"accounts": FOUR}, **without)
    assert "package index" in reason
    private = {**without, "packages": {"provider": "codeartifact"}}
    (only,) = build(config({"accounts": FOUR}, **private), STACKS, TEMPLATES).sets
    assert [each.name for each in only.foundation("dev").stacks][:3] == ["network", "targets", "packages"]
    assert build(config({"accounts": FOUR}, **without, builds={"in_vpc": False}), STACKS, TEMPLATES)


def test_codeartifact_is_not_in_every_region() -> None:
    account_set = {"accounts": FOUR, "region": "eu-south-2"}
    assert reasons(account_set, packages={"provider": "codeartifact"}) == ["CodeArtifact is not in this region"]
    assert plan({**account_set, "region": "eu-west-3"})


def test_a_stage_may_import_its_vpc() -> None:
    vpc = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"], "security_group_id": "sg-12345678"}
    (only,) = plan({"accounts": FOUR, "stages": {"dev": {"network": {"import": vpc}}}}).sets
    assert only.foundation("dev").stacks[0].name == "network"


def test_an_execution_role_is_imported_in_dev_only() -> None:
    vpc = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"]}
    vpc["execution_role_arn"] = f"arn:aws:iam::{'4' * 12}:role/studio"
    reason = reasons({"accounts": FOUR, "stages": {"prod": {"network": {"import": vpc}}}})
    assert reason == ["an execution role is imported where no Studio is"]


def test_every_reason_is_said_at_once() -> None:
    same = {"accounts": FOUR}
    assert len(reasons(same, same, network={"nat_gateways": 0})) == 4


def test_a_set_without_governance_deploys_itself() -> None:
    (only,) = plan({"accounts": {name: account for name, account in FOUR.items() if name != "governance"}}).sets
    assert [each.name for each in only.foundations] == ["dev", "preprod", "prod"]
    assert {only.engineer_account(account) for account in only.accounts.values()} == set(only.accounts.values())
    with pytest.raises(ConfigError, match="has no governance account"):
        only.account("governance")


def test_settings_of_a_stage_whose_account_is_shared_are_refused() -> None:
    stages = {"preprod": {"network": {"azs": 2}}, "prod": {"network": {"nat_gateways": 2}}}
    assert reasons({"accounts": THREE, "stages": stages}) == [
        "prod has settings of its own, but shares its account and region with preprod"
    ]
    assert plan({"accounts": FOUR, "stages": stages})


def test_a_stages_nat_gateways_fit_its_zones_after_every_fallback() -> None:
    stages = {"dev": {"network": {"azs": 1}}, "prod": {"network": {"nat_gateways": 2}}}
    assert reasons({"accounts": FOUR, "stages": stages}) == ["there are more NAT gateways than availability zones"]


def test_a_stack_stands_after_those_it_needs() -> None:
    with pytest.raises(PluginError, match="studio needs network"):
        build(config({"accounts": FOUR}), STACKS[::-1][1:], TEMPLATES)


def test_a_builder_that_is_not_there_is_named() -> None:
    from mlops_foundation.plan.specs import load_builder

    with pytest.raises(PluginError, match="the stack x"):
        load_builder("mlops_foundation.stacks.network.stack:nothing", "the stack x")


def test_the_plan_is_the_same_twice_and_differs_where_it_changes() -> None:
    before, after = plan({"accounts": FOUR}), plan({"accounts": THREE})
    assert plan({"accounts": FOUR}).diff(before) == ()
    assert json.dumps(before.as_dict()) == json.dumps(plan({"accounts": FOUR}).as_dict())
    place = "set0 prod 444444444444 eu-west-1"
    assert f"- {place} network mlops-network-prod" in after.diff(before)
    assert "+ set0 preprod+prod 333333333333 eu-west-1 network mlops-network-preprod" in after.diff(before)


def test_every_spec_names_a_folder_and_every_folder_a_spec() -> None:
    from importlib.resources import files

    folders = {item.name for item in files("mlops_foundation.stacks").iterdir() if (item / "stack.py").is_file()}
    assert folders == {spec.name for spec in STACKS}


def test_a_stack_needs_only_stacks_of_the_environments_it_is_in() -> None:
    by_name: dict[str, StackSpec] = {spec.name: spec for spec in STACKS}
    for spec in STACKS:
        for need in spec.needs:
            assert set(spec.environments) <= set(by_name[need].environments), (spec.name, need)


@pytest.mark.parametrize(
    ("stages", "gone", "come"),
    [
        ({"dev": {"network": {"cidr": "10.7.0.0/18"}}}, "10.0.0.0/18, zones 3", "10.7.0.0/18, zones 3"),
        ({"dev": {"network": {"azs": 2}}}, "10.0.0.0/18, zones 3", "10.0.0.0/18, zones 2"),
    ],
)
def test_a_changed_network_is_a_change_of_the_plan(stages: dict[str, object], gone: str, come: str) -> None:
    changes = plan({"accounts": FOUR, "stages": stages}).diff(plan({"accounts": FOUR}))
    place = "set0 dev 222222222222 eu-west-1 VPC "
    assert [each for each in changes if each.startswith(f"- {place}{gone}")]
    assert [each for each in changes if each.startswith(f"+ {place}{come}")]


def test_the_plan_carries_what_stacks_need() -> None:
    shared = plan({"accounts": FOUR}, network={"shared_endpoints": {"owner": "governance"}})
    (only,) = shared.sets
    governance, dev = only.foundation("governance"), only.foundation("dev")
    assert only.sharing is not None
    assert only.sharing.owner == governance
    assert [each.name for each in only.sharing.members] == ["dev", "preprod", "prod"]
    assert dev.vpc.cidr == "10.0.0.0/18"
    assert dev.tags == {"CostCenter": "0"}
    assert {each.name for each in dev.workloads} > {"studio", "build"}
    assert {each.name for each in only.foundation("prod").workloads} == {"endpoint"}
    studio = next(each for each in dev.stacks if each.name == "studio")
    assert ("Studio domain", "eu-west-1-studio-domain") in {(each.kind, each.name) for each in studio.claims}
    network = next(each for each in dev.stacks if each.name == "network")
    assert network.quotas == {VPCS: 1, ELASTIC_ADDRESSES: dev.vpc.nat_gateways, ROLES: 2}
    assert shared.settings.source.branch == "main"
