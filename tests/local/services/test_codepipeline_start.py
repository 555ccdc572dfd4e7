"""CodePipeline starts and stops: by hand, by a push, one execution after the other or instead of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from code_clients import Git, allow, make_role, wait_for
from pipeline_lab import (
    APPROVE,
    BUILD,
    SOURCE,
    Lab,
    stage,
)

pytestmark = pytest.mark.cloud


def test_a_newer_execution_supersedes_those_that_wait(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    token = lab.approval()
    second = lab.start()
    wait_for(lambda: lab.state("Gate").get("inboundExecution", {}).get("pipelineExecutionId") == second)
    third = lab.start()
    assert lab.ended(second) == "Superseded"
    assert lab.execution(first)["status"] == "InProgress"
    lab.decide(token)
    assert lab.ended(first) == "Succeeded"
    lab.decide(wait_for(lambda: (t := lab.approval()) != token and t))
    assert lab.ended(third) == "Succeeded"


def test_lists_come_in_pages(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    lab.approval()
    second = lab.start()
    wait_for(lambda: lab.state("Gate").get("inboundExecution", {}).get("pipelineExecutionId") == second)
    found: dict[str, list[str]] = {}
    for operation, key in (
        ("list_pipeline_executions", "pipelineExecutionSummaries"),
        ("list_action_executions", "actionExecutionDetails"),
    ):
        pages = lab.client.get_paginator(operation).paginate(pipelineName="pipe", PaginationConfig={"PageSize": 1})
        found[operation] = [each["pipelineExecutionId"] for page in pages for each in page[key]]
    assert found["list_pipeline_executions"] == [second, first]
    assert found["list_action_executions"] == [second, first, first]
    with pytest.raises(ClientError, match="InvalidNextTokenException"):
        lab.client.list_pipeline_executions(pipelineName="pipe", nextToken="x")


def test_queued_executions_go_one_after_the_other(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE), executionMode="QUEUED")
    others = [lab.start(), lab.start()]
    seen = ""
    for execution in (first, *others):
        seen = wait_for(lambda seen=seen: (t := lab.approval()) != seen and t)
        assert lab.state("Gate")["latestExecution"]["pipelineExecutionId"] == execution
        lab.decide(seen)
        assert lab.ended(execution) == "Succeeded"


def test_a_disabled_transition_holds_executions_back(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    lab.decide(lab.approval())
    assert lab.ended(first) == "Succeeded"
    place = {"pipelineName": "pipe", "stageName": "Gate", "transitionType": "Inbound"}
    lab.client.disable_stage_transition(**place, reason="freeze")
    second = lab.start()
    wait_for(lambda: "inboundExecution" in lab.state("Gate"))
    assert lab.state("Gate")["inboundTransitionState"]["disabledReason"] == "freeze"
    lab.client.enable_stage_transition(**place)
    lab.decide(lab.approval())
    assert lab.ended(second) == "Succeeded"


def test_stopping(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    lab.approval()
    lab.client.stop_pipeline_execution(pipelineName="pipe", pipelineExecutionId=first, abandon=True, reason="wrong")
    assert lab.ended(first) == "Stopped"
    assert lab.actions(first)["Approve"]["status"] == "Abandoned"
    assert lab.executions()[0]["stopTrigger"] == {"reason": "wrong"}
    with pytest.raises(ClientError, match="NotStoppable"):
        lab.client.stop_pipeline_execution(pipelineName="pipe", pipelineExecutionId=first)


def test_the_same_request_token_starts_nothing_new(lab: Lab) -> None:
    lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    assert lab.start(clientRequestToken="once") == lab.start(clientRequestToken="once")
    assert len(lab.executions()) == 2


def test_an_update_cancels_what_is_under_way(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    lab.approval()
    changed = lab.client.update_pipeline(pipeline=lab.definition(stage("Source", SOURCE), stage("Build", BUILD)))
    assert changed["pipeline"]["version"] == 2
    assert lab.execution(first)["status"] == "Cancelled"
    assert lab.ended(lab.start()) == "Succeeded"


def test_a_push_starts_the_pipeline_with_variables_from_the_event(
    lab: Lab, git: Callable[..., Git], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    assert lab.ended(first) == "Succeeded"
    _rule(lab, allow("codepipeline:StartPipelineExecution", resource=f"arn:aws:codepipeline:*:{lab.account}:pipe"))
    mine = git()
    mine("clone", lab.codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["cloneUrlHttp"], ".")
    commit = mine.commit({"version.txt": "9"})
    mine("push", "origin", "main")
    second = wait_for(lambda: len(found := lab.executions()) == 2 and found[0])
    assert second["trigger"]["triggerType"] == "CloudWatchEvent"
    assert lab.ended(second["pipelineExecutionId"]) == "Succeeded"
    execution = lab.execution(second["pipelineExecutionId"])
    assert execution["variables"] == [{"name": "Word", "resolvedValue": commit}]
    outputs = lab.actions(second["pipelineExecutionId"])["Build"]["output"]["outputVariables"]
    assert outputs == {"VERSION": f"v-9-{commit}"}
    mine_only = [
        event
        for event in events("CodePipeline Pipeline Execution State Change")
        if event["execution-id"] == second["pipelineExecutionId"]
    ]
    assert [event["state"] for event in mine_only] == ["STARTED", "SUCCEEDED"]
    stages = [
        (event["stage"], event["state"])
        for event in events("CodePipeline Stage Execution State Change")
        if event["execution-id"] == second["pipelineExecutionId"]
    ]
    assert stages == [(name, state) for name in ("Source", "Build") for state in ("STARTED", "SUCCEEDED")]
    actions = [event for event in events("CodePipeline Action Execution State Change") if event["action"] == "Build"]
    assert {event["type"]["provider"] for event in actions} == {"CodeBuild"}


def _rule(lab: Lab, *rights: Any) -> None:
    role = make_role(lab.iam, "starter", *rights, trust="events.amazonaws.com")
    client = lab.cloud.client("events", lab.account)
    pattern = {"source": ["aws.codecommit"], "detail": {"event": ["referenceUpdated"], "referenceName": ["main"]}}
    client.put_rule(Name="push", EventPattern=json.dumps(pattern))
    target = {
        "Id": "pipeline",
        "Arn": f"arn:aws:codepipeline:eu-west-1:{lab.account}:pipe",
        "RoleArn": role,
        "InputTransformer": {
            "InputPathsMap": {"commit": "$.detail.commitId"},
            "InputTemplate": '{"variables": [{"name": "Word", "value": <commit>}]}',
        },
    }
    client.put_targets(Rule="push", Targets=[target])


def test_an_event_role_without_the_right_starts_nothing(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    assert lab.ended(first) == "Succeeded"
    _rule(lab, allow("codepipeline:GetPipeline"))
    lab.commit({"version.txt": "9"})
    assert lab.ended(lab.start()) == "Succeeded"
    assert len(lab.executions()) == 2
