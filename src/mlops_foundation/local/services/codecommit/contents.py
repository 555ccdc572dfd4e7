"""What a repository holds at a commit, as the API shows it."""

from dataclasses import asdict

from mlops_foundation.local.contract import Json, ServiceError
from mlops_foundation.local.services.codecommit.repository import FILE_MODES, Commit, Entry, GitRepository

MAX_FILE_BYTES = 6 * 1024 * 1024
FOLDER, SUBMODULE, SYMLINK = "040000", "160000", "120000"


def commit_view(commit: Commit) -> Json:
    """Return a commit as GetCommit does."""
    return {
        "commitId": commit.commit_id,
        "treeId": commit.tree_id,
        "parents": list(commit.parents),
        "message": commit.message,
        "author": asdict(commit.author),
        "committer": asdict(commit.committer),
    }


def _commit(repository: GitRepository, specifier: str | None) -> str:
    wanted = specifier or "HEAD"
    found = repository.resolve(wanted)
    if found is None:
        raise ServiceError("CommitDoesNotExistException", f"Could not resolve {wanted} to a commit")
    return found


def file_view(repository: GitRepository, specifier: str | None, path: str) -> Json:
    """Return a file with its content, as GetFile does.

    Raises:
        ServiceError: When the commit or the file does not exist, or the file is over 6 MB.
    """
    commit_id = _commit(repository, specifier)
    entry = repository.entry(commit_id, path.strip("/")) if path.strip("/") else None
    if entry is None or entry.mode not in FILE_MODES:
        raise ServiceError("FileDoesNotExistException", f"Could not find path {path}")
    content = repository.content(entry.object_id)
    if len(content) > MAX_FILE_BYTES:
        raise ServiceError("FileTooLargeException", f"{path} is over 6 MB")
    return {
        "commitId": commit_id,
        "blobId": entry.object_id,
        "filePath": entry.path,
        "fileMode": FILE_MODES[entry.mode],
        "fileSize": len(content),
        "fileContent": content,
    }


def folder_view(repository: GitRepository, specifier: str | None, path: str) -> Json:
    """Return the direct contents of a folder, as GetFolder does.

    Raises:
        ServiceError: When the commit or the folder does not exist.
    """
    commit_id, folder = _commit(repository, specifier), path.strip("/")
    entry = repository.entry(commit_id, folder)
    if entry is None or entry.mode != FOLDER:
        raise ServiceError("FolderDoesNotExistException", f"Could not find folder {path}")
    view: Json = {
        "commitId": commit_id,
        "folderPath": folder or "/",
        "treeId": entry.object_id,
        "subFolders": [],
        "files": [],
        "symbolicLinks": [],
        "subModules": [],
    }
    for child in repository.children(entry.object_id):
        key, shown = _child(child, folder)
        view[key].append(shown)
    return view


def _child(entry: Entry, folder: str) -> tuple[str, Json]:
    where = {"absolutePath": f"{folder}/{entry.path}" if folder else entry.path, "relativePath": entry.path}
    if entry.mode == FOLDER:
        return "subFolders", {"treeId": entry.object_id, **where}
    if entry.mode == SUBMODULE:
        return "subModules", {"commitId": entry.object_id, **where}
    kind = "symbolicLinks" if entry.mode == SYMLINK else "files"
    return kind, {"blobId": entry.object_id, "fileMode": FILE_MODES[entry.mode], **where}
