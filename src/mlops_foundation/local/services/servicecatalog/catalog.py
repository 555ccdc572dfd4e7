"""What all operations share: records and ids, ARNs, and who may see which product."""

import fnmatch
from collections.abc import Callable, Iterable
from typing import Final

from mlops_foundation.core.arns import Arn
from mlops_foundation.core.clock import new_token
from mlops_foundation.local.contract import Call, Check, Json, Principal, Scope, Service, ServiceError

PORTFOLIO: Final = "portfolio"
PRODUCT: Final = "product"
ARTIFACT: Final = "artifact"
ASSOCIATION: Final = "association"
PRINCIPAL: Final = "principal"
SHARE: Final = "accepted-share"
CONSTRAINT: Final = "constraint"
PROVISIONED: Final = "provisioned"
RECORD: Final = "record"


def new_id(prefix: str) -> str:
    """Return an id as Service Catalog makes them: ``prod-`` and 13 letters and digits."""
    return f"{prefix}-{new_token(13)}"


def tags_of_request(request: Json) -> list[Json]:
    """Return the tags of a request."""
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in request.get("Tags", [])]


def on_product(key: str = "ProductId") -> Callable[[object, Call, Json], str]:
    """Return what gives the ARN of the product that a request names by id."""

    def arn(_service: object, call: Call, request: Json) -> str:
        return call.arn("catalog", f"product/{request.get(key, '*')}")

    return arn


def on_portfolio(key: str = "PortfolioId") -> Callable[[object, Call, Json], str]:
    """Return what gives the ARN of the portfolio that a request names by id."""

    def arn(_service: object, call: Call, request: Json) -> str:
        return call.arn("catalog", f"portfolio/{request.get(key, '*')}")

    return arn


def also_on_portfolio(action: str) -> Callable[[object, Call, Json], Iterable[Check]]:
    """Return the second check of an action that is on a product and on a portfolio."""

    def checks(_service: object, call: Call, request: Json) -> Iterable[Check]:
        yield Check(f"servicecatalog:{action}", call.arn("catalog", f"portfolio/{request['PortfolioId']}"))

    return checks


class CatalogService(Service):
    """Base of the operations: finds records and decides who sees what."""

    def found(self, scope: Scope, kind: str, key: str, what: str) -> Json:
        """Return a record.

        Raises:
            ServiceError: ``ResourceNotFoundException``.
        """
        record = self.records.get(scope, kind, key)
        if record is None:
            raise ServiceError("ResourceNotFoundException", f"{what} {key} not found.")
        return record

    def portfolio(self, scope: Scope, key: str) -> Json:
        """Return the record of a portfolio."""
        return self.found(scope, PORTFOLIO, key, "Portfolio")

    def accessible_portfolio(self, scope: Scope, key: str) -> Json:
        """Return the record of a portfolio of the account, or of one that it has accepted."""
        return self.records.get(scope, SHARE, key) or self.portfolio(scope, key)

    def product(self, scope: Scope, request: Json, id_key: str = "ProductId", name_key: str = "ProductName") -> Json:
        """Return the product that a request names by id or by name."""
        if id_key in request:
            return self.found(scope, PRODUCT, request[id_key], "Product")
        named = [item for item in self.records.all(scope, PRODUCT) if item["Name"] == request.get(name_key)]
        if len(named) != 1:
            raise ServiceError("ResourceNotFoundException", f"Product {request.get(name_key)} not found.")
        return named[0]

    def artifacts(self, scope: Scope, product_id: str) -> list[Json]:
        """Return the versions of a product, oldest first."""
        return [item for item in self.records.all(scope, ARTIFACT) if item["ProductId"] == product_id]

    def artifact(self, scope: Scope, product: Json, request: Json) -> Json:
        """Return the version that a request names by id or name, or the only or default one."""
        artifacts = self.artifacts(scope, product["Id"])
        for key, field in (("ProvisioningArtifactId", "Id"), ("ProvisioningArtifactName", "Name")):
            if key in request:
                named = [item for item in artifacts if item[field] == request[key]]
                if len(named) != 1:
                    raise ServiceError("ResourceNotFoundException", f"Provisioning artifact {request[key]} not found.")
                return named[0]
        if not artifacts:
            raise ServiceError("ResourceNotFoundException", f"Product {product['Id']} has no provisioning artifact.")
        return artifacts[-1]

    def paths(self, scope: Scope, principal: Principal, product_id: str) -> list[Json]:
        """Return the ways a principal may launch a product: the portfolios that have both."""
        return [
            item
            for item in self.records.all(scope, ASSOCIATION)
            if item["ProductId"] == product_id and self._has_access(scope, principal, item["PortfolioId"])
        ]

    def path(self, scope: Scope, principal: Principal, product: Json, request: Json) -> Json:
        """Return the launch path of a request.

        Raises:
            ServiceError: When there is none for this principal, or several and none is named.
        """
        paths = self.paths(scope, principal, product["Id"])
        for key, field in (("PathId", "PathId"), ("PathName", "PathName")):
            if key in request:
                paths = [item for item in paths if item[field] == request[key]]
        if not paths:
            raise ServiceError("ResourceNotFoundException", f"No launch paths found for resource: {product['Id']}")
        if len(paths) > 1:
            raise ServiceError("InvalidParametersException", "There are several launch paths: name one by PathId")
        return paths[0]

    def launch_role(self, scope: Scope, portfolio_id: str, product_id: str) -> str:
        """Return the role of a launch constraint, empty when there is none."""
        for item in self.records.all(scope, CONSTRAINT):
            if (item["PortfolioId"], item["ProductId"]) == (portfolio_id, product_id):
                return str(item["RoleArn"])
        return ""

    def _has_access(self, scope: Scope, principal: Principal, portfolio_id: str) -> bool:
        given = [item for item in self.records.all(scope, PRINCIPAL) if item["PortfolioId"] == portfolio_id]
        return any(_is(principal, item["PrincipalARN"], item["PrincipalType"]) for item in given)


def _is(principal: Principal, arn: str, kind: str) -> bool:
    """Tell whether a principal is what an association names: a role, for its sessions, or a user."""
    if kind == "IAM_PATTERN":
        wanted = Arn.parse(arn).resource
        return fnmatch.fnmatchcase(identity(principal).partition(":")[2], wanted)
    if principal.kind == "AssumedRole":
        named = Arn.parse(arn)
        return identity(principal) == f"{named.account}:role/{named.name}"
    return principal.arn == arn


def identity(principal: Principal) -> str:
    """Return ``<account>:role/<name>`` of a session, ``<account>:user/<path and name>`` of a user."""
    resource = Arn.parse(principal.arn).resource
    if principal.kind == "AssumedRole":
        resource = f"role/{resource.split('/')[1]}"
    return f"{principal.account}:{resource}"
