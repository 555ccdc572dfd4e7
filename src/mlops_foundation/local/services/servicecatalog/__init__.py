"""Service Catalog: products that are provisioned as stacks, under a launch role of their own."""

from typing import Final

from mlops_foundation.local.services.servicecatalog.service import ServiceCatalog

SERVICE: Final = ServiceCatalog
