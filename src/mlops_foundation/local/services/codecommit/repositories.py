"""Where the repositories of an account are, and what happens when a reference of one changes."""

from mlops_foundation.local.contract import Call, Cloud, Json, Principal, Scope, ServiceError, Store
from mlops_foundation.local.services.codecommit.repository import NO_COMMIT, GitRepository

REPOSITORY = "repository"


def repository_arn(scope: Scope, name: str) -> str:
    """Return the ARN of a repository."""
    return f"arn:aws:codecommit:{scope.region}:{scope.account}:{name}"


def open_repository(cloud: Cloud, scope: Scope, name: str) -> GitRepository:
    """Return the git side of a repository; its folder may not exist yet."""
    return GitRepository(cloud.folder("codecommit", scope.account, scope.region) / f"{name}.git")


def record_of(records: Store, scope: Scope, name: str) -> Json:
    """Return the record of a repository.

    Raises:
        ServiceError: ``RepositoryDoesNotExistException``.
    """
    record = records.get(scope, REPOSITORY, name)
    if record is None:
        raise ServiceError("RepositoryDoesNotExistException", f"{name} does not exist")
    return record


def clone_url(cloud: Cloud, name: str) -> str:
    """Return the address git clones from."""
    return f"{cloud.endpoint_url}/v1/repos/{name}"


def announce(cloud: Cloud, principal: Principal, scope: Scope, record: Json, moved: tuple[str, str, str]) -> None:
    """Emit ``CodeCommit Repository State Change`` for one reference.

    Args:
        cloud: Where the event goes.
        principal: Who moved the reference.
        scope: Of the repository.
        record: Of the repository.
        moved: Full name of the reference, its old and its new commit; forty zeros for none.
    """
    reference, old, new = moved
    kind, _, short = reference.removeprefix("refs/").partition("/")
    detail = {
        "callerUserArn": principal.arn,
        "event": _event(old, new),
        "referenceFullName": reference,
        "referenceName": short,
        "referenceType": {"heads": "branch", "tags": "tag"}.get(kind, kind),
        "repositoryId": record["repositoryId"],
        "repositoryName": record["repositoryName"],
    }
    if new != NO_COMMIT:
        detail["commitId"] = new
    if old != NO_COMMIT:
        detail["oldCommitId"] = old
    arn = repository_arn(scope, record["repositoryName"])
    cloud.emit(scope, "aws.codecommit", "CodeCommit Repository State Change", detail, [arn])


def _event(old: str, new: str) -> str:
    if old == NO_COMMIT:
        return "referenceCreated"
    return "referenceDeleted" if new == NO_COMMIT else "referenceUpdated"


def request_arn(_service: object, call: Call, request: Json) -> str:
    """Return the ARN of the repository a request names.

    Raises:
        ServiceError: ``RepositoryNameRequiredException``.
    """
    if "repositoryName" not in request:  # the model requires it of most operations, though not of GetBranch
        raise ServiceError("RepositoryNameRequiredException", "A repository name is required, but was not specified.")
    return repository_arn(call.scope, request["repositoryName"])


def reference_context(_service: object, _call: Call, request: Json) -> dict[str, str]:
    """Return ``codecommit:References`` of a request that names a branch."""
    return {"codecommit:References": f"refs/heads/{request['branchName']}"}
