"""The CloudFormation type AWS::CodeCommit::Repository.

Source: "AWS::CodeCommit::Repository" in the CloudFormation template reference.
"""

import io
import zipfile

from mlops_foundation.local.contract import (
    Check,
    Json,
    Provisioned,
    ResourceType,
    ServiceError,
    StackCall,
    not_supported,
)
from mlops_foundation.local.services.codecommit.commits import check_path
from mlops_foundation.local.services.codecommit.repositories import announce, open_repository, repository_arn
from mlops_foundation.local.services.codecommit.repository import NO_COMMIT, Author, Edit, FileMode

MAX_ARCHIVE_BYTES = 20 * 1024 * 1024
SEED_AUTHOR = Author("AWS CodeCommit", "noreply-awscodecommit@amazon.com")
SEED_MESSAGE = "Initial commit by AWS CodeCommit"


def _tags(properties: Json) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def _create(stack: StackCall, properties: Json) -> Provisioned:
    if properties.get("Triggers"):
        raise not_supported("Triggers of AWS::CodeCommit::Repository")
    request = {
        "repositoryName": properties["RepositoryName"],
        "repositoryDescription": properties.get("RepositoryDescription"),
        "kmsKeyId": properties.get("KmsKeyId"),
        "tags": _tags(properties),
    }
    wanted = {key: value for key, value in request.items() if value}
    metadata = stack.invoke("codecommit", "CreateRepository", wanted)["repositoryMetadata"]
    if "Code" in properties:
        try:
            _seed(stack, metadata, properties["Code"])
        except Exception:
            stack.invoke("codecommit", "DeleteRepository", {"repositoryName": properties["RepositoryName"]})
            raise
    return _provisioned(metadata)


def _provisioned(metadata: Json) -> Provisioned:
    attributes = {
        "Arn": metadata["Arn"],
        "CloneUrlHttp": metadata["cloneUrlHttp"],
        "CloneUrlSsh": metadata["cloneUrlSsh"],
        "Name": metadata["repositoryName"],
    }
    return Provisioned(metadata["repositoryId"], attributes)


def _seed(stack: StackCall, metadata: Json, code: Json) -> None:
    """Make the first commit from a zip archive in S3, with the stack's rights."""
    call, name = stack.call, metadata["repositoryName"]
    branch = code.get("BranchName", "main")
    reference = f"refs/heads/{branch}"
    check = Check("codecommit:CreateCommit", repository_arn(call.scope, name), {"codecommit:References": reference})
    call.cloud.authorize(call.principal, check, region=call.region)
    edit = Edit(put=_files(_archive(stack, code["S3"])))
    repository = open_repository(call.cloud, call.scope, name)
    made = repository.commit(branch, None, edit, SEED_AUTHOR, SEED_MESSAGE)
    if made is not None:
        announce(call.cloud, call.principal, call.scope, metadata, (reference, NO_COMMIT, made.commit_id))


def _archive(stack: StackCall, place: Json) -> bytes:
    version = {"VersionId": place["ObjectVersion"]} if "ObjectVersion" in place else {}
    answer = stack.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"], **version)
    if answer["ContentLength"] > MAX_ARCHIVE_BYTES:
        raise ServiceError("InvalidRequest", f"s3://{place['Bucket']}/{place['Key']} is over 20 MB")
    return bytes(answer["Body"].read())


def _files(archive: bytes) -> dict[str, tuple[FileMode, bytes]]:
    try:
        packed = zipfile.ZipFile(io.BytesIO(archive))
    except zipfile.BadZipFile as error:
        raise ServiceError("InvalidRequest", "The code of the repository is not a zip archive") from error
    files: dict[str, tuple[FileMode, bytes]] = {}
    with packed:
        for info in packed.infolist():
            if not info.is_dir():
                check_path(info.filename)
                files[info.filename] = (_mode(info), packed.read(info))
    return files


def _mode(info: zipfile.ZipInfo) -> FileMode:
    executable = (info.external_attr >> 16) & 0o100
    return "EXECUTABLE" if executable else "NORMAL"


def _update(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    del physical_id
    name = new["RepositoryName"]
    if old["RepositoryName"] != name:
        raise not_supported("Renaming an AWS::CodeCommit::Repository")
    if old.get("KmsKeyId") != new.get("KmsKeyId") or new.get("Triggers"):
        raise not_supported("Changing KmsKeyId or Triggers of AWS::CodeCommit::Repository")
    description = {"repositoryDescription": new.get("RepositoryDescription", "")}
    stack.invoke("codecommit", "UpdateRepositoryDescription", {"repositoryName": name, **description})
    metadata = stack.invoke("codecommit", "GetRepository", {"repositoryName": name})["repositoryMetadata"]
    before, after = _tags(old), _tags(new)
    if gone := [key for key in before if key not in after]:
        stack.invoke("codecommit", "UntagResource", {"resourceArn": metadata["Arn"], "tagKeys": gone})
    if after and after != before:
        stack.invoke("codecommit", "TagResource", {"resourceArn": metadata["Arn"], "tags": after})
    return _provisioned(metadata)


def _delete(stack: StackCall, physical_id: str, properties: Json) -> None:
    del physical_id
    stack.invoke("codecommit", "DeleteRepository", {"repositoryName": properties["RepositoryName"]})


REPOSITORY_TYPE = ResourceType(create=_create, update=_update, delete=_delete)
