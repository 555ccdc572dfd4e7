"""CodePipeline approves: who may, what a rejection does, what cannot be approved."""

import pytest
from botocore.exceptions import ClientError
from code_clients import allow, make_role
from pipeline_lab import (
    APPROVE_BUILD,
    BUILD,
    SOURCE,
    Lab,
    stage,
)

pytestmark = pytest.mark.cloud


def test_only_who_may_approve_this_action_does(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Gate", APPROVE_BUILD))
    token = lab.approval()
    gate = f"arn:aws:codepipeline:eu-west-1:{lab.account}:pipe/Gate/Approve"
    elsewhere = f"arn:aws:codepipeline:eu-west-1:{lab.account}:pipe/ApproveProd/Approve"
    for name, arn in (("lead", gate), ("prod-approver", elsewhere)):
        rights = allow("codepipeline:PutApprovalResult", resource=arn)
        make_role(lab.iam, name, rights, trust={"AWS": lab.account})
    with pytest.raises(ClientError, match=r"AccessDenied.*codepipeline:PutApprovalResult"):
        lab.decide(token, role="prod-approver")
    assert lab.execution(first)["status"] == "InProgress"
    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        lab.decide("00000000-0000-0000-0000-000000000000", role="lead")
    lab.decide(token, role="lead", summary="looks good")
    assert lab.ended(first) == "Succeeded"
    latest = lab.state("Gate")["actionStates"][0]["latestExecution"]
    assert latest["lastUpdatedBy"].split("/")[1] == "lead"
    assert "looks good" in latest["summary"]
    assert lab.actions(first)["Approve"]["input"]["resolvedConfiguration"] == {"CustomData": "v-1-default"}
    with pytest.raises(ClientError, match="ApprovalAlreadyCompleted"):
        lab.decide(token, role="lead")


def test_a_rejection_fails_the_execution(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Gate", APPROVE_BUILD))
    lab.decide(lab.approval(), "Rejected", "too slow")
    assert lab.ended(first) == "Failed"
    assert "too slow" in lab.error(first, "Approve")["message"]


def test_what_does_not_exist_cannot_be_approved(lab: Lab) -> None:
    lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    for where, code in (
        ({"pipelineName": "none"}, "PipelineNotFound"),
        ({"stageName": "none"}, "StageNotFound"),
        ({"actionName": "none"}, "ActionNotFound"),
    ):
        request = {"pipelineName": "pipe", "stageName": "Build", "actionName": "Build", **where}
        with pytest.raises(ClientError, match=code):
            lab.client.put_approval_result(
                **request,
                result={"status": "Approved", "summary": ""},
                token="00000000-0000-0000-0000-000000000000",
            )
