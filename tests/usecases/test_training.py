"""The steps of a build's training run: which run it is, and what is shown of its steps."""

import datetime as dt
from typing import Any

import pytest
from fake_aws import DEV, WHEN, refused
from fake_pipelines import COMMIT, FakeLogs, FakeSageMaker

from mlops_foundation.usecases import training
from mlops_foundation.usecases.training import BuildRun, Training

MINUTE = dt.timedelta(minutes=1)
BUILD = BuildRun(COMMIT, WHEN, WHEN + 5 * MINUTE)


def run(arn: str, after: dt.timedelta, commit: str = "") -> dict[str, Any]:
    return {"PipelineExecutionArn": arn, "StartTime": WHEN + after, "PipelineExecutionDescription": f"commit {commit}"}


def step(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, "StartTime": WHEN, **more}


def job(kind: str, name: str) -> dict[str, Any]:
    return {"Metadata": {kind: {"Arn": f"arn:aws:sagemaker:eu-west-1:{DEV}:{kind.lower()}/{name}"}}}


@pytest.mark.parametrize(
    ("runs", "chosen"),
    [
        ([run("by hand", 2 * MINUTE, "ffff"), run("ours", MINUTE, COMMIT)], "ours"),
        ([run("after", 6 * MINUTE, COMMIT), run("ours", MINUTE, COMMIT), run("before", -MINUTE, COMMIT)], "ours"),
        ([run("ours", MINUTE, "text of the team's own")], "ours"),
        ([run("before", -MINUTE, COMMIT)], ""),
        ([], ""),
    ],
)
def test_the_run_of_a_build_is_told_by_time_and_commit(runs: list[dict[str, Any]], chosen: str) -> None:
    sagemaker = FakeSageMaker(*runs, steps={chosen: [step("Preprocess", "Executing")]})
    found = Training(sagemaker, FakeLogs(), "churn-training").steps(BUILD)
    assert [each.name for each in found] == (["Preprocess"] if chosen else [])


def test_steps_have_seconds_and_the_last_line_of_their_jobs_log() -> None:
    steps = [
        step("Preprocess", "Succeeded", EndTime=WHEN + MINUTE, **job("ProcessingJob", "churn-preprocess-1")),
        step("Train", "Failed", EndTime=WHEN + 2 * MINUTE, FailureReason="AlgorithmError", **job("TrainingJob", "t-1")),
        step("Good", "Executing", Metadata={"Condition": {}}),
    ]
    logs = FakeLogs(**{"t-1/algo-1": ["epoch 1", "ValueError: no"], "t-10/algo-1": ["another job"]})
    found = Training(FakeSageMaker(run("r", MINUTE, COMMIT), steps={"r": steps}), logs, "churn-training").steps(BUILD)
    assert [(each.name, each.status, each.seconds, each.last_line) for each in found[:2]] == [
        ("Preprocess", "Succeeded", 60.0, ""),
        ("Train", "Failed", 120.0, "ValueError: no"),
    ]
    assert (found[1].job, found[1].reason) == ("t-1", "AlgorithmError")
    assert (found[2].status, found[2].job) == ("InProgress", "")
    assert found[2].seconds > 0


def test_who_may_not_see_the_run_sees_no_steps_and_no_error() -> None:
    class Refusing(FakeSageMaker):
        def list_pipeline_executions(self, **_: Any) -> dict[str, Any]:
            raise refused("AccessDeniedException", "not authorized")

    assert Training(Refusing(), FakeLogs(), "churn-training").steps(BUILD) == ()


def test_the_log_of_a_step_that_is_over_is_asked_for_once() -> None:
    steps = [step("Train", "Succeeded", EndTime=WHEN, **job("TrainingJob", "t-1"))]
    logs = FakeLogs(**{"t-1/algo-1": ["done"]})
    seen = Training(FakeSageMaker(run("r", MINUTE, COMMIT), steps={"r": steps}), logs, "churn-training")
    assert seen.steps(BUILD)[0].last_line == "done"
    logs.streams.clear()
    assert seen.steps(BUILD)[0].last_line == "done"
    assert training.job_place("TrainingJob", "t-1").prefix == "t-1/"
