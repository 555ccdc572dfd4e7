"""Pipelines: where an execution stands, who it waits for, and why a build failed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, WHEN, refused, workspace
from fake_pipelines import (
    BUILD,
    COMMIT,
    FAILED,
    WAITING,
    FakeCodeBuild,
    FakeCodePipeline,
    FakeLogs,
    FakeSageMaker,
    action,
    stage,
)

from mlops_foundation.core.errors import AccessDenied, ConfigError, DeployError, UserCodeError
from mlops_foundation.usecases import pipelines
from mlops_foundation.usecases.build_logs import Part


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


def test_who_watches_what_does_not_change_looks_less_often_and_at_once_again_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finds a look every second, of several calls each, for as long as a build takes its hour."""
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", [])))
    still = pipelines.state(made, "churn", "deploy", "lead")
    monkeypatch.setattr(pipelines, "_POLL_S", 1.0)
    pace, waits = pipelines._Pace(own=False), []
    while sum(waits) < 600:
        waits.append(pace.until_next(still))
    assert waits[:10] == [1.0] * 10, "whatever is quick is seen as quickly as before"
    assert waits == sorted(waits)
    assert waits[-1] == 5.0
    assert len(waits) < 150
    talking = pipelines.StageState("Dev", "InProgress", "e2", (pipelines.Action("Test", "InProgress", "line 1"),))
    said = replace(still, stages=(talking,))
    assert pace.until_next(said) == 1.0
    more = replace(talking, actions=(replace(talking.actions[0], summary="line 2"),))
    assert [pace.until_next(replace(still, stages=(more,))) for _ in range(11)][-1] > 1.0, "a log goes on all the time"
    assert pace.until_next(replace(still, status="Succeeded")) == 1.0


def test_where_nobody_limits_calls_the_looks_after_a_change_come_quickly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would have found a demo that waits half a second after each of its stages for the next look."""
    monkeypatch.setattr(pipelines, "_POLL_S", 1.0)
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", WAITING)))
    now = pipelines.state(made, "churn", "deploy", "lead")
    pace = pipelines._Pace(own=True)
    waits = [pace.until_next(now) for _ in range(20)]
    assert waits[0] == 0.2
    assert waits == sorted(waits)
    assert waits[-1] == 1.0
    assert pace.until_next(replace(now, status="Succeeded")) == 0.2


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


def test_who_may_not_approve_is_told_so(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("InProgress", WAITING))
    pipeline.refuse_answer = True
    with pytest.raises(AccessDenied, match="PutApprovalResult") as raised:
        pipelines.put_approval(
            workspace(tmp_path, codepipeline=pipeline), "churn", "preprod", approve=True, summary="", persona="auditor"
        )
    assert raised.value.problems[0].where == "churn_deploy_pipeline/ApprovePreprod"


def test_what_did_not_fail_is_no_error(tmp_path: Path) -> None:
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", WAITING)))
    pipelines.check(made, pipelines.state(made, "churn", "deploy", "lead"), "lead")


def test_an_unknown_kind_is_an_error_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no pipeline deplyo") as raised:
        pipelines.state(workspace(tmp_path), "churn", "deplyo", "lead")
    assert raised.value.problems[0].expected == "build or deploy"


def test_an_unknown_project_is_one_error_that_says_how_to_list_and_make_projects(tmp_path: Path) -> None:
    missing = FakeCodePipeline(("", []))
    missing.refuse = refused("PipelineNotFoundException", "Account 2 does not have a pipeline nosuch_build_pipeline")
    made = workspace(tmp_path, codepipeline=missing, sagemaker=FakeSageMaker())
    for ask in (
        lambda: pipelines.list_pipelines(made, "nosuch", "lead"),
        lambda: next(pipelines.watch(made, "nosuch", "build", "lead")),
        lambda: next(pipelines.logs(made, "nosuch", "build", "lead", Part())),
        lambda: pipelines.executions(made, "nosuch", "build", "lead"),
        lambda: pipelines.put_approval(made, "nosuch", "prod", approve=True, summary="", persona="lead"),
    ):
        with pytest.raises(ConfigError, match="there is no project nosuch") as raised:
            ask()
        problem = raised.value.problems[0]
        assert problem.expected == "one of churn, fraud"
        assert "mlops project list" in problem.fix
        assert "mlops project create nosuch" in problem.fix


def test_what_is_missing_in_a_project_that_exists_is_told_as_it_is(tmp_path: Path) -> None:
    missing = FakeCodePipeline(("", []))
    missing.refuse = refused("PipelineNotFoundException", "churn_build_pipeline was not found")
    with pytest.raises(ConfigError, match="churn_build_pipeline was not found"):
        pipelines.list_pipelines(workspace(tmp_path, codepipeline=missing, sagemaker=FakeSageMaker()), "churn", "lead")


# --- who waits for whom -----------------------------------------------------------------------------------------------

HELD = [
    stage("Source", "Succeeded", action("Source", "Succeeded")),
    stage("ApprovePreprod", "InProgress", action("Approve", "InProgress", token="t1"), execution="e1")
    | {"inboundExecution": {"pipelineExecutionId": "e2", "status": "InProgress"}},
    stage("Preprod", "", action("Deploy")),
]
"""Version 2 (e2) has come up behind version 1 (e1), which waits for the approval of preprod."""
BUSY = [
    stage("Source", "Succeeded", action("Source", "Succeeded")),
    stage("Preprod", "InProgress", action("Deploy", "InProgress"), execution="e1")
    | {"inboundExecution": {"pipelineExecutionId": "e2", "status": "InProgress"}},
]
CLOSED = [
    stage("Source", "Succeeded", action("Source", "Succeeded")),
    stage("Preprod", "Succeeded", action("Deploy", "Succeeded"), execution="e1")
    | {
        "inboundExecution": {"pipelineExecutionId": "e2", "status": "InProgress"},
        "inboundTransitionState": {"enabled": False, "disabledReason": "holidays"},
    },
]


def held() -> FakeCodePipeline:
    pipeline = FakeCodePipeline(("InProgress", HELD))
    pipeline.statuses = {"e1": "InProgress"}
    return pipeline


def test_watching_a_version_behind_another_ends_and_says_who_blocks_it_and_what_to_do(tmp_path: Path) -> None:
    (now,) = pipelines.watch(workspace(tmp_path, codepipeline=held()), "churn", "deploy", "lead")
    assert now.wait is not None
    assert now.wait.reason == (
        "version 2 (execution e2) waits behind version 1 (execution e1), which holds ApprovePreprod: "
        "approve or reject that one"
    )
    assert now.wait.command == "mlops pipeline approve churn preprod"
    assert (now.wait.holder, now.wait.holder_subject, now.waiting) == ("e1", "version 1", None)
    assert now.as_dict()["wait"]["stage"] == "ApprovePreprod"


def test_behind_a_version_that_goes_on_by_itself_watching_goes_on_and_says_so(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("InProgress", BUSY), ("InProgress", BUSY), ("Succeeded", []))
    pipeline.statuses = {"e1": "InProgress"}
    first, second, _ = pipelines.watch(workspace(tmp_path, codepipeline=pipeline), "churn", "deploy", "lead")
    assert first.wait == second.wait
    assert first.wait is not None
    assert first.wait.reason.endswith("version 1 (execution e1), which holds Preprod and goes on by itself")
    assert first.wait.command == "mlops pipeline watch churn deploy --execution e1"


def test_a_transition_that_somebody_closed_ends_watching_with_his_reason(tmp_path: Path) -> None:
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("InProgress", CLOSED)))
    (now,) = pipelines.watch(made, "churn", "deploy", "lead")
    assert now.wait is not None
    assert now.wait.reason == "version 2 (execution e2) waits before Preprod, whose transition is disabled: holidays"
    assert "--stage-name Preprod" in now.wait.command


def test_an_approval_goes_to_the_execution_that_holds_the_stage_and_names_its_version(tmp_path: Path) -> None:
    pipeline = held()
    made = workspace(tmp_path, codepipeline=pipeline)
    done = pipelines.put_approval(made, "churn", "preprod", approve=True, summary="good", persona="lead")
    assert done == pipelines.Decision("e1", "version 1", "preprod", approved=True, behind="version 2 (execution e2)")
    assert pipeline.answered[0]["token"] == "t1"


def test_an_approval_meant_for_another_execution_decides_nothing(tmp_path: Path) -> None:
    pipeline = held()
    made = workspace(tmp_path, codepipeline=pipeline)
    with pytest.raises(ConfigError, match="execution e2 does not wait for an approval before preprod") as raised:
        pipelines.put_approval(made, "churn", "preprod", approve=True, summary="", persona="lead", execution_id="e2")
    assert raised.value.problems[0].got == "version 1 (execution e1) waits there"
    assert pipeline.answered == []


@pytest.mark.parametrize(
    ("stages", "got"),
    [(WAITING, "version 2 (execution e2) waits in ApprovePreprod"), (FAILED, "no stage waits")],
)
def test_an_approval_that_nobody_waits_for_is_an_error_and_sends_nothing(
    tmp_path: Path, stages: list[Any], got: str
) -> None:
    stages = [*stages, stage("ApproveProd", "", action("Approve"))]
    pipeline = FakeCodePipeline(("InProgress", stages))
    with pytest.raises(ConfigError, match="nothing waits for an approval before prod") as raised:
        pipelines.put_approval(
            workspace(tmp_path, codepipeline=pipeline), "churn", "prod", approve=True, summary="", persona="lead"
        )
    assert raised.value.problems[0].got == got
    assert pipeline.answered == []


@pytest.mark.parametrize("asked", ["dev", "production", ""])
def test_a_stage_that_nobody_is_asked_about_is_refused_with_those_of_the_pipeline(tmp_path: Path, asked: str) -> None:
    pipeline = FakeCodePipeline(("InProgress", [*WAITING, stage("ApproveProd", "", action("Approve"))]))
    with pytest.raises(ConfigError, match=f"nobody is asked before {asked}") as raised:
        pipelines.put_approval(
            workspace(tmp_path, codepipeline=pipeline), "churn", asked, approve=True, summary="", persona="lead"
        )
    assert raised.value.problems[0].expected == "one of preprod, prod"


@pytest.mark.parametrize("summary", ["Superseded by e0000000-0000-4000-8000-000000000003", ""])
def test_a_superseded_execution_says_by_which(tmp_path: Path, summary: str) -> None:
    newest = summary.rpartition(" ")[2] or "e3"
    pipeline = FakeCodePipeline(("InProgress", HELD), executions=(newest, "e2", "e1"))
    pipeline.versions[newest] = 3
    pipeline.statuses, pipeline.summaries = {"e2": "Superseded"}, {"e2": summary}
    made = workspace(tmp_path, codepipeline=pipeline)
    (now,) = pipelines.watch(made, "churn", "deploy", "lead", execution_id="e2")
    assert (now.status, now.superseded_by) == ("Superseded", newest)
    assert now.reason == f"superseded by version 3 (execution {newest[:8]})"


def test_an_older_execution_is_shown_as_it_was_though_newer_ones_hold_its_stages(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("InProgress", FAILED), executions=("e2", "e1"))
    result = {"externalExecutionId": BUILD}
    pipeline.ran = [
        {"pipelineExecutionId": "e1", "stageName": "Build", "actionName": "Train", "status": "Succeeded",
         "output": {"executionResult": result}, "startTime": WHEN, "lastUpdateTime": WHEN},
    ]  # fmt: skip
    pipeline.statuses = {"e1": "Succeeded"}
    made = workspace(tmp_path, codepipeline=pipeline)
    now = pipelines.state(made, "churn", "deploy", "lead", "e1")
    assert [(each.name, each.status) for each in now.stages] == [("Source", ""), ("Build", "Succeeded")]
    assert now.stages[1].actions[1].execution == BUILD


def test_an_execution_is_named_by_the_beginning_of_its_id_if_it_is_the_only_one(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("Succeeded", []), executions=("ab2", "ab1", "c"))
    made = workspace(tmp_path, codepipeline=pipeline)
    assert pipelines.state(made, "churn", "deploy", "lead", "c").execution_id == "c"
    for asked, what in (("ab", "several executions begin with ab"), ("d", "no execution begins with d")):
        with pytest.raises(ConfigError, match=what) as raised:
            pipelines.state(made, "churn", "deploy", "lead", asked)
        assert raised.value.problems[0].expected == "ab2, ab1, c"


def test_what_never_starts_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(pipelines, "_FIRST_S", 0.0)
    old = workspace(tmp_path, codepipeline=FakeCodePipeline(("Succeeded", []), executions=("e1",)))
    with pytest.raises(DeployError, match="no new execution of churn_deploy_pipeline has started") as raised:
        list(pipelines.watch(old, "churn", "deploy", "lead", ["e1"]))
    assert raised.value.problems[0].fix == "mlops pipeline start churn deploy"
    empty = workspace(tmp_path, codepipeline=FakeCodePipeline(("", []), executions=()))
    (now,) = pipelines.watch(empty, "churn", "build", "lead")
    assert now.execution_id == ""


# --- why it failed ----------------------------------------------------------------------------------------------------


def checked(folder: Path, *lines: str) -> UserCodeError:
    pipeline = FakeCodePipeline(("Failed", FAILED))
    made = workspace(
        folder, codepipeline=pipeline, codebuild=FakeCodeBuild(), logs=FakeLogs(*lines), sagemaker=FakeSageMaker()
    )
    now = pipelines.state(made, "churn", "build", "lead")
    with pytest.raises(UserCodeError) as raised:
        pipelines.check(made, now, "lead")
    return raised.value


def test_a_failed_build_says_its_reason_once_and_first_and_where_the_rest_is(tmp_path: Path) -> None:
    error = checked(tmp_path, "start", "Traceback (most recent call last):", "ValueError: no such column: age", "end")
    assert error.what == "Build/Train failed: ValueError: no such column: age"
    assert error.exit_code == 8
    problem = error.problems[0]
    assert problem.got.splitlines() == ["start", "Traceback (most recent call last):", "end"]
    assert problem.where == f"churn_build_pipeline, commit {COMMIT[:8]} (execution e2)"
    assert problem.fix == "the whole log: mlops pipeline logs churn build --execution e2 --stage Build"


def test_without_an_error_in_the_log_the_action_says_why(tmp_path: Path) -> None:
    assert checked(tmp_path, "start", "end").what == "Build/Train failed: Build FAILED"


def test_what_has_no_log_is_put_right_and_run_again(tmp_path: Path) -> None:
    rejected = stage("ApproveProd", "Failed", action("Approve", "Failed", errorDetails={"message": "Rejected by lead"}))
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("Failed", [rejected])))
    with pytest.raises(UserCodeError, match="ApproveProd/Approve failed: Rejected by lead") as raised:
        pipelines.check(made, pipelines.state(made, "churn", "deploy", "lead"), "lead")
    assert raised.value.problems[0].got == ""
    assert raised.value.problems[0].fix.endswith("mlops pipeline retry churn deploy --execution e2")


# --- logs -------------------------------------------------------------------------------------------------------------


def test_a_log_is_read_over_its_pages_with_the_name_of_what_wrote_it(tmp_path: Path) -> None:
    pipeline = FakeCodePipeline(("Failed", FAILED))
    made = workspace(
        tmp_path,
        codepipeline=pipeline,
        codebuild=FakeCodeBuild(),
        logs=FakeLogs("1", "2", "3", "4", "5"),
        sagemaker=FakeSageMaker(),
    )
    found = list(pipelines.logs(made, "churn", "build", "lead", Part(stage="build")))
    assert found == [("Build/Train", line) for line in "12345"]
    assert list(pipelines.logs(made, "churn", "build", "lead", Part(stage="Source"))) == []
    with pytest.raises(ConfigError, match="has no stage Biuld") as raised:
        list(pipelines.logs(made, "churn", "build", "lead", Part(stage="Biuld")))
    assert raised.value.problems[0].expected == "one of Source, Build"


def test_following_a_log_reads_what_comes_and_nothing_twice(tmp_path: Path) -> None:
    running = [stage("Build", "InProgress", action("Train", "InProgress", externalExecutionId=BUILD))]
    pipeline = FakeCodePipeline(("InProgress", running), ("InProgress", running), ("Succeeded", running))
    logs = FakeLogs("1", "2", "3")
    made = workspace(tmp_path, codepipeline=pipeline, codebuild=FakeCodeBuild(), logs=logs, sagemaker=FakeSageMaker())
    found = pipelines.logs(made, "churn", "build", "lead", Part(), follow=True)
    assert [line for _, line in (next(found), next(found), next(found))] == ["1", "2", "3"]
    logs.streams["/mlops/churn", "0f3a"] += ["4"]
    assert [line for _, line in found] == ["4"]


def test_a_build_that_runs_says_the_last_line_of_its_log(tmp_path: Path) -> None:
    running = [stage("Build", "InProgress", action("Train", "InProgress", externalExecutionId=BUILD))]
    logs = FakeLogs("first", "[Container] 2026/11/21 16:03:39.385989 Running command python -m pytest --quiet")
    pipeline = FakeCodePipeline(("InProgress", running))
    made = workspace(tmp_path, codepipeline=pipeline, codebuild=FakeCodeBuild(), logs=logs, sagemaker=FakeSageMaker())
    now = pipelines.state(made, "churn", "build", "lead")
    assert now.stages[0].actions[0].summary == "Running command python -m pytest --quiet"


@pytest.mark.parametrize("execution", ["0f3a", "arn:aws:cloudformation:eu-west-1:2:stack/s/1"])
def test_what_is_no_build_has_no_log(tmp_path: Path, execution: str) -> None:
    deployed = [stage("Dev", "Succeeded", action("Deploy", "Succeeded", externalExecutionId=execution))]
    made = workspace(tmp_path, codepipeline=FakeCodePipeline(("Succeeded", deployed)))
    assert list(pipelines.logs(made, "churn", "deploy", "lead", Part())) == []
