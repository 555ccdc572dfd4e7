"""Operations of CodeCommit.

Source: CodeCommit API reference; service authorization reference (actions, resources, ``codecommit:References``).
"""

import shutil
from collections.abc import Mapping
from typing import ClassVar

from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.core.clock import new_id, now
from mlops_foundation.local.contract import (
    Call,
    HttpHandler,
    Json,
    ResourceType,
    Scope,
    Service,
    ServiceError,
    operation,
)
from mlops_foundation.local.services.codecommit import commits, contents
from mlops_foundation.local.services.codecommit.repositories import (
    REPOSITORY,
    announce,
    clone_url,
    open_repository,
    record_of,
    reference_context,
    repository_arn,
    request_arn,
)
from mlops_foundation.local.services.codecommit.repository import NO_COMMIT, Commit, GitRepository
from mlops_foundation.local.services.codecommit.resource import REPOSITORY_TYPE
from mlops_foundation.local.services.codecommit.smart_http import GitHttp


def _tagged_arn(_service: object, _call: Call, request: Json) -> str:
    return str(request["resourceArn"])


class CodeCommit(Service):
    """Git repositories of every account and region."""

    name = "codecommit"
    models = ("codecommit",)
    namespace = "codecommit"
    resource_types: ClassVar[Mapping[str, ResourceType]] = {"AWS::CodeCommit::Repository": REPOSITORY_TYPE}

    def http_routes(self) -> Mapping[str, HttpHandler]:
        """Serve git's smart HTTP protocol below ``/v1/repos/``."""
        return {"/v1/repos/": GitHttp(self.cloud, self.records)}

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a repository."""
        where = Arn.parse(arn)
        record = self.records.get(Scope(AccountId(where.account), Region(where.region)), REPOSITORY, where.resource)
        tags: dict[str, str] = record["tags"] if record else {}
        return tags

    # --- repositories

    @operation(resource=request_arn)
    def create_repository(self, call: Call, request: Json) -> Json:
        """Make an empty repository."""
        name = request["repositoryName"]
        if name.endswith(".git"):
            raise ServiceError("InvalidRepositoryNameException", f"{name}: a repository name cannot end with .git")
        if self.records.get(call.scope, REPOSITORY, name):
            raise ServiceError("RepositoryNameExistsException", f"Repository named {name} already exists")
        stamp = now().timestamp()
        open_repository(self.cloud, call.scope, name).create()
        record = {
            "repositoryName": name,
            "repositoryId": new_id(),
            "repositoryDescription": request.get("repositoryDescription"),
            "kmsKeyId": request.get("kmsKeyId"),
            "creationDate": stamp,
            "lastModifiedDate": stamp,
            "tags": request.get("tags", {}),
        }
        self.records.put(call.scope, REPOSITORY, name, record)
        return {"repositoryMetadata": self._metadata(call, record)}

    @operation(resource=request_arn)
    def get_repository(self, call: Call, request: Json) -> Json:
        """Describe a repository."""
        return {
            "repositoryMetadata": self._metadata(call, record_of(self.records, call.scope, request["repositoryName"]))
        }

    @operation()
    def list_repositories(self, call: Call, request: Json) -> Json:
        """List the repositories of the account and region, by name or date."""
        records = self.records.all(call.scope, REPOSITORY)
        records.sort(
            key=lambda record: record[request.get("sortBy", "repositoryName")],
            reverse=request.get("order") == "descending",
        )
        return {
            "repositories": [{key: record[key] for key in ("repositoryName", "repositoryId")} for record in records]
        }

    @operation(resource=request_arn)
    def delete_repository(self, call: Call, request: Json) -> Json:
        """Remove a repository and all it holds; one that is gone already is no error, as on AWS."""
        record = self.records.pop(call.scope, REPOSITORY, request["repositoryName"])
        if record is None:
            return {}
        shutil.rmtree(open_repository(self.cloud, call.scope, record["repositoryName"]).folder)
        return {"repositoryId": record["repositoryId"]}

    @operation(resource=request_arn)
    def update_repository_description(self, call: Call, request: Json) -> Json:
        """Change what is said about a repository."""
        record_of(self.records, call.scope, request["repositoryName"])
        text = request.get("repositoryDescription")
        self.records.change(
            call.scope,
            REPOSITORY,
            request["repositoryName"],
            lambda record: record.update(repositoryDescription=text, lastModifiedDate=now().timestamp()),
        )
        return {}

    def _metadata(self, call: Call, record: Json) -> Json:
        name = record["repositoryName"]
        return {
            **{key: value for key, value in record.items() if key != "tags"},
            "accountId": call.account,
            "Arn": repository_arn(call.scope, name),
            "cloneUrlHttp": clone_url(self.cloud, name),
            "cloneUrlSsh": "",
            "defaultBranch": open_repository(self.cloud, call.scope, name).default_branch(),
        }

    # --- branches

    @operation(resource=request_arn)
    def get_branch(self, call: Call, request: Json) -> Json:
        """Return the commit a branch points to."""
        if "branchName" not in request:
            raise ServiceError("BranchNameRequiredException", "A branch name is required")
        name = request["branchName"]
        commit_id = self._open(call, request).branch(name)
        if commit_id is None:
            raise ServiceError("BranchDoesNotExistException", f"Branch {name} does not exist")
        return {"branch": {"branchName": name, "commitId": commit_id}}

    @operation(resource=request_arn)
    def list_branches(self, call: Call, request: Json) -> Json:
        """List the branches of a repository."""
        return {"branches": self._open(call, request).branches()}

    @operation(resource=request_arn)
    def update_default_branch(self, call: Call, request: Json) -> Json:
        """Make another branch the default one."""
        repository, name = self._open(call, request), request["defaultBranchName"]
        if repository.branch(name) is None:
            raise ServiceError("BranchDoesNotExistException", f"Branch {name} does not exist")
        repository.set_default_branch(name)
        return {}

    # --- commits and files

    @operation(resource=request_arn, context=reference_context)
    def create_commit(self, call: Call, request: Json) -> Json:
        """Add a commit that puts, deletes or re-modes files."""
        repository = self._open(call, request)
        edit = commits.edit_of(repository, request)
        made = commits.add(repository, request, edit, commits.author_of(call, request))
        self._announce(call, request, made)
        return {"commitId": made.commit_id, "treeId": made.tree_id, **commits.changes(repository, made, edit)}

    @operation(resource=request_arn, context=reference_context)
    def put_file(self, call: Call, request: Json) -> Json:
        """Add a commit that puts one file."""
        file = {key: request[key] for key in ("filePath", "fileMode", "fileContent") if key in request}
        wanted = {**request, "putFiles": [file], "authorName": request.get("name")}
        repository = self._open(call, request)
        commits.check_changed(repository, request)
        made = commits.add(repository, wanted, commits.edit_of(repository, wanted), commits.author_of(call, wanted))
        self._announce(call, request, made)
        blob = repository.entry(made.commit_id, request["filePath"])
        return {"commitId": made.commit_id, "treeId": made.tree_id, "blobId": blob.object_id if blob else ""}

    @operation(resource=request_arn)
    def get_commit(self, call: Call, request: Json) -> Json:
        """Describe a commit."""
        found = self._open(call, request).commit_of(request["commitId"])
        if found is None:
            raise ServiceError("CommitIdDoesNotExistException", f"Commit {request['commitId']} does not exist")
        return {"commit": contents.commit_view(found)}

    @operation(resource=request_arn)
    def get_file(self, call: Call, request: Json) -> Json:
        """Return a file with its content."""
        return contents.file_view(self._open(call, request), request.get("commitSpecifier"), request["filePath"])

    @operation(resource=request_arn)
    def get_folder(self, call: Call, request: Json) -> Json:
        """List what a folder holds."""
        return contents.folder_view(self._open(call, request), request.get("commitSpecifier"), request["folderPath"])

    @operation(resource=request_arn, name="UploadArchive")
    def upload_archive(self, call: Call, request: Json) -> Json:
        """Put the files of a commit into S3 as a zip, with the caller's rights.

        It is no operation of the API but the action CodePipeline needs for its source (``codecommit:UploadArchive``);
        CodePipeline calls it in process, with S3's PutObject parameters under ``s3``.
        """
        archive = self._open(call, request).archive(request["commitId"])
        self.cloud.client(call.principal, "s3", call.region).put_object(Body=archive, **request["s3"])
        return {}

    def _open(self, call: Call, request: Json) -> GitRepository:
        record = record_of(self.records, call.scope, request["repositoryName"])
        return open_repository(self.cloud, call.scope, record["repositoryName"])

    def _announce(self, call: Call, request: Json, made: Commit) -> None:
        record = record_of(self.records, call.scope, request["repositoryName"])
        parent = made.parents[0] if made.parents else NO_COMMIT
        moved = (f"refs/heads/{request['branchName']}", parent, made.commit_id)
        announce(self.cloud, call.principal, call.scope, record, moved)

    # --- tags

    @operation(resource=_tagged_arn)
    def tag_resource(self, call: Call, request: Json) -> Json:
        """Add tags to a repository."""
        self._change_tags(call, request, lambda tags: tags | request["tags"])
        return {}

    @operation(resource=_tagged_arn)
    def untag_resource(self, call: Call, request: Json) -> Json:
        """Remove tags of a repository."""
        gone = set(request["tagKeys"])
        self._change_tags(call, request, lambda tags: {key: tags[key] for key in tags if key not in gone})
        return {}

    @operation(resource=_tagged_arn)
    def list_tags_for_resource(self, call: Call, request: Json) -> Json:
        """List the tags of a repository."""
        return {"tags": record_of(self.records, call.scope, _name_of(request["resourceArn"]))["tags"]}

    def _change_tags(self, call: Call, request: Json, change: "commits.ChangeTags") -> None:
        name = _name_of(request["resourceArn"])
        record_of(self.records, call.scope, name)
        self.records.change(call.scope, REPOSITORY, name, lambda record: record.update(tags=change(record["tags"])))


def _name_of(arn: str) -> str:
    try:
        return Arn.parse(arn).resource
    except ValueError as error:
        raise ServiceError("InvalidResourceArnException", f"Invalid resource ARN: {arn}") from error
