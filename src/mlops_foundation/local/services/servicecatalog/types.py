"""The CloudFormation types of Service Catalog.

Source: "AWS Service Catalog resource type reference" in the CloudFormation template reference.
"""

import json
from collections.abc import Mapping

from mlops_foundation.core.clock import new_id as new_token
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, ServiceError, StackCall, not_supported

_ATTRIBUTES = ("Name", "Owner", "Description", "Distributor", "SupportDescription", "SupportEmail", "SupportUrl")


def _only(properties: Json, kind: str, *known: str) -> None:
    for key in properties:
        if key not in (*known, "AcceptLanguage", "Tags"):
            raise not_supported(f"{key} of AWS::ServiceCatalog::{kind}")


def _given(properties: Json, *keys: str) -> Json:
    return {key: properties[key] for key in keys if key in properties}


def _gone(stack: StackCall, operation: str, request: Json) -> None:
    """Call an operation that removes something; what is gone already is no error."""
    try:
        stack.invoke("servicecatalog", operation, request)
    except ServiceError as error:
        if error.code != "ResourceNotFoundException":
            raise


def _tag_changes(old: Json, new: Json) -> Json:
    after = new.get("Tags", [])
    removed = [tag["Key"] for tag in old.get("Tags", []) if tag["Key"] not in {item["Key"] for item in after}]
    changes = {"AddTags": after, "RemoveTags": removed}
    return {key: value for key, value in changes.items() if value}


# --- portfolio


def _create_portfolio(stack: StackCall, properties: Json) -> Provisioned:
    _only(properties, "Portfolio", "DisplayName", "ProviderName", "Description")
    request = _given(properties, "DisplayName", "ProviderName", "Description", "Tags")
    made = stack.invoke("servicecatalog", "CreatePortfolio", {**request, "IdempotencyToken": new_token()})
    return _portfolio(made)


def _portfolio(answer: Json) -> Provisioned:
    detail = answer["PortfolioDetail"]
    return Provisioned(detail["Id"], {"PortfolioName": detail["DisplayName"]})


def _update_portfolio(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    request = {"Id": physical_id, **_given(new, "DisplayName", "ProviderName", "Description"), **_tag_changes(old, new)}
    return _portfolio(stack.invoke("servicecatalog", "UpdatePortfolio", request))


def _delete_portfolio(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    _gone(stack, "DeletePortfolio", {"Id": physical_id})


# --- product


def _version(properties: Json) -> Json:
    known = _given(properties, "Name", "Description", "Info", "DisableTemplateValidation")
    return {**known, "Type": properties.get("Type", "CLOUD_FORMATION_TEMPLATE")}


def _create_product(stack: StackCall, properties: Json) -> Provisioned:
    more = ("ProvisioningArtifactParameters", "ReplaceProvisioningArtifacts", "ProductType")
    _only(properties, "CloudFormationProduct", *_ATTRIBUTES, *more)
    versions = properties["ProvisioningArtifactParameters"]
    request = {
        **_given(properties, *_ATTRIBUTES, "Tags"),
        "ProductType": properties.get("ProductType", "CLOUD_FORMATION_TEMPLATE"),
        "ProvisioningArtifactParameters": _version(versions[0]),
        "IdempotencyToken": new_token(),
    }
    made = stack.invoke("servicecatalog", "CreateProduct", request)
    product_id = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    for version in versions[1:]:
        _add_version(stack, product_id, version)
    return _product(stack, product_id, properties)


def _add_version(stack: StackCall, product_id: str, version: Json) -> None:
    request = {"ProductId": product_id, "Parameters": _version(version), "IdempotencyToken": new_token()}
    stack.invoke("servicecatalog", "CreateProvisioningArtifact", request)


def _product(stack: StackCall, product_id: str, properties: Json) -> Provisioned:
    found = stack.invoke("servicecatalog", "ListProvisioningArtifacts", {"ProductId": product_id})
    details = found["ProvisioningArtifactDetails"]
    attributes = {
        "ProductName": properties["Name"],
        "ProvisioningArtifactIds": ",".join(item["Id"] for item in details),
        "ProvisioningArtifactNames": ",".join(item["Name"] or "" for item in details),
    }
    return Provisioned(product_id, attributes)


def _update_product(stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
    """Change a product: versions with the same name and template address stay, others come and go."""
    request = {"Id": physical_id, **_given(new, *_ATTRIBUTES), **_tag_changes(old, new)}
    stack.invoke("servicecatalog", "UpdateProduct", request)
    named = {"ProductId": physical_id}
    here: dict[tuple[str, str], str] = {}
    for item in stack.invoke("servicecatalog", "ListProvisioningArtifacts", named)["ProvisioningArtifactDetails"]:
        version = {**named, "ProvisioningArtifactId": item["Id"]}
        info = stack.invoke("servicecatalog", "DescribeProvisioningArtifact", version)["Info"]
        here[item["Name"], info["TemplateUrl"]] = item["Id"]
    replace = str(new.get("ReplaceProvisioningArtifacts", "")).lower() == "true"
    kept = set()
    for version in new["ProvisioningArtifactParameters"]:
        key = (version.get("Name"), version["Info"]["LoadTemplateFromURL"])
        if replace or key not in here:
            _add_version(stack, physical_id, version)
        else:
            kept.add(key)
    for key, artifact_id in here.items():
        if key not in kept:
            _gone(stack, "DeleteProvisioningArtifact", {**named, "ProvisioningArtifactId": artifact_id})
    return _product(stack, physical_id, new)


def _delete_product(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    _gone(stack, "DeleteProduct", {"Id": physical_id})


# --- what ties them together


def _create_product_association(stack: StackCall, properties: Json) -> Provisioned:
    _only(properties, "PortfolioProductAssociation", "PortfolioId", "ProductId")
    request = _given(properties, "PortfolioId", "ProductId")
    stack.invoke("servicecatalog", "AssociateProductWithPortfolio", request)
    return Provisioned(f"{properties['PortfolioId']}|{properties['ProductId']}")


def _delete_product_association(stack: StackCall, physical_id: str, properties: Json) -> None:
    del physical_id
    _gone(stack, "DisassociateProductFromPortfolio", _given(properties, "PortfolioId", "ProductId"))


def _create_principal_association(stack: StackCall, properties: Json) -> Provisioned:
    _only(properties, "PortfolioPrincipalAssociation", "PortfolioId", "PrincipalARN", "PrincipalType")
    request = _given(properties, "PortfolioId", "PrincipalARN", "PrincipalType")
    stack.invoke("servicecatalog", "AssociatePrincipalWithPortfolio", request)
    return Provisioned(f"{properties['PrincipalARN']}|{properties['PortfolioId']}")


def _delete_principal_association(stack: StackCall, physical_id: str, properties: Json) -> None:
    del physical_id
    request = _given(properties, "PortfolioId", "PrincipalARN", "PrincipalType")
    _gone(stack, "DisassociatePrincipalFromPortfolio", request)


def _create_launch_role(stack: StackCall, properties: Json) -> Provisioned:
    _only(properties, "LaunchRoleConstraint", "PortfolioId", "ProductId", "RoleArn", "LocalRoleName", "Description")
    request = {
        **_given(properties, "PortfolioId", "ProductId", "Description"),
        "Type": "LAUNCH",
        "Parameters": json.dumps(_given(properties, "RoleArn", "LocalRoleName")),
        "IdempotencyToken": new_token(),
    }
    made = stack.invoke("servicecatalog", "CreateConstraint", request)
    return Provisioned(made["ConstraintDetail"]["ConstraintId"])


def _delete_launch_role(stack: StackCall, physical_id: str, properties: Json) -> None:
    del properties
    _gone(stack, "DeleteConstraint", {"Id": physical_id})


RESOURCE_TYPES: Mapping[str, ResourceType] = {
    "AWS::ServiceCatalog::Portfolio": ResourceType(
        create=_create_portfolio, update=_update_portfolio, delete=_delete_portfolio
    ),
    "AWS::ServiceCatalog::CloudFormationProduct": ResourceType(
        create=_create_product, update=_update_product, delete=_delete_product
    ),
    "AWS::ServiceCatalog::PortfolioProductAssociation": ResourceType(
        create=_create_product_association, delete=_delete_product_association, tags=""
    ),
    "AWS::ServiceCatalog::PortfolioPrincipalAssociation": ResourceType(
        create=_create_principal_association, delete=_delete_principal_association, tags=""
    ),
    "AWS::ServiceCatalog::LaunchRoleConstraint": ResourceType(
        create=_create_launch_role, delete=_delete_launch_role, tags=""
    ),
}
