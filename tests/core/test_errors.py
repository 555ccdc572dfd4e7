import pytest

from mlops_foundation.core import errors
from mlops_foundation.core.errors import FoundationError, Problem

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FoundationError)]


def test_one_problem_is_the_error_itself() -> None:
    error = errors.ConfigError("wrong id", "mlops.yaml:3", "12", "12 digits", "correct it")
    assert str(error) == "wrong id"
    assert error.as_dicts() == [
        {
            "code": "ConfigError",
            "what": "wrong id",
            "where": "mlops.yaml:3",
            "got": "12",
            "expected": "12 digits",
            "fix": "correct it",
        }
    ]


def test_several_problems_take_the_place_of_the_one() -> None:
    error = errors.PlanError("2 errors", problems=[Problem("a"), Problem("b", fix="c")])
    assert [each["what"] for each in error.as_dicts()] == ["a", "b"]
    assert {each["code"] for each in error.as_dicts()} == {"PlanError"}


def test_the_fields_of_json_keep_their_order() -> None:
    (found,) = FoundationError("x").as_dicts()
    assert list(found) == ["code", "what", "where", "got", "expected", "fix"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_code_is_the_class_and_no_exit_code_is_that_of_success(kind: type[FoundationError]) -> None:
    assert kind.code == kind.__name__.replace("FoundationError", "Error")
    assert kind.exit_code > 0


def test_exit_codes_are_those_that_are_documented() -> None:
    assert {kind.code: kind.exit_code for kind in KINDS} == {
        "Error": 1,
        "ConfigError": 2,
        "PlanError": 3,
        "PluginError": 4,
        "SynthError": 5,
        "DeployError": 6,
        "AccessDenied": 6,
        "StackFailed": 6,
        "LocalCloudError": 7,
        "UserCodeError": 8,
        "UsageError": 2,
        "NotFound": 2,
        "Aborted": 1,
        "MachineError": 9,
        "Interrupted": 130,
    }
