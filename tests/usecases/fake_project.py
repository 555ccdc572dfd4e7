"""What a project leaves in its accounts, as small fakes: every service of it, empty at first."""

from collections.abc import Iterator
from typing import Any

from fake_aws import DEV, refused

TAG = {"Key": "sagemaker:project-name", "Value": "churn"}


class Remains:
    """What is there, by kind; each service's client is one of the fakes below."""

    def __init__(self) -> None:
        self.buckets: dict[str, list[dict[str, str]]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}
        self.keys: dict[str, str] = {}
        self.versions: list[str] | None = None
        self.stacks: dict[str, dict[str, Any]] = {}
        self.log_groups: list[str] = []
        self.pipelines: list[str] = []
        self.events: list[dict[str, str]] = []
        self.did: list[str] = []

    def whole(self) -> "Remains":
        """Fill it with everything that the project churn can leave."""
        for bucket in (f"churn-{DEV}", f"churn-pipeline-{DEV}"):
            self.buckets[bucket] = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
            self.tags[bucket] = [TAG]
        self.keys = {"k-1": "Enabled", "k-2": "Enabled"}
        self.versions = ["v/1", "v/2"]
        self.stacks = {f"churn-{stage}": {"Path": "/mlops/churn/"} for stage in ("dev", "preprod", "prod")}
        self.log_groups = ["/aws/sagemaker/Endpoints/churn-prod"]
        self.pipelines = ["churn-training"]
        return self

    def clients(self) -> dict[str, Any]:
        """Return the client of each service."""
        return {
            "cloudformation": CloudFormation(self),
            "logs": Logs(self),
            "kms": Kms(self),
            "s3": S3(self),
            "sagemaker": Registry(self),
        }


class _Fake:
    def __init__(self, remains: Remains) -> None:
        self.remains = remains


class CloudFormation(_Fake):
    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if StackName not in self.remains.stacks:
            raise refused("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"TemplateBody": self.remains.stacks[StackName]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        del self.remains.stacks[StackName]
        self.remains.did.append(f"stack {StackName}")

    def describe_events(self, StackName: str, Filters: Any) -> dict[str, Any]:  # noqa: N803
        return {"OperationEvents": self.remains.events}


class Logs(_Fake):
    def describe_log_groups(self, logGroupNamePrefix: str) -> dict[str, Any]:  # noqa: N803
        found = [name for name in self.remains.log_groups if name.startswith(logGroupNamePrefix)]
        return {"logGroups": [{"logGroupName": name} for name in found]}

    def delete_log_group(self, logGroupName: str) -> None:  # noqa: N803
        self.remains.log_groups.remove(logGroupName)
        self.remains.did.append("logs")


class Kms(_Fake):
    def get_paginator(self, name: str) -> Any:
        assert name == "list_keys"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for key in [*self.remains.keys, "other", "aws"]:
            yield {"Keys": [{"KeyId": key}]}

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        manager = "AWS" if KeyId == "aws" else "CUSTOMER"
        state = self.remains.keys.get(KeyId, "Enabled")
        return {"KeyMetadata": {"Arn": KeyId, "KeyManager": manager, "KeyState": state}}

    def list_resource_tags(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        assert KeyId != "aws", "AWS's own keys do not show their tags"
        value = "churn" if KeyId in self.remains.keys else "fraud"
        return {"Tags": [{"TagKey": "sagemaker:project-name", "TagValue": value}]}

    def schedule_key_deletion(self, KeyId: str, PendingWindowInDays: int) -> None:  # noqa: N803
        assert PendingWindowInDays == 7
        self.remains.keys[KeyId] = "PendingDeletion"
        self.remains.did.append(f"key {KeyId}")


class S3(_Fake):
    def head_bucket(self, Bucket: str) -> None:  # noqa: N803
        if Bucket not in self.remains.buckets:
            raise refused("404", "Not Found")

    def get_bucket_tagging(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        if Bucket not in self.remains.tags:
            raise refused("NoSuchTagSet", "The TagSet does not exist")
        return {"TagSet": self.remains.tags[Bucket]}

    def list_object_versions(self, Bucket: str, MaxKeys: int) -> dict[str, Any]:  # noqa: N803
        first, more = self.remains.buckets[Bucket][:1], self.remains.buckets[Bucket][1:]
        return {"Versions": first, "DeleteMarkers": [], "IsTruncated": bool(more)}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        left = self.remains.buckets[Bucket]
        self.remains.buckets[Bucket] = [each for each in left if each not in Delete["Objects"]]
        return {}

    def delete_bucket(self, Bucket: str) -> None:  # noqa: N803
        assert self.remains.buckets.pop(Bucket) == [], "BucketNotEmpty"
        self.remains.did.append(f"bucket {Bucket}")


class Registry(_Fake):
    def list_pipelines(self, PipelineNamePrefix: str) -> dict[str, Any]:  # noqa: N803
        names = [name for name in self.remains.pipelines if name.startswith(PipelineNamePrefix)]
        return {"PipelineSummaries": [{"PipelineName": name, "PipelineArn": name} for name in names]}

    def delete_pipeline(self, PipelineName: str, ClientRequestToken: str) -> None:  # noqa: N803
        assert len(ClientRequestToken) >= 32
        self.remains.pipelines.remove(PipelineName)
        self.remains.did.append("pipeline")

    def list_model_package_groups(self, NameContains: str) -> dict[str, Any]:  # noqa: N803
        names = ["churn", "churned"] if self.remains.versions is not None else []
        found = [{"ModelPackageGroupName": name, "ModelPackageGroupArn": name} for name in names]
        return {"ModelPackageGroupSummaryList": found}

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Tags": [TAG]}

    def list_model_packages(self, ModelPackageGroupName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        versions, number = self.remains.versions or [], int(NextToken)
        more = {"NextToken": str(number + 1)} if number + 1 < len(versions) else {}
        return {"ModelPackageSummaryList": [{"ModelPackageArn": v} for v in versions[number : number + 1]], **more}

    def delete_model_package(self, ModelPackageName: str) -> None:  # noqa: N803
        assert self.remains.versions
        self.remains.versions.remove(ModelPackageName)

    def delete_model_package_group(self, ModelPackageGroupName: str) -> None:  # noqa: N803
        assert self.remains.versions == [], "the group holds versions"
        self.remains.versions = None
        self.remains.did.append("group")
