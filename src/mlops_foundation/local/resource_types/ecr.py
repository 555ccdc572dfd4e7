"""Repositories of images."""

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import (
    CalledType,
    Name,
    Put,
    Request,
    Tags,
    Target,
    as_text,
    members,
    pairs,
)


def _create(target: Target, properties: Json) -> Request:
    request = members(properties, imageTagMutability="ImageTagMutability", tags="Tags")
    if "ImageScanningConfiguration" in properties:
        request["imageScanningConfiguration"] = _scanning(properties)
    if "EncryptionConfiguration" in properties:
        given = properties["EncryptionConfiguration"]
        request["encryptionConfiguration"] = members(given, encryptionType="EncryptionType", kmsKey="KmsKey")
    return Request("create_repository", {"repositoryName": target.id, **request})


def _scanning(properties: Json) -> Json:
    return {"scanOnPush": (properties.get("ImageScanningConfiguration") or {}).get("ScanOnPush", False)}


def _arn(target: Target) -> str:
    return target.arn("ecr", f"repository/{target.id}")


REPOSITORY = CalledType(
    "AWS::ECR::Repository",
    "ecr",
    create=_create,
    delete=lambda target: Request(
        "delete_repository",
        {"repositoryName": target.id, "force": bool(target.properties.get("EmptyOnDelete", False))},
    ),
    made_with=("EncryptionConfiguration", "EmptyOnDelete"),
    heeded_later=frozenset({"EmptyOnDelete"}),
    name=Name("RepositoryName", 256, lower=True),
    attributes={
        "Arn": _arn,
        "RepositoryUri": lambda target: (
            f"{target.stack.call.account}.dkr.ecr.{target.stack.call.region}.amazonaws.com/{target.id}"
        ),
    },
    steps=(
        Put(
            ("ImageTagMutability",),
            lambda target, properties: Request(
                "put_image_tag_mutability",
                {
                    "repositoryName": target.id,
                    "imageTagMutability": properties.get("ImageTagMutability", "MUTABLE"),
                },
            ),
            on_create=False,
        ),
        Put(
            ("ImageScanningConfiguration",),
            lambda target, properties: Request(
                "put_image_scanning_configuration",
                {"repositoryName": target.id, "imageScanningConfiguration": _scanning(properties)},
            ),
            on_create=False,
        ),
        Put(
            ("RepositoryPolicyText",),
            lambda target, properties: Request(
                "set_repository_policy",
                {"repositoryName": target.id, "policyText": as_text(properties["RepositoryPolicyText"])},
            ),
            lambda target: Request("delete_repository_policy", {"repositoryName": target.id}),
        ),
        Put(
            ("LifecyclePolicy",),
            lambda target, properties: Request(
                "put_lifecycle_policy",
                {
                    "repositoryName": target.id,
                    "lifecyclePolicyText": properties["LifecyclePolicy"]["LifecyclePolicyText"],
                },
            ),
            lambda target: Request("delete_lifecycle_policy", {"repositoryName": target.id}),
        ),
        Tags(
            lambda target, tags: Request("tag_resource", {"resourceArn": _arn(target), "tags": pairs(tags)}),
            lambda target, keys: Request("untag_resource", {"resourceArn": _arn(target), "tagKeys": keys}),
        ),
    ),
)

TYPES = (REPOSITORY,)
