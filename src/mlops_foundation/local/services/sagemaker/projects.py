"""SageMaker projects: a product of Service Catalog, provisioned with the rights of who creates the project.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProject.html
"""

import time
from typing import Final

from mlops_foundation.core import clock
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.sagemaker.resources import Kind, Resources, adds_tags, refuse_other

PROJECT: Final = Kind("Project", "project")
_POLL_S: Final = 0.1
_UNDER_WAY: Final = {"UNDER_CHANGE", "PLAN_IN_PROGRESS"}
_SUPPORTED: Final = {"ProjectName", "ProjectDescription", "ServiceCatalogProvisioningDetails", "Tags"}


class ProjectOperations(Resources):
    """Operations on projects."""

    @operation(resource=PROJECT.named(), more=adds_tags(PROJECT.named()))
    def create_project(self, call: Call, request: Json) -> Json:
        """Provision the product of a template and keep it as a project."""
        refuse_other("CreateProject", request, _SUPPORTED)
        if "ServiceCatalogProvisioningDetails" not in request:
            raise not_supported("CreateProject without ServiceCatalogProvisioningDetails")
        name = request["ProjectName"]
        existing = self.records.get(call.scope, PROJECT.path, name)
        if existing and existing["Status"] != "DeleteCompleted":
            raise ServiceError("ValidationException", f"Project with name {name} already exists.")
        project_id = f"p-{clock.new_token()}"
        record = self.cloud.invoke(
            call.principal, "servicecatalog", "ProvisionProduct", _provisioning(request, project_id), scope=call.scope
        )["RecordDetail"]
        project = self.create(call, PROJECT, name, request | {
            "ProjectId": project_id,
            "Status": "CreateInProgress",
            "ServiceCatalogProvisionedProductDetails": {"ProvisionedProductId": record["ProvisionedProductId"]},
            "CreatedBy": self.created_by(call),
        })  # fmt: skip
        self.cloud.spawn(f"project {name}", lambda: self._follow(call, name, "Create"))
        return {"ProjectArn": project["Arn"], "ProjectId": project_id}

    @operation(resource=PROJECT.named())
    def describe_project(self, call: Call, request: Json) -> Json:
        """Return a project."""
        return PROJECT.answer("DescribeProject", self._project(call, request["ProjectName"]))

    @operation()
    def list_projects(self, call: Call, request: Json) -> Json:
        """List projects."""
        return PROJECT.page("ListProjects", request, self.records.all(call.scope, PROJECT.path))

    @operation(resource=PROJECT.named())
    def delete_project(self, call: Call, request: Json) -> Json:
        """Terminate a project's provisioned product."""
        record = self._project(call, request["ProjectName"])
        if record["Status"].endswith("InProgress"):
            raise ServiceError("ConflictException", f"Project {record['Name']} is in status {record['Status']}.")
        product = record["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
        request = {"ProvisionedProductId": product, "TerminateToken": clock.new_id()}
        self.cloud.invoke(call.principal, "servicecatalog", "TerminateProvisionedProduct", request, scope=call.scope)
        self.change(call.scope, PROJECT, record["Name"], {"Status": "DeleteInProgress"})
        self.cloud.spawn(f"project {record['Name']}", lambda: self._follow(call, record["Name"], "Delete"))
        return {}

    def _project(self, call: Call, name: str) -> Json:
        record = self.records.get(call.scope, PROJECT.path, name)
        if record is None:
            raise ServiceError("ValidationException", f"Project {PROJECT.arn(call, name)} does not exist.")
        return record

    def _follow(self, call: Call, name: str, verb: str) -> None:
        """Let a project's status follow its provisioned product."""
        details = self._project(call, name)["ServiceCatalogProvisionedProductDetails"]
        try:
            product = self._settled(call, details["ProvisionedProductId"])
        except ServiceError as error:
            product = {"Status": "ERROR", "StatusMessage": f"{error.code}: {error.message}"}
        done = product is None if verb == "Delete" else product is not None and product["Status"] == "AVAILABLE"
        message = (product or {}).get("StatusMessage", "")
        changes: Json = {"Status": f"{verb}{'Completed' if done else 'Failed'}"}
        if message:
            changes["ServiceCatalogProvisionedProductDetails"] = details | {
                "ProvisionedProductStatusMessage": message[:1000]
            }
        self.change(call.scope, PROJECT, name, changes)

    def _settled(self, call: Call, product_id: str) -> Json | None:
        """Wait until a provisioned product is no longer under change; None when it is gone."""
        while True:
            try:
                product = self.cloud.invoke(
                    call.principal, "servicecatalog", "DescribeProvisionedProduct", {"Id": product_id}, scope=call.scope
                )["ProvisionedProductDetail"]
            except ServiceError as error:
                if error.code == "ResourceNotFoundException":
                    return None
                raise
            if product["Status"] not in _UNDER_WAY:
                return dict(product)
            time.sleep(_POLL_S)


def _provisioning(request: Json, project_id: str) -> Json:
    """Return the ProvisionProduct request of a project: SageMaker adds its name and id as parameters and tags."""
    details, name = request["ServiceCatalogProvisioningDetails"], request["ProjectName"]
    own = {"SageMakerProjectName": name, "SageMakerProjectId": project_id}
    given = [item for item in details.get("ProvisioningParameters", ()) if item["Key"] not in own]
    tags = {"sagemaker:project-name": name, "sagemaker:project-id": project_id}
    parameters = [*given, *({"Key": key, "Value": value} for key, value in own.items())]
    provision = {
        "ProductId": details["ProductId"],
        "ProvisioningArtifactId": details.get("ProvisioningArtifactId"),
        "PathId": details.get("PathId"),
        "ProvisionedProductName": f"{name}-{project_id}",
        "ProvisionToken": clock.new_id(),
        "ProvisioningParameters": parameters,
        "Tags": [*request.get("Tags", ()), *({"Key": key, "Value": value} for key, value in tags.items())],
    }
    return {key: value for key, value in provision.items() if value is not None}
