"""Model package groups and their resource policies, by which other accounts reach the versions."""

import json
from typing import Final

from mlops_foundation.core.arns import AccountId, Arn
from mlops_foundation.local.contract import Call, Json, Scope, ServiceError, operation
from mlops_foundation.local.services.sagemaker.resources import Kind, Resources, adds_tags, refuse_other, scope_of

GROUP: Final = Kind("ModelPackageGroup", "model-package-group")


def group_arn(_service: object, call: Call, request: Json) -> str:
    """Return the ARN of the group a request names, by name or by ARN."""
    named: str = request["ModelPackageGroupName"]
    return named if named.startswith("arn:") else GROUP.arn(call, named)


class GroupOperations(Resources):
    """Operations on model package groups."""

    def policy_of(self, arn: str) -> tuple[str, AccountId] | None:
        """Return the policy and owner of a resource: a group's policy also rules its versions.

        Every other resource belongs to its account alone, which an empty policy says.
        """
        scope = scope_of(arn)
        path, _, rest = Arn.parse(arn).resource.partition("/")
        if path in {GROUP.path, "model-package"}:
            policy = self.records.get(scope, "group-policy", rest.split("/")[0]) or {}
            return policy.get("ResourcePolicy", ""), scope.account
        return "", scope.account

    def group(self, arn: str) -> tuple[Scope, Json]:
        """Return where a group lives and its record.

        Raises:
            ServiceError: When it does not exist.
        """
        scope = scope_of(arn)
        record = self.records.get(scope, GROUP.path, Arn.parse(arn).name)
        if record is None:
            raise ServiceError("ValidationException", f"ModelPackageGroup {arn} does not exist.")
        return scope, record

    @operation(resource=GROUP.named(), more=adds_tags(GROUP.named()))
    def create_model_package_group(self, call: Call, request: Json) -> Json:
        """Make a group."""
        refuse_other(
            "CreateModelPackageGroup", request, {"ModelPackageGroupName", "ModelPackageGroupDescription", "Tags"}
        )
        name = request["ModelPackageGroupName"]
        if existing := self.records.get(call.scope, GROUP.path, name):
            raise ServiceError("ValidationException", f"Model Package Group already exists: {existing['Arn']}")
        record = request | {"Status": "Completed", "CreatedBy": self.created_by(call), "Versions": 0}
        return {"ModelPackageGroupArn": self.create(call, GROUP, name, record)["Arn"]}

    @operation(resource=group_arn)
    def describe_model_package_group(self, call: Call, request: Json) -> Json:
        """Return a group."""
        return GROUP.answer("DescribeModelPackageGroup", self.group(group_arn(self, call, request))[1])

    @operation()
    def list_model_package_groups(self, call: Call, request: Json) -> Json:
        """List groups."""
        records = self.records.all(call.scope, GROUP.path)
        return GROUP.page("ListModelPackageGroups", request, records, ascending=True)

    @operation(resource=group_arn)
    def delete_model_package_group(self, call: Call, request: Json) -> Json:
        """Remove a group that has no versions left."""
        scope, record = self.group(group_arn(self, call, request))
        name = record["Name"]
        if any(package["ModelPackageGroupName"] == name for package in self.records.all(scope, "model-package")):
            message = f"Cannot delete Model Package Group {record['Arn']} because it contains model packages."
            raise ServiceError("ConflictException", message)
        self.records.pop(scope, "group-policy", name)
        self.remove(scope, GROUP, name)
        return {}

    @operation(resource=group_arn)
    def put_model_package_group_policy(self, call: Call, request: Json) -> Json:
        """Set a group's resource policy."""
        scope, record = self.group(group_arn(self, call, request))
        _check_policy(request["ResourcePolicy"], record["Arn"])
        self.records.put(scope, "group-policy", record["Name"], {"ResourcePolicy": request["ResourcePolicy"]})
        return {"ModelPackageGroupArn": record["Arn"]}

    @operation(resource=group_arn)
    def get_model_package_group_policy(self, call: Call, request: Json) -> Json:
        """Return a group's resource policy."""
        scope, record = self.group(group_arn(self, call, request))
        policy = self.records.get(scope, "group-policy", record["Name"])
        if policy is None:
            raise ServiceError("ValidationException", f"Cannot find Model Package Group Policy for {record['Arn']}.")
        return policy

    @operation(resource=group_arn)
    def delete_model_package_group_policy(self, call: Call, request: Json) -> Json:
        """Remove a group's resource policy."""
        scope, record = self.group(group_arn(self, call, request))
        if self.records.pop(scope, "group-policy", record["Name"]) is None:
            raise ServiceError("ValidationException", f"Cannot find Model Package Group Policy for {record['Arn']}.")
        return {}


def _check_policy(text: str, arn: str) -> None:
    """Refuse what SageMaker refuses: no JSON, statements without principal, resources that are not the group's."""
    try:
        statements = json.loads(text)["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        resources = [value for s in statements for value in _list(s["Resource"]) if s["Principal"] and s["Action"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceError("ValidationException", f"Invalid resource policy: {error}") from error
    package = arn.replace(":model-package-group/", ":model-package/")
    for resource in resources:
        if resource != arn and not resource.startswith(f"{package}/"):
            raise ServiceError("ValidationException", f"Invalid resource policy: {resource} is not a resource of {arn}")


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
