"""Models and endpoint configurations: both immutable."""

from typing import Final

from mlops_foundation.local.contract import Call, Check, Json, ServiceError, not_supported, operation
from mlops_foundation.local.services.sagemaker.jobs.operations import JobOperations
from mlops_foundation.local.services.sagemaker.registry.packages import PackageOperations
from mlops_foundation.local.services.sagemaker.resources import (
    SERVICE_PRINCIPAL,
    Kind,
    adds_tags,
    could_not_find,
    job_context,
    refuse_other,
    scope_of,
)
from mlops_foundation.local.services.sagemaker.vpc import admit_vpc

MODEL: Final = Kind("Model", "model")
ENDPOINT_CONFIG: Final = Kind("EndpointConfig", "endpoint-config")
_MODEL_SUPPORTED: Final = {
    "ModelName", "PrimaryContainer", "Containers", "ExecutionRoleArn", "Tags", "VpcConfig", "EnableNetworkIsolation",
}  # fmt: skip
_CONTAINER_SUPPORTED: Final = {
    "Image", "ModelDataUrl", "Environment", "ModelPackageName", "Mode", "ContainerHostname", "ModelDataSource",
}  # fmt: skip
_CONFIG_SUPPORTED: Final = {"EndpointConfigName", "ProductionVariants", "Tags", "KmsKeyId", "ExecutionRoleArn"}
_VARIANT_SUPPORTED: Final = {
    "VariantName", "ModelName", "InitialInstanceCount", "InstanceType", "InitialVariantWeight",
    "ContainerStartupHealthCheckTimeoutInSeconds", "ModelDataDownloadTimeoutInSeconds",
}  # fmt: skip


def _reads_packages(service: "ModelOperations", call: Call, request: Json) -> list[Check]:
    """Return the checks on a model package: across accounts its group's policy has to allow both too.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
    """
    arns = [_package_arn(call, c["ModelPackageName"]) for c in _containers(request) if "ModelPackageName" in c]
    checks = [Check("sagemaker:DescribeModelPackage", arn) for arn in arns]
    checks += [Check("sagemaker:CreateModel", arn) for arn in arns if scope_of(arn).account != call.account]
    return [*checks, *adds_tags(MODEL.named())(service, call, request)]


def _package_arn(call: Call, name: str) -> str:
    return name if name.startswith("arn:") else call.arn("sagemaker", f"model-package/{name}")


def _containers(request: Json) -> list[Json]:
    primary = request.get("PrimaryContainer")
    return [*([primary] if primary else ()), *request.get("Containers", ())]


def _config_context(_service: object, call: Call, request: Json) -> Json:
    variants = request["ProductionVariants"]
    context: Json = {
        "sagemaker:InstanceTypes": [v["InstanceType"] for v in variants if "InstanceType" in v],
        "sagemaker:ModelArn": [MODEL.arn(call, v["ModelName"]) for v in variants if "ModelName" in v],
    }
    return context | ({"sagemaker:VolumeKmsKey": request["KmsKeyId"]} if "KmsKeyId" in request else {})


class ModelOperations(PackageOperations, JobOperations):
    """Operations on models and endpoint configurations."""

    @operation(
        resource=MODEL.named(),
        context=lambda _service, _call, request: job_context(request),
        passes={"ExecutionRoleArn": SERVICE_PRINCIPAL},
        more=_reads_packages,
    )
    def create_model(self, call: Call, request: Json) -> Json:
        """Make a model of an image and its data, or of an approved model package."""
        refuse_other("CreateModel", request, _MODEL_SUPPORTED)
        name, containers = request["ModelName"], _containers(request)
        if len(containers) != 1:
            raise not_supported("a model of other than one container")
        if self.records.get(call.scope, MODEL.path, name):
            message = f'Cannot create already existing model "{MODEL.arn(call, name)}".'
            raise ServiceError("ValidationException", message)
        if "ExecutionRoleArn" not in request:
            raise ServiceError("ValidationException", "ExecutionRoleArn is required to create a model.")
        self.check_role(call, request["ExecutionRoleArn"], MODEL.arn(call, name))
        admit_vpc(call, request)
        made = self.create(call, MODEL, name, request | {"ResolvedContainer": self._resolve(call, containers[0])})
        self.cloud.emit(call.scope, "aws.sagemaker", "SageMaker Model State Change", {"ModelName": name}, [made["Arn"]])
        return {"ModelArn": made["Arn"]}

    @operation(resource=MODEL.named())
    def describe_model(self, call: Call, request: Json) -> Json:
        """Return a model."""
        return MODEL.answer("DescribeModel", self.model(call, request["ModelName"]))

    @operation()
    def list_models(self, call: Call, request: Json) -> Json:
        """List models."""
        return MODEL.page("ListModels", request, self.records.all(call.scope, MODEL.path))

    @operation(resource=MODEL.named())
    def delete_model(self, call: Call, request: Json) -> Json:
        """Remove a model; endpoints that serve it go on."""
        self.model(call, request["ModelName"])
        self.remove(call.scope, MODEL, request["ModelName"])
        return {}

    def model(self, call: Call, name: str) -> Json:
        """Return a model's record."""
        record = self.records.get(call.scope, MODEL.path, name)
        if record is None:
            raise could_not_find("model", MODEL.arn(call, name))
        return record

    @operation(
        resource=ENDPOINT_CONFIG.named(),
        context=_config_context,
        passes={"ExecutionRoleArn": SERVICE_PRINCIPAL},
        more=adds_tags(ENDPOINT_CONFIG.named()),
    )
    def create_endpoint_config(self, call: Call, request: Json) -> Json:
        """Make an endpoint configuration."""
        refuse_other("CreateEndpointConfig", request, _CONFIG_SUPPORTED)
        name = request["EndpointConfigName"]
        if self.records.get(call.scope, ENDPOINT_CONFIG.path, name):
            message = f'Cannot create already existing endpoint configuration "{ENDPOINT_CONFIG.arn(call, name)}".'
            raise ServiceError("ValidationException", message)
        if len(request["ProductionVariants"]) != 1:
            raise not_supported("an endpoint configuration of several production variants")
        for variant in request["ProductionVariants"]:
            refuse_other("a production variant", variant, _VARIANT_SUPPORTED)
            if "ModelName" not in variant or "InstanceType" not in variant:
                raise not_supported("a production variant without ModelName and InstanceType")
            self.model(call, variant["ModelName"])
        variants = [{"InitialInstanceCount": 1, "InitialVariantWeight": 1.0} | v for v in request["ProductionVariants"]]
        made = self.create(call, ENDPOINT_CONFIG, name, request | {"ProductionVariants": variants})
        return {"EndpointConfigArn": made["Arn"]}

    @operation(resource=ENDPOINT_CONFIG.named())
    def describe_endpoint_config(self, call: Call, request: Json) -> Json:
        """Return an endpoint configuration."""
        return ENDPOINT_CONFIG.answer(
            "DescribeEndpointConfig", self.endpoint_config(call, request["EndpointConfigName"])
        )

    @operation()
    def list_endpoint_configs(self, call: Call, request: Json) -> Json:
        """List endpoint configurations."""
        return ENDPOINT_CONFIG.page("ListEndpointConfigs", request, self.records.all(call.scope, ENDPOINT_CONFIG.path))

    @operation(resource=ENDPOINT_CONFIG.named())
    def delete_endpoint_config(self, call: Call, request: Json) -> Json:
        """Remove an endpoint configuration."""
        self.endpoint_config(call, request["EndpointConfigName"])
        self.remove(call.scope, ENDPOINT_CONFIG, request["EndpointConfigName"])
        return {}

    def endpoint_config(self, call: Call, name: str) -> Json:
        """Return an endpoint configuration's record."""
        record = self.records.get(call.scope, ENDPOINT_CONFIG.path, name)
        if record is None:
            raise could_not_find("endpoint configuration", ENDPOINT_CONFIG.arn(call, name))
        return record

    def _resolve(self, call: Call, container: Json) -> Json:
        """Return image, data and environment of a container, taken from its model package when it names one."""
        refuse_other("a container", container, _CONTAINER_SUPPORTED)
        if container.get("Mode", "SingleModel") != "SingleModel":
            raise not_supported("a multi-model container")
        if "ModelPackageName" not in container:
            return _image_and_data(container)
        arn = _package_arn(call, container["ModelPackageName"])
        _, package = self.package(arn)
        if package["ModelApprovalStatus"] != "Approved":
            message = f'The model package "{arn}" is not approved: its status is {package["ModelApprovalStatus"]}.'
            raise ServiceError("ValidationException", message)
        inner = package["InferenceSpecification"]["Containers"][0]
        return _image_and_data(inner) | {"Environment": inner.get("Environment", {}) | container.get("Environment", {})}


def _image_and_data(container: Json) -> Json:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source and (source.get("S3DataType"), source.get("CompressionType")) != ("S3Object", "Gzip"):
        raise not_supported("model data that is no tar.gz object")
    data = container.get("ModelDataUrl") or source.get("S3Uri")
    if "Image" not in container or not data:
        raise not_supported("a container without Image and model data")
    return {"Image": container["Image"], "ModelDataUrl": data, "Environment": container.get("Environment", {})}
