"""The reason of a failure in a log: what is read of the logs that builds and jobs really write."""

import pytest

from mlops_foundation.usecases import log_reasons

STAMP = "[Container] 2026/11/21 16:03:39.385989"
TRAINING = """2026-11-21T16:12:01Z training job: image scikit-learn
Starting training script
Executing command: python3 train.py --c 1.0
Traceback (most recent call last):
File "/opt/ml/input/data/code/train.py", line 55, in <module>
main()
File "/opt/ml/input/data/code/train.py", line 46, in main
raise ValueError("no such column: age")
ValueError: no such column: age
Command failed with exit code 1. Traceback: Traceback (most recent call last):
  File "/opt/ml/input/data/sm_drivers/common/utils.py", line 193, in execute_commands
    raise subprocess.CalledProcessError(exitcode, commands)
subprocess.CalledProcessError: Command '['python3', 'train.py']' returned non-zero exit status 1.
+++ exit 1"""
TESTS = f"""{STAMP} Running command uv pip sync --quiet requirements.txt
error: this one was retried and went well
{STAMP} Running command python -m pytest --quiet
....................F                                                    [100%]
=================================== FAILURES ===================================
_______________________________ test_that_fails ________________________________

    def test_that_fails() -> None:
>       assert 1 + 1 == 3, "arithmetic"
E       AssertionError: arithmetic
E       assert (1 + 1) == 3

tests/test_settings.py:50: AssertionError
=========================== short test summary info ============================
FAILED tests/test_settings.py::test_that_fails - AssertionError: arithmetic
1 failed, 20 passed in 7.82s
{STAMP} Command did not exit successfully python -m pytest --quiet exit status 1
{STAMP} Phase complete: BUILD State: FAILED
{STAMP} Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: python -m pytest
E       AssertionError: arithmetic
1 failed, 20 passed in 7.82s"""
BUILDSPEC = f"""{STAMP} Waiting for agent ping
{STAMP} Phase is DOWNLOAD_SOURCE
{STAMP} Phase complete: DOWNLOAD_SOURCE State: FAILED
{STAMP} Phase context status code: YAML_FILE_ERROR Message: expected ',' or ']', but got ':' at line 5, column 21"""
COMMAND = f"""{STAMP} Running command pythn -m pytest --quiet
/tmp/command-6.sh: line 1: pythn: command not found
{STAMP} Command did not exit successfully pythn -m pytest --quiet exit status 127"""
SETTINGS = f"""{STAMP} Running command python -m pipeline.run
error: parameters.yml: c is not a number
{STAMP} Command did not exit successfully python -m pipeline.run exit status 1"""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (TRAINING, "ValueError: no such column: age"),
        (TESTS, "AssertionError: arithmetic"),
        (BUILDSPEC, "YAML_FILE_ERROR: expected ',' or ']', but got ':' at line 5, column 21"),
        (COMMAND, "pythn: command not found"),
        (SETTINGS, "parameters.yml: c is not a number"),
        ("started\nended", ""),
        ("", ""),
    ],
    ids=["training script", "seed test", "buildspec", "command", "settings", "no error", "empty"],
)
def test_the_reason_is_the_first_error_of_what_failed(log: str, reason: str) -> None:
    found = log_reasons.read(log.splitlines())
    assert found.reason == reason
    assert len(found.excerpt) <= log_reasons.LINES_MAX
    assert not any(reason and line.removeprefix("E").strip() == reason for line in found.excerpt)


def test_the_lines_around_the_reason_are_the_users_own() -> None:
    assert log_reasons.read(TRAINING.splitlines()).excerpt[1] == "Traceback (most recent call last):"
    tests = log_reasons.read(TESTS.splitlines()).excerpt
    assert tests[-2:] == ("E       assert (1 + 1) == 3", "tests/test_settings.py:50: AssertionError")
    assert log_reasons.read(BUILDSPEC.splitlines()).excerpt == ()


def test_a_long_log_without_an_error_is_cut_to_its_end() -> None:
    assert log_reasons.read([str(number) for number in range(99)]).excerpt == tuple(
        str(number) for number in range(89, 99)
    )


def test_a_list_of_all_that_would_be_right_is_cut() -> None:
    types = [f"ml.m{number}.large" for number in range(100)]
    text = (
        f"Value 'ml.q9.large' at 'instanceType': Member must satisfy enum value set: [{', '.join(types)}] (SageMaker)"
    )
    assert log_reasons.without_long_lists(text) == (
        "Value 'ml.q9.large' at 'instanceType': Member must satisfy enum value set: "
        "[ml.m0.large, ml.m1.large, ml.m2.large, and 97 more] (SageMaker)"
    )
    assert log_reasons.without_long_lists("took [1, 2, 3, 4] of them") == "took [1, 2, 3, 4] of them"
