"""Products and their versions (provisioning artifacts), as the catalog's administrator sees them.

Source: Service Catalog API reference.
"""

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.servicecatalog import templates
from mlops_foundation.local.services.servicecatalog.catalog import (
    ARTIFACT,
    ASSOCIATION,
    PRODUCT,
    CatalogService,
    new_id,
    on_product,
    tags_of_request,
)
from mlops_foundation.local.stack_templates import read

TEMPLATE_TYPE = "CLOUD_FORMATION_TEMPLATE"
_ATTRIBUTES = ("Name", "Owner", "Description", "Distributor", "SupportDescription", "SupportEmail", "SupportUrl")


class ProductOperations(CatalogService):
    """Operations on products and versions."""

    @operation()
    def create_product(self, call: Call, request: Json) -> Json:
        """Make a product with its first version."""
        if request["ProductType"] != TEMPLATE_TYPE or "SourceConnection" in request:
            raise not_supported(f"A product of type {request['ProductType']}, or from a connection")
        if "ProvisioningArtifactParameters" not in request:
            raise ServiceError("InvalidParametersException", "A product needs ProvisioningArtifactParameters")
        key = new_id("prod")
        artifact = self._new_artifact(call, key, request["ProvisioningArtifactParameters"])
        record = {
            "Id": key,
            "ViewId": new_id("prodview"),
            "ARN": call.arn("catalog", f"product/{key}"),
            "CreatedTime": now().timestamp(),
            "Tags": tags_of_request(request),
            **{name: request[name] for name in _ATTRIBUTES if name in request},
        }
        self.records.put(call.scope, PRODUCT, key, record)
        self.records.put(call.scope, ARTIFACT, artifact["Id"], artifact)
        return {
            "ProductViewDetail": self._view(record),
            "ProvisioningArtifactDetail": _artifact_detail(artifact),
            "Tags": record["Tags"],
        }

    @operation(resource=on_product("Id"))
    def update_product(self, call: Call, request: Json) -> Json:
        """Change what is said about a product."""
        self.product(call.scope, request, "Id")
        changes = {name: request[name] for name in _ATTRIBUTES if name in request}

        def change(record: Json) -> None:
            added = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in request.get("AddTags", [])]
            gone = {*request.get("RemoveTags", []), *(tag["Key"] for tag in added)}
            record.update(changes, Tags=[*(tag for tag in record["Tags"] if tag["Key"] not in gone), *added])

        record = self.records.change(call.scope, PRODUCT, request["Id"], change)
        return {"ProductViewDetail": self._view(record), "Tags": record["Tags"]}

    @operation(resource=on_product("Id"))
    def delete_product(self, call: Call, request: Json) -> Json:
        """Remove a product that is in no portfolio."""
        key = request["Id"]
        self.product(call.scope, request, "Id")
        if any(item["ProductId"] == key for item in self.records.all(call.scope, ASSOCIATION)):
            raise ServiceError("ResourceInUseException", f"Product {key} is still in a portfolio.")
        for artifact in self.artifacts(call.scope, key):
            self.records.pop(call.scope, ARTIFACT, artifact["Id"])
        self.records.pop(call.scope, PRODUCT, key)
        return {}

    @operation(resource=on_product("Id"))
    def describe_product_as_admin(self, call: Call, request: Json) -> Json:
        """Describe a product with its versions and tags."""
        record = self.product(call.scope, request, "Id", "Name")
        keys = ("Id", "Name", "Description", "CreatedTime")
        artifacts = self.artifacts(call.scope, record["Id"])
        return {
            "ProductViewDetail": self._view(record),
            "ProvisioningArtifactSummaries": [{key: item[key] for key in keys} for item in artifacts],
            "Tags": record["Tags"],
            "TagOptions": [],
            "Budgets": [],
        }

    @operation()
    def search_products_as_admin(self, call: Call, request: Json) -> Json:
        """List all products, or those of a portfolio."""
        records = self.records.all(call.scope, PRODUCT)
        if "PortfolioId" in request:
            self.portfolio(call.scope, request["PortfolioId"])
            here = [item for item in self.records.all(call.scope, ASSOCIATION)
                    if item["PortfolioId"] == request["PortfolioId"]]  # fmt: skip
            records = [record for record in records if record["Id"] in {item["ProductId"] for item in here}]
        if request.get("Filters"):
            raise not_supported("Filters of SearchProductsAsAdmin")
        return {"ProductViewDetails": [self._view(record) for record in records]}

    # --- versions

    @operation(resource=on_product())
    def create_provisioning_artifact(self, call: Call, request: Json) -> Json:
        """Add a version to a product."""
        self.product(call.scope, request)
        artifact = self._new_artifact(call, request["ProductId"], request["Parameters"])
        self.records.put(call.scope, ARTIFACT, artifact["Id"], artifact)
        return _artifact_answer(artifact)

    @operation(resource=on_product())
    def update_provisioning_artifact(self, call: Call, request: Json) -> Json:
        """Change name, description or guidance of a version."""
        artifact = self.artifact(call.scope, self.product(call.scope, request), request)
        changes: Json = {key: request[key] for key in ("Name", "Description", "Active", "Guidance") if key in request}
        record = self.records.change(call.scope, ARTIFACT, artifact["Id"], lambda item: item.update(changes))
        return _artifact_answer(record)

    @operation(resource=on_product())
    def delete_provisioning_artifact(self, call: Call, request: Json) -> Json:
        """Remove a version, but not the last one."""
        artifact = self.artifact(call.scope, self.product(call.scope, request), request)
        if len(self.artifacts(call.scope, request["ProductId"])) == 1:
            raise ServiceError(
                "ResourceInUseException", "The last provisioning artifact of a product cannot be deleted"
            )
        self.records.pop(call.scope, ARTIFACT, artifact["Id"])
        return {}

    @operation(resource=on_product())
    def list_provisioning_artifacts(self, call: Call, request: Json) -> Json:
        """List the versions of a product."""
        self.product(call.scope, request)
        artifacts = self.artifacts(call.scope, request["ProductId"])
        return {"ProvisioningArtifactDetails": [_artifact_detail(item) for item in artifacts]}

    @operation(resource=on_product())
    def describe_provisioning_artifact(self, call: Call, request: Json) -> Json:
        """Describe a version, with the parameters of its template when asked."""
        artifact = self.artifact(call.scope, self.product(call.scope, request), request)
        answer = _artifact_answer(artifact)
        if request.get("IncludeProvisioningArtifactParameters"):
            answer["ProvisioningArtifactParameters"] = artifact["Parameters"]
        return answer

    def _new_artifact(self, call: Call, product_id: str, wanted: Json) -> Json:
        url = wanted.get("Info", {}).get("LoadTemplateFromURL")
        if wanted.get("Type", TEMPLATE_TYPE) != TEMPLATE_TYPE or not url:
            raise not_supported("A version that is not a template from LoadTemplateFromURL")
        s3 = call.cloud.client(call.principal, "s3", call.region)
        try:
            template = templates.parse(read(s3, url))
        except s3.exceptions.ClientError as error:
            raise ServiceError("InvalidParametersException", f"Cannot read the template {url}: {error}") from error
        return {
            "Id": new_id("pa"),
            "ProductId": product_id,
            "Name": wanted.get("Name"),
            "Description": wanted.get("Description"),
            "Type": TEMPLATE_TYPE,
            "CreatedTime": now().timestamp(),
            "Active": True,
            "Guidance": "DEFAULT",
            "Url": url,
            "Parameters": templates.parameters(template),
            "Outputs": [
                {"Key": key, "Description": value.get("Description")}
                for key, value in template.get("Outputs", {}).items()
            ],
        }

    def _view(self, record: Json) -> Json:
        return {
            "ProductViewSummary": summary(record, has_path=False),
            "Status": "AVAILABLE",
            "ProductARN": record["ARN"],
            "CreatedTime": record["CreatedTime"],
        }


def summary(record: Json, *, has_path: bool) -> Json:
    """Return a product as lists show it."""
    shown = {"Name": "Name", "Owner": "Owner", "Description": "ShortDescription", "Distributor": "Distributor"}
    support = ("SupportEmail", "SupportDescription", "SupportUrl")
    return {
        "Id": record["ViewId"],
        "ProductId": record["Id"],
        "Type": TEMPLATE_TYPE,
        "HasDefaultPath": has_path,
        **{name: record[key] for key, name in shown.items() if key in record},
        **{key: record[key] for key in support if key in record},
    }


def _artifact_detail(artifact: Json) -> Json:
    keys = ("Id", "Name", "Description", "Type", "CreatedTime", "Active", "Guidance")
    return {key: artifact[key] for key in keys}


def _artifact_answer(artifact: Json) -> Json:
    return {
        "ProvisioningArtifactDetail": _artifact_detail(artifact),
        "Info": {"TemplateUrl": artifact["Url"]},
        "Status": "AVAILABLE",
    }
