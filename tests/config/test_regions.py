"""A region that AWS does not have is a mistake; one that is newer than this version is named first."""

import botocore.session
import pytest

from mlops_foundation.config import load_text
from mlops_foundation.config.regions import REGIONS
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases.init import Answers, render


def test_the_regions_are_those_of_botocore() -> None:
    assert set(botocore.session.get_session().get_available_regions("ec2")) == REGIONS


@pytest.mark.parametrize(("region", "near"), [("eu-west-9", "eu-west-1"), ("eu-wset-1", "eu-west-1")])
def test_an_unknown_region_is_refused_with_those_that_are_near(region: str, near: str) -> None:
    text = render(Answers())
    with pytest.raises(ConfigError) as raised:
        load_text(text.replace("region: eu-west-1", f"region: {region}"))
    (problem,) = raised.value.problems
    assert problem.where.startswith("mlops.yaml:")
    assert (problem.got, near in problem.expected, "new_regions" in problem.fix) == (region, True, True)


def test_a_set_in_an_unknown_region_is_refused_at_its_line() -> None:
    text = render(Answers()).replace("  - name: default\n", "  - name: default\n    region: eu-west-9\n")
    with pytest.raises(ConfigError) as raised:
        load_text(text)
    line = text[: text.index("eu-west-9")].count("\n") + 1
    assert raised.value.problems[0].where == f"mlops.yaml:{line}"


def test_a_region_that_is_newer_than_this_version_is_named_first() -> None:
    text = render(Answers()).replace("region: eu-west-1", "region: eu-west-9")
    config = load_text(text.replace("new_regions: []", "new_regions: [eu-west-9]"))
    assert config.region == "eu-west-9"
    with pytest.raises(ConfigError):
        load_text(text.replace("new_regions: []", "new_regions: [somewhere]"))
