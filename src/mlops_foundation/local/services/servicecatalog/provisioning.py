"""Provisioned products: launched, changed and ended by records that follow a stack.

Source: Service Catalog API reference; "Service Catalog access levels" for who sees whose provisioned products.
"""

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Call, Cloud, Json, Scope, ServiceError, not_supported, operation
from mlops_foundation.local.services.servicecatalog.catalog import (
    PROVISIONED,
    RECORD,
    CatalogService,
    identity,
    new_id,
    on_product,
    tags_of_request,
)
from mlops_foundation.local.services.servicecatalog.launching import Launcher

_UNDER_WAY = ("CREATED", "IN_PROGRESS")
_RESTARTED = "The local cloud was stopped while this product was under change"


def _context(service: "ProvisioningOperations", call: Call, request: Json) -> dict[str, str]:
    """Return the access levels at which the caller asks: the own account, and the own user or role where it is so."""
    context = {"servicecatalog:accountLevel": "self"}
    record = service.find(call.scope, request)
    if record is None or record["UserArnSession"] == call.principal.arn:
        context["servicecatalog:userLevel"] = "self"
    if record is None or record["Identity"] == identity(call.principal):
        context["servicecatalog:roleLevel"] = "self"
    return context


class ProvisioningOperations(CatalogService):
    """Operations on provisioned products and their records."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._launcher = Launcher(cloud, self.records)

    def start(self) -> None:
        """Close what was under change when the cloud was stopped."""
        for scope in self.records.scopes():
            for record in self.records.all(scope, RECORD):
                if record["Status"] in _UNDER_WAY:
                    self._launcher.fail(scope, record, "ERROR", _RESTARTED)

    @operation(resource=on_product())
    def provision_product(self, call: Call, request: Json) -> Json:
        """Launch a product: a stack, made by the launch role."""
        for earlier in self.records.all(call.scope, RECORD):
            if earlier["Token"] == request["ProvisionToken"]:
                return {"RecordDetail": _detail(earlier)}
        if request.get("ProvisioningPreferences") or request.get("NotificationArns"):
            raise not_supported("ProvisioningPreferences and NotificationArns of ProvisionProduct")
        product = self.product(call.scope, request)
        path = self.path(call.scope, call.principal, product, request)
        artifact = self.artifact(call.scope, product, request)
        name = request["ProvisionedProductName"]
        if self.find(call.scope, {"Name": name}):
            raise ServiceError("DuplicateResourceException", f"A provisioned product with the name {name} exists.")
        parameters = {item["Key"]: item.get("Value", "") for item in request.get("ProvisioningParameters", [])}
        provisioned = self._new(call, name, product, path)
        provisioned["Tags"] = self._tags(call, product, path, tags_of_request(request))
        self.records.put(call.scope, PROVISIONED, provisioned["Id"], provisioned)
        return self._launch(call, provisioned, "PROVISION_PRODUCT", request["ProvisionToken"],
                            {"Artifact": artifact, "Parameters": parameters, "Tags": provisioned["Tags"]})  # fmt: skip

    @operation(context=_context)
    def update_provisioned_product(self, call: Call, request: Json) -> Json:
        """Change the version or the parameters of what was launched."""
        provisioned = self._settled(call, request)
        product = self.product(call.scope, {"ProductId": provisioned["ProductId"]})
        path = self.path(call.scope, call.principal, product, request)
        chosen = {"ProvisioningArtifactId": provisioned["ProvisioningArtifactId"]}
        named = {key: value for key, value in request.items() if key.startswith("ProvisioningArtifact")}
        artifact = self.artifact(call.scope, product, named or chosen)
        parameters = dict(provisioned["Parameters"])
        for item in request.get("ProvisioningParameters", []):
            if not item.get("UsePreviousValue"):
                parameters[item["Key"]] = item.get("Value", "")
        given = tags_of_request(request)
        tags = self._tags(call, product, path, given) if given else provisioned["Tags"]
        return self._launch(call, provisioned, "UPDATE_PROVISIONED_PRODUCT", request["UpdateToken"],
                            {"Artifact": artifact, "Parameters": parameters, "Tags": tags})  # fmt: skip

    @operation(context=_context)
    def terminate_provisioned_product(self, call: Call, request: Json) -> Json:
        """End what was launched: the launch role deletes the stack."""
        if request.get("RetainPhysicalResources"):
            raise not_supported("RetainPhysicalResources of TerminateProvisionedProduct")
        made = self._settled(call, request)
        ignore = {"IgnoreErrors": request.get("IgnoreErrors", False)}
        return self._launch(call, made, "TERMINATE_PROVISIONED_PRODUCT", request["TerminateToken"], ignore)

    @operation(context=_context)
    def describe_provisioned_product(self, call: Call, request: Json) -> Json:
        """Describe what was launched."""
        return {"ProvisionedProductDetail": _product_detail(self._named(call, request)), "CloudWatchDashboards": []}

    @operation(context=_context)
    def get_provisioned_product_outputs(self, call: Call, request: Json) -> Json:
        """Return the outputs of what was launched."""
        made = self._named(call, request)
        record = self.found(call.scope, RECORD, made["LastProvisioningRecordId"], "Record")
        wanted = request.get("OutputKeys") or [item["OutputKey"] for item in record["Outputs"]]
        return {"Outputs": [item for item in record["Outputs"] if item["OutputKey"] in wanted]}

    @operation()
    def describe_record(self, call: Call, request: Json) -> Json:
        """Describe one request that changed a provisioned product, and how it went."""
        record = self.found(call.scope, RECORD, request["Id"], "Record")
        return {"RecordDetail": _detail(record), "RecordOutputs": record["Outputs"]}

    @operation(context=lambda _service, _call, request: _level(request))
    def search_provisioned_products(self, call: Call, request: Json) -> Json:
        """List what was launched, by name, id, status or product when asked."""
        filters = request.get("Filters", {})
        if set(filters) - {"SearchQuery"}:
            raise not_supported("Filters of SearchProvisionedProducts other than SearchQuery")
        queries = [query.partition(":") for query in filters.get("SearchQuery", [])]
        products = [_attribute(item) for item in self._at_level(call, request)]
        for key, _, value in queries:
            field = {"name": "Name", "id": "Id", "status": "Status", "productId": "ProductId"}.get(key)
            if field is None:
                raise not_supported(f"A search for {key!r}; name, id, status and productId are")
            products = [item for item in products if item[field] == value]
        return {"ProvisionedProducts": products, "TotalResultsCount": len(products)}

    @operation(context=lambda _service, _call, request: _level(request))
    def scan_provisioned_products(self, call: Call, request: Json) -> Json:
        """List what was launched."""
        return {"ProvisionedProducts": [_product_detail(item) for item in self._at_level(call, request)]}

    # ---

    def find(self, scope: Scope, request: Json) -> Json | None:
        """Return the provisioned product that a request names by id or name, or None."""
        key = request.get("ProvisionedProductId") or request.get("Id")
        if key:
            return self.records.get(scope, PROVISIONED, key)
        name = request.get("ProvisionedProductName") or request.get("Name")
        return next((item for item in self.records.all(scope, PROVISIONED) if item["Name"] == name), None)

    def _named(self, call: Call, request: Json) -> Json:
        found = self.find(call.scope, request)
        if found is None:
            named = next((request[key] for key in request if key.endswith(("Id", "Name"))), "")
            raise ServiceError("ResourceNotFoundException", f"Provisioned product not found: {named}")
        return found

    def _settled(self, call: Call, request: Json) -> Json:
        made = self._named(call, request)
        if made["Status"] == "UNDER_CHANGE":
            raise ServiceError("InvalidParametersException", f"Provisioned product {made['Id']} is under change.")
        return made

    def _at_level(self, call: Call, request: Json) -> list[Json]:
        level = request.get("AccessLevelFilter", {"Key": "User"})["Key"]
        records = self.records.all(call.scope, PROVISIONED)
        if level == "User":
            return [item for item in records if item["UserArnSession"] == call.principal.arn]
        if level == "Role":
            return [item for item in records if item["Identity"] == identity(call.principal)]
        return records

    def _tags(self, call: Call, product: Json, path: Json, given: list[Json]) -> list[Json]:
        portfolio = self.portfolio(call.scope, path["PortfolioId"])
        tags = {tag["Key"]: tag["Value"] for tag in (*portfolio["Tags"], *product["Tags"], *given)}
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _new(self, call: Call, name: str, product: Json, path: Json) -> Json:
        key = new_id("pp")
        return {
            "Id": key,
            "Name": name,
            "Arn": call.arn("servicecatalog", f"stack/{name}/{key}"),
            "Type": "CFN_STACK",
            "Status": "UNDER_CHANGE",
            "StatusMessage": "",
            "CreatedTime": now().timestamp(),
            "ProductId": product["Id"],
            "ProductName": product["Name"],
            "PathId": path["PathId"],
            "PortfolioId": path["PortfolioId"],
            "LaunchRoleArn": self.launch_role(call.scope, path["PortfolioId"], product["Id"]),
            "UserArn": f"arn:aws:iam::{identity(call.principal)}",
            "UserArnSession": call.principal.arn,
            "Identity": identity(call.principal),
            "StackName": f"SC-{call.account}-{key}",
            "StackId": "",
            "Parameters": {},
        }

    def _launch(self, call: Call, provisioned: Json, kind: str, token: str, change: Json) -> Json:
        stamp = now().timestamp()
        artifact = change.get("Artifact", {"Id": provisioned.get("ProvisioningArtifactId", "")})
        record = {
            "RecordId": new_id("rec"),
            "ProvisionedProductName": provisioned["Name"],
            "ProvisionedProductId": provisioned["Id"],
            "ProvisionedProductType": "CFN_STACK",
            "RecordType": kind,
            "Status": "CREATED",
            "CreatedTime": stamp,
            "UpdatedTime": stamp,
            "ProductId": provisioned["ProductId"],
            "ProvisioningArtifactId": artifact["Id"],
            "PathId": provisioned["PathId"],
            "RecordErrors": [],
            "RecordTags": change.get("Tags", []),
            "LaunchRoleArn": provisioned["LaunchRoleArn"],
            "Outputs": [],
            "Token": token,
        }
        self.records.put(call.scope, RECORD, record["RecordId"], record)
        self._launcher.begin(call, record, change)
        return {"RecordDetail": _detail(record)}


def _level(request: Json) -> dict[str, str]:
    level = request.get("AccessLevelFilter", {"Key": "User"})["Key"]
    return {f"servicecatalog:{level.lower()}Level": "self"}


def _detail(record: Json) -> Json:
    hidden = ("Outputs", "Token")
    return {key: value for key, value in record.items() if key not in hidden and value != ""}


def _product_detail(product: Json) -> Json:
    keys = (
        *("Id", "Name", "Arn", "Type", "Status", "StatusMessage", "CreatedTime", "ProductId"),
        *("LastRecordId", "LastProvisioningRecordId", "ProvisioningArtifactId", "LaunchRoleArn"),
    )
    return {key: product[key] for key in keys if product.get(key)}


def _attribute(product: Json) -> Json:
    shown = {key: value for key, value in _product_detail(product).items() if key != "LaunchRoleArn"}
    more = {key: product[key] for key in ("Tags", "ProductName", "UserArn", "UserArnSession")}
    return {**shown, **more, **({"PhysicalId": product["StackId"]} if product["StackId"] else {})}
