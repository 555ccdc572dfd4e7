"""The switch of SageMaker's own project templates: AWS's portfolio, shared by Service Catalog.

The templates themselves are AWS's and not on this machine: the portfolio is empty.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EnableSagemakerServicecatalogPortfolio.html
"""

from typing import Final

from mlops_foundation.local.contract import Call, Json, operation
from mlops_foundation.local.services.sagemaker.resources import Resources

OWN_PORTFOLIO: Final = "port-awssagemaker1"
_KIND: Final = "servicecatalog-portfolio"


class ProjectTemplateOperations(Resources):
    """Operations on the switch of an account and region."""

    @operation()
    def enable_sagemaker_servicecatalog_portfolio(self, call: Call, request: Json) -> Json:
        """Accept the share of AWS's portfolio, as who calls."""
        del request
        share = {"PortfolioId": OWN_PORTFOLIO}
        self.cloud.invoke(call.principal, "servicecatalog", "AcceptPortfolioShare", share, scope=call.scope)
        self.records.put(call.scope, _KIND, _KIND, {"Status": "Enabled"})
        return {}

    @operation()
    def disable_sagemaker_servicecatalog_portfolio(self, call: Call, request: Json) -> Json:
        """Turn it off; who has access to the portfolio is Service Catalog's matter."""
        del request
        self.records.put(call.scope, _KIND, _KIND, {"Status": "Disabled"})
        return {}

    @operation()
    def get_sagemaker_servicecatalog_portfolio_status(self, call: Call, request: Json) -> Json:
        """Tell whether it is on; nobody has turned it on at first."""
        del request
        return self.records.get(call.scope, _KIND, _KIND) or {"Status": "Disabled"}
