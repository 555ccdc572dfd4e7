"""What a check found lets pass what is green, and nothing else."""

from collections.abc import Sequence

import pytest

from mlops_foundation.core.errors import PlanError
from mlops_foundation.plan.findings import Finding, Status, require_green


def finding(status: Status, what: str = "looked at") -> Finding:
    return Finding("dns", "dev+preprod", "222222222222", status, what, "off", "on", "turn it on")


@pytest.mark.parametrize(("status", "green"), [("ok", True), ("warning", True), ("missing", False), ("unknown", False)])
def test_what_could_not_be_looked_at_is_not_right_either(*, status: Status, green: bool) -> None:
    assert finding(status).green is green


@pytest.mark.parametrize("statuses", [[], ["ok"], ["warning", "ok"]])
def test_nothing_is_refused_when_all_is_green(statuses: Sequence[Status]) -> None:
    require_green("refused", [finding(status) for status in statuses])


def test_the_error_has_what_is_not_green_and_only_that() -> None:
    found = [finding("ok", "one"), finding("missing", "two"), finding("warning", "three"), finding("unknown", "four")]
    with pytest.raises(PlanError) as caught:
        require_green("the accounts are not ready", found)
    assert caught.value.what == "the accounts are not ready"
    assert [each.what for each in caught.value.problems] == ["two", "four"]
    (first, _) = caught.value.problems
    assert (first.where, first.got, first.expected, first.fix) == (
        "dev+preprod 222222222222",
        "off",
        "on",
        "turn it on",
    )


def test_its_fields_for_programs_are_in_their_documented_order() -> None:
    assert list(finding("missing").as_dict().items()) == [
        ("check", "dns"), ("stage", "dev+preprod"), ("account", "222222222222"), ("status", "missing"),
        ("what", "looked at"), ("got", "off"), ("expected", "on"), ("fix", "turn it on"),
    ]  # fmt: skip
