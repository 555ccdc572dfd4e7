"""Which version is deployed, and when nothing is."""

from typing import Any

import pytest

from deploy import resolve

VERSION = "arn:aws:sagemaker:eu-west-1:222222222222:model-package/churn/3"


class Registry:
    """A registry with the versions it is given, newest first."""

    def __init__(self, approved: list[str], status: str = "Approved") -> None:
        self.approved = approved
        self.status = status

    def list_model_packages(self, **request: Any) -> dict[str, Any]:
        assert request["ModelApprovalStatus"] == "Approved"
        return {"ModelPackageSummaryList": [{"ModelPackageArn": arn} for arn in self.approved]}

    def describe_model_package(self, **request: Any) -> dict[str, Any]:
        assert request["ModelPackageName"]
        return {"ModelApprovalStatus": self.status}


class Pipeline:
    """Executions by id: source commit, version, status. Remembers which were stopped, and why."""

    def __init__(self, executions: dict[str, tuple[str, str, str]], trigger: str) -> None:
        self.executions = executions
        self.trigger = trigger
        self.stopped: dict[str, str] = {}

    def get_paginator(self, name: str) -> "Pipeline":
        assert name == "list_pipeline_executions"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        assert request["pipelineName"] == "churn_deploy_pipeline"
        summaries = [
            {"pipelineExecutionId": key, "status": status, "sourceRevisions": [{"revisionId": commit}]}
            for key, (commit, _, status) in self.executions.items()
        ]
        return [{"pipelineExecutionSummaries": summaries}]

    def list_action_executions(self, **request: Any) -> dict[str, Any]:
        _, version, _ = self.executions[request["filter"]["pipelineExecutionId"]]
        return {"actionExecutionDetails": [{}, {"output": {"outputVariables": {"MODEL_PACKAGE_ARN": version}}}]}

    def get_pipeline_execution(self, **request: Any) -> dict[str, Any]:
        assert request["pipelineExecutionId"]
        return {"pipelineExecution": {"trigger": {"triggerType": self.trigger}}}

    def stop_pipeline_execution(self, **request: Any) -> None:
        self.stopped[request["pipelineExecutionId"]] = request["reason"]


def run(
    monkeypatch: pytest.MonkeyPatch, registry: Registry, pipeline: Pipeline, requested: str = resolve.LATEST
) -> int:
    clients = {"sagemaker": registry, "codepipeline": pipeline}
    monkeypatch.setattr(resolve.boto3, "client", lambda name: clients[name])
    environment = {
        "MODEL_PACKAGE_GROUP_NAME": "churn",
        "DEPLOY_PIPELINE_NAME": "churn_deploy_pipeline",
        "EXECUTION_ID": "own",
        "SOURCE_COMMIT": "c1",
        "REQUESTED_VERSION": requested,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return resolve.main()


def test_latest_approved_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, Registry([VERSION]), Pipeline({}, "CloudWatchEvent")) == 0
    assert capsys.readouterr().out.strip() == VERSION


def test_nothing_approved_stops_the_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline({}, "CreatePipeline")
    assert run(monkeypatch, Registry([]), pipeline) == 0
    assert "No version of churn is approved" in pipeline.stopped["own"]


def test_unapproved_version_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    registry = Registry([], status="PendingManualApproval")
    assert run(monkeypatch, registry, Pipeline({}, "CloudWatchEvent"), VERSION) == 1
    assert "only an approved version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("newest", "trigger", "stopped"),
    [
        (("c1", VERSION, "Succeeded"), "CloudWatchEvent", True),
        (("c1", VERSION, "InProgress"), "CloudWatchEvent", True),
        (("c1", VERSION, "Failed"), "CloudWatchEvent", False),
        (("c0", VERSION, "Succeeded"), "CloudWatchEvent", False),
        (("c1", VERSION.replace("/3", "/4"), "Succeeded"), "CloudWatchEvent", False),
        (("c1", VERSION, "Succeeded"), "StartPipelineExecution", False),
    ],
)
def test_only_a_second_event_for_the_same_is_a_duplicate(
    monkeypatch: pytest.MonkeyPatch, newest: tuple[str, str, str], trigger: str, stopped: bool
) -> None:
    pipeline = Pipeline({"own": ("c1", "", "InProgress"), "other": newest}, trigger)
    assert run(monkeypatch, Registry([VERSION]), pipeline, VERSION) == 0
    assert bool(pipeline.stopped) is stopped
