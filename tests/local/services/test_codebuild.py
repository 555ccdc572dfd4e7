"""CodeBuild runs what the buildspec says, as the service role and nobody else."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from code_clients import allow, make_bucket, make_role, set_rights, wait_for, zipped

from mlops_foundation.local import interpreters

pytestmark = pytest.mark.cloud
LINUX = {
    "type": "LINUX_CONTAINER",
    "image": "aws/codebuild/standard:7.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}
LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def spec(*commands: str, phase: str = "build", extra: str = "") -> str:
    return json.dumps({"version": 0.2, "phases": {phase: {"commands": list(commands)}}} | json.loads(extra or "{}")) + (
        "\n# inline\n"
    )


class Builds:
    """A project of a test's account and its builds."""

    def __init__(self, cloud: Any, account: str) -> None:
        self.cloud = cloud
        self.account = account
        self.client = cloud.client("codebuild", account)
        self.iam = cloud.client("iam", account)
        self.s3 = cloud.client("s3", account)
        self.bucket = make_bucket(self.s3, f"builds-{account}")
        self.role = make_role(self.iam, "builder", allow(*LOGS, "s3:GetObject", "s3:PutObject", "ssm:GetParameters"))

    def project(self, **changes: Any) -> None:
        wanted = {
            "name": "demo",
            "source": {"type": "NO_SOURCE", "buildspec": spec("echo hello")},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": LINUX,
            "serviceRole": self.role,
        }
        self.client.create_project(**{**wanted, **changes})

    def run(self, **start: Any) -> dict[str, Any]:
        build_id = self.client.start_build(projectName="demo", **start)["build"]["id"]
        return self.finished(build_id)

    def finished(self, build_id: str) -> dict[str, Any]:
        def done() -> Any:
            build = self.client.batch_get_builds(ids=[build_id])["builds"][0]
            return build if build["buildComplete"] else None

        found: dict[str, Any] = wait_for(done)
        return found

    def log(self, build: Mapping[str, Any]) -> str:
        place = build["logs"]
        found = self.cloud.client("logs", self.account).get_log_events(
            logGroupName=place["groupName"], logStreamName=place["streamName"], startFromHead=True
        )
        return "\n".join(event["message"] for event in found["events"])


@pytest.fixture
def builds(cloud: Any, account: str) -> Builds:
    return Builds(cloud, account)


def statuses(build: Mapping[str, Any]) -> dict[str, str]:
    return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


def failure(build: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return phase, status code and message of the first failure."""
    phase = next(phase for phase in build["phases"] if phase.get("phaseStatus") not in ("SUCCEEDED", None))
    return phase["phaseType"], phase["contexts"][0]["statusCode"], phase["contexts"][0]["message"]


def test_phases_in_order_and_log(builds: Builds) -> None:
    builds.project()
    build = builds.run()
    assert build["buildStatus"] == "SUCCEEDED"
    assert list(statuses(build)) == [
        *("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"),
        *("UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"),
    ]
    assert "\nhello\n" in builds.log(build)
    assert (build["logs"]["groupName"], build["buildNumber"]) == ("/aws/codebuild/demo", 1)


def test_commands_share_variables_functions_and_folder(builds: Builds) -> None:
    builds.project()
    commands = ["WORD=plain; say() { echo said $1; }", "mkdir -p sub && cd sub", "say $WORD; basename $PWD"]
    build = builds.run(buildspecOverride=spec(*commands))
    assert "said plain\nsub\n" in builds.log(build)


def test_variables_come_from_buildspec_project_start_and_parameter_store(builds: Builds) -> None:
    builds.cloud.client("ssm", builds.account).put_parameter(Name="/demo/secret", Value="s3cret", Type="SecureString")
    text = spec(
        'echo "$A $B $C $D $E"',
        extra=json.dumps(
            {"env": {"variables": {"A": "a", "B": "spec", "C": "spec"}, "parameter-store": {"E": "/demo/secret"}}}
        ),
    )
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [
            {"name": "B", "value": "project"},
            {"name": "C", "value": "project"},
            {"name": "D", "value": "/demo/secret", "type": "PARAMETER_STORE"},
        ],
    }
    builds.project(environment=environment)
    build = builds.run(buildspecOverride=text, environmentVariablesOverride=[{"name": "C", "value": "start"}])
    assert "a project start s3cret s3cret" in builds.log(build)


def test_exported_variables(builds: Builds) -> None:
    builds.project()
    text = spec("VERSION=1.2", 'export NOTE="two words"', extra='{"env": {"exported-variables": ["VERSION", "NOTE"]}}')
    build = builds.run(buildspecOverride=text)
    assert build["exportedEnvironmentVariables"] == [
        {"name": "VERSION", "value": "1.2"},
        {"name": "NOTE", "value": "two words"},
    ]


def test_the_build_acts_as_the_service_role_in_a_python_of_its_own(builds: Builds) -> None:
    builds.project()
    script = "python -c 'import sys; print(sys.version_info[:2], sys.prefix != sys.base_prefix)'"
    absent = "python -c 'import mlops_foundation' 2>&1 | tail -1; python -c 'import boto3' 2>&1 | tail -1"
    build = builds.run(buildspecOverride=spec(script, absent, "node --version", "pip --version", "ls -A $HOME | wc -l"))
    log = builds.log(build)
    assert build["buildStatus"] == "SUCCEEDED"
    assert f"({interpreters.choose('3.11').minor.replace('.', ', ')}) True" in log
    assert "No module named 'mlops_foundation'" in log
    assert "No module named 'boto3'" in log
    assert "\nv24." in log
    assert log.count("\n0\n") == 1


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.x"])
def test_a_build_gets_the_python_that_it_names_or_is_told_which_stands_in(builds: Builds, version: str) -> None:
    """On a machine with 3.12 alone, builds for 3.11 ended with ``Unknown runtime version named '3.11'``."""
    builds.project()
    wanted = "3.13" if version == "3.x" else version
    phases = {
        "install": {"runtime-versions": {"python": version}},
        "build": {"commands": ["python -c 'import sys; print(sys.version)'", "pip --version", "uv --version"]},
    }
    build = builds.run(buildspecOverride=json.dumps({"version": 0.2, "phases": phases}) + "\n# inline\n")
    log, chosen = builds.log(build), interpreters.choose(wanted)
    assert build["buildStatus"] == "SUCCEEDED", log
    assert f"\n{chosen.version} (" in log
    assert (f"the image has Python {wanted}" in log) == (chosen.minor != wanted)
    assert f"(python {chosen.minor})" in log


def test_a_failing_command_fails_the_build_with_its_last_output(builds: Builds) -> None:
    builds.project()
    build = builds.run(buildspecOverride=spec("echo fine", "echo 'no such column: age' >&2; exit 7", "echo never"))
    phase, code, message = failure(build)
    assert (build["buildStatus"], phase, code) == ("FAILED", "BUILD", "COMMAND_EXECUTION_ERROR")
    assert "exit 7. Reason: exit status 7" in message
    assert message.endswith("no such column: age")
    assert statuses(build)["POST_BUILD"] == "SUCCEEDED"
    assert "\nnever\n" not in builds.log(build)


@pytest.mark.parametrize(
    ("on_failure", "phases"),
    [
        ("", ["INSTALL", "FINALIZING"]),
        ("CONTINUE", ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"]),
    ],
)
def test_what_follows_a_failed_install(builds: Builds, on_failure: str, phases: list[str]) -> None:
    builds.project()
    more = {"on-failure": on_failure} if on_failure else {}
    text = json.dumps(
        {
            "version": 0.2,
            "phases": {
                "install": {"commands": ["export KEPT=1", "false"], "finally": ["echo tidy"], **more},
                "build": {"commands": ['echo "kept=$KEPT good=$CODEBUILD_BUILD_SUCCEEDING"']},
            },
        },
        indent=1,
    )
    build = builds.run(buildspecOverride=text)
    log = builds.log(build)
    assert list(statuses(build))[4:-1] == phases
    assert "\ntidy\n" in log
    assert ("kept=1 good=0" in log) == bool(on_failure)


def test_an_exit_ends_the_phase_and_keeps_the_earlier_state(builds: Builds) -> None:
    builds.project()
    phases = {
        "build": {"commands": ["export KEPT=yes", "exit 3", "echo never"]},
        "post_build": {"commands": ["echo kept=$KEPT"]},
    }
    build = builds.run(buildspecOverride=json.dumps({"version": 0.2, "phases": phases}, indent=1))
    assert failure(build)[2].startswith("Error while executing command: exit 3. Reason: exit status 3")
    assert "\nkept=yes\n" in builds.log(build)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 0.2\nphases:\n  build:\n   commands:\n - x\n", "at line 5"),
        ("version: 0.1\nphases: {build: {commands: [ls]}}\n", "expected 0.2"),
        ("version: 0.2\nphases:\n  build:\n    commands:\n      - a: b\n", "build/commands[0]"),
        ("version: 0.2\nphases:\n  built:\n    commands: [ls]\n", "unknown key 'built'"),
        ("version: 0.2\nenv:\n  variable: {}\nphases:\n  build:\n    commands: [ls]\n", "unknown key 'variable'"),
        ("version: 0.2\nphases:\n  install:\n    runtime-versions: {python: 2.7}\n", "version named '2.7' of python"),
        ("version: 0.2\nreports: {}\nphases:\n  build:\n    commands: [ls]\n", "reports is not supported"),
    ],
)
def test_a_broken_buildspec_fails_before_anything_runs(builds: Builds, text: str, message: str) -> None:
    builds.project()
    phase, code, said = failure(builds.run(buildspecOverride=text))
    assert (phase, code) == ("DOWNLOAD_SOURCE", "YAML_FILE_ERROR")
    assert message in said


def test_source_and_artifact_through_s3(builds: Builds) -> None:
    text = """
version: 0.2
phases:
  build:
    commands:
      - mkdir -p out/deep && cp data.txt out/deep/copy.txt && echo x > out/.hidden && echo y > out/skip.tmp
artifacts:
  base-directory: out
  files: ["**/*"]
  exclude-paths: ["*.tmp"]
"""
    source = zipped({"buildspec.yml": text, "data.txt": "42"})
    builds.s3.put_object(Bucket=builds.bucket, Key="in/source.zip", Body=source)
    builds.project(
        source={"type": "S3", "location": f"{builds.bucket}/in/source.zip"},
        artifacts={"type": "S3", "location": builds.bucket, "path": "out", "name": "made.zip", "packaging": "ZIP"},
    )
    build = builds.run()
    assert build["artifacts"]["location"] == f"arn:aws:s3:::{builds.bucket}/out/made.zip"
    body = builds.s3.get_object(Bucket=builds.bucket, Key="out/made.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert sorted(archive.namelist()) == [".hidden", "deep/copy.txt"]
        assert archive.read("deep/copy.txt") == b"42"


def test_a_source_without_buildspec_or_artifact_says_so(builds: Builds) -> None:
    builds.s3.put_object(Bucket=builds.bucket, Key="source.zip", Body=zipped({"a": "a"}))
    builds.project(
        source={"type": "S3", "location": f"{builds.bucket}/source.zip"},
        artifacts={"type": "S3", "location": builds.bucket, "name": "made.zip", "packaging": "ZIP"},
    )
    assert failure(builds.run()) == ("DOWNLOAD_SOURCE", "YAML_FILE_ERROR", "YAML file does not exist")
    nothing = spec("true", extra='{"artifacts": {"files": ["none/*"]}}')
    phase, code, message = failure(builds.run(buildspecOverride=nothing))
    assert (phase, code) == ("UPLOAD_ARTIFACTS", "CLIENT_ERROR")
    assert "no matching artifact paths found" in message


@pytest.mark.parametrize(
    ("missing", "phase"),
    [
        ("logs:CreateLogStream", "PROVISIONING"),
        ("logs:PutLogEvents", "PROVISIONING"),
        ("s3:GetObject", "DOWNLOAD_SOURCE"),
        ("ssm:GetParameters", "DOWNLOAD_SOURCE"),
        ("s3:PutObject", "UPLOAD_ARTIFACTS"),
    ],
)
def test_a_missing_right_of_the_service_role_is_named(builds: Builds, missing: str, phase: str) -> None:
    rights = {*LOGS, "s3:GetObject", "s3:PutObject", "ssm:GetParameters"} - {missing}
    set_rights(builds.iam, "builder", allow(*sorted(rights)))
    builds.cloud.client("ssm", builds.account).put_parameter(Name="/demo/x", Value="x", Type="String")
    env = {"env": {"parameter-store": {"X": "/demo/x"}}, "artifacts": {"files": ["a"]}}
    source = zipped({"buildspec.yml": spec("touch a", extra=json.dumps(env))})
    builds.s3.put_object(Bucket=builds.bucket, Key="source.zip", Body=source)
    builds.project(
        source={"type": "S3", "location": f"{builds.bucket}/source.zip"},
        artifacts={"type": "S3", "location": builds.bucket, "name": "made.zip", "packaging": "ZIP"},
    )
    failed, code, message = failure(builds.run())
    assert (failed, code) == (phase, "CLIENT_ERROR")
    assert missing in message
    assert "builder" in message


def test_stopping_kills_what_runs(builds: Builds) -> None:
    builds.project()
    build_id = builds.client.start_build(projectName="demo", buildspecOverride=spec("sleep 61 & sleep 61"))["build"][
        "id"
    ]
    wait_for(lambda: builds.client.batch_get_builds(ids=[build_id])["builds"][0]["currentPhase"] == "BUILD")
    builds.client.stop_build(id=build_id)
    build = builds.finished(build_id)
    assert (build["buildStatus"], statuses(build)["BUILD"]) == ("STOPPED", "STOPPED")
    assert "UPLOAD_ARTIFACTS" not in statuses(build)


def test_events(events: Callable[[str], list[dict[str, Any]]], builds: Builds) -> None:
    builds.project()
    build = builds.run(buildspecOverride=spec("false"))
    found = wait_for(lambda: len(e := events("CodeBuild Build State Change")) == 2 and e)
    assert [event["build-status"] for event in found] == ["IN_PROGRESS", "FAILED"]
    assert {(event["build-id"], event["project-name"]) for event in found} == {(build["arn"], "demo")}


def test_lists(builds: Builds) -> None:
    builds.project()
    first, second = builds.run()["id"], builds.run()["id"]
    assert builds.client.list_builds_for_project(projectName="demo")["ids"] == [second, first]
    assert builds.client.list_builds(sortOrder="ASCENDING")["ids"] == [first, second]
    assert builds.client.list_projects()["projects"] == ["demo"]
    found = builds.client.batch_get_projects(names=["demo", "none"])
    assert ([project["name"] for project in found["projects"]], found["projectsNotFound"]) == (["demo"], ["none"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"environment": {"type": "LINUX_CONTAINER", "image": "python:3", "computeType": "BUILD_GENERAL1_SMALL"}},
            "python:3",
        ),
        ({"source": {"type": "GITHUB", "location": "https://example.com/x.git"}}, "not supported"),
        ({"fileSystemLocations": [{"type": "EFS"}]}, "not supported"),
        ({"source": {"type": "CODEPIPELINE"}}, "both be CODEPIPELINE"),
    ],
)
def test_projects_that_cannot_be_run_are_refused(builds: Builds, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        builds.project(**changes)
    assert builds.client.list_projects()["projects"] == []


def test_a_role_that_does_not_trust_codebuild_cannot_build(builds: Builds) -> None:
    role = make_role(builds.iam, "other", allow(*LOGS), trust="lambda.amazonaws.com")
    builds.project(serviceRole=role)
    with pytest.raises(ClientError, match=r"InvalidInputException.*sts:AssumeRole"):
        builds.client.start_build(projectName="demo")


def test_a_person_needs_the_right_to_start_and_to_pass_the_role(builds: Builds) -> None:
    builds.project()
    arn = f"arn:aws:codebuild:eu-west-1:{builds.account}:project/demo"
    make_role(builds.iam, "person", allow("codebuild:UpdateProject", "codebuild:BatchGetProjects", resource=arn),
              trust={"AWS": builds.account})  # fmt: skip
    person = builds.cloud.client("codebuild", builds.account, role="person")
    assert len(person.batch_get_projects(names=["demo"])["projects"]) == 1
    with pytest.raises(ClientError, match="codebuild:StartBuild"):
        person.start_build(projectName="demo")
    with pytest.raises(ClientError, match="iam:PassRole"):
        person.update_project(name="demo", serviceRole=builds.role)


TEMPLATE: dict[str, Any] = {
    "Parameters": {"Role": {"Type": "String"}, "Word": {"Type": "String", "Default": "one"}},
    "Resources": {
        "Project": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "ServiceRole": {"Ref": "Role"},
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Source": {"Type": "NO_SOURCE", "BuildSpec": spec('echo "word=$WORD"')},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "Image": "aws/codebuild/standard:7.0",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "PrivilegedMode": False,
                    "EnvironmentVariables": [{"Name": "WORD", "Value": {"Ref": "Word"}, "Type": "PLAINTEXT"}],
                },
                "Cache": {"Type": "NO_CACHE"},
                "EncryptionKey": "alias/aws/s3",
                "TimeoutInMinutes": "30",
                "Tags": [{"Key": "project", "Value": "churn"}],
            },
        }
    },
    "Outputs": {"Name": {"Value": {"Ref": "Project"}}, "Arn": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}}},
}


def test_a_stack_makes_updates_and_deletes_a_project(builds: Builds) -> None:
    cloudformation = builds.cloud.client("cloudformation", builds.account)
    body, role = json.dumps(TEMPLATE), {"ParameterKey": "Role", "ParameterValue": builds.role}
    cloudformation.create_stack(StackName="build", TemplateBody=body, Parameters=[role])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="build", WaiterConfig={"Delay": 1})
    outputs = cloudformation.describe_stacks(StackName="build")["Stacks"][0]["Outputs"]
    name = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "Name")
    assert name.startswith("build-Project-")
    project = builds.client.batch_get_projects(names=[name])["projects"][0]
    assert (project["timeoutInMinutes"], {"key": "project", "value": "churn"} in project["tags"]) == (30, True)
    word = {"ParameterKey": "Word", "ParameterValue": "true"}
    cloudformation.update_stack(StackName="build", TemplateBody=body, Parameters=[role, word])
    cloudformation.get_waiter("stack_update_complete").wait(StackName="build", WaiterConfig={"Delay": 1})
    build = builds.finished(builds.client.start_build(projectName=name)["build"]["id"])
    assert "word=true" in builds.log(build)
    cloudformation.delete_stack(StackName="build")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="build", WaiterConfig={"Delay": 1})
    assert builds.client.list_projects()["projects"] == []


def test_a_stack_without_the_right_to_pass_the_role_fails_naming_it(builds: Builds) -> None:
    deployer = make_role(builds.iam, "deployer", allow("codebuild:*"), trust="cloudformation.amazonaws.com")
    cloudformation = builds.cloud.client("cloudformation", builds.account)
    role = {"ParameterKey": "Role", "ParameterValue": builds.role}
    cloudformation.create_stack(
        StackName="build", TemplateBody=json.dumps(TEMPLATE), Parameters=[role], RoleARN=deployer
    )
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="build", WaiterConfig={"Delay": 1})
    found = cloudformation.describe_stack_events(StackName="build")["StackEvents"]
    reason = next(e["ResourceStatusReason"] for e in reversed(found) if "FAILED" in e["ResourceStatus"])
    assert "iam:PassRole" in reason
