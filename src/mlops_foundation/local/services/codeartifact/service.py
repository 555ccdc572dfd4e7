"""Operations of CodeArtifact.

Source: CodeArtifact API reference; service authorization reference; "Tokens created with the GetAuthorizationToken API"
in the CodeArtifact user guide.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final

from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.core.clock import new_token, now
from mlops_foundation.local.contract import (
    Call,
    Check,
    Cloud,
    HttpHandler,
    Json,
    ResourceType,
    Scope,
    Service,
    ServiceError,
    not_supported,
    operation,
)
from mlops_foundation.local.services.codeartifact import records as kept
from mlops_foundation.local.services.codeartifact.index import PackageIndex
from mlops_foundation.local.services.codeartifact.records import DOMAIN, PYPI, REPOSITORY, TOKEN
from mlops_foundation.local.services.codeartifact.resource import DOMAIN_TYPE, REPOSITORY_TYPE
from mlops_foundation.local.services.codeartifact.upstream import Upstream

_TOKEN_S: Final = 12 * 3600
"""How long a token is good unless asked otherwise; AWS's default and maximum."""
_TOKEN_MIN_S: Final = 900


ChangeTags = Callable[[list[Json]], list[Json]]
ChangeRecord = Callable[[Json], None]


def _domain(_service: object, call: Call, request: Json) -> str:
    return kept.domain_arn(kept.owner_scope(call, request), request["domain"])


def _repository(_service: object, call: Call, request: Json) -> str:
    return kept.repository_arn(kept.owner_scope(call, request), request["domain"], request["repository"])


def _tagged(_service: object, _call: Call, request: Json) -> str:
    return str(request["resourceArn"])


def _uses_key(_service: object, _call: Call, request: Json) -> Iterator[Check]:
    """A domain with a key of its own: CodeArtifact takes a grant on it with the caller's rights."""
    key = request.get("encryptionKey")
    if key:
        yield Check("kms:DescribeKey", key)
        yield Check("kms:CreateGrant", key, {"kms:GrantIsForAWSResource": "true"})


def _bearer_token(_service: object, _call: Call, _request: Json) -> Iterator[Check]:
    yield Check("sts:GetServiceBearerToken", "*", {"sts:AWSServiceName": "codeartifact.amazonaws.com"})


class CodeArtifact(Service):
    """Domains and repositories of every account and region, and the index of Python packages they serve."""

    name = "codeartifact"
    models = ("codeartifact",)
    namespace = "codeartifact"
    resource_types: ClassVar[Mapping[str, ResourceType]] = {
        "AWS::CodeArtifact::Domain": DOMAIN_TYPE,
        "AWS::CodeArtifact::Repository": REPOSITORY_TYPE,
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._index = PackageIndex(cloud, self.records, Upstream(cloud.machine_environment()))

    def stop(self) -> None:
        """End downloads that are under way."""
        self._index.close()

    def http_routes(self) -> Mapping[str, HttpHandler]:
        """Serve the package indexes below ``/d/``."""
        return {"/d/": self._index}

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a domain or repository."""
        where = Arn.parse(arn)
        kind, _, key = where.resource.partition("/")
        record = self.records.get(Scope(AccountId(where.account), Region(where.region)), kind, key)
        return {tag["key"]: tag["value"] for tag in record["tags"]} if record else {}

    # --- domains

    @operation(resource=_domain, more=_uses_key)
    def create_domain(self, call: Call, request: Json) -> Json:
        """Make a domain; without a key it is encrypted with AWS's own."""
        name = request["domain"]
        if self.records.get(call.scope, DOMAIN, name):
            raise ServiceError("ConflictException", f"Domain '{name}' already exists", 409)
        own_key = f"arn:aws:kms:{call.region}:{call.account}:alias/aws/codeartifact"
        record = {
            "name": name,
            "encryptionKey": request.get("encryptionKey", own_key),
            "createdTime": now().timestamp(),
            "tags": request.get("tags", []),
        }
        self.records.put(call.scope, DOMAIN, name, record)
        return {"domain": kept.domain_view(self.records, call.scope, record)}

    @operation(resource=_domain)
    def describe_domain(self, call: Call, request: Json) -> Json:
        """Describe a domain."""
        scope = kept.owner_scope(call, request)
        return {"domain": kept.domain_view(self.records, scope, kept.domain_of(self.records, scope, request["domain"]))}

    @operation(resource=_domain)
    def delete_domain(self, call: Call, request: Json) -> Json:
        """Remove a domain that has no repositories; one that is gone is no error, as on AWS."""
        scope, name = kept.owner_scope(call, request), request["domain"]
        record = self.records.get(scope, DOMAIN, name)
        if record is None:
            return {}
        if any(each["domainName"] == name for each in self.records.all(scope, REPOSITORY)):
            raise ServiceError("ConflictException", f"Domain '{name}' still has repositories", 409)
        view = kept.domain_view(self.records, scope, record)
        self.records.pop(scope, DOMAIN, name)
        return {"domain": view | {"status": "Deleted"}}

    # --- repositories

    @operation(resource=_repository)
    def create_repository(self, call: Call, request: Json) -> Json:
        """Make a repository in a domain."""
        scope, domain, name = kept.owner_scope(call, request), request["domain"], request["repository"]
        kept.domain_of(self.records, scope, domain)
        if self.records.get(scope, REPOSITORY, f"{domain}/{name}"):
            raise ServiceError("ConflictException", f"Repository '{name}' already exists in domain '{domain}'", 409)
        upstreams = [each["repositoryName"] for each in request.get("upstreams", [])]
        for upstream in upstreams:
            kept.repository_of(self.records, scope, domain, upstream)
        record = {
            "name": name,
            "domainName": domain,
            "administratorAccount": call.principal.account,
            "description": request.get("description"),
            "upstreams": upstreams,
            "externalConnections": [],
            "createdTime": now().timestamp(),
            "tags": request.get("tags", []),
        }
        self.records.put(scope, REPOSITORY, f"{domain}/{name}", record)
        return {"repository": kept.repository_view(scope, record)}

    @operation(resource=_repository)
    def describe_repository(self, call: Call, request: Json) -> Json:
        """Describe a repository."""
        return {"repository": kept.repository_view(kept.owner_scope(call, request), self._repository(call, request))}

    @operation(resource=_repository)
    def update_repository(self, call: Call, request: Json) -> Json:
        """Change what is said about a repository."""
        if "upstreams" in request:
            raise not_supported("changing the upstreams of a CodeArtifact repository")
        self._repository(call, request)
        return self._change(call, request, lambda record: record.update(description=request.get("description")))

    @operation(resource=_repository)
    def delete_repository(self, call: Call, request: Json) -> Json:
        """Remove a repository; one that is gone is no error, as on AWS."""
        scope = kept.owner_scope(call, request)
        record = self.records.pop(scope, REPOSITORY, f"{request['domain']}/{request['repository']}")
        return {"repository": kept.repository_view(scope, record)} if record else {}

    @operation(resource=_repository)
    def associate_external_connection(self, call: Call, request: Json) -> Json:
        """Connect a repository to the public index of Python packages."""
        connection, record = request["externalConnection"], self._repository(call, request)
        if connection != PYPI:
            raise not_supported(f"the external connection {connection}")
        if record["externalConnections"]:
            message = f"Repository '{record['name']}' already has an external connection"
            raise ServiceError("ConflictException", message, 409)
        return self._change(call, request, lambda found: found["externalConnections"].append(connection))

    # --- what a package manager needs

    @operation(resource=_domain, more=_bearer_token)
    def get_authorization_token(self, call: Call, request: Json) -> Json:
        """Return a token that is the caller, for its package manager."""
        scope, domain = kept.owner_scope(call, request), request["domain"]
        kept.domain_of(self.records, scope, domain)
        asked = request.get("durationSeconds", _TOKEN_S) or _TOKEN_S
        if not _TOKEN_MIN_S <= asked <= _TOKEN_S:
            message = f"durationSeconds must be 0, or between {_TOKEN_MIN_S} and {_TOKEN_S}"
            raise ServiceError("ValidationException", message)
        token, expires = new_token(128), now().timestamp() + asked
        record = {"access_key_id": call.principal.credentials.access_key_id, "domain": domain, "expires": expires}
        self.records.put(scope, TOKEN, kept.digest(token), record)
        return {"authorizationToken": token, "expiration": expires}

    @operation(resource=_repository)
    def get_repository_endpoint(self, call: Call, request: Json) -> Json:
        """Return the address of a repository's index."""
        if request["format"] != "pypi":
            raise not_supported(f"packages of format {request['format']}")
        record = self._repository(call, request)
        scope = kept.owner_scope(call, request)
        return {"repositoryEndpoint": kept.endpoint(self.cloud, scope, record["domainName"], record["name"])}

    # --- tags

    @operation(resource=_tagged)
    def list_tags_for_resource(self, call: Call, request: Json) -> Json:
        """List the tags of a domain or repository."""
        return {"tags": self._tagged_record(call, request)[2]["tags"]}

    @operation(resource=_tagged)
    def tag_resource(self, call: Call, request: Json) -> Json:
        """Add tags to a domain or repository."""
        new = {tag["key"] for tag in request["tags"]}
        self._retag(call, request, lambda tags: [tag for tag in tags if tag["key"] not in new] + request["tags"])
        return {}

    @operation(resource=_tagged)
    def untag_resource(self, call: Call, request: Json) -> Json:
        """Remove tags of a domain or repository."""
        gone = set(request["tagKeys"])
        self._retag(call, request, lambda tags: [tag for tag in tags if tag["key"] not in gone])
        return {}

    def _retag(self, call: Call, request: Json, change: ChangeTags) -> None:
        kind, key, _ = self._tagged_record(call, request)
        self.records.change(call.scope, kind, key, lambda record: record.update(tags=change(record["tags"])))

    def _tagged_record(self, call: Call, request: Json) -> tuple[str, str, Json]:
        kind, _, key = Arn.parse(request["resourceArn"]).resource.partition("/")
        record = self.records.get(call.scope, kind, key) if kind in (DOMAIN, REPOSITORY) else None
        if record is None:
            raise ServiceError("ResourceNotFoundException", f"{request['resourceArn']} does not exist", 404)
        return kind, key, record

    def _repository(self, call: Call, request: Json) -> Json:
        scope = kept.owner_scope(call, request)
        return kept.repository_of(self.records, scope, request["domain"], request["repository"])

    def _change(self, call: Call, request: Json, change: ChangeRecord) -> Json:
        scope, key = kept.owner_scope(call, request), f"{request['domain']}/{request['repository']}"
        return {"repository": kept.repository_view(scope, self.records.change(scope, REPOSITORY, key, change))}
