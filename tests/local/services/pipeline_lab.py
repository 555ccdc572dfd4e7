"""An account with everything a pipeline needs, for the tests of CodePipeline."""

import json
from typing import Any

from code_clients import allow, make_bucket, make_role, wait_for

BUILDSPEC = """
version: 0.2
env:
  exported-variables: [VERSION]
phases:
  build:
    commands:
      - VERSION="v-$(cat version.txt)-$WORD"
      - cp template.json made.json
artifacts:
  files: [made.json]
"""
TEMPLATE = json.dumps(
    {
        "Parameters": {"Version": {"Type": "String"}},
        "Resources": {
            "Value": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/deployed", "Type": "String", "Value": {"Ref": "Version"}},
            }
        },
        "Outputs": {"Name": {"Value": {"Ref": "Value"}}},
    }
)
FILES = {"buildspec.yml": BUILDSPEC, "version.txt": "1", "template.json": TEMPLATE}
PIPELINE_RIGHTS = {
    "codecommit": ["codecommit:GetBranch", "codecommit:GetCommit", "codecommit:UploadArchive"],
    "codebuild": ["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
    "s3": ["s3:GetObject", "s3:PutObject"],
    "cloudformation": [
        "cloudformation:CreateStack",
        "cloudformation:UpdateStack",
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DeleteStack",
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:DeleteChangeSet",
    ],
    "iam": ["iam:PassRole", "sts:AssumeRole"],
}
ALL_RIGHTS = [action for actions in PIPELINE_RIGHTS.values() for action in actions]


def action(name: str, category: str, provider: str, configuration: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "configuration": configuration, **more}


SOURCE = action(
    "Source",
    "Source",
    "CodeCommit",
    {"RepositoryName": "demo", "BranchName": "main", "PollForSourceChanges": "false"},
    outputArtifacts=[{"name": "Code"}],
    namespace="Src",
)
BUILD = action(
    "Build",
    "Build",
    "CodeBuild",
    {
        "ProjectName": "demo",
        "EnvironmentVariables": json.dumps([{"name": "WORD", "value": "#{variables.Word}", "type": "PLAINTEXT"}]),
    },
    inputArtifacts=[{"name": "Code"}],
    outputArtifacts=[{"name": "Made"}],
    namespace="Built",
)
APPROVE = action("Approve", "Approval", "Manual", {"CustomData": "#{Src.CommitId}"})
APPROVE_BUILD = action("Approve", "Approval", "Manual", {"CustomData": "#{Built.VERSION}"})


def stage(name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "actions": list(actions)}


class Lab:
    """One account with a repository, a build project, a pipeline role and an artifact bucket."""

    def __init__(self, cloud: Any, account: str) -> None:
        self.cloud = cloud
        self.account = account
        self.client = cloud.client("codepipeline", account)
        self.codecommit = cloud.client("codecommit", account)
        self.iam = cloud.client("iam", account)
        self.s3 = cloud.client("s3", account)
        self.bucket = make_bucket(self.s3, f"artifacts-{account}")
        self.role = make_role(self.iam, "piper", allow(*ALL_RIGHTS), trust="codepipeline.amazonaws.com")
        builder = make_role(self.iam, "builder", allow("logs:*", "s3:GetObject", "s3:PutObject"))
        self.stack_role = make_role(
            self.iam,
            "stacker",
            allow("ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameters"),
            trust="cloudformation.amazonaws.com",
        )
        cloud.client("codebuild", account).create_project(
            name="demo",
            source={"type": "CODEPIPELINE"},
            artifacts={"type": "CODEPIPELINE"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=builder,
        )
        self.codecommit.create_repository(repositoryName="demo")
        self.commit_id = ""
        self.commit(FILES)

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        put = [{"filePath": name, "fileContent": text.encode()} for name, text in files.items()]
        parent = {"parentCommitId": self.commit_id} if self.commit_id else {}
        made = self.codecommit.create_commit(
            repositoryName="demo", branchName="main", putFiles=put, commitMessage=message, **parent
        )
        self.commit_id = made["commitId"]
        return self.commit_id

    def definition(self, *stages: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return {
            "name": "pipe",
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": self.bucket},
            "pipelineType": "V2",
            "variables": [{"name": "Word", "defaultValue": "default"}],
            "stages": list(stages),
            **changes,
        }

    def create(self, *stages: dict[str, Any], **changes: Any) -> str:
        """Make the pipeline and return its first execution."""
        self.client.create_pipeline(pipeline=self.definition(*stages, **changes))
        return str(self.executions()[-1]["pipelineExecutionId"])

    def deploy(self, **changes: Any) -> dict[str, Any]:
        configuration = {
            "ActionMode": "CREATE_UPDATE",
            "StackName": "app",
            "TemplatePath": "Made::made.json",
            "RoleArn": self.stack_role,
            "ParameterOverrides": '{"Version": "#{Built.VERSION}"}',
        }
        more = {"inputArtifacts": [{"name": "Made"}], "namespace": "App"}
        return action("Deploy", "Deploy", "CloudFormation", {**configuration, **changes.pop("configuration", {})},
                      **{**more, **changes})  # fmt: skip

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.list_pipeline_executions(pipelineName="pipe")[
            "pipelineExecutionSummaries"
        ]
        return found

    def execution(self, execution_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_pipeline_execution(
            pipelineName="pipe", pipelineExecutionId=execution_id
        )["pipelineExecution"]
        return found

    def ended(self, execution_id: str) -> str:
        """Wait for the end of an execution and return its status."""

        def status() -> str:
            found = str(self.execution(execution_id)["status"])
            return "" if found in ("InProgress", "Stopping") else found

        return str(wait_for(status))

    def actions(self, execution_id: str) -> dict[str, dict[str, Any]]:
        """Return the latest execution of each action."""
        found = self.client.list_action_executions(pipelineName="pipe", filter={"pipelineExecutionId": execution_id})[
            "actionExecutionDetails"
        ]
        return {item["actionName"]: item for item in reversed(found)}

    def error(self, execution_id: str, name: str) -> dict[str, str]:
        found: dict[str, str] = self.actions(execution_id)[name]["output"]["executionResult"]["errorDetails"]
        return found

    def state(self, stage_name: str) -> dict[str, Any]:
        states = self.client.get_pipeline_state(name="pipe")["stageStates"]
        return dict(next(item for item in states if item["stageName"] == stage_name))

    def approval(self, stage_name: str = "Gate") -> str:
        """Wait for an approval and return its token."""

        def token() -> Any:
            return self.state(stage_name)["actionStates"][0].get("latestExecution", {}).get("token")

        return str(wait_for(token))

    def decide(self, token: str, status: str = "Approved", summary: str = "fine", role: str = "") -> None:
        client = self.cloud.client("codepipeline", self.account, role=role)
        client.put_approval_result(
            pipelineName="pipe",
            stageName="Gate",
            actionName="Approve",
            result={"status": status, "summary": summary},
            token=token,
        )

    def start(self, **more: Any) -> str:
        return str(self.client.start_pipeline_execution(name="pipe", **more)["pipelineExecutionId"])

    def deployed(self, account: str = "") -> str:
        ssm = self.cloud.client("ssm", account or self.account)
        return str(ssm.get_parameter(Name="/deployed")["Parameter"]["Value"])
