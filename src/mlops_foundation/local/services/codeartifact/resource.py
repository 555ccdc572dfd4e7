"""The CloudFormation types AWS::CodeArtifact::Domain and AWS::CodeArtifact::Repository.

Source: both types in the CloudFormation template reference: Ref is the ARN, what names a resource replaces it.
"""

from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, StackCall, not_supported

_SERVICE = "codeartifact"


def _tags(properties: Json) -> list[Json]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])]


def _refuse_policy(properties: Json) -> None:
    if properties.get("PermissionsPolicyDocument"):
        raise not_supported("PermissionsPolicyDocument of AWS::CodeArtifact types")


def _retag(stack: StackCall, arn: str, old: Json, new: Json) -> None:
    before, after = _tags(old), _tags(new)
    gone = {tag["key"] for tag in before} - {tag["key"] for tag in after}
    if gone:
        stack.invoke(_SERVICE, "UntagResource", {"resourceArn": arn, "tagKeys": sorted(gone)})
    changed = [tag for tag in after if tag not in before]
    if changed:
        stack.invoke(_SERVICE, "TagResource", {"resourceArn": arn, "tags": changed})


# --- domains ----------------------------------------------------------------------------------------------------------


def _create_domain(stack: StackCall, properties: Json) -> Provisioned:
    _refuse_policy(properties)
    request: Json = {"domain": properties["DomainName"], "tags": _tags(properties)}
    if properties.get("EncryptionKey"):
        request["encryptionKey"] = properties["EncryptionKey"]
    return _domain(stack.invoke(_SERVICE, "CreateDomain", request)["domain"])


def _domain(domain: Json) -> Provisioned:
    attributes = {
        "Arn": domain["arn"],
        "EncryptionKey": domain["encryptionKey"],
        "Name": domain["name"],
        "Owner": domain["owner"],
    }
    return Provisioned(domain["arn"], attributes)


def _update_domain(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    _refuse_policy(new)
    _retag(stack, physical_id, old, new)
    return _domain(stack.invoke(_SERVICE, "DescribeDomain", {"domain": new["DomainName"]})["domain"])


def _delete_domain(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    stack.invoke(_SERVICE, "DeleteDomain", {"domain": Arn.parse(physical_id).name})


DOMAIN_TYPE = ResourceType(
    _create_domain, _delete_domain, _update_domain, replaced_by=frozenset({"DomainName", "EncryptionKey"})
)


# --- repositories -----------------------------------------------------------------------------------------------------


def _place(properties: Json) -> Json:
    owner = {"domainOwner": properties["DomainOwner"]} if properties.get("DomainOwner") else {}
    return {"domain": properties["DomainName"], "repository": properties["RepositoryName"], **owner}


def _create_repository(stack: StackCall, properties: Json) -> Provisioned:
    _refuse_policy(properties)
    place = _place(properties)
    request = place | {"tags": _tags(properties)}
    if properties.get("Description"):
        request["description"] = properties["Description"]
    if properties.get("Upstreams"):
        request["upstreams"] = [{"repositoryName": name} for name in properties["Upstreams"]]
    made = stack.invoke(_SERVICE, "CreateRepository", request)["repository"]
    for connection in properties.get("ExternalConnections", []):
        stack.invoke(_SERVICE, "AssociateExternalConnection", place | {"externalConnection": connection})
    return _repository(made)


def _repository(repository: Json) -> Provisioned:
    attributes = {
        "Arn": repository["arn"],
        "DomainName": repository["domainName"],
        "DomainOwner": repository["domainOwner"],
        "Name": repository["name"],
    }
    return Provisioned(repository["arn"], attributes)


def _update_repository(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    _refuse_policy(new)
    for name in ("Upstreams", "ExternalConnections"):
        if old.get(name) != new.get(name):
            raise not_supported(f"changing {name} of AWS::CodeArtifact::Repository")
    place = _place(new)
    if old.get("Description") != new.get("Description"):
        stack.invoke(_SERVICE, "UpdateRepository", place | {"description": new.get("Description", "")})
    _retag(stack, physical_id, old, new)
    return _repository(stack.invoke(_SERVICE, "DescribeRepository", place)["repository"])


def _delete_repository(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    _, domain, name = Arn.parse(physical_id).resource.split("/")
    stack.invoke(_SERVICE, "DeleteRepository", {"domain": domain, "repository": name})


REPOSITORY_TYPE = ResourceType(
    _create_repository,
    _delete_repository,
    _update_repository,
    replaced_by=frozenset({"DomainName", "DomainOwner", "RepositoryName"}),
)
