"""What CloudFormation may do to deploy a stack: plain statements, for the scoped policies of the bootstrap.

Each stack has ``execution.py`` beside it with the rights that its own resource types need, by name pattern.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_foundation.core.arns import AccountId, Region, RoleArn
from mlops_foundation.core.names import PlatformNames
from mlops_foundation.plan.sharing import Sharing

Statement = dict[str, Any]


@dataclass(frozen=True)
class ExecutionScope:
    """Where a stack is deployed, for the ARNs of its rights.

    Attributes:
        names: Names of what the prefix owns.
        account: The account.
        region: The region.
        imported_execution_role_arn: The existing role of Studio's apps that the configuration names.
        sharing: How the set shares its endpoints, when it does.
    """

    names: PlatformNames
    account: AccountId
    region: Region
    imported_execution_role_arn: RoleArn | None = None
    sharing: Sharing | None = None

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN of a regional service in the account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def iam(self, resource: str) -> str:
        """Return an ARN of IAM in the account."""
        return f"arn:aws:iam::{self.account}:{resource}"

    @property
    def in_region(self) -> Mapping[str, Any]:
        """Condition for actions that know no resource."""
        return {"StringEquals": {"aws:RequestedRegion": self.region}}


def may(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> Statement:
    """Return an Allow statement; actions carry their service before the colon once: ``ec2:CreateVpc``."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return {**statement, "Condition": dict(conditions)} if conditions else statement


def keys(scope: ExecutionScope, *aliases: str) -> list[Statement]:
    """Return the rights to make and keep keys with these aliases; a new key carries the platform's tag."""
    changing = (
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:DisableKeyRotation",
        "kms:EnableKeyRotation",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateAlias",
        "kms:UpdateKeyDescription",
    )
    reading = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")
    resources = [scope.arn("kms", "key/*"), *(scope.arn("kms", alias) for alias in aliases)]
    tagged = {"StringEquals": {"aws:RequestTag/mlops:prefix": scope.names.prefix}}
    return [may("NewKeys", ["kms:CreateKey"], ["*"], tagged), may("Keys", [*changing, *reading], resources)]


def roles(arns: Sequence[str]) -> Statement:
    """Return the rights to make and keep these roles and their inline policies."""
    actions = (
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:PutRolePolicy",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
    )
    return may("Roles", actions, arns)


def managed_policies(arns: Sequence[str]) -> Statement:
    """Return the rights to make and keep these managed policies."""
    actions = (
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:ListEntitiesForPolicy",
        "iam:ListPolicyVersions",
        "iam:TagPolicy",
        "iam:UntagPolicy",
    )
    return may("ManagedPolicies", actions, arns)


def pass_role(service: str, *arns: str) -> Statement:
    """Return the right to hand these roles to one service."""
    return may("HandOver", ["iam:PassRole"], list(arns), {"StringEquals": {"iam:PassedToService": service}})


def parameters(scope: ExecutionScope, *paths: str) -> Statement:
    """Return the rights to write the SSM parameters below these paths."""
    actions = (
        "ssm:AddTagsToResource",
        "ssm:DeleteParameter",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:ListTagsForResource",
        "ssm:PutParameter",
        "ssm:RemoveTagsFromResource",
    )
    return may("Parameters", actions, [scope.arn("ssm", f"parameter{path}") for path in paths])


def log_groups(sid: str, names: Sequence[str]) -> Statement:
    """Return the rights to make and keep log groups, by ARN."""
    actions = (
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:DisassociateKmsKey",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    )
    return may(sid, actions, names)


def custom_resource(scope: ExecutionScope, name: str) -> list[Statement]:
    """Return the rights to make, keep and call the function behind a custom resource, whose role has its name."""
    actions = (
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:InvokeFunction",
        "lambda:ListTags",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
    )
    log = scope.arn("logs", f"log-group:/aws/lambda/{name}")
    bucket = scope.names.asset_bucket(scope.account, scope.region)
    role = scope.iam(f"role{scope.names.role_path}{name}")
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    return [
        may("Function", actions, [scope.arn("lambda", f"function:{name}")]),
        may("FunctionCode", ["s3:GetObject"], [f"arn:aws:s3:::{bucket}/*"]),
        log_groups("FunctionLog", [log, f"{log}:*"]),
        may("HandOverToLambda", ["iam:PassRole"], [role], to_lambda),
    ]
