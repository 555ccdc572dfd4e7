"""What the launch role needs to make and remove the parts of a project, one function for each part.

A template's ``rights.py`` takes those of the parts that it has.
"""

from collections.abc import Sequence

from mlops_foundation.core.names import PROJECT_TAG
from mlops_foundation.plan.rights import Right, RightsScope, right

_TAGGED = {"Null": {f"aws:RequestTag/{PROJECT_TAG}": "false"}}
"""What is made carries the project's name."""


def repositories(scope: RightsScope, sides: Sequence[str]) -> list[Right]:
    """Make the repositories ``<project>-<side>``."""
    return [
        right(
            "Repositories",
            [
                "codecommit:CreateCommit",
                "codecommit:CreateRepository",
                "codecommit:DeleteRepository",
                "codecommit:GetRepository",
                "codecommit:ListTagsForResource",
                "codecommit:TagResource",
                "codecommit:UntagResource",
                "codecommit:UpdateRepositoryDescription",
            ],
            [scope.arn("codecommit", f"*-{side}") for side in sides],
        )
    ]


def builds(scope: RightsScope, names: Sequence[str]) -> list[Right]:
    """Make the builds ``<project>-<name>``."""
    return [
        right(
            "Builds",
            [
                "codebuild:BatchGetProjects",
                "codebuild:CreateProject",
                "codebuild:DeleteProject",
                "codebuild:UpdateProject",
            ],
            [scope.arn("codebuild", f"project/*-{name}") for name in names],
        )
    ]


def pipelines(scope: RightsScope, sides: Sequence[str]) -> list[Right]:
    """Make the pipelines ``<project>_<side>_pipeline``."""
    return [
        right(
            "Pipelines",
            [
                "codepipeline:CreatePipeline",
                "codepipeline:DeletePipeline",
                "codepipeline:GetPipeline",
                "codepipeline:GetPipelineState",
                "codepipeline:ListTagsForResource",
                "codepipeline:TagResource",
                "codepipeline:UntagResource",
                "codepipeline:UpdatePipeline",
            ],
            [scope.arn("codepipeline", f"*_{side}_pipeline") for side in sides],
        )
    ]


def rules(scope: RightsScope, names: Sequence[str]) -> list[Right]:
    """Make the rules ``<project>-<name>`` that start pipelines."""
    return [
        right(
            "Rules",
            [
                "events:DeleteRule",
                "events:DescribeRule",
                "events:ListTargetsByRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
                "events:TagResource",
                "events:UntagResource",
            ],
            [scope.arn("events", f"rule/*-{name}") for name in names],
        )
    ]


def roles(scope: RightsScope, services: Sequence[str]) -> list[Right]:
    """Make the project's roles, with the boundary, and hand them to these services."""
    own = [scope.roles("*/*")]
    return [
        right(
            "BoundedRoles",
            ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
            own,
            {"StringEquals": {"iam:PermissionsBoundary": scope.boundary_arn}},
        ),
        right(
            "RoleUpkeep",
            [
                "iam:DeleteRole",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            own,
        ),
        right(
            "HandOver",
            ["iam:PassRole"],
            own,
            {"StringEquals": {"iam:PassedToService": [f"{service}.amazonaws.com" for service in services]}},
        ),
    ]


def parameters(scope: RightsScope) -> list[Right]:
    """Write the parameters of the project, and read those of the network."""
    return [
        right(
            "Parameters",
            [
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ],
            [scope.arn("ssm", f"parameter{scope.names.role_path}projects/*")],
        ),
        right("Network", ["ssm:GetParameter", "ssm:GetParameters"], [scope.arn("ssm", "parameter/vpc/*")]),
    ]


def buckets(scope: RightsScope) -> list[Right]:
    """Make the buckets, whose names end with the account."""
    return [
        right(
            "Buckets",
            [
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:GetBucketPolicy",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            [f"arn:aws:s3:::*-{scope.account}"],
        )
    ]


def keys(scope: RightsScope) -> list[Right]:
    """Make keys with the project's tag, and use them; never the platform's."""
    changing = (
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:DisableKeyRotation",
        "kms:EnableKeyRotation",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateKeyDescription",
    )
    reading = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")
    platform = [f"alias/{scope.names.prefix}-*", f"alias/cdk-{scope.names.qualifier}-*"]
    return [
        right("NewKeys", ["kms:CreateKey"], ["*"], _TAGGED),
        right("Keys", [*changing, *reading], [scope.arn("kms", "key/*")]),
        # A log group is encrypted, and a bucket's key used, on behalf of who makes them.
        right("UseKeys", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [scope.arn("kms", "key/*")]),
        right(
            "PlatformKeys",
            changing,
            ["*"],
            {"ForAnyValue:StringLike": {"kms:ResourceAliases": platform}},
            deny=True,
        ),
    ]


def registry(scope: RightsScope) -> list[Right]:
    """Make the group of the model in the registry."""
    return [
        right(
            "Registry",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackageGroup",
                "sagemaker:DeleteModelPackageGroup",
                "sagemaker:DeleteModelPackageGroupPolicy",
                "sagemaker:DescribeModelPackageGroup",
                "sagemaker:GetModelPackageGroupPolicy",
                "sagemaker:ListTags",
                "sagemaker:PutModelPackageGroupPolicy",
            ],
            [scope.arn("sagemaker", "model-package-group/*")],
        )
    ]


def build_logs(scope: RightsScope) -> list[Right]:
    """Make the logs of the builds."""
    return [
        right(
            "BuildLogs",
            [
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:ListTagsForResource",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            [scope.arn("logs", "log-group:/aws/codebuild/*")],
        ),
        right("FindLogs", ["logs:DescribeLogGroups"], ["*"]),
    ]
