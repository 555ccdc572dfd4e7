"""The price table: every price for every region, and what a month of each costs."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from mlops_foundation.core.errors import PlanError
from mlops_foundation.plan.prices import Prices, Resource, load_prices

REGIONS = {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"}


def test_the_package_has_a_price_for_every_resource_in_every_region() -> None:
    prices = load_prices()
    assert set(prices.prices) == set(get_args(Resource))
    assert set(prices.regions) == REGIONS
    assert all(price.page for price in prices.prices.values())


@pytest.mark.parametrize(
    ("resource", "count", "monthly"),
    [
        ("nat_gateway", 1, "35.04"),  # 0.048 an hour, 730 hours
        ("interface_endpoint", 3, "24.09"),
        ("kms_key", 3, "3.00"),
        ("vpc_peering", 3, "0.00"),
        ("private_hosted_zone", 25, "12.50"),
        ("private_hosted_zone", 27, "12.70"),  # the first 25 for 0.50, two for 0.10
    ],
)
def test_a_month_of_a_resource(resource: Resource, count: int, monthly: str) -> None:
    assert load_prices().monthly(resource, count, "eu-west-1") == Decimal(monthly)


def test_regions_differ() -> None:
    endpoint = {region: load_prices().monthly("interface_endpoint", 1, region) for region in REGIONS}
    assert endpoint["us-east-1"] == Decimal("7.30")
    assert endpoint["us-east-1"] < endpoint["eu-west-1"] < endpoint["eu-central-1"] < endpoint["ap-southeast-1"]


def test_a_region_without_prices_is_one_error_that_says_how_to_add_it() -> None:
    prices = load_prices()
    with pytest.raises(PlanError) as raised:
        prices.require("sa-east-1", "region of the set default")
    (problem,) = raised.value.problems
    assert problem.where == "region of the set default"
    assert problem.got == "sa-east-1"
    assert all(region in problem.expected for region in REGIONS)
    assert str(prices.date) in problem.expected
    assert "plan/prices.yaml" in problem.fix


@pytest.mark.parametrize("wrong", [{"usd": {"us-east-1": 1}}, {"unconfirmed": ["eu-south-1"]}, {"usd": {}}])
def test_a_table_with_a_gap_is_refused(wrong: dict[str, Any]) -> None:
    table = load_prices().model_dump()
    table["prices"]["kms_key"] |= wrong
    with pytest.raises(ValidationError, match="kms_key has other regions"):
        Prices.model_validate(table)
