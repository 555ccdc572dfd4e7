"""Commits made by the API: what a request wants changed, checked as CodeCommit checks it."""

from collections.abc import Callable, Iterable

from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported
from mlops_foundation.local.services.codecommit.repository import (
    FILE_MODES,
    Author,
    Commit,
    Edit,
    GitError,
    GitRepository,
)

MAX_ENTRIES = 100
MAX_FILE_BYTES = 6 * 1024 * 1024

ChangeTags = Callable[[dict[str, str]], dict[str, str]]


def author_of(call: Call, request: Json) -> Author:
    """Return the author a request names, or the caller's own name as CodeCommit takes it."""
    return Author(request.get("authorName") or Arn.parse(call.principal.arn).name, request.get("email", ""))


def edit_of(repository: GitRepository, request: Json) -> Edit:
    """Return what a commit request changes.

    Raises:
        ServiceError: When nothing is named, too much, a path twice, or a path that is not there.
    """
    puts, deletes, modes = (request.get(key, []) for key in ("putFiles", "deleteFiles", "setFileModes"))
    paths = [entry["filePath"] for entry in (*puts, *deletes, *modes)]
    if not paths:
        raise ServiceError("FileEntryRequiredException", "A commit needs at least one file to put, delete or set")
    if len(paths) > MAX_ENTRIES:
        raise ServiceError("MaximumFileEntriesExceededException", f"A commit can change at most {MAX_ENTRIES} files")
    _check_paths(paths)
    _check_present(repository, request, [entry["filePath"] for entry in (*deletes, *modes)])
    return Edit(
        put={entry["filePath"]: (entry.get("fileMode", "NORMAL"), _content(entry)) for entry in puts},
        delete=[entry["filePath"] for entry in deletes],
        modes={entry["filePath"]: entry["fileMode"] for entry in modes},
    )


def check_path(path: str) -> None:
    """Refuse a path that cannot be in a repository.

    Raises:
        ServiceError: ``InvalidPathException``.
    """
    if any(part.lower() in ("", ".", "..", ".git") for part in path.split("/")):
        raise ServiceError("InvalidPathException", f"The path {path!r} is not valid")


def _check_paths(paths: list[str]) -> None:
    for path in paths:
        check_path(path)
        if paths.count(path) > 1:
            raise ServiceError("SamePathRequestException", f"The path {path} is named more than once")


def _check_present(repository: GitRepository, request: Json, paths: Iterable[str]) -> None:
    tip = repository.branch(request["branchName"])
    for path in paths:
        if tip is None or repository.entry(tip, path) is None:
            raise ServiceError(
                "FileDoesNotExistException", f"The file {path} does not exist on {request['branchName']}"
            )


def _content(entry: Json) -> bytes:
    if "sourceFile" in entry:
        raise not_supported("sourceFile of CreateCommit")
    if "fileContent" not in entry:
        raise ServiceError("SourceFileOrContentRequiredException", f"{entry['filePath']}: no content and no source")
    content = bytes(entry["fileContent"])
    if len(content) > MAX_FILE_BYTES:
        raise ServiceError("FileContentSizeLimitExceededException", f"{entry['filePath']}: more than 6 MB")
    return content


def _parent(repository: GitRepository, request: Json) -> str | None:
    branch, wanted = request["branchName"], request.get("parentCommitId")
    tip = repository.branch(branch)
    if tip is None and repository.branches():
        raise ServiceError("BranchDoesNotExistException", f"Branch {branch} does not exist")
    if tip and wanted is None:
        raise ServiceError("ParentCommitIdRequiredException", f"The branch {branch} has commits: name the parent")
    if wanted and repository.commit_of(wanted) is None:
        raise ServiceError("ParentCommitDoesNotExistException", f"Commit {wanted} does not exist")
    if wanted != tip:
        raise ServiceError("ParentCommitIdOutdatedException", f"The tip of {branch} is {tip}, not {wanted}")
    return tip


def add(repository: GitRepository, request: Json, edit: Edit, author: Author) -> Commit:
    """Make the commit on the tip of its branch.

    Raises:
        ServiceError: When the parent is missing or outdated, or the commit would change nothing.
    """
    parent = _parent(repository, request)
    before = repository.commit_of(parent) if parent else None
    message = request.get("commitMessage") or ""
    try:
        commit = repository.commit(request["branchName"], before, edit, author, message)
    except GitError as error:
        raise ServiceError("InvalidPathException", str(error)) from error
    if commit is None:
        raise ServiceError("NoChangeException", "The commit would change nothing")
    return commit


def check_changed(repository: GitRepository, request: Json) -> None:
    """Refuse a PutFile whose content is there already.

    Raises:
        ServiceError: ``SameFileContentException``.
    """
    tip = repository.branch(request["branchName"])
    here = repository.entry(tip, request["filePath"]) if tip else None
    if here and repository.content(here.object_id) == bytes(request["fileContent"]):
        raise ServiceError("SameFileContentException", f"{request['filePath']} has this content already")


def changes(repository: GitRepository, commit: Commit, edit: Edit) -> Json:
    """Return the files a commit added, updated and deleted, as CreateCommit answers them."""
    added: list[Json] = []
    updated: list[Json] = []
    parent = commit.parents[0] if commit.parents else None
    for path in (*edit.put, *edit.modes):
        known = parent is not None and repository.entry(parent, path) is not None
        (updated if known else added).append(_file(repository, commit.commit_id, path))
    deleted = [_file(repository, parent, path) for path in edit.delete] if parent else []
    return {"filesAdded": added, "filesUpdated": updated, "filesDeleted": deleted}


def _file(repository: GitRepository, commit_id: str, path: str) -> Json:
    entry = repository.entry(commit_id, path)
    if entry is None:
        raise ServiceError("FileDoesNotExistException", f"The file {path} does not exist")
    return {"absolutePath": path, "blobId": entry.object_id, "fileMode": FILE_MODES[entry.mode]}
