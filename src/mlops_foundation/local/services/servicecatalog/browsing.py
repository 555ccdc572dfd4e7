"""Products as the people see them who may launch them: only what their portfolios hold."""

from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.servicecatalog.catalog import PRODUCT, CatalogService, on_product
from mlops_foundation.local.services.servicecatalog.products import summary


class BrowsingOperations(CatalogService):
    """Operations of who looks for something to launch."""

    @operation()
    def search_products(self, call: Call, request: Json) -> Json:
        """List the products the caller may launch, by words when asked."""
        filters = request.get("Filters", {})
        if set(filters) - {"FullTextSearch"}:
            raise not_supported(f"The filters {', '.join(sorted(filters))} of SearchProducts")
        words = [word.lower() for word in filters.get("FullTextSearch", [])]
        mine = [item for item in self.records.all(call.scope, PRODUCT) if self._visible(call, item)]
        found = [item for item in mine if all(word in _text(item) for word in words)]
        return {"ProductViewSummaries": [summary(item, has_path=True) for item in found], "ProductViewAggregations": {}}

    @operation(resource=on_product("Id"))
    def describe_product(self, call: Call, request: Json) -> Json:
        """Describe a product with its versions and the ways to launch it."""
        product = self._visible_product(call, self.product(call.scope, request, "Id", "Name"))
        keys = ("Id", "Name", "Description", "CreatedTime", "Guidance")
        artifacts = [item for item in self.artifacts(call.scope, product["Id"]) if item["Active"]]
        paths = self.paths(call.scope, call.principal, product["Id"])
        return {
            "ProductViewSummary": summary(product, has_path=len(paths) == 1),
            "ProvisioningArtifacts": [{key: item[key] for key in keys} for item in artifacts],
            "Budgets": [],
            "LaunchPaths": [{"Id": item["PathId"], "Name": item["PathName"]} for item in paths],
        }

    @operation(resource=on_product())
    def list_launch_paths(self, call: Call, request: Json) -> Json:
        """List the ways the caller may launch a product."""
        product = self.product(call.scope, request)
        paths = self.paths(call.scope, call.principal, product["Id"])
        if not paths:
            raise ServiceError("ResourceNotFoundException", f"No launch paths found for resource: {product['Id']}")
        return {
            "LaunchPathSummaries": [
                {
                    "Id": item["PathId"],
                    "Name": item["PathName"],
                    "Tags": self.portfolio(call.scope, item["PortfolioId"])["Tags"],
                    "ConstraintSummaries": self._constraints(call, item),
                }
                for item in paths
            ]
        }

    @operation(resource=on_product())
    def describe_provisioning_parameters(self, call: Call, request: Json) -> Json:
        """Say what a launch has to give."""
        product = self.product(call.scope, request)
        path = self.path(call.scope, call.principal, product, request)
        artifact = self.artifact(call.scope, product, request)
        return {
            "ProvisioningArtifactParameters": artifact["Parameters"],
            "ConstraintSummaries": self._constraints(call, path),
            "UsageInstructions": [],
            "TagOptions": [],
            "ProvisioningArtifactOutputs": artifact["Outputs"],
            "ProvisioningArtifactOutputKeys": artifact["Outputs"],
        }

    def _constraints(self, call: Call, path: Json) -> list[Json]:
        return [{"Type": "LAUNCH"}] if self.launch_role(call.scope, path["PortfolioId"], path["ProductId"]) else []

    def _visible(self, call: Call, product: Json) -> bool:
        return bool(self.paths(call.scope, call.principal, product["Id"]))

    def _visible_product(self, call: Call, product: Json) -> Json:
        if not self._visible(call, product):
            raise ServiceError("ResourceNotFoundException", f"Product {product['Id']} not found.")
        return product


def _text(product: Json) -> str:
    return " ".join(str(product.get(key, "")) for key in ("Name", "Owner", "Description", "Distributor")).lower()
