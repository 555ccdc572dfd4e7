"""What a deleted project leaves behind: found by name, in the way of a new project of that name, and purged.

No persona may delete data, so all of it is done as the administrator of each account: its profile on AWS.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.aws import stacks
from mlops_foundation.core.errors import ConfigError, FoundationError, Problem
from mlops_foundation.core.names import PROJECT_TAG, STAGES, ProjectNames, Stage
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace

Report = Callable[[str], None]
_KEY_WAITS_DAYS: Final = 7
"""The shortest time that KMS lets a key wait for its end."""
_ABSENT: Final = frozenset({"404", "NoSuchBucket", "NoSuchEntity", "ResourceNotFound", "NoSuchTagSet"})


@dataclass(frozen=True)
class Remain:
    """One thing that a project has left.

    Attributes:
        kind: ``endpoint stack``, ``log group``, ``training pipeline``, ``model package group``, ``key`` or ``bucket``.
        name: As AWS knows it.
        account: Where it is.
        detail: How much it is, or whose.
        blocks: Whether a new project of the same name cannot be made beside it.
        foreign: Whether it only has the project's name, and is not its own: it is never purged.
    """

    kind: str
    name: str
    account: str
    detail: str = ""
    blocks: bool = False
    foreign: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return dict(vars(self))


def find(workspace: Workspace, name: str) -> list[Remain]:
    """Return what there is of a project's data and deployments, in the order in which it is purged.

    Args:
        workspace: Where.
        name: Project name.

    Raises:
        FoundationError: When an account cannot be looked at.
    """
    names, dev = workspace.project(name), workspace.account("dev")
    found: list[Remain] = []
    with aws_errors(f"what is left of project {name}"):
        for stage in STAGES:
            found += _deployed(workspace, names, stage)
        found += _registry(workspace.sessions.client("sagemaker", dev), names, dev)
        found += _keys(workspace.sessions.client("kms", dev), name, dev)
        for bucket in (names.artifact_bucket(dev), names.pipeline_bucket(dev)):
            found += _bucket(workspace.sessions.client("s3", dev), name, bucket, dev)
    return found


def require_free(workspace: Workspace, name: str) -> None:
    """Refuse a name that what is left of an earlier project holds.

    Who may not look into the account creates the project without this; CloudFormation then tells what is in the way.

    Args:
        workspace: Where.
        name: Name of the new project.

    Raises:
        ConfigError: With each resource in the way.
    """
    try:
        found = [each for each in find(workspace, name) if each.blocks]
    except FoundationError:
        return
    if found:
        raise ConfigError(
            f"what an earlier project {name} left is in the way", problems=[_in_the_way(each, name) for each in found]
        )


def _in_the_way(remain: Remain, name: str) -> Problem:
    whose = "is not of a project of this name" if remain.foreign else "is kept from an earlier project"
    purge_it = f"copy what you need, then: mlops project purge {name} (--dry-run shows it); or choose another name"
    return Problem(
        what=f"the {remain.kind} {remain.name} {whose}",
        where=f"account {remain.account}",
        got=remain.detail,
        expected="a free name: CloudFormation makes a project's storage anew, and takes over none",
        fix="choose another name" if remain.foreign else purge_it,
    )


def _deployed(workspace: Workspace, names: ProjectNames, stage: Stage) -> Iterator[Remain]:
    account, name = workspace.account(stage), names.endpoint(stage)
    client = workspace.sessions.client("cloudformation", account)
    state = stacks.describe(client, account, name)
    if state.status not in {"ABSENT", "DELETE_COMPLETE"}:
        foreign = not _names_own_path(client, name, names)
        yield Remain("endpoint stack", name, account, state.status, foreign=foreign)
        if foreign:
            return
    group = f"/aws/sagemaker/Endpoints/{name}"
    logs = workspace.sessions.client("logs", account)
    if any(each["logGroupName"] == group for each in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]):
        yield Remain("log group", group, account)


def _names_own_path(client: Any, stack: str, names: ProjectNames) -> bool:  # noqa: ANN401  boto3 clients
    """Return whether a stack has names below the project's own path: of roles, or of parameters."""
    body = client.get_template(StackName=stack)["TemplateBody"]
    given = client.describe_stacks(StackName=stack)["Stacks"][0].get("Parameters", [])
    text = json.dumps([body, given])
    return any(path in text for path in (names.path, f"{names.parameters}/"))


def _registry(sagemaker: Any, names: ProjectNames, account: str) -> Iterator[Remain]:  # noqa: ANN401  boto3 clients
    pipelines = sagemaker.list_pipelines(PipelineNamePrefix=names.training_pipeline)["PipelineSummaries"]
    for found in pipelines:
        if found["PipelineName"] == names.training_pipeline:
            foreign = not _is_of(sagemaker, found["PipelineArn"], names.project)
            yield Remain("training pipeline", names.training_pipeline, account, foreign=foreign)
    group = names.model_package_group
    groups = sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    for found in groups:
        if found["ModelPackageGroupName"] == group:
            foreign = not _is_of(sagemaker, found["ModelPackageGroupArn"], names.project)
            count = len(list(_versions(sagemaker, group)))
            yield Remain("model package group", group, account, f"{count} versions", blocks=True, foreign=foreign)


def _is_of(sagemaker: Any, arn: str, project: str) -> bool:  # noqa: ANN401  boto3 clients
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    return {"Key": PROJECT_TAG, "Value": project} in tags


def _versions(sagemaker: Any, group: str) -> Iterator[str]:  # noqa: ANN401  boto3 clients
    token: Mapping[str, str] = {}
    while True:
        page = sagemaker.list_model_packages(ModelPackageGroupName=group, **token)
        yield from (each["ModelPackageArn"] for each in page["ModelPackageSummaryList"])
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _keys(kms: Any, project: str, account: str) -> Iterator[Remain]:  # noqa: ANN401  boto3 clients
    """Yield the project's keys, by its tag; AWS's own keys have none, and do not always show it."""
    for page in kms.get_paginator("list_keys").paginate():
        for each in page["Keys"]:
            key = kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"]
            if key.get("KeyManager") == "AWS" or key["KeyState"] == "PendingDeletion":
                continue
            if {"TagKey": PROJECT_TAG, "TagValue": project} in kms.list_resource_tags(KeyId=each["KeyId"])["Tags"]:
                yield Remain("key", key["Arn"], account, key.get("Description", ""))


def _bucket(s3: Any, project: str, bucket: str, account: str) -> Iterator[Remain]:  # noqa: ANN401  boto3 clients
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            yield Remain("bucket", bucket, account, "another account's, or closed to us", blocks=True, foreign=True)
        return
    if _tags(s3, bucket).get(PROJECT_TAG) != project:
        what = f"without the tag {PROJECT_TAG}={project}"
        yield Remain("bucket", bucket, account, what, blocks=True, foreign=True)
        return
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
    count = len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))
    detail = f"{'more than ' if page.get('IsTruncated') else ''}{count} object versions"
    yield Remain("bucket", bucket, account, detail, blocks=True)


def _tags(s3: Any, bucket: str) -> dict[str, str]:  # noqa: ANN401  boto3 clients
    try:
        return {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return {}
        raise


def purge(workspace: Workspace, name: str, remains: Sequence[Remain], report: Report) -> list[Remain]:
    """Delete what a project has left, for good.

    Args:
        workspace: Where.
        name: Project name.
        remains: What :func:`find` has found, and a person has seen.
        report: Takes one line on what is happening.

    Returns:
        What was deleted.

    Raises:
        DeployError: When something cannot be deleted; what was found before it is gone, and it can be run again.
    """
    own = [each for each in remains if not each.foreign]
    for each in own:
        report(f"{each.kind} {each.name} in {each.account}")
        with aws_errors(f"{each.kind} {each.name} of project {name}"):
            _PURGE[each.kind](workspace, each)
    return own


def _purge_stack(workspace: Workspace, remain: Remain) -> None:
    client = workspace.sessions.client("cloudformation", remain.account)
    client.delete_stack(StackName=remain.name)
    state = stacks.wait(client, remain.account, remain.name)
    if state.status not in {"ABSENT", "DELETE_COMPLETE"}:
        raise stacks.failure(client, state)


def _purge_logs(workspace: Workspace, remain: Remain) -> None:
    workspace.sessions.client("logs", remain.account).delete_log_group(logGroupName=remain.name)


def _purge_pipeline(workspace: Workspace, remain: Remain) -> None:
    workspace.sessions.client("sagemaker", remain.account).delete_pipeline(
        PipelineName=remain.name, ClientRequestToken=f"purge-{remain.account}-{remain.name}"[:128].ljust(32, "-")
    )


def _purge_group(workspace: Workspace, remain: Remain) -> None:
    sagemaker = workspace.sessions.client("sagemaker", remain.account)
    for version in list(_versions(sagemaker, remain.name)):
        sagemaker.delete_model_package(ModelPackageName=version)
    sagemaker.delete_model_package_group(ModelPackageGroupName=remain.name)


def _purge_key(workspace: Workspace, remain: Remain) -> None:
    kms = workspace.sessions.client("kms", remain.account)
    kms.schedule_key_deletion(KeyId=remain.name, PendingWindowInDays=_KEY_WAITS_DAYS)


def _purge_bucket(workspace: Workspace, remain: Remain) -> None:
    s3 = workspace.sessions.client("s3", remain.account)
    while True:
        page = s3.list_object_versions(Bucket=remain.name, MaxKeys=1000)
        objects = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if not objects:
            break
        failed = s3.delete_objects(Bucket=remain.name, Delete={"Objects": objects, "Quiet": True}).get("Errors", [])
        if failed:
            raise ConfigError(
                f"an object of the bucket {remain.name} cannot be deleted",
                where=f"account {remain.account}",
                got=f"{failed[0]['Key']}: {failed[0].get('Message', failed[0].get('Code', ''))}",
                fix="put the reason right, then run the same command again",
            )
    s3.delete_bucket(Bucket=remain.name)


_PURGE: Final[Mapping[str, Callable[[Workspace, Remain], None]]] = {
    "endpoint stack": _purge_stack,
    "log group": _purge_logs,
    "training pipeline": _purge_pipeline,
    "model package group": _purge_group,
    "key": _purge_key,
    "bucket": _purge_bucket,
}
