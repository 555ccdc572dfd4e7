"""The dated price table of the package: ``prices.yaml`` beside this module."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import Field, model_validator

from mlops_foundation.config.base import Section
from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import PlanError

Resource = Literal[
    "nat_gateway",
    "public_ipv4",
    "interface_endpoint",
    "gateway_endpoint",
    "vpc_peering",
    "transit_gateway_attachment",
    "private_hosted_zone",
    "kms_key",
]
FILE: Final = "plan/prices.yaml"
_CENT: Final = Decimal("0.01")
Usd = Annotated[Decimal, Field(ge=0)]


class Beyond(Section):
    """What each further one costs after the first ones of an account."""

    count: Annotated[int, Field(ge=1)]
    usd: Usd


class Price(Section):
    """The price of one kind of resource.

    Attributes:
        what: Its name for people.
        unit: What is charged by.
        page: Name of the AWS page that says it.
        usd: Price of one unit by region.
        beyond: The lower price of many.
        unconfirmed: Regions whose figure was found in no source.
    """

    what: str
    unit: Literal["hour", "month"]
    page: str
    usd: Mapping[Region, Usd]
    beyond: Beyond | None = None
    unconfirmed: tuple[Region, ...] = ()


class Prices(Section):
    """Every price, of one day.

    Attributes:
        date: When the table was written.
        currency: Of every figure.
        hours_per_month: Hours that a month is counted as.
        prices: By kind of resource; each has every region of the table.
    """

    date: dt.date
    currency: Literal["USD"]
    hours_per_month: int
    prices: Mapping[Resource, Price]

    @model_validator(mode="after")
    def _every_price_in_every_region(self) -> Self:
        for name, price in self.prices.items():
            if set(price.usd) != set(self.regions) or not set(price.unconfirmed) <= set(price.usd):
                message = f"{name} has other regions than the rest of the table"
                raise ValueError(message)
        return self

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions that the table has."""
        return tuple(next(iter(self.prices.values())).usd)

    def require(self, region: Region, where: str) -> None:
        """Check that a region has prices.

        Args:
            region: Which.
            where: Who is in it, for the error.

        Raises:
            PlanError: When the table does not have it.
        """
        if region not in self.regions:
            raise PlanError(
                f"there are no prices for {region}",
                where,
                region,
                f"a region of the price table of {self.date}: {', '.join(self.regions)}",
                f"add {region} to every price of {FILE} in the package, from the AWS page that each names",
            )

    def monthly(self, resource: Resource, count: int, region: Region) -> Decimal:
        """Return what some of a resource cost in a month, in whole cents."""
        price = self.prices[resource]
        units = self.hours_per_month if price.unit == "hour" else 1
        first = count if price.beyond is None else min(count, price.beyond.count)
        amount = first * price.usd[region]
        if price.beyond is not None:
            amount += (count - first) * price.beyond.usd
        return (amount * units).quantize(_CENT)


@cache
def load_prices() -> Prices:
    """Return the package's price table."""
    text = files(__package__).joinpath("prices.yaml").read_text(encoding="utf-8")
    return Prices.model_validate(yaml.safe_load(text))
