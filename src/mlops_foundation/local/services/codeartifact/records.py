"""Domains, repositories and tokens: where their records are, and how AWS shows them."""

import hashlib
from typing import Final

from mlops_foundation.local.contract import Call, Cloud, Json, Scope, ServiceError, Store

DOMAIN: Final = "domain"
REPOSITORY: Final = "repository"
TOKEN: Final = "authorization-token"  # noqa: S105  a kind of record
PYPI: Final = "public:pypi"
"""The external connection to the public index of Python packages."""


def domain_arn(scope: Scope, name: str) -> str:
    """Return the ARN of a domain."""
    return f"arn:aws:codeartifact:{scope.region}:{scope.account}:domain/{name}"


def repository_arn(scope: Scope, domain: str, name: str) -> str:
    """Return the ARN of a repository."""
    return f"arn:aws:codeartifact:{scope.region}:{scope.account}:repository/{domain}/{name}"


def owner_scope(call: Call, request: Json) -> Scope:
    """Return where a domain is: in its owner's account."""
    return Scope(request.get("domainOwner") or call.account, call.region)


def domain_of(records: Store, scope: Scope, name: str) -> Json:
    """Return the record of a domain.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    record = records.get(scope, DOMAIN, name)
    if record is None:
        raise ServiceError("ResourceNotFoundException", f"Domain not found. Domain '{name}' does not exist", 404)
    return record


def repository_of(records: Store, scope: Scope, domain: str, name: str) -> Json:
    """Return the record of a repository.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    record = records.get(scope, REPOSITORY, f"{domain}/{name}")
    if record is None:
        message = f"Repository not found. Repository '{name}' in domain '{domain}' with owner '{scope.account}' "
        raise ServiceError("ResourceNotFoundException", f"{message}does not exist", 404)
    return record


def domain_view(records: Store, scope: Scope, record: Json) -> Json:
    """Return a domain as AWS describes it; what it holds is not measured."""
    name = record["name"]
    own = [each for each in records.all(scope, REPOSITORY) if each["domainName"] == name]
    shown = {key: record[key] for key in ("name", "createdTime", "encryptionKey")}
    return shown | {
        "owner": scope.account,
        "arn": domain_arn(scope, name),
        "status": "Active",
        "repositoryCount": len(own),
    }


def repository_view(scope: Scope, record: Json) -> Json:
    """Return a repository as AWS describes it."""
    connections = [
        {"externalConnectionName": name, "packageFormat": "pypi", "status": "Available"}
        for name in record["externalConnections"]
    ]
    return {
        "name": record["name"],
        "administratorAccount": record["administratorAccount"],
        "domainName": record["domainName"],
        "domainOwner": scope.account,
        "arn": repository_arn(scope, record["domainName"], record["name"]),
        "description": record["description"],
        "upstreams": [{"repositoryName": name} for name in record["upstreams"]],
        "externalConnections": connections,
        "createdTime": record["createdTime"],
    }


def reaches_pypi(records: Store, scope: Scope, record: Json, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a repository, or one of its upstreams, is connected to the public index."""
    if PYPI in record["externalConnections"]:
        return True
    names = [name for name in record["upstreams"] if name not in seen]
    found = [records.get(scope, REPOSITORY, f"{record['domainName']}/{name}") for name in names]
    return any(reaches_pypi(records, scope, each, seen | set(names)) for each in found if each)


def index_path(scope: Scope, domain: str, repository: str) -> str:
    """Return the path of a repository's index; on AWS domain, owner and region are in the host's name."""
    return f"/d/{domain}-{scope.account}/{scope.region}/pypi/{repository}/"


def endpoint(cloud: Cloud, scope: Scope, domain: str, repository: str) -> str:
    """Return the address of a repository's index."""
    return cloud.endpoint_url + index_path(scope, domain, repository)


def digest(token: str) -> str:
    """Return what a token is kept as: the store holds no token that could be used."""
    return hashlib.sha256(token.encode()).hexdigest()
