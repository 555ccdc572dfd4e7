"""The service: its operations are in one module for each kind of thing."""

from collections.abc import Mapping
from typing import ClassVar

from mlops_foundation.local.contract import ResourceType
from mlops_foundation.local.services.servicecatalog.browsing import BrowsingOperations
from mlops_foundation.local.services.servicecatalog.constraints import ConstraintOperations
from mlops_foundation.local.services.servicecatalog.portfolios import PortfolioOperations
from mlops_foundation.local.services.servicecatalog.products import ProductOperations
from mlops_foundation.local.services.servicecatalog.provisioning import ProvisioningOperations
from mlops_foundation.local.services.servicecatalog.shares import ShareOperations
from mlops_foundation.local.services.servicecatalog.types import RESOURCE_TYPES


class ServiceCatalog(
    PortfolioOperations,
    ShareOperations,
    ProductOperations,
    ConstraintOperations,
    BrowsingOperations,
    ProvisioningOperations,
):
    """Portfolios, products and what was provisioned from them."""

    name = "servicecatalog"
    models = ("servicecatalog",)
    namespace = "servicecatalog"
    resource_types: ClassVar[Mapping[str, ResourceType]] = RESOURCE_TYPES
