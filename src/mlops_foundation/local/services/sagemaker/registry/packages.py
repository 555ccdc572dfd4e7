"""Versioned model packages: what was trained, how to serve it, and whether it may be deployed."""

from typing import Final

from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Call, Json, Scope, ServiceError, not_supported, operation
from mlops_foundation.local.services.sagemaker.jobs.run import event_detail
from mlops_foundation.local.services.sagemaker.registry.groups import GROUP, GroupOperations, group_arn
from mlops_foundation.local.services.sagemaker.resources import Kind, refuse_other, scope_of, timestamp

PACKAGE: Final = Kind("ModelPackage", "model-package")
_EVENT: Final = "SageMaker Model Package State Change"
_SUPPORTED: Final = {
    "ModelPackageGroupName", "ModelPackageDescription", "InferenceSpecification", "ModelApprovalStatus",
    "MetadataProperties", "ModelMetrics", "ClientToken", "Domain", "Task", "SamplePayloadUrl",
    "CustomerMetadataProperties", "DriftCheckBaselines", "SkipModelValidation", "CertifyForMarketplace", "Tags",
    "ModelPackageRegistrationType", "SourceUri",
}  # fmt: skip
_UPDATABLE: Final = {
    "ModelPackageArn", "ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove", "InferenceSpecification", "SourceUri",
}  # fmt: skip


def package_arn(_service: object, call: Call, request: Json) -> str:
    """Return the ARN of the package a request names, by ARN or as ``<group>/<version>``."""
    named = str(request.get("ModelPackageArn") or request["ModelPackageName"])
    return named if named.startswith("arn:") else PACKAGE.arn(call, named)


def _approval(_service: object, _call: Call, request: Json) -> Json:
    context: Json = {}
    if status := request.get("ModelApprovalStatus"):
        context["sagemaker:ModelApprovalStatus"] = status
    for key, value in request.get("CustomerMetadataProperties", {}).items():
        context[f"sagemaker:CustomerMetadataProperties/{key}"] = value
    if removed := request.get("CustomerMetadataPropertiesToRemove"):
        context["sagemaker:CustomerMetadataPropertiesToRemove"] = removed
    return context


def _new_package(service: "PackageOperations", call: Call, request: Json) -> str:
    """Return the ARN the new version will have; without a group there is none, and the operation says so."""
    if "ModelPackageGroupName" not in request:
        return PACKAGE.arn(call, str(request.get("ModelPackageName", "")))
    arn = group_arn(service, call, request)
    record = service.records.get(scope_of(arn), GROUP.path, Arn.parse(arn).name) or {}
    return arn.replace(":model-package-group/", ":model-package/") + f"/{record.get('Versions', 0) + 1}"


class PackageOperations(GroupOperations):
    """Operations on model packages."""

    def tags(self, arn: str) -> dict[str, str]:
        """Return a resource's tags; a version uses those of its group."""
        parts = Arn.parse(arn)
        if parts.resource.startswith(f"{PACKAGE.path}/"):
            group = parts.resource.split("/")[1]
            return super().tags(arn.replace(parts.resource, f"{GROUP.path}/{group}"))
        return super().tags(arn)

    def package(self, arn: str) -> tuple[Scope, Json]:
        """Return where a package lives and its record.

        Raises:
            ServiceError: When it does not exist.
        """
        scope, key = scope_of(arn), Arn.parse(arn).resource.partition("/")[2]
        record = self.records.get(scope, PACKAGE.path, key)
        if record is None:
            raise ServiceError("ValidationException", f"ModelPackage {arn} does not exist.")
        return scope, record

    @operation(resource=_new_package, context=_approval)
    def create_model_package(self, call: Call, request: Json) -> Json:
        """Register the next version of a group."""
        if "ModelPackageGroupName" not in request:
            raise not_supported("CreateModelPackage without ModelPackageGroupName")
        refuse_other("CreateModelPackage", request, _SUPPORTED)
        if request.get("Tags"):
            message = "Tags cannot be provided for a model package that is part of a model package group."
            raise ServiceError("ValidationException", message)
        scope, group = self.group(group_arn(self, call, request))
        if token := request.get("ClientToken"):
            for known in self.records.all(scope, PACKAGE.path):
                if known.get("ClientToken") == token and known["ModelPackageGroupName"] == group["Name"]:
                    return {"ModelPackageArn": known["Arn"]}
        version = self.records.change(scope, GROUP.path, group["Name"], _count_version)["Versions"]
        record = {"ModelApprovalStatus": "PendingManualApproval", "CertifyForMarketplace": False} | request | {
            "ModelPackageGroupName": group["Name"],
            "ModelPackageVersion": version,
            "Status": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "CreatedBy": self.created_by(call),
        }  # fmt: skip
        owner = Call(call.cloud, call.principal, scope)
        made = self.create(owner, PACKAGE, f"{group['Name']}/{version}", record)
        self._emit_package(scope, made)
        return {"ModelPackageArn": made["Arn"]}

    @operation(resource=package_arn)
    def describe_model_package(self, call: Call, request: Json) -> Json:
        """Return a version."""
        refuse_other("DescribeModelPackage", request, {"ModelPackageName"})
        return PACKAGE.answer("DescribeModelPackage", self.package(package_arn(self, call, request))[1])

    @operation(action="sagemaker:ListModelPackages")
    def list_model_packages(self, call: Call, request: Json) -> Json:
        """List the versions of a group."""
        request = dict(request)
        if "ModelPackageGroupName" not in request:
            raise not_supported("ListModelPackages without ModelPackageGroupName")
        scope, group = self.group(group_arn(self, call, request))
        if request.pop("ModelPackageType", "Versioned") != "Versioned":
            raise not_supported("ListModelPackages of other than versioned packages")
        request["ModelPackageGroupName"] = group["Name"]
        records = self.records.all(scope, PACKAGE.path)
        return PACKAGE.page("ListModelPackages", request, records, ascending=True)

    @operation(resource=package_arn, context=_approval)
    def update_model_package(self, call: Call, request: Json) -> Json:
        """Change a version's approval, description or metadata."""
        refuse_other("UpdateModelPackage", request, _UPDATABLE)
        arn = package_arn(self, call, request)
        scope, record = self.package(arn)
        removed = set(request.get("CustomerMetadataPropertiesToRemove", ()))
        metadata = record.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
        changes = {key: request[key] for key in request if key in _UPDATABLE and not key.startswith("Customer")}
        changes.pop("ModelPackageArn")
        changes["CustomerMetadataProperties"] = {key: value for key, value in metadata.items() if key not in removed}
        changes["LastModifiedBy"] = self.created_by(call)
        self._emit_package(scope, self.change(scope, PACKAGE, record["Name"], changes))
        return {"ModelPackageArn": arn}

    @operation(resource=package_arn)
    def delete_model_package(self, call: Call, request: Json) -> Json:
        """Remove a version."""
        scope, record = self.package(package_arn(self, call, request))
        self.remove(scope, PACKAGE, record["Name"])
        return {}

    def _emit_package(self, scope: Scope, record: Json) -> None:
        detail = PACKAGE.answer("DescribeModelPackage", record)
        self.cloud.emit(scope, "aws.sagemaker", _EVENT, event_detail(detail), [record["Arn"]])


def _count_version(group: Json) -> None:
    group["Versions"] += 1
    group["LastModifiedTime"] = timestamp()
