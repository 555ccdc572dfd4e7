"""What ``mlops plan --json`` and ``mlops cost --json`` say: these keys, which others read, with the plan's values."""

import json
from typing import Any

from mlops_foundation.config import load_text
from mlops_foundation.core.arns import AccountId
from mlops_foundation.plan import build
from mlops_foundation.plan.cost import NOT_INCLUDED, cost
from mlops_foundation.plan.prices import load_prices
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
GATEWAY = {"owner": "dev", "connection": "transit_gateway", "transit_gateway_id": "tgw-12345678"}


def loaded(accounts: dict[str, str], **sections: Any) -> Any:
    only = {"name": "team", "accounts": accounts}
    return load_text(json.dumps({"region": "eu-west-1", "sets": [only], "tags": {"CostCenter": "0"}, **sections}))


def test_the_plan_says_every_stack_of_every_account() -> None:
    plan = build(loaded(FOUR), STACKS, TEMPLATES)
    (only,) = plan.as_dict()["sets"]
    assert (only["name"], only["prefix"], only["region"]) == ("team", "mlops", "eu-west-1")
    assert set(only) == {"name", "prefix", "region", "environments"}
    for said, foundation in zip(only["environments"], plan.sets[0].foundations, strict=True):
        assert set(said) == {"environments", "account", "region", "toolkit_stack", "vpc", "stacks"}
        assert said["environments"] == list(foundation.environments)
        assert (said["account"], said["region"], said["toolkit_stack"]) == (
            foundation.account,
            "eu-west-1",
            "mlops-toolkit",
        )
        assert [
            (each["name"], each["stack_name"], each["description"], each["needs"], each["exports"])
            for each in said["stacks"]
        ] == [
            (each.name, each.stack_name, each.description, list(each.needs), list(each.exports))
            for each in foundation.stacks
        ]
        assert (said["vpc"] is None) is (said["environments"] == ["governance"])
    assert "10.0.0.0/18" in str(only["environments"][1]["vpc"])


def test_without_governance_an_account_deploys_itself() -> None:
    (with_one,) = build(loaded(FOUR), STACKS, TEMPLATES).sets
    assert {with_one.engineer_account(AccountId(each)) for each in FOUR.values()} == {FOUR["governance"]}
    alone = {name: FOUR[name] for name in ("dev", "preprod", "prod")}
    (without,) = build(loaded(alone), STACKS, TEMPLATES).sets
    assert {each: without.engineer_account(AccountId(each)) for each in alone.values()} == {
        each: each for each in alone.values()
    }


def test_the_cost_says_every_mode_account_and_resource() -> None:
    config = loaded(FOUR, network={"shared_endpoints": GATEWAY})
    prices = load_prices()
    counted = cost(config, build(config, STACKS, TEMPLATES), prices)
    said = counted.as_dict()
    assert set(said) == {"date", "currency", "hours_per_month", "unconfirmed", "not_included", "sets"}
    assert (said["date"], said["currency"]) == (prices.date.isoformat(), "USD")
    assert said["hours_per_month"] == prices.hours_per_month
    assert said["not_included"] == list(NOT_INCLUDED)
    assert said["unconfirmed"] == [{"resource": name, "region": region} for name, region in counted.unconfirmed]
    (only,), (set_cost,) = said["sets"], counted.sets
    assert set(only) == {"name", "configured", "difference", "projects", "modes"}
    assert (only["name"], only["configured"]) == ("team", "shared")
    assert only["difference"] == float(set_cost.difference or 0)
    assert [(each["template"], each["keys"], each["monthly"]) for each in only["projects"]] == [
        (each.template, list(each.keys), float(each.monthly)) for each in set_cost.projects
    ]
    assert [(each["mode"], each["monthly"]) for each in only["modes"]] == [
        (each.mode, float(each.monthly)) for each in set_cost.modes
    ]
    own, shared = (each["shared_endpoints"] for each in only["modes"])
    assert own is None
    assert shared == GATEWAY
    for mode, figures in zip(only["modes"], set_cost.modes, strict=True):
        assert len(mode["accounts"]) == len(figures.accounts) == 4
        for account, counted_in in zip(mode["accounts"], figures.accounts, strict=True):
            assert set(account) == {"environments", "account", "region", "imported", "monthly", "resources"}
            assert (account["environments"], account["account"]) == (list(counted_in.environments), counted_in.account)
            assert (account["region"], account["imported"]) == ("eu-west-1", counted_in.imported)
            assert account["monthly"] == float(counted_in.monthly)
            for line, resource in zip(account["resources"], counted_in.resources, strict=True):
                price = prices.prices[resource.resource]
                assert line == {
                    "resource": resource.resource,
                    "detail": resource.billable.detail,
                    "count": resource.billable.count,
                    "unit": price.unit,
                    "usd_per_unit": float(price.usd["eu-west-1"]),
                    "monthly": float(resource.monthly),
                }


def test_without_shared_endpoints_in_the_configuration_own_ones_are_what_is_configured() -> None:
    config = loaded(FOUR)
    (only,) = cost(config, build(config, STACKS, TEMPLATES), load_prices()).as_dict()["sets"]
    assert only["configured"] == "own"
