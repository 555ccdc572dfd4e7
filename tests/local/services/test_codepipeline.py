"""CodePipeline from a push to a stack in another account, and everything that can stop it on the way."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from code_clients import Git, allow, make_role, set_rights, wait_for, zipped
from pipeline_lab import (
    ALL_RIGHTS,
    APPROVE,
    APPROVE_BUILD,
    BUILD,
    BUILDSPEC,
    PIPELINE_RIGHTS,
    SOURCE,
    TEMPLATE,
    Lab,
    action,
    stage,
)

pytestmark = pytest.mark.cloud


@pytest.fixture
def lab(cloud: Any, account: str) -> Lab:
    return Lab(cloud, account)


# --- the whole way


def test_from_commit_to_stack(lab: Lab) -> None:
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Deploy", lab.deploy()))
    assert lab.ended(first) == "Succeeded"
    assert lab.deployed() == "v-1-default"
    execution = lab.execution(first)
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["artifactRevisions"][0]["revisionId"] == lab.commit_id
    actions = lab.actions(first)
    assert actions["Source"]["output"]["outputVariables"]["CommitId"] == lab.commit_id
    assert actions["Build"]["output"]["outputVariables"] == {"VERSION": "v-1-default"}
    assert actions["Deploy"]["output"]["outputVariables"] == {"Name": "/deployed"}
    resolved = actions["Deploy"]["input"]["resolvedConfiguration"]
    assert json.loads(resolved["ParameterOverrides"]) == {"Version": "v-1-default"}
    place = actions["Build"]["output"]["outputArtifacts"][0]["s3location"]
    assert (place["bucket"], place["key"].rsplit("/", 1)[0]) == (lab.bucket, "pipe/Made")
    lab.commit({"version.txt": "2"})
    second = lab.start(variables=[{"name": "Word", "value": "given"}])
    assert lab.ended(second) == "Succeeded"
    assert lab.deployed() == "v-2-given"
    assert lab.ended(lab.start(variables=[{"name": "Word", "value": "given"}])) == "Succeeded"
    older = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": execution["artifactRevisions"][0]["revisionId"]}  # fmt: skip  # noqa: E501
    assert lab.ended(lab.start(sourceRevisions=[older])) == "Succeeded"
    assert lab.deployed() == "v-1-default"


def test_a_build_knows_where_it_comes_from(lab: Lab) -> None:
    spec = BUILDSPEC.replace("cp template", 'test "$CODEBUILD_INITIATOR" = codepipeline/pipe && cp template')
    commit = lab.commit({"buildspec.yml": spec})
    assert lab.ended(lab.create(stage("Source", SOURCE), stage("Build", BUILD))) == "Succeeded"
    build = lab.cloud.client("codebuild", lab.account)
    found = build.batch_get_builds(ids=build.list_builds()["ids"])["builds"][0]
    assert (found["initiator"], found["resolvedSourceVersion"]) == ("codepipeline/pipe", commit)


def test_a_stack_in_another_account_with_its_own_role_and_a_key(cloud: Any, lab: Lab) -> None:
    other = cloud.new_account()
    iam = cloud.client("iam", other)
    stack_role = make_role(iam, "stacker", allow("ssm:PutParameter"), trust="cloudformation.amazonaws.com")
    action_role = make_role(
        iam,
        "deployer",
        allow(*PIPELINE_RIGHTS["cloudformation"], "iam:PassRole", "s3:GetObject", "kms:Decrypt"),
        trust={"AWS": lab.role},
    )
    key = _key(cloud, lab, action_role)
    grant = {"Effect": "Allow", "Principal": {"AWS": action_role}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{lab.bucket}/*"}  # fmt: skip  # noqa: E501
    lab.s3.put_bucket_policy(Bucket=lab.bucket, Policy=json.dumps({"Statement": [grant]}))
    for name in ("piper", "builder"):
        lab.iam.put_role_policy(
            RoleName=name,
            PolicyName="key",
            PolicyDocument=json.dumps({"Statement": [allow("kms:GenerateDataKey", "kms:Decrypt", resource=key)]}),
        )
    deploy = lab.deploy(roleArn=action_role, configuration={"RoleArn": stack_role})
    store = {"type": "S3", "location": lab.bucket, "encryptionKey": {"id": key, "type": "KMS"}}
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Deploy", deploy), artifactStore=store)
    assert lab.ended(first) == "Succeeded", lab.execution(first)["statusSummary"]
    assert lab.deployed(other) == "v-1-default"
    place = lab.actions(first)["Build"]["output"]["outputArtifacts"][0]["s3location"]
    assert lab.s3.head_object(Bucket=place["bucket"], Key=place["key"])["SSEKMSKeyId"] == key
    lab.s3.delete_bucket_policy(Bucket=lab.bucket)
    second = lab.start()
    assert lab.ended(second) == "Failed"
    error = lab.error(second, "Deploy")
    assert error["code"] == "PermissionError"
    assert "s3:GetObject" in error["message"]


def _key(cloud: Any, lab: Lab, action_role: str) -> str:
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{lab.account}:root"}, "Action": "kms:*", "Resource": "*"}  # fmt: skip  # noqa: E501
    other = {"Effect": "Allow", "Principal": {"AWS": action_role}, "Action": "kms:Decrypt", "Resource": "*"}
    made = cloud.client("kms", lab.account).create_key(Policy=json.dumps({"Statement": [root, other]}))
    return str(made["KeyMetadata"]["Arn"])


# --- what fails, and how it is said


@pytest.mark.parametrize(
    ("missing", "failed"),
    [
        ("codecommit:GetBranch", "Source"),
        ("codecommit:UploadArchive", "Source"),
        ("s3:PutObject", "Source"),
        ("codebuild:StartBuild", "Build"),
        ("codebuild:BatchGetBuilds", "Build"),
        ("s3:GetObject", "Deploy"),
        ("cloudformation:CreateStack", "Deploy"),
        ("iam:PassRole", "Deploy"),
    ],
)
def test_a_missing_right_of_the_pipeline_role_fails_its_action(lab: Lab, missing: str, failed: str) -> None:
    set_rights(lab.iam, "piper", allow(*(right for right in ALL_RIGHTS if right != missing)))
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Deploy", lab.deploy()))
    assert lab.ended(first) == "Failed"
    assert list(lab.actions(first))[-1] == failed
    error = lab.error(first, failed)
    assert error["code"] == "PermissionError"
    assert missing in error["message"]
    assert missing in lab.execution(first)["statusSummary"]


def test_a_broken_buildspec_fails_the_build_action_with_its_reason(lab: Lab) -> None:
    lab.commit({"buildspec.yml": "version: 0.2\nphases:\n  build:\n   commands:\n - x\n"})
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD))
    assert lab.ended(first) == "Failed"
    error = lab.error(first, "Build")
    assert error["code"] == "JobFailed"
    assert "DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR" in error["message"]
    assert lab.state("Build")["latestExecution"]["status"] == "Failed"


def test_a_stack_that_fails_names_the_resource_and_the_right(lab: Lab) -> None:
    set_rights(lab.iam, "stacker", allow("ssm:GetParameters"))
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Deploy", lab.deploy()))
    assert lab.ended(first) == "Failed"
    message = lab.error(first, "Deploy")["message"]
    assert "Value (AWS::SSM::Parameter)" in message
    assert "ssm:PutParameter" in message


def test_failed_actions_are_retried_and_the_others_are_not(lab: Lab) -> None:
    other = {**BUILD, "name": "Other", "outputArtifacts": [], "namespace": "Second"}
    checked = BUILDSPEC.replace("cp template", 'test "$WORD" != fail && cp template')
    lab.commit({"buildspec.yml": checked})
    project = lab.cloud.client("codebuild", lab.account)
    other["configuration"] = {
        "ProjectName": "demo",
        "EnvironmentVariables": '[{"name": "WORD", "value": "#{variables.Word}"}]',
    }
    gate = action("Always", "Test", "CodeBuild", {"ProjectName": "demo"}, inputArtifacts=[{"name": "Code"}])
    first = lab.create(stage("Source", SOURCE), stage("Build", other, gate))
    assert lab.ended(first) == "Succeeded", lab.execution(first)["statusSummary"]
    failing = lab.start(variables=[{"name": "Word", "value": "fail"}])
    assert lab.ended(failing) == "Failed"
    before = len(project.list_builds()["ids"])
    lab.client.retry_stage_execution(
        pipelineName="pipe", stageName="Build", pipelineExecutionId=failing, retryMode="FAILED_ACTIONS"
    )
    assert lab.ended(failing) == "Failed"
    assert len(project.list_builds()["ids"]) == before + 1
    lab.client.retry_stage_execution(
        pipelineName="pipe", stageName="Build", pipelineExecutionId=failing, retryMode="ALL_ACTIONS"
    )
    assert lab.ended(failing) == "Failed"
    assert len(project.list_builds()["ids"]) == before + 3
    with pytest.raises(ClientError, match="NotLatestPipelineExecution"):
        lab.client.retry_stage_execution(
            pipelineName="pipe", stageName="Build", pipelineExecutionId=first, retryMode="ALL_ACTIONS"
        )


def test_an_unset_variable_fails_the_action_that_needs_it(lab: Lab) -> None:
    lab.commit({"buildspec.yml": BUILDSPEC.replace("env:\n  exported-variables: [VERSION]\n", "")})
    first = lab.create(stage("Source", SOURCE), stage("Build", BUILD), stage("Deploy", lab.deploy()))
    assert lab.ended(first) == "Failed"
    assert lab.error(first, "Deploy")["code"] == "ConfigurationError"
    assert "#{Built.VERSION}" in lab.error(first, "Deploy")["message"]


# --- approvals


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


# --- several executions


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


# --- events in and out


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


# --- other sources and modes


def test_an_s3_source_and_change_sets(lab: Lab) -> None:
    lab.s3.put_bucket_versioning(Bucket=lab.bucket, VersioningConfiguration={"Status": "Enabled"})
    put = lab.s3.put_object(Bucket=lab.bucket, Key="in/app.zip", Body=zipped({"made.json": TEMPLATE}))
    set_rights(lab.iam, "piper", allow(*ALL_RIGHTS, "s3:GetBucketVersioning", "s3:GetObjectVersion"))
    source = action(
        "Source",
        "Source",
        "S3",
        {"S3Bucket": lab.bucket, "S3ObjectKey": "in/app.zip", "PollForSourceChanges": "false"},
        outputArtifacts=[{"name": "Made"}],
        namespace="Built",
    )
    overrides = {"ChangeSetName": "change", "ParameterOverrides": '{"Version": "#{Built.VersionId}"}'}
    prepare = {**lab.deploy(configuration={**overrides, "ActionMode": "CHANGE_SET_REPLACE"}), "name": "Prepare"}
    execute = action(
        "Execute",
        "Deploy",
        "CloudFormation",
        {"ActionMode": "CHANGE_SET_EXECUTE", "ChangeSetName": "change", "StackName": "app"},
        runOrder=2,
    )
    first = lab.create(stage("Source", source), stage("Deploy", prepare, execute))
    assert lab.ended(first) == "Succeeded", lab.execution(first)["statusSummary"]
    assert lab.deployed() == put["VersionId"]
    again = lab.start()
    assert lab.ended(again) == "Succeeded", lab.execution(again)["statusSummary"]


def test_deleting_a_stack_by_a_pipeline(lab: Lab) -> None:
    remove = action(
        "Remove",
        "Deploy",
        "CloudFormation",
        {"ActionMode": "DELETE_ONLY", "StackName": "app", "RoleArn": lab.stack_role},
    )
    first = lab.create(
        stage("Source", SOURCE), stage("Build", BUILD), stage("Deploy", lab.deploy()), stage("Remove", remove)
    )
    assert lab.ended(first) == "Succeeded"
    with pytest.raises(ClientError, match="ParameterNotFound"):
        lab.deployed()


def test_actions_of_one_run_order_run_at_the_same_time(lab: Lab) -> None:
    lab.commit({"buildspec.yml": BUILDSPEC.replace("cp template", "sleep 2 && cp template")})
    builds = [{**BUILD, "name": name, "outputArtifacts": [], "namespace": name} for name in ("One", "Two")]
    first = lab.create(stage("Source", SOURCE), stage("Build", *builds))
    assert lab.ended(first) == "Succeeded"
    actions = lab.actions(first)
    assert abs((actions["One"]["startTime"] - actions["Two"]["startTime"]).total_seconds()) < 1
    assert actions["One"]["lastUpdateTime"] > actions["Two"]["startTime"]


# --- definitions that cannot be


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
