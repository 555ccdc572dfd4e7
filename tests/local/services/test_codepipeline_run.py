"""CodePipeline runs: from a push to a stack in another account, and everything that can fail an action on the way."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from code_clients import allow, make_role, set_rights, zipped
from pipeline_lab import (
    ALL_RIGHTS,
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
