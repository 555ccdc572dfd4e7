"""CodeCommit with real git, boto3 and CloudFormation."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from code_clients import Git, allow, make_bucket, make_role, zipped

pytestmark = pytest.mark.cloud
AWS_CLI_HELPER = (
    "!f() { test $1 = get && aws codecommit credential-helper get --ignore-host-check; }; PATH={path}:$PATH; f"
)


@pytest.fixture
def codecommit(cloud: Any, account: str) -> Any:
    client = cloud.client("codecommit", account)
    client.create_repository(repositoryName="demo", tags={"project": "churn"})
    return client


@pytest.fixture
def url(codecommit: Any) -> str:
    return str(codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["cloneUrlHttp"])


def push(git: Git, url: str, branch: str = "main") -> str:
    git("init", "-b", branch)
    commit = git.commit({"train.py": "print('train')\n", "conf/a.yaml": "a: 1\n"})
    git("push", url, branch)
    return commit


def test_push_and_clone_round_trip(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    commit = push(git(), url)
    other = git()
    other("clone", url, ".")
    assert (other.folder / "train.py").read_text() == "print('train')\n"
    assert codecommit.get_branch(repositoryName="demo", branchName="main")["branch"]["commitId"] == commit


def test_first_branch_pushed_becomes_the_default(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    push(git(), url, branch="master")
    assert codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["defaultBranch"] == "master"


def test_the_aws_cli_credential_helper_works(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    push(git(), url)
    bin_folder = Path(sys.executable).parent
    cloned = git(helper=AWS_CLI_HELPER.replace("{path}", str(bin_folder)))
    cloned("clone", url, ".")
    assert (cloned.folder / "train.py").exists()


def test_a_big_file_goes_up_in_chunks(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    mine = git()
    mine("init", "-b", "main")
    (mine.folder / "big.bin").write_bytes(bytes(range(256)) * 20_000)
    mine("config", "core.compression", "0")
    mine.commit({"a": "a"})
    mine("add", "big.bin")
    mine("commit", "-m", "big")
    mine("push", url, "main")
    blob = mine("rev-parse", "HEAD:big.bin").strip()
    assert codecommit.get_file(repositoryName="demo", filePath="big.bin")["blobId"] == blob


@pytest.mark.parametrize(
    "wrong",
    [{"AWS_SECRET_ACCESS_KEY": "wrong"}, {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}],
    ids=["secret", "region"],
)
def test_a_wrong_signature_is_refused(
    codecommit: Any, url: str, git: Callable[..., Git], wrong: dict[str, str]
) -> None:
    with pytest.raises(RuntimeError, match="403"):
        git(**wrong)("ls-remote", url)


def test_pull_alone_does_not_allow_push(
    cloud: Any, account: str, codecommit: Any, url: str, git: Callable[..., Git]
) -> None:
    push(git(), url)
    make_role(cloud.client("iam", account), "reader", allow("codecommit:GitPull"), trust={"AWS": account})
    reader = git("reader")
    reader("clone", url, ".")
    reader.commit({"x": "x"})
    with pytest.raises(RuntimeError, match=r"reader.*codecommit:GitPush"):
        reader("push", "origin", "main")


def test_a_protected_branch_refuses_the_push_and_another_takes_it(
    cloud: Any, account: str, codecommit: Any, url: str, git: Callable[..., Git]
) -> None:
    push(git(), url)
    protect = {
        **allow("codecommit:GitPush"),
        "Effect": "Deny",
        "Condition": {
            "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]},
            "Null": {"codecommit:References": "false"},
        },
    }
    make_role(cloud.client("iam", account), "writer", allow("codecommit:Git*"), protect, trust={"AWS": account})
    writer = git("writer")
    writer("clone", url, ".")
    commit = writer.commit({"x": "x"})
    with pytest.raises(RuntimeError, match="403"):
        writer("push", "origin", "main")
    writer("push", "origin", "main:feature")
    assert codecommit.get_branch(repositoryName="demo", branchName="feature")["branch"]["commitId"] == commit


def test_rights_by_tag_of_the_repository(
    cloud: Any, account: str, codecommit: Any, url: str, git: Callable[..., Git]
) -> None:
    push(git(), url)
    iam = cloud.client("iam", account)
    for name, project in (("mine", "churn"), ("theirs", "fraud")):
        tagged = {"StringEquals": {"aws:ResourceTag/project": project}}
        make_role(iam, name, allow("codecommit:GitPull", Condition=tagged), trust={"AWS": account})
    git("mine")("ls-remote", url)
    with pytest.raises(RuntimeError, match="403"):
        git("theirs")("ls-remote", url)


def test_events_of_a_branch(
    events: Callable[[str], list[dict[str, Any]]], codecommit: Any, url: str, git: Callable[..., Git]
) -> None:
    mine = git()
    first = push(mine, url)
    second = mine.commit({"train.py": "print('more')\n"})
    mine("push", url, "main")
    mine("push", url, "main:other")
    mine("push", url, ":other")
    found = events("CodeCommit Repository State Change")
    assert [(e["event"], e["referenceName"], e.get("oldCommitId"), e.get("commitId")) for e in found] == [
        ("referenceCreated", "main", None, first),
        ("referenceUpdated", "main", first, second),
        ("referenceCreated", "other", None, second),
        ("referenceDeleted", "other", second, None),
    ]
    assert {e["repositoryName"] for e in found} == {"demo"}


def test_commits_by_api_are_seen_by_git(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    files = [
        {"filePath": "run.sh", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"},
        {"filePath": "src/a.py", "fileContent": b"a = 1\n"},
    ]
    first = codecommit.create_commit(
        repositoryName="demo",
        branchName="main",
        putFiles=files,
        commitMessage="one",
        authorName="Bo",
        email="b@example.com",
    )
    assert {file["absolutePath"] for file in first["filesAdded"]} == {"run.sh", "src/a.py"}
    second = codecommit.create_commit(
        repositoryName="demo",
        branchName="main",
        parentCommitId=first["commitId"],
        deleteFiles=[{"filePath": "run.sh"}],
        commitMessage="two",
    )
    put = codecommit.put_file(
        repositoryName="demo",
        branchName="main",
        parentCommitId=second["commitId"],
        filePath="src/a.py",
        fileContent=b"a = 2\n",
    )
    mine = git()
    mine("clone", url, ".")
    assert mine("log", "--format=%H %an %s").splitlines() == [
        f"{put['commitId']} root ",
        f"{second['commitId']} root two",
        f"{first['commitId']} Bo one",
    ]
    assert (mine.folder / "src/a.py").read_text() == "a = 2\n"
    described = codecommit.get_commit(repositoryName="demo", commitId=second["commitId"])["commit"]
    assert (described["parents"], described["message"]) == ([first["commitId"]], "two")


def test_folders_and_files_by_api(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    push(git(), url)
    root = codecommit.get_folder(repositoryName="demo", folderPath="/")
    assert [folder["absolutePath"] for folder in root["subFolders"]] == ["conf"]
    assert [file["absolutePath"] for file in root["files"]] == ["train.py"]
    inner = codecommit.get_folder(repositoryName="demo", folderPath="conf")
    assert [file["absolutePath"] for file in inner["files"]] == ["conf/a.yaml"]
    found = codecommit.get_file(repositoryName="demo", filePath="conf/a.yaml", commitSpecifier="main")
    assert (found["fileContent"], found["fileSize"], found["fileMode"]) == (b"a: 1\n", 5, "NORMAL")


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("get_repository", {"repositoryName": "none"}, "RepositoryDoesNotExistException"),
        ("create_repository", {"repositoryName": "demo"}, "RepositoryNameExistsException"),
        ("create_repository", {"repositoryName": "demo.git"}, "InvalidRepositoryNameException"),
        ("get_branch", {"repositoryName": "demo", "branchName": "none"}, "BranchDoesNotExistException"),
        ("update_default_branch", {"repositoryName": "demo", "defaultBranchName": "x"}, "BranchDoesNotExistException"),
        ("get_commit", {"repositoryName": "demo", "commitId": "0" * 40}, "CommitIdDoesNotExistException"),
        ("get_file", {"repositoryName": "demo", "filePath": "none"}, "FileDoesNotExistException"),
        ("get_folder", {"repositoryName": "demo", "folderPath": "none"}, "FolderDoesNotExistException"),
        ("create_commit", {"repositoryName": "demo", "branchName": "main"}, "FileEntryRequiredException"),
        (
            "put_file",
            {"repositoryName": "demo", "branchName": "main", "filePath": "a", "fileContent": b"a"},
            "ParentCommitIdRequiredException",
        ),
    ],
)
def test_errors(
    codecommit: Any, url: str, git: Callable[..., Git], operation: str, request_: dict[str, Any], code: str
) -> None:
    push(git(), url)
    with pytest.raises(ClientError) as error:
        getattr(codecommit, operation)(**request_)
    assert error.value.response["Error"]["Code"] == code


def test_paths_that_leave_the_repository_are_refused(codecommit: Any) -> None:
    for path in ("../x", "/x", "a//b", ".git/config", "a/.GIT/hooks/x"):
        with pytest.raises(ClientError, match="InvalidPathException"):
            codecommit.put_file(repositoryName="demo", branchName="main", filePath=path, fileContent=b"x")


def test_tags(codecommit: Any) -> None:
    arn = codecommit.get_repository(repositoryName="demo")["repositoryMetadata"]["Arn"]
    codecommit.tag_resource(resourceArn=arn, tags={"team": "a"})
    codecommit.untag_resource(resourceArn=arn, tagKeys=["project"])
    assert codecommit.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}


def test_deleting_takes_the_content_along(codecommit: Any, url: str, git: Callable[..., Git]) -> None:
    push(git(), url)
    codecommit.delete_repository(repositoryName="demo")
    assert "repositoryId" not in codecommit.delete_repository(repositoryName="demo")
    codecommit.create_repository(repositoryName="demo")
    assert codecommit.list_branches(repositoryName="demo")["branches"] == []
    assert [r["repositoryName"] for r in codecommit.list_repositories()["repositories"]] == ["demo"]


# --- CloudFormation

TEMPLATE = {
    "Parameters": {"Bucket": {"Type": "String"}, "Text": {"Type": "String", "Default": "one"}},
    "Resources": {
        "Repository": {
            "Type": "AWS::CodeCommit::Repository",
            "Properties": {
                "RepositoryName": "seeded",
                "RepositoryDescription": {"Ref": "Text"},
                "Code": {"S3": {"Bucket": {"Ref": "Bucket"}, "Key": "seed.zip"}, "BranchName": "trunk"},
                "Tags": [{"Key": "project", "Value": "churn"}],
            },
        }
    },
    "Outputs": {
        name: {"Value": {"Fn::GetAtt": ["Repository", name]}} for name in ("Arn", "CloneUrlHttp", "CloneUrlSsh", "Name")
    },
}
RIGHTS = ["CreateRepository", "CreateCommit", "DeleteRepository", "GetRepository", "UpdateRepositoryDescription"]


def deploy(cloud: Any, account: str, *statements: Any) -> str:
    iam = cloud.client("iam", account)
    role = make_role(iam, "deployer", *statements, trust="cloudformation.amazonaws.com")
    s3 = cloud.client("s3", account)
    bucket = make_bucket(s3, f"seeds-{account}")
    s3.put_object(Bucket=bucket, Key="seed.zip", Body=zipped({"buildspec.yml": "version: 0.2\n", "src/a.py": "a"}))
    cloudformation = cloud.client("cloudformation", account)
    parameters = [{"ParameterKey": "Bucket", "ParameterValue": bucket}]
    body = json.dumps(TEMPLATE)
    cloudformation.create_stack(StackName="code", TemplateBody=body, RoleARN=role, Parameters=parameters)
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName="code", WaiterConfig={"Delay": 1})
    except WaiterError:
        found = cloudformation.describe_stack_events(StackName="code")["StackEvents"]
        return next(e["ResourceStatusReason"] for e in reversed(found) if "FAILED" in e["ResourceStatus"])
    return "CREATE_COMPLETE"


def test_a_stack_makes_seeds_updates_and_deletes_a_repository(
    cloud: Any, account: str, git: Callable[..., Git]
) -> None:
    rights = [f"codecommit:{name}" for name in RIGHTS]
    assert deploy(cloud, account, allow(*rights, "s3:GetObject")) == "CREATE_COMPLETE"
    cloudformation = cloud.client("cloudformation", account)
    stack = cloudformation.describe_stacks(StackName="code")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["Arn"] == f"arn:aws:codecommit:eu-west-1:{account}:seeded"
    mine = git()
    mine("clone", outputs["CloneUrlHttp"], ".")
    assert mine("branch", "--show-current").strip() == "trunk"
    assert (mine.folder / "src/a.py").read_text() == "a"
    keep = [{"ParameterKey": "Bucket", "UsePreviousValue": True}, {"ParameterKey": "Text", "ParameterValue": "two"}]
    cloudformation.update_stack(StackName="code", UsePreviousTemplate=True, Parameters=keep)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="code", WaiterConfig={"Delay": 1})
    codecommit = cloud.client("codecommit", account)
    metadata = codecommit.get_repository(repositoryName="seeded")["repositoryMetadata"]
    assert metadata["repositoryDescription"] == "two"
    assert codecommit.list_tags_for_resource(resourceArn=outputs["Arn"])["tags"]["project"] == "churn"
    cloudformation.delete_stack(StackName="code")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="code", WaiterConfig={"Delay": 1})
    assert codecommit.list_repositories()["repositories"] == []


@pytest.mark.parametrize("missing", ["s3:GetObject", "codecommit:CreateCommit", "codecommit:CreateRepository"])
def test_a_stack_role_without_a_right_fails_naming_it(cloud: Any, account: str, missing: str) -> None:
    rights = {f"codecommit:{name}" for name in RIGHTS} | {"s3:GetObject"}
    reason = deploy(cloud, account, allow(*sorted(rights - {missing})))
    assert missing in reason
    assert cloud.client("codecommit", account).list_repositories()["repositories"] == []
