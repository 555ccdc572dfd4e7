"""Portfolios, what is in them, and who has access.

Source: Service Catalog API reference; service authorization reference.
"""

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Call, Json, ServiceError, operation
from mlops_foundation.local.services.servicecatalog.catalog import (
    ASSOCIATION,
    CONSTRAINT,
    PORTFOLIO,
    PRINCIPAL,
    CatalogService,
    also_on_portfolio,
    new_id,
    on_portfolio,
    on_product,
    tags_of_request,
)

_DETAIL = ("Id", "ARN", "DisplayName", "Description", "CreatedTime", "ProviderName")


class PortfolioOperations(CatalogService):
    """Operations on portfolios, their products and their principals."""

    @operation()
    def create_portfolio(self, call: Call, request: Json) -> Json:
        """Make a portfolio."""
        key = new_id("port")
        record = {
            "Id": key,
            "ARN": call.arn("catalog", f"portfolio/{key}"),
            "DisplayName": request["DisplayName"],
            "Description": request.get("Description"),
            "ProviderName": request["ProviderName"],
            "CreatedTime": now().timestamp(),
            "Tags": tags_of_request(request),
        }
        self.records.put(call.scope, PORTFOLIO, key, record)
        return {"PortfolioDetail": _detail(record), "Tags": record["Tags"]}

    @operation(resource=on_portfolio("Id"))
    def update_portfolio(self, call: Call, request: Json) -> Json:
        """Change names, description and tags of a portfolio."""
        self.portfolio(call.scope, request["Id"])
        changes: Json = {key: request[key] for key in ("DisplayName", "Description", "ProviderName") if key in request}

        def change(record: Json) -> None:
            kept = [tag for tag in record["Tags"] if tag["Key"] not in request.get("RemoveTags", [])]
            added = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in request.get("AddTags", [])]
            kept = [tag for tag in kept if tag["Key"] not in {item["Key"] for item in added}]
            record.update(changes, Tags=[*kept, *added])

        record = self.records.change(call.scope, PORTFOLIO, request["Id"], change)
        return {"PortfolioDetail": _detail(record), "Tags": record["Tags"]}

    @operation(resource=on_portfolio("Id"))
    def describe_portfolio(self, call: Call, request: Json) -> Json:
        """Describe a portfolio."""
        record = self.portfolio(call.scope, request["Id"])
        return {"PortfolioDetail": _detail(record), "Tags": record["Tags"], "TagOptions": []}

    @operation()
    def list_portfolios(self, call: Call, request: Json) -> Json:
        """List all portfolios of the account."""
        del request
        return {"PortfolioDetails": [_detail(record) for record in self.records.all(call.scope, PORTFOLIO)]}

    @operation(resource=on_portfolio("Id"))
    def delete_portfolio(self, call: Call, request: Json) -> Json:
        """Remove a portfolio that is empty."""
        key = request["Id"]
        self.portfolio(call.scope, key)
        for kind in (ASSOCIATION, PRINCIPAL, CONSTRAINT):
            if any(item["PortfolioId"] == key for item in self.records.all(call.scope, kind)):
                raise ServiceError(
                    "ResourceInUseException", f"Portfolio {key} still has products, users or constraints."
                )
        self.records.pop(call.scope, PORTFOLIO, key)
        return {}

    # --- products in a portfolio

    @operation(resource=on_product(), more=also_on_portfolio("AssociateProductWithPortfolio"))
    def associate_product_with_portfolio(self, call: Call, request: Json) -> Json:
        """Put a product into a portfolio; a second time changes nothing."""
        product, portfolio = request["ProductId"], request["PortfolioId"]
        self.product(call.scope, request)
        name = self.portfolio(call.scope, portfolio)["DisplayName"]
        key = f"{portfolio}|{product}"
        if self.records.get(call.scope, ASSOCIATION, key) is None:
            record = {"PortfolioId": portfolio, "ProductId": product, "PathId": new_id("lpv2"), "PathName": name}
            self.records.put(call.scope, ASSOCIATION, key, record)
        return {}

    @operation(resource=on_product(), more=also_on_portfolio("DisassociateProductFromPortfolio"))
    def disassociate_product_from_portfolio(self, call: Call, request: Json) -> Json:
        """Take a product out of a portfolio that has no constraint on it."""
        product, portfolio = request["ProductId"], request["PortfolioId"]
        if self.launch_role(call.scope, portfolio, product):
            raise ServiceError(
                "ResourceInUseException", f"Product {product} has a constraint in portfolio {portfolio}."
            )
        if self.records.pop(call.scope, ASSOCIATION, f"{portfolio}|{product}") is None:
            raise ServiceError("ResourceNotFoundException", f"Product {product} is not in portfolio {portfolio}.")
        return {}

    @operation(resource=on_product())
    def list_portfolios_for_product(self, call: Call, request: Json) -> Json:
        """List the portfolios a product is in."""
        self.product(call.scope, request)
        records = self.records.all(call.scope, ASSOCIATION)
        keys = [item["PortfolioId"] for item in records if item["ProductId"] == request["ProductId"]]
        return {"PortfolioDetails": [_detail(self.portfolio(call.scope, key)) for key in keys]}

    # --- who has access

    @operation(resource=on_portfolio())
    def associate_principal_with_portfolio(self, call: Call, request: Json) -> Json:
        """Give a role, a user or a pattern of names access to a portfolio."""
        self.accessible_portfolio(call.scope, request["PortfolioId"])
        record = {key: request[key] for key in ("PortfolioId", "PrincipalARN", "PrincipalType")}
        self.records.put(call.scope, PRINCIPAL, f"{record['PortfolioId']}|{record['PrincipalARN']}", record)
        return {}

    @operation(resource=on_portfolio())
    def disassociate_principal_from_portfolio(self, call: Call, request: Json) -> Json:
        """Take the access away."""
        self.accessible_portfolio(call.scope, request["PortfolioId"])
        self.records.pop(call.scope, PRINCIPAL, f"{request['PortfolioId']}|{request['PrincipalARN']}")
        return {}

    @operation(resource=on_portfolio())
    def list_principals_for_portfolio(self, call: Call, request: Json) -> Json:
        """List who has access to a portfolio."""
        self.accessible_portfolio(call.scope, request["PortfolioId"])
        records = self.records.all(call.scope, PRINCIPAL)
        mine = [item for item in records if item["PortfolioId"] == request["PortfolioId"]]
        return {"Principals": [{key: item[key] for key in ("PrincipalARN", "PrincipalType")} for item in mine]}


def _detail(record: Json) -> Json:
    return {key: record[key] for key in _DETAIL}
