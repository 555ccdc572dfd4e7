"""Executions: started, stopped and run again as they were asked for, and listed with what they are about."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from fake_aws import WHEN, workspace
from fake_pipelines import COMMIT, FAILED, WAITING, FakeCodePipeline, FakeSageMaker

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases import executions

ARN = "arn:aws:sagemaker:eu-west-1:2:model-package/churn/2"


class Recording(FakeCodePipeline):
    """Writes down what is asked for; executions have ends and triggers."""

    def __init__(self, *pictures: tuple[str, list[dict[str, Any]]], ids: tuple[str, ...] = ("e2", "e1")) -> None:
        super().__init__(*pictures, executions=ids)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.triggers = {"e2": ("CloudWatchEvent", "arn:aws:events:eu-west-1:2:rule/churn-approved")}

    def start_pipeline_execution(self, **request: Any) -> dict[str, str]:
        self.asked.append(("start", request))
        return {"pipelineExecutionId": "e9"}

    def stop_pipeline_execution(self, **request: Any) -> None:
        self.asked.append(("stop", request))

    def retry_stage_execution(self, **request: Any) -> None:
        self.asked.append(("retry", request))

    def get_paginator(self, name: str) -> Any:
        return self if name == "list_action_executions" else Pages(self)

    def _summary(self, key: str, status: str) -> dict[str, Any]:
        kind, rule = self.triggers.get(key, ("StartPipelineExecution", "arn:aws:sts::2:assumed-role/lead/me"))
        more = {"trigger": {"triggerType": kind, "triggerDetail": rule}}
        return super()._summary(key, status) | {"lastUpdateTime": WHEN + dt.timedelta(seconds=90)} | more


class Pages:
    """All executions on one page."""

    def __init__(self, pipeline: Recording) -> None:
        self.pipeline = pipeline

    def paginate(self, pipelineName: str, PaginationConfig: dict[str, int]) -> list[dict[str, Any]]:  # noqa: N803
        found = self.pipeline.list_pipeline_executions(pipelineName)["pipelineExecutionSummaries"]
        return [{"pipelineExecutionSummaries": found[: PaginationConfig["MaxItems"]]}]


class Registry(FakeSageMaker):
    """Version 2 of the model."""

    def get_paginator(self, name: str) -> "Registry":
        assert name == "list_model_packages"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        found = {"ModelPackageArn": ARN, "ModelPackageVersion": 2, "ModelApprovalStatus": "Approved"}
        return [{"ModelPackageSummaryList": [found | {"CreationTime": WHEN}]}]


def test_history_says_what_each_was_about_what_started_it_and_how_long_it_took(tmp_path: Path) -> None:
    made = workspace(tmp_path, codepipeline=Recording(("Succeeded", [])))
    newest, oldest = executions.history(made, "churn", "deploy", "lead", 10)
    assert (newest.subject, newest.trigger, newest.seconds) == ("version 2", "approval", 90.0)
    assert (oldest.subject, oldest.trigger) == ("version 1", "start")
    assert newest.triggered_by.endswith("rule/churn-approved")
    assert len(executions.history(made, "churn", "deploy", "lead", 1)) == 1
    assert executions.history(made, "churn", "build", "lead", 1)[0].subject == f"commit {COMMIT[:8]}"


def test_a_version_that_nobody_asked_for_is_the_one_that_synth_chose(tmp_path: Path) -> None:
    pipeline = Recording(("Succeeded", []), ids=("e2",))
    pipeline.versions = {}
    made = workspace(tmp_path, codepipeline=pipeline)
    assert executions.history(made, "churn", "deploy", "lead", 1)[0].subject == ""
    chosen = {"output": {"outputVariables": {"MODEL_PACKAGE_ARN": ARN}}}
    pipeline.ran = [{"pipelineExecutionId": "e2", "stageName": "Synth", "actionName": "Synth"} | chosen]
    assert executions.history(made, "churn", "deploy", "lead", 1)[0].subject == "version 2"


def test_a_start_takes_the_newest_source_or_the_version_that_is_named(tmp_path: Path) -> None:
    pipeline = Recording(("Succeeded", []))
    made = workspace(tmp_path, codepipeline=pipeline, sagemaker=Registry())
    assert executions.start(made, "churn", "build", "data-scientist") == "e9"
    executions.start(made, "churn", "deploy", "lead", "2")
    assert pipeline.asked == [
        ("start", {"name": "churn_build_pipeline"}),
        ("start", {"name": "churn_deploy_pipeline", "variables": [{"name": "ModelPackageArn", "value": ARN}]}),
    ]
    with pytest.raises(ConfigError, match="only a pipeline that deploys takes a version"):
        executions.start(made, "churn", "build", "data-scientist", "2")
    with pytest.raises(ConfigError, match="has no version 7"):
        executions.start(made, "churn", "deploy", "lead", "7")
    assert len(pipeline.asked) == 2


def test_the_one_that_is_under_way_is_stopped(tmp_path: Path) -> None:
    pipeline = Recording(("InProgress", WAITING))
    made = workspace(tmp_path, codepipeline=pipeline)
    executions.stop(made, "churn", "deploy", "lead", reason="wrong data", abandon=True)
    assert pipeline.asked == [
        ("stop", {
            "pipelineName": "churn_deploy_pipeline", "pipelineExecutionId": "e2", "abandon": True,
            "reason": "wrong data",
        })
    ]  # fmt: skip


def test_of_several_under_way_none_is_stopped_until_it_is_named(tmp_path: Path) -> None:
    pipeline = Recording(("InProgress", WAITING))
    pipeline.statuses = {"e1": "InProgress"}
    made = workspace(tmp_path, codepipeline=pipeline)
    with pytest.raises(ConfigError, match="several executions are under way") as raised:
        executions.stop(made, "churn", "deploy", "lead")
    assert raised.value.problems[0].got == "e2 version 2, e1 version 1"
    assert pipeline.asked == []
    executions.stop(made, "churn", "deploy", "lead", execution_id="e1")
    assert pipeline.asked[0][1]["pipelineExecutionId"] == "e1"


def test_what_is_over_is_not_stopped(tmp_path: Path) -> None:
    made = workspace(tmp_path, codepipeline=Recording(("Succeeded", [])))
    with pytest.raises(ConfigError, match="no execution is under way"):
        executions.stop(made, "churn", "deploy", "lead")
    with pytest.raises(ConfigError, match="execution e1 is over"):
        executions.stop(made, "churn", "deploy", "lead", execution_id="e1")


@pytest.mark.parametrize(("everything", "mode"), [(False, "FAILED_ACTIONS"), (True, "ALL_ACTIONS")])
def test_the_stage_that_failed_is_run_again(tmp_path: Path, everything: bool, mode: str) -> None:
    pipeline = Recording(("Failed", FAILED))
    made = workspace(tmp_path, codepipeline=pipeline, sagemaker=FakeSageMaker())
    _, stage = executions.retry(made, "churn", "build", "data-scientist", all_actions=everything)
    assert stage == "Build"
    assert pipeline.asked == [
        ("retry", {
            "pipelineName": "churn_build_pipeline", "stageName": "Build", "pipelineExecutionId": "e2",
            "retryMode": mode,
        })
    ]  # fmt: skip


def test_what_did_not_fail_is_not_run_again(tmp_path: Path) -> None:
    pipeline = Recording(("InProgress", WAITING))
    with pytest.raises(ConfigError, match="there is nothing to run again") as raised:
        executions.retry(workspace(tmp_path, codepipeline=pipeline), "churn", "deploy", "lead")
    assert raised.value.problems[0].fix == "mlops pipeline start churn deploy"
    assert pipeline.asked == []
