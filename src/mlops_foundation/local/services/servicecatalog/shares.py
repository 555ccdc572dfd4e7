"""Portfolios of other accounts that this account has accepted. The one that is offered is AWS's own for SageMaker.

Source: Service Catalog API reference.
"""

from typing import Final

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.servicecatalog.catalog import SHARE, CatalogService, on_portfolio

_OFFERED: Final = {
    "port-awssagemaker1": {
        "DisplayName": "Amazon SageMaker Solutions and ML Ops products",
        "Description": "SageMaker's own project templates",
        "ProviderName": "Amazon SageMaker",
    }
}
_OWNER: Final = "000000000000"


class ShareOperations(CatalogService):
    """Operations on shares."""

    @operation(resource=on_portfolio())
    def accept_portfolio_share(self, call: Call, request: Json) -> Json:
        """Accept a portfolio that is offered; a second time changes nothing."""
        _account_to_account_only("AcceptPortfolioShare", request)
        key = request["PortfolioId"]
        if key not in _OFFERED:
            raise ServiceError("ResourceNotFoundException", f"Portfolio share {key} not found.")
        if self.records.get(call.scope, SHARE, key) is None:
            arn = f"arn:aws:catalog:{call.region}:{_OWNER}:portfolio/{key}"
            record = {"Id": key, "ARN": arn, "CreatedTime": now().timestamp(), **_OFFERED[key]}
            self.records.put(call.scope, SHARE, key, record)
        return {}

    @operation()
    def list_accepted_portfolio_shares(self, call: Call, request: Json) -> Json:
        """List the portfolios that were accepted."""
        _account_to_account_only("ListAcceptedPortfolioShares", request)
        return {"PortfolioDetails": self.records.all(call.scope, SHARE)}


def _account_to_account_only(name: str, request: Json) -> None:
    kind = request.get("PortfolioShareType", "IMPORTED")
    if kind == "AWS_SERVICECATALOG":
        raise ServiceError("ResourceNotFoundException", "Shares of type AWS_SERVICECATALOG are not supported.")
    if kind != "IMPORTED":
        raise not_supported(f"{name} of type {kind}")
