"""Fakes of what a project's pipelines are seen through: CodePipeline, CodeBuild, CloudWatch Logs, SageMaker."""

from typing import Any

from fake_aws import WHEN, refused

BUILD = "churn-build:0f3a"
COMMIT = "0a1b2c3d4e5f"


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
    """Executions, newest first; each look takes the next of the given pictures.

    Attributes:
        versions: Version that an execution deploys, by its id.
        statuses: Of the executions that are not the newest; ``Succeeded`` when it is not there.
        ran: Actions of executions that newer ones have overtaken, newest first.
    """

    def __init__(self, *pictures: tuple[str, list[dict[str, Any]]], executions: tuple[str, ...] = ("e2", "e1")) -> None:
        self.pictures = list(pictures)
        self.executions = executions
        self.answered: list[dict[str, Any]] = []
        self.refuse: Exception | None = None
        self.versions: dict[str, int] = {"e1": 1, "e2": 2, "e3": 3}
        self.statuses: dict[str, str] = {}
        self.summaries: dict[str, str] = {}
        self.ran: list[dict[str, Any]] = []

    def list_pipeline_executions(self, pipelineName: str) -> dict[str, Any]:  # noqa: N803
        del pipelineName
        if self.refuse:
            raise self.refuse
        statuses = dict.fromkeys(self.executions, "Succeeded") | self.statuses
        if self.executions:
            statuses[self.executions[0]] = self.pictures[0][0]
        return {"pipelineExecutionSummaries": [self._summary(each, statuses[each]) for each in self.executions]}

    def _summary(self, key: str, status: str) -> dict[str, Any]:
        told = {"statusSummary": self.summaries[key]} if key in self.summaries else {}
        revisions = [{"actionName": "Source", "revisionId": COMMIT}]
        return {"pipelineExecutionId": key, "status": status, "startTime": WHEN, "sourceRevisions": revisions} | told

    def get_pipeline_state(self, name: str) -> dict[str, Any]:
        _, stages = self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]
        return {"pipelineName": name, "stageStates": stages}

    def get_pipeline_execution(self, pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:  # noqa: N803
        del pipelineName
        number = self.versions.get(pipelineExecutionId)
        value = f"arn:aws:sagemaker:eu-west-1:2:model-package/churn/{number}" if number else "latest"
        return {"pipelineExecution": {"variables": [{"name": "ModelPackageArn", "resolvedValue": value}]}}

    def get_paginator(self, name: str) -> "FakeCodePipeline":
        assert name == "list_action_executions"
        return self

    def paginate(self, pipelineName: str, filter: dict[str, str]) -> list[dict[str, Any]]:  # noqa: A002, N803
        del pipelineName
        wanted = filter["pipelineExecutionId"]
        return [{"actionExecutionDetails": [each for each in self.ran if each["pipelineExecutionId"] == wanted]}]

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
    """Streams by group and name; a page holds two lines, and the last page repeats its token as AWS does."""

    def __init__(self, *lines: str, **streams: list[str]) -> None:
        self.streams = {("/mlops/churn", "0f3a"): list(lines)} | {
            ("/aws/sagemaker/TrainingJobs", name): found for name, found in streams.items()
        }

    def get_paginator(self, name: str) -> "FakeLogs":
        assert name == "describe_log_streams"
        return self

    def paginate(self, logGroupName: str, logStreamNamePrefix: str = "") -> list[dict[str, Any]]:  # noqa: N803
        names = [name for group, name in self.streams if group == logGroupName and name.startswith(logStreamNamePrefix)]
        if logGroupName not in {group for group, _ in self.streams}:
            raise refused("ResourceNotFoundException", "The specified log group does not exist")
        return [{"logStreams": [{"logStreamName": name}]} for name in names]

    def get_log_events(self, logGroupName: str, logStreamName: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        lines = self.streams[logGroupName, logStreamName]
        if "limit" in given:
            return {"events": [{"message": line} for line in lines[-1:]]}
        assert given["startFromHead"] is True
        start = int(given.get("nextToken", 0))
        page = lines[start : start + 2]
        events = [{"timestamp": start + index, "message": f"{line}\n"} for index, line in enumerate(page)]
        return {"events": events, "nextForwardToken": str(start + len(page))}


class FakeSageMaker:
    """One project, and the training runs of its pipeline."""

    def __init__(self, *runs: dict[str, Any], steps: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.runs = list(runs)
        self.steps = steps or {}

    def describe_project(self, ProjectName: str) -> dict[str, Any]:  # noqa: N803
        if ProjectName != "churn":
            raise refused("ValidationException", f"Project {ProjectName} does not exist")
        return {}

    def list_projects(self, **_: Any) -> dict[str, Any]:
        return {"ProjectSummaryList": [{"ProjectName": "churn"}, {"ProjectName": "fraud"}]}

    def list_pipeline_executions(self, PipelineName: str, SortOrder: str) -> dict[str, Any]:  # noqa: N803
        assert (PipelineName, SortOrder) == ("churn-training", "Descending")
        return {"PipelineExecutionSummaries": self.runs}

    def get_paginator(self, name: str) -> "FakeSageMaker":
        assert name == "list_pipeline_execution_steps"
        return self

    def paginate(self, PipelineExecutionArn: str, SortOrder: str) -> list[dict[str, Any]]:  # noqa: N803
        assert SortOrder == "Ascending"
        return [{"PipelineExecutionSteps": self.steps[PipelineExecutionArn]}]
