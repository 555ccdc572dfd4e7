"""Pipelines: where an execution stands, who it waits for, and why a build failed."""

from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, WHEN, refused, workspace

from mlops_foundation.core.errors import AccessDenied, ConfigError, UserCodeError
from mlops_foundation.usecases import pipelines

BUILD = "churn-build:0f3a"


def action(name: str, status: str = "", **latest: Any) -> dict[str, Any]:
    return {"actionName": name} | ({"latestExecution": {"status": status, **latest}} if status else {})


def stage(name: str, status: str, *actions: dict[str, Any], execution: str = "e2") -> dict[str, Any]:
    latest = {"latestExecution": {"pipelineExecutionId": execution, "status": status}} if status else {}
    return {"stageName": name, "actionStates": list(actions), **latest}


WAITING = [
    stage("Source", "Succeeded", action("Source", "Succeeded")),
    stage("ApprovePreprod", "InProgress", action("Approve", "InProgress", token="t1")),
    stage("Prod", "Succeeded", action("Deploy", "Succeeded"), execution="e1"),
]
FAILED = [
    stage("Source", "Succeeded", action("Source", "Succeeded")),
    stage(
        "Build",
        "Failed",
        action("Lint", "Succeeded"),
        action("Train", "Failed", externalExecutionId=BUILD, errorDetails={"message": "Build FAILED"}),
    ),
]


class FakeCodePipeline:
    """Two executions; each look takes the next of the given pictures."""

    def __init__(self, *pictures: tuple[str, list[dict[str, Any]]], executions: tuple[str, ...] = ("e2", "e1")) -> None:
        self.pictures = list(pictures)
        self.executions = executions
        self.answered: list[dict[str, Any]] = []
        self.refuse: Exception | None = None
        self.looked: list[str] = []

    def list_pipeline_executions(self, pipelineName: str) -> dict[str, Any]:  # noqa: N803
        self.looked.append(pipelineName)
        if self.refuse:
            raise self.refuse
        newest, *older = self.executions or ("",)
        status = self.pictures[0][0]
        found = [{"pipelineExecutionId": newest, "status": status, "startTime": WHEN}] if newest else []
        return {
            "pipelineExecutionSummaries": [
                *found,
                *({"pipelineExecutionId": each, "status": "Succeeded"} for each in older),
            ]
        }

    def get_pipeline_state(self, name: str) -> dict[str, Any]:
        _, stages = self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]
        return {"pipelineName": name, "stageStates": stages}

    def put_approval_result(self, **request: Any) -> None:
        if self.refuse_answer:
            raise refused("AccessDeniedException", "not authorized to perform: codepipeline:PutApprovalResult")
        self.answered.append(request)

    refuse_answer = False


class FakeCodeBuild:
    """One build with a log."""

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        assert ids == [BUILD]
        return {"builds": [{"logs": {"groupName": "/mlops/churn", "streamName": "0f3a"}}]}


class FakeLogs:
    """A log in two pages, the last of which repeats its token as AWS does."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def get_log_events(self, nextToken: str = "", **request: Any) -> dict[str, Any]:  # noqa: N803
        assert request == {"logGroupName": "/mlops/churn", "logStreamName": "0f3a", "startFromHead": True}
        page = self.lines[:2] if not nextToken else self.lines[2:] if nextToken == "1" else ()
        token = {"": "1", "1": "2", "2": "2"}[nextToken]
        return {"events": [{"message": f"{line}\n"} for line in page], "nextForwardToken": token}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "_POLL_S", 0.0)


def test_the_newest_execution_is_shown_and_what_older_ones_left_is_not(tmp_path: Path) -> None:
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", WAITING)))
    now = pipelines.state(made, "churn", "deploy", "lead")
    assert (now.name, now.execution_id, now.status) == ("churn_deploy_pipeline", "e2", "InProgress")
    assert [(each.name, each.status) for each in now.stages] == [
        ("Source", "Succeeded"),
        ("ApprovePreprod", "InProgress"),
        ("Prod", ""),
    ]
    assert now.stages[2].actions[0].status == ""
    assert now.waiting is now.stages[1]
    assert now.stages[1].actions[0].status == "Waiting"
    assert not now.ended


def test_an_approval_that_was_given_waits_no_more(tmp_path: Path) -> None:
    given = [stage("ApprovePreprod", "Succeeded", action("Approve", "Succeeded", token="t1"))]
    now = pipelines.state(
        workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", given))), "churn", "deploy", "lead"
    )
    assert now.waiting is None
    assert now.stages[0].actions[0].status == "Succeeded"


def test_a_pipeline_that_never_ran_is_a_state(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("", [stage("Source", "", action("Source"))]), executions=())
    now = pipelines.state(workspace(tmp_path, codepipeline=pipeline), "churn", "build", "lead")
    assert (now.execution_id, now.status, now.started) == ("", "", "")
    assert now.waiting is None


def test_an_unknown_kind_or_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no pipeline deplyo") as raised:
        pipelines.state(workspace(tmp_path), "churn", "deplyo", "lead")
    assert raised.value.problems[0].expected == "build or deploy"
    missing = FakeCodePipeline(("", []))
    missing.refuse = refused("PipelineNotFoundException", "churn_build_pipeline was not found")
    with pytest.raises(ConfigError, match="churn_build_pipeline was not found"):
        pipelines.list_pipelines(workspace(tmp_path, codepipeline=missing), "churn", "lead")


@pytest.mark.parametrize(
    ("pictures", "statuses"),
    [
        ([("InProgress", []), ("InProgress", []), ("Succeeded", [])], ["InProgress", "InProgress", "Succeeded"]),
        ([("InProgress", []), ("InProgress", WAITING), ("Succeeded", [])], ["InProgress", "InProgress"]),
        ([("Stopped", [])], ["Stopped"]),
    ],
)
def test_watching_ends_with_the_execution_or_when_it_waits_for_a_person(
    tmp_path: Path, pictures: list[Any], statuses: list[str]
) -> None:
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(*pictures))
    assert [now.status for now in pipelines.watch(made, "churn", "deploy", "lead")] == statuses


def test_watching_waits_for_an_execution_that_is_new(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("Succeeded", []), ("Succeeded", []))
    looked_at = iter([("e1",), ("e1",), ("e2", "e1"), ("e3", "e2", "e1")])
    made = workspace(tmp_path, codepipeline=pipeline)
    original = pipeline.list_pipeline_executions

    def list_executions(pipelineName: str) -> dict[str, Any]:  # noqa: N803
        pipeline.executions = next(looked_at)
        return original(pipelineName)

    pipeline.list_pipeline_executions = list_executions  # type: ignore[method-assign]
    assert [now.execution_id for now in pipelines.watch(made, "churn", "deploy", "lead", ["e1"])] == ["e2"]


def test_an_approval_goes_to_what_waits_with_its_token(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("InProgress", WAITING))
    made = workspace(tmp_path, codepipeline=pipeline)
    done = pipelines.put_approval(made, "churn", "preprod", approve=True, summary="good", persona="lead")
    assert done.execution_id == "e2"
    assert pipeline.answered == [
        {
            "pipelineName": "churn_deploy_pipeline",
            "stageName": "ApprovePreprod",
            "actionName": "Approve",
            "result": {"summary": "good", "status": "Approved"},
            "token": "t1",
        }
    ]
    assert made.sessions.asked[-1] == ("codepipeline", DEV, f"eu-west-1-lead-datascientist-{DEV}")  # type: ignore[attr-defined]


def test_a_rejection_is_the_other_answer(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("InProgress", WAITING))
    made = workspace(tmp_path, codepipeline=pipeline)
    pipelines.put_approval(made, "churn", "preprod", approve=False, summary="no", persona="lead")
    assert pipeline.answered[0]["result"]["status"] == "Rejected"


@pytest.mark.parametrize(("asked", "stages"), [("prod", WAITING), ("production", WAITING), ("preprod", FAILED)])
def test_an_approval_that_nobody_waits_for_is_an_error_and_sends_nothing(
    tmp_path: Path, asked: str, stages: list[Any]
) -> None:
    pipeline = FakeCodePipeline(("InProgress", stages))
    with pytest.raises(ConfigError, match=f"nothing waits for an approval before {asked}") as raised:
        pipelines.put_approval(
            workspace(tmp_path, codepipeline=pipeline), "churn", asked, approve=True, summary="", persona="lead"
        )
    assert raised.value.problems[0].got == ("ApprovePreprod" if stages is WAITING else "no stage waits")
    assert pipeline.answered == []


def test_who_may_not_approve_is_told_so(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("InProgress", WAITING))
    pipeline.refuse_answer = True
    with pytest.raises(AccessDenied, match="PutApprovalResult") as raised:
        pipelines.put_approval(
            workspace(tmp_path, codepipeline=pipeline), "churn", "preprod", approve=True, summary="", persona="auditor"
        )
    assert raised.value.problems[0].where == "churn_deploy_pipeline/ApprovePreprod"


def checked(folder: Path, *lines: str) -> UserCodeError:
    pipeline = FakeCodePipeline(("Failed", FAILED))
    made = workspace(folder, codepipeline=pipeline, codebuild=FakeCodeBuild(), logs=FakeLogs(*lines))
    now = pipelines.state(made, "churn", "build", "lead")
    with pytest.raises(UserCodeError) as raised:
        pipelines.check(made, now, "lead")
    return raised.value


def test_a_failed_build_has_the_scripts_own_reason_on_top_and_its_log_below(tmp_path: Path) -> None:
    error = checked(tmp_path, "start", "Traceback (most recent call last):", "ValueError: no such column: age", "end")
    assert error.what == "Build/Train failed: ValueError: no such column: age"
    assert error.exit_code == 8
    problem = error.problems[0]
    assert problem.got.splitlines() == [
        "start",
        "Traceback (most recent call last):",
        "ValueError: no such column: age",
        "end",
    ]
    assert problem.where == "churn_build_pipeline, execution e2"
    assert problem.fix.endswith("mlops pipeline logs churn build")


def test_without_an_error_in_the_log_the_action_says_why(tmp_path: Path) -> None:
    assert checked(tmp_path, "start", "end").what == "Build/Train failed: Build FAILED"


def test_what_did_not_fail_is_no_error(tmp_path: Path) -> None:
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", WAITING)))
    pipelines.check(made, pipelines.state(made, "churn", "deploy", "lead"), "lead")


def test_a_log_is_read_over_its_pages_and_cut_to_its_end(tmp_path: Path) -> None:
    made = workspace(tmp_path, codebuild=FakeCodeBuild(), logs=FakeLogs("1", "2", "3", "4"))
    build = pipelines.Action("Train", execution=BUILD)
    assert pipelines.log_lines(made, build, "lead") == ["1", "2", "3", "4"]
    assert pipelines.log_lines(made, build, "lead", 2) == ["3", "4"]


@pytest.mark.parametrize("execution", ["", "0f3a", "arn:aws:cloudformation:eu-west-1:2:stack/s/1"])
def test_what_is_no_build_has_no_log(tmp_path: Path, execution: str) -> None:
    assert pipelines.log_lines(workspace(tmp_path), pipelines.Action("Deploy", execution=execution), "lead") == []
