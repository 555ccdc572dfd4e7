"""AddTags, ListTags, DeleteTags, and the tags that authorization sees."""

from collections.abc import Mapping

from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Call, Json, ServiceError, operation
from mlops_foundation.local.services.sagemaker.resources import Resources, scope_of


def _resource(_service: object, _call: Call, request: Json) -> str:
    return str(request["ResourceArn"])


class TagOperations(Resources):
    """Tags of every resource."""

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a resource for authorization.

        Versioned model packages cannot be tagged: they answer with nothing, their group with its own.
        """
        try:
            return self.tags(arn)
        except ValueError:
            return {}

    @operation(resource=_resource)
    def add_tags(self, _call: Call, request: Json) -> Json:
        """Add or replace tags."""
        arn = request["ResourceArn"]
        if Arn.parse(arn).resource.startswith("model-package/"):
            raise ServiceError("ValidationException", f"Tagging is not supported for versioned model package {arn}.")
        self._check_exists(arn)
        tags = self.tags(arn) | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        self.set_tags(arn, tags)
        return {"Tags": _pairs(tags)}

    @operation(resource=_resource)
    def list_tags(self, _call: Call, request: Json) -> Json:
        """Return a resource's tags."""
        self._check_exists(request["ResourceArn"])
        return {"Tags": _pairs(self.tags(request["ResourceArn"]))}

    @operation(resource=_resource)
    def delete_tags(self, _call: Call, request: Json) -> Json:
        """Remove tags by key."""
        arn = request["ResourceArn"]
        self.set_tags(arn, {key: value for key, value in self.tags(arn).items() if key not in request["TagKeys"]})
        return {}

    def _check_exists(self, arn: str) -> None:
        path, _, name = Arn.parse(arn).resource.partition("/")
        if self.records.get(scope_of(arn), path, name) is None:
            raise ServiceError("ResourceNotFound", f"Resource {arn} does not exist.")


def _pairs(tags: Mapping[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
