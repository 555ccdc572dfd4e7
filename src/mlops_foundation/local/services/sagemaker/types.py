"""The CloudFormation types of SageMaker. Each calls the operations with the stack's rights.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_SageMaker.html
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Final

from mlops_foundation.core import clock
from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, ServiceError, StackCall

_NAME_MAX: Final = 63
_POLL_S: Final = 0.1
_GONE: Final = ("Could not find", "does not exist")


def _suffix() -> str:
    return clock.new_token(12, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def _name(stack: StackCall, properties: Json, member: str) -> str:
    return str(properties.get(member) or stack.physical_name(_NAME_MAX, _suffix()))


def _without(properties: Json, *members: str) -> Json:
    return {key: value for key, value in properties.items() if key not in members}


def _delete(operation: str, member: str) -> Callable[[StackCall, str, Json], None]:
    """Return a type's ``delete`` that calls an operation with the name in an ARN; gone already is no error."""

    def delete(stack: StackCall, physical_id: str, _properties: Json) -> None:
        name = Arn.parse(physical_id).name if physical_id.startswith("arn:") else physical_id
        _unless_gone(stack, operation, {member: name})

    return delete


def _unless_gone(stack: StackCall, operation: str, request: Json) -> None:
    try:
        stack.invoke("sagemaker", operation, request)
    except ServiceError as error:
        if not any(text in error.message for text in _GONE):
            raise


# --- Studio -----------------------------------------------------------------------------------------------------------


def _domain(stack: StackCall, domain_id: str) -> Provisioned:
    domain = stack.invoke("sagemaker", "DescribeDomain", {"DomainId": domain_id})
    attributes = {
        "DomainArn": domain["DomainArn"],
        "DomainId": domain_id,
        "HomeEfsFileSystemId": domain["HomeEfsFileSystemId"],
        "Url": domain["Url"],
    }
    return Provisioned(domain_id, attributes)


def _create_domain(stack: StackCall, properties: Json) -> Provisioned:
    return _domain(stack, stack.invoke("sagemaker", "CreateDomain", properties)["DomainId"])


def _update_domain(stack: StackCall, domain_id: str, _old: Json, new: Json) -> Provisioned:
    settings = _without(
        new,
        "DomainName",
        "AuthMode",
        "KmsKeyId",
        "Tags",
        "DomainSettings",
        "VpcId",
        "SubnetIds",
        "AppNetworkAccessType",
    )
    if "DomainSettings" in new:
        settings["DomainSettingsForUpdate"] = new["DomainSettings"]
    stack.invoke("sagemaker", "UpdateDomain", {"DomainId": domain_id, **settings})
    return _domain(stack, domain_id)


def _delete_domain(stack: StackCall, domain_id: str, _properties: Json) -> None:
    _unless_gone(stack, "DeleteDomain", {"DomainId": domain_id, "RetentionPolicy": {"HomeEfsFileSystem": "Delete"}})


def _create_profile(stack: StackCall, properties: Json) -> Provisioned:
    made = stack.invoke("sagemaker", "CreateUserProfile", properties)
    return Provisioned(properties["UserProfileName"], {"UserProfileArn": made["UserProfileArn"]})


def _update_profile(stack: StackCall, name: str, _old: Json, new: Json) -> Provisioned:
    made = stack.invoke("sagemaker", "UpdateUserProfile", _without(new, "Tags"))
    return Provisioned(name, {"UserProfileArn": made["UserProfileArn"]})


def _delete_profile(stack: StackCall, name: str, properties: Json) -> None:
    _unless_gone(stack, "DeleteUserProfile", {"DomainId": properties["DomainId"], "UserProfileName": name})


# --- registry ---------------------------------------------------------------------------------------------------------


def _put_policy(stack: StackCall, name: str, policy: Json | str | None, *, existed: bool) -> None:
    if policy:
        text = policy if isinstance(policy, str) else json.dumps(policy)
        request = {"ModelPackageGroupName": name, "ResourcePolicy": text}
        stack.invoke("sagemaker", "PutModelPackageGroupPolicy", request)
    elif existed:
        stack.invoke("sagemaker", "DeleteModelPackageGroupPolicy", {"ModelPackageGroupName": name})


def _group(stack: StackCall, arn: str) -> Provisioned:
    found = stack.invoke("sagemaker", "DescribeModelPackageGroup", {"ModelPackageGroupName": Arn.parse(arn).name})
    created = str(found["CreationTime"])
    attributes = {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed", "CreationTime": created}
    return Provisioned(arn, attributes)


def _create_group(stack: StackCall, properties: Json) -> Provisioned:
    made = stack.invoke("sagemaker", "CreateModelPackageGroup", _without(properties, "ModelPackageGroupPolicy"))
    policy = properties.get("ModelPackageGroupPolicy")
    _put_policy(stack, properties["ModelPackageGroupName"], policy, existed=False)
    return _group(stack, made["ModelPackageGroupArn"])


def _update_group(stack: StackCall, arn: str, old: Json, new: Json) -> Provisioned:
    name, member = Arn.parse(arn).name, "ModelPackageGroupPolicy"
    if old.get(member) != new.get(member):
        _put_policy(stack, name, new.get(member), existed=member in old)
    _change_tags(stack, arn, old, new)
    return _group(stack, arn)


def _change_tags(stack: StackCall, arn: str, old: Json, new: Json) -> None:
    before, after = old.get("Tags", []), new.get("Tags", [])
    if added := [tag for tag in after if tag not in before]:
        stack.invoke("sagemaker", "AddTags", {"ResourceArn": arn, "Tags": added})
    kept = {tag["Key"] for tag in after}
    if removed := [tag["Key"] for tag in before if tag["Key"] not in kept]:
        stack.invoke("sagemaker", "DeleteTags", {"ResourceArn": arn, "TagKeys": removed})


# --- hosting ----------------------------------------------------------------------------------------------------------


def _create_model(stack: StackCall, properties: Json) -> Provisioned:
    name = _name(stack, properties, "ModelName")
    made = stack.invoke("sagemaker", "CreateModel", properties | {"ModelName": name})
    return Provisioned(made["ModelArn"], {"ModelName": name})


def _model_name(reference: str) -> str:
    """Return a model's name: ``Ref`` of a model gives its ARN, and CloudFormation takes either."""
    return Arn.parse(reference).name if reference.startswith("arn:") else reference


def _create_config(stack: StackCall, properties: Json) -> Provisioned:
    name = _name(stack, properties, "EndpointConfigName")
    variants = [_variant(variant) for variant in properties["ProductionVariants"]]
    request = properties | {"EndpointConfigName": name, "ProductionVariants": variants}
    made = stack.invoke("sagemaker", "CreateEndpointConfig", request)
    return Provisioned(made["EndpointConfigArn"], {"EndpointConfigName": name})


def _variant(properties: Json) -> Json:
    numbers = {
        "InitialInstanceCount": int,
        "InitialVariantWeight": float,
        "ContainerStartupHealthCheckTimeoutInSeconds": int,
        "ModelDataDownloadTimeoutInSeconds": int,
    }
    typed = {key: cast(properties[key]) for key, cast in numbers.items() if key in properties}
    return properties | typed | {"ModelName": _model_name(properties["ModelName"])}


def _create_endpoint(stack: StackCall, properties: Json) -> Provisioned:
    name = _name(stack, properties, "EndpointName")
    request = {
        "EndpointName": name,
        "EndpointConfigName": _config_name(properties),
        **({"Tags": properties["Tags"]} if properties.get("Tags") else {}),
    }
    made = stack.invoke("sagemaker", "CreateEndpoint", request)
    _wait_in_service(stack, name)
    return Provisioned(made["EndpointArn"], {"EndpointName": name})


def _update_endpoint(stack: StackCall, arn: str, old: Json, new: Json) -> Provisioned:
    name, config = Arn.parse(arn).name, _config_name(new)
    served = stack.invoke("sagemaker", "DescribeEndpoint", {"EndpointName": name})["EndpointConfigName"]
    if served != config:
        stack.invoke("sagemaker", "UpdateEndpoint", {"EndpointName": name, "EndpointConfigName": config})
        found = _wait_in_service(stack, name)
        if found["EndpointConfigName"] != config:
            message = f"Endpoint {name} was rolled back to its previous configuration: {found.get('FailureReason', '')}"
            raise ServiceError("ServiceInternalError", message)
    _change_tags(stack, arn, old, new)
    return Provisioned(arn, {"EndpointName": name})


def _config_name(properties: Json) -> str:
    return _model_name(properties["EndpointConfigName"])


def _wait_in_service(stack: StackCall, name: str) -> Json:
    """Wait until an endpoint is no longer changing.

    Raises:
        ServiceError: When it failed, with its reason.
    """
    while True:
        endpoint = stack.invoke("sagemaker", "DescribeEndpoint", {"EndpointName": name})
        if endpoint["EndpointStatus"] == "InService":
            return endpoint
        if endpoint["EndpointStatus"] == "Failed":
            raise ServiceError("ServiceInternalError", f"Endpoint {name} failed: {endpoint.get('FailureReason', '')}")
        time.sleep(_POLL_S)


RESOURCE_TYPES: Final[Mapping[str, ResourceType]] = {
    "AWS::SageMaker::Domain": ResourceType(
        create=_create_domain,
        update=_update_domain,
        delete=_delete_domain,
        replaced_by=frozenset({"DomainName", "AuthMode", "KmsKeyId", "VpcId"}),
    ),
    "AWS::SageMaker::UserProfile": ResourceType(
        create=_create_profile,
        update=_update_profile,
        delete=_delete_profile,
        replaced_by=frozenset({"DomainId", "UserProfileName", "SingleSignOnUserIdentifier", "SingleSignOnUserValue"}),
    ),
    "AWS::SageMaker::ModelPackageGroup": ResourceType(
        create=_create_group,
        update=_update_group,
        delete=_delete("DeleteModelPackageGroup", "ModelPackageGroupName"),
        replaced_by=frozenset({"ModelPackageGroupName", "ModelPackageGroupDescription"}),
    ),
    "AWS::SageMaker::Model": ResourceType(create=_create_model, delete=_delete("DeleteModel", "ModelName")),
    "AWS::SageMaker::EndpointConfig": ResourceType(
        create=_create_config, delete=_delete("DeleteEndpointConfig", "EndpointConfigName")
    ),
    "AWS::SageMaker::Endpoint": ResourceType(
        create=_create_endpoint,
        update=_update_endpoint,
        delete=_delete("DeleteEndpoint", "EndpointName"),
        replaced_by=frozenset({"EndpointName"}),
    ),
}
