"""Launch constraints: the role that provisions a product of a portfolio, whoever launches it."""

import json
from collections.abc import Iterable

from mlops_foundation.local.contract import Call, Check, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.servicecatalog.catalog import (
    ASSOCIATION,
    CONSTRAINT,
    CatalogService,
    also_on_portfolio,
    new_id,
    on_portfolio,
    on_product,
)

_DETAIL = ("ConstraintId", "Type", "Description", "Owner", "ProductId", "PortfolioId")
SERVICE = "servicecatalog.amazonaws.com"


def _checks(service: "ConstraintOperations", call: Call, request: Json) -> Iterable[Check]:
    yield from also_on_portfolio("CreateConstraint")(service, call, request)
    yield Check("iam:PassRole", role_of(call, request), {"iam:PassedToService": SERVICE})


def role_of(call: Call, request: Json) -> str:
    """Return the launch role a constraint's parameters name.

    Raises:
        ServiceError: When they name none.
    """
    try:
        parameters = json.loads(request["Parameters"])
        if "LocalRoleName" in parameters:
            return f"arn:aws:iam::{call.account}:role/{parameters['LocalRoleName']}"
        return str(parameters["RoleArn"])
    except (ValueError, KeyError, TypeError) as error:
        message = (
            f"The parameters of a LAUNCH constraint are JSON with RoleArn or LocalRoleName: {request['Parameters']}"
        )
        raise ServiceError("InvalidParametersException", message) from error


class ConstraintOperations(CatalogService):
    """Operations on constraints."""

    @operation(resource=on_product(), more=_checks)
    def create_constraint(self, call: Call, request: Json) -> Json:
        """Set the launch role of a product in a portfolio."""
        if request["Type"] != "LAUNCH":
            raise not_supported(f"A constraint of type {request['Type']}")
        portfolio, product = request["PortfolioId"], request["ProductId"]
        if self.records.get(call.scope, ASSOCIATION, f"{portfolio}|{product}") is None:
            raise ServiceError("ResourceNotFoundException", f"Product {product} is not in portfolio {portfolio}.")
        if self.launch_role(call.scope, portfolio, product):
            raise ServiceError("DuplicateResourceException", "The product has a launch constraint in this portfolio.")
        key = new_id("cons")
        record = {
            "ConstraintId": key,
            "Type": "LAUNCH",
            "Description": request.get("Description"),
            "Owner": call.account,
            "ProductId": product,
            "PortfolioId": portfolio,
            "RoleArn": role_of(call, request),
            "Parameters": request["Parameters"],
        }
        self.records.put(call.scope, CONSTRAINT, key, record)
        return _answer(record)

    @operation()
    def describe_constraint(self, call: Call, request: Json) -> Json:
        """Describe a constraint."""
        return _answer(self.found(call.scope, CONSTRAINT, request["Id"], "Constraint"))

    @operation()
    def delete_constraint(self, call: Call, request: Json) -> Json:
        """Remove a constraint."""
        self.found(call.scope, CONSTRAINT, request["Id"], "Constraint")
        self.records.pop(call.scope, CONSTRAINT, request["Id"])
        return {}

    @operation(resource=on_portfolio())
    def list_constraints_for_portfolio(self, call: Call, request: Json) -> Json:
        """List the constraints of a portfolio, of one product when asked."""
        self.portfolio(call.scope, request["PortfolioId"])
        records = [r for r in self.records.all(call.scope, CONSTRAINT) if r["PortfolioId"] == request["PortfolioId"]]
        wanted = [record for record in records if record["ProductId"] == request.get("ProductId", record["ProductId"])]
        return {"ConstraintDetails": [_answer(record)["ConstraintDetail"] for record in wanted]}


def _answer(record: Json) -> Json:
    detail = {key: record[key] for key in _DETAIL}
    return {"ConstraintDetail": detail, "ConstraintParameters": record["Parameters"], "Status": "AVAILABLE"}
