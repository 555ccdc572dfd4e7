"""CodePipeline is defined: what a definition may say, tags, and CloudFormation's type."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from code_clients import allow, make_role, wait_for
from pipeline_lab import (
    APPROVE,
    APPROVE_BUILD,
    BUILD,
    SOURCE,
    Lab,
    stage,
)

pytestmark = pytest.mark.cloud


def second(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"stages": [stage("Source", SOURCE), stage("Second", *actions)]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": [stage("Source", SOURCE)]}, "InvalidStructure"),
        ({"stages": [stage("Build", BUILD), stage("Source", SOURCE)]}, "InvalidStageDeclaration"),
        ({"stages": [stage("Source", SOURCE), stage("Source", APPROVE)]}, "InvalidStageDeclaration"),
        (
            {"stages": [stage("Source", SOURCE), stage("B", {**BUILD, "inputArtifacts": [{"name": "None"}]})]},
            "not declared",
        ),
        ({"stages": [stage("Source", SOURCE), stage("B", {**BUILD, "configuration": {}})]}, "missing required key"),
        (
            {"stages": [stage("Source", SOURCE), stage("B", {**APPROVE, "configuration": {"X": "y"}})]},
            "unknown key 'X'",
        ),
        (second(APPROVE_BUILD), r"unknown variable #\{Built.VERSION\}"),
        ({"variables": []}, r"unknown variable #\{variables.Word\}"),
        ({"pipelineType": "V1"}, "need a pipeline of type V2"),
        ({"executionMode": "PARALLEL"}, "not supported"),
        ({"roleArn": "builder"}, "InvalidStructure.*AssumeRole"),
    ],
)
def test_definitions_that_cannot_be(lab: Lab, change: dict[str, Any], message: str) -> None:
    definition = {**lab.definition(stage("Source", SOURCE), stage("Build", BUILD)), **change}
    definition["roleArn"] = f"{lab.role.rpartition('/')[0]}/{definition['roleArn'].rpartition('/')[2]}"
    with pytest.raises(ClientError, match=message):
        lab.client.create_pipeline(pipeline=definition)
    assert lab.client.list_pipelines()["pipelines"] == []


def test_starting_with_what_the_pipeline_does_not_know(lab: Lab) -> None:
    lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    with pytest.raises(ClientError, match="no variable None"):
        lab.start(variables=[{"name": "None", "value": "x"}])
    revision = {"actionName": "None", "revisionType": "COMMIT_ID", "revisionValue": "x"}
    with pytest.raises(ClientError, match="no source action None"):
        lab.start(sourceRevisions=[revision])


def test_tags_and_deletion(lab: Lab) -> None:
    lab.create(stage("Source", SOURCE), stage("Gate", APPROVE))
    arn = lab.client.get_pipeline(name="pipe")["metadata"]["pipelineArn"]
    lab.client.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    lab.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert lab.client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    tagged = {"StringEquals": {"aws:ResourceTag/b": "2"}}
    make_role(lab.iam, "tagged", allow("codepipeline:PutApprovalResult", Condition=tagged), trust={"AWS": lab.account})
    lab.decide(lab.approval(), role="tagged")
    lab.client.delete_pipeline(name="pipe")
    lab.client.delete_pipeline(name="pipe")
    with pytest.raises(ClientError, match="PipelineNotFound"):
        lab.executions()


# --- CloudFormation


def _pipeline_template(lab: Lab) -> dict[str, Any]:
    def upper(value: Any) -> Any:
        if isinstance(value, list):
            return [upper(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key[:1].upper() + key[1:]: item if key == "configuration" else upper(item) for key, item in value.items()
        }

    properties = upper(lab.definition(stage("Source", SOURCE), stage("Build", BUILD)))
    properties["Stages"][0]["Actions"][0]["Configuration"] = {**SOURCE["configuration"], "PollForSourceChanges": False}
    properties |= {"Tags": [{"Key": "project", "Value": "churn"}], "RestartExecutionOnUpdate": True}
    properties["DisableInboundStageTransitions"] = [{"StageName": "Build", "Reason": "wait"}]
    return {
        "Resources": {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}},
        "Outputs": {
            "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}},
            "Name": {"Value": {"Ref": "Pipeline"}},
        },
    }


def test_a_stack_makes_updates_and_deletes_a_pipeline(lab: Lab) -> None:
    cloudformation = lab.cloud.client("cloudformation", lab.account)
    template = _pipeline_template(lab)
    cloudformation.create_stack(StackName="pipe-stack", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pipe-stack", WaiterConfig={"Delay": 1})
    wait_for(lambda: "inboundExecution" in lab.state("Build"))
    assert lab.executions()[0]["trigger"]["triggerType"] == "CreatePipeline"
    properties = template["Resources"]["Pipeline"]["Properties"]
    properties["DisableInboundStageTransitions"] = []
    properties["Variables"][0]["DefaultValue"] = "changed"
    cloudformation.update_stack(StackName="pipe-stack", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="pipe-stack", WaiterConfig={"Delay": 1})
    newest = lab.executions()[0]["pipelineExecutionId"]
    assert lab.ended(newest) == "Succeeded"
    assert lab.actions(newest)["Build"]["output"]["outputVariables"] == {"VERSION": "v-1-changed"}
    outputs = cloudformation.describe_stacks(StackName="pipe-stack")["Stacks"][0]["Outputs"]
    assert {item["OutputKey"]: item["OutputValue"] for item in outputs} == {"Version": "2", "Name": "pipe"}
    cloudformation.delete_stack(StackName="pipe-stack")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="pipe-stack", WaiterConfig={"Delay": 1})
    assert lab.client.list_pipelines()["pipelines"] == []


def test_a_stack_role_that_may_not_pass_the_pipeline_role_fails(lab: Lab) -> None:
    deployer = make_role(lab.iam, "deployer", allow("codepipeline:*"), trust="cloudformation.amazonaws.com")
    cloudformation = lab.cloud.client("cloudformation", lab.account)
    body = json.dumps(_pipeline_template(lab))
    cloudformation.create_stack(StackName="pipe-stack", TemplateBody=body, RoleARN=deployer)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="pipe-stack", WaiterConfig={"Delay": 1})
    found = cloudformation.describe_stack_events(StackName="pipe-stack")["StackEvents"]
    assert any("iam:PassRole" in event.get("ResourceStatusReason", "") for event in found)
