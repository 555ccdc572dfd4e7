"""What the launch role may make: the types a project consists of, with bounded roles below the platform's path."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import Conditions, allow, deny
from mlops_foundation.core.names import PROJECT_TAG

_TAGGED: Conditions = {"Null": {f"aws:RequestTag/{PROJECT_TAG}": "false"}}
"""What is made carries the project's name."""


def launch_policies(context: StackContext) -> Mapping[str, list[iam.PolicyStatement]]:
    """Return the inline policies of the launch role by their names."""
    return {
        "delivery": [*_stacks(context), *_delivery(context), *_roles(context)],
        "storage": [*_seeds(context), *_buckets(context), *_keys(context), *_registry(context), *_logs(context)],
    }


def _stacks(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        allow(
            "ProvisionedStacks",
            [
                "cloudformation:CreateStack",
                "cloudformation:DeleteStack",
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStacks",
                "cloudformation:GetTemplateSummary",
                "cloudformation:SetStackPolicy",
                "cloudformation:TagResource",
                "cloudformation:UpdateStack",
            ],
            [context.arn("cloudformation", "stack/SC-*/*")],
        ),
        allow("CheckTemplates", ["cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate"], ["*"]),
    ]


def _delivery(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        allow(
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
            [context.arn("codecommit", "*-build"), context.arn("codecommit", "*-deploy")],
        ),
        allow(
            "Builds",
            [
                "codebuild:BatchGetProjects",
                "codebuild:CreateProject",
                "codebuild:DeleteProject",
                "codebuild:UpdateProject",
            ],
            [context.arn("codebuild", f"project/*-{name}") for name in ("build", "synth", "scan", "test")],
        ),
        allow(
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
            [context.arn("codepipeline", "*_build_pipeline"), context.arn("codepipeline", "*_deploy_pipeline")],
        ),
        allow(
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
            [context.arn("events", f"rule/*-{name}") for name in ("build-push", "deploy-push", "approved")],
        ),
    ]


def _roles(context: StackContext) -> list[iam.PolicyStatement]:
    names = context.names
    roles = [f"arn:aws:iam::{context.account}:role{names.role_path}*/*"]
    boundary = f"arn:aws:iam::{context.account}:policy{names.role_path}{names.project_boundary}"
    return [
        allow(
            "BoundedRoles",
            ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
            roles,
            {"StringEquals": {"iam:PermissionsBoundary": boundary}},
        ),
        allow(
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
            roles,
        ),
        allow(
            "HandOver",
            ["iam:PassRole"],
            roles,
            {
                "StringEquals": {
                    "iam:PassedToService": [
                        "codebuild.amazonaws.com",
                        "codepipeline.amazonaws.com",
                        "events.amazonaws.com",
                    ]
                }
            },
        ),
    ]


def _seeds(context: StackContext) -> list[iam.PolicyStatement]:
    assets = context.names.asset_bucket(context.account, context.region)
    return [
        allow("Seeds", ["s3:GetObject", "s3:GetObjectVersion"], [f"arn:aws:s3:::{assets}/*"]),
        allow(
            "Templates",
            ["s3:GetObject"],
            # Service Catalog's own bucket, whose name AWS does not tell; it tags what it lets a launch read.
            ["arn:aws:s3:::*"],
            {"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}},
        ),
        allow(
            "Parameters",
            [
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ],
            [context.arn("ssm", f"parameter{context.names.role_path}projects/*")],
        ),
        allow("Network", ["ssm:GetParameter", "ssm:GetParameters"], [context.arn("ssm", "parameter/vpc/*")]),
    ]


def _buckets(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        allow(
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
            [f"arn:aws:s3:::*-{context.account}"],
        )
    ]


def _keys(context: StackContext) -> list[iam.PolicyStatement]:
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
    platform = [f"alias/{context.names.prefix}-*", f"alias/cdk-{context.names.qualifier}-*"]
    return [
        allow("NewKeys", ["kms:CreateKey"], ["*"], _TAGGED),
        allow("Keys", [*changing, *reading], [context.arn("kms", "key/*")]),
        # A log group is encrypted, and a bucket's key used, on behalf of who makes them.
        allow("UseKeys", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [context.arn("kms", "key/*")]),
        deny("PlatformKeys", changing, ["*"], {"ForAnyValue:StringLike": {"kms:ResourceAliases": platform}}),
    ]


def _registry(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        allow(
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
            [context.arn("sagemaker", "model-package-group/*")],
        )
    ]


def _logs(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        allow(
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
            [context.arn("logs", "log-group:/aws/codebuild/*")],
        ),
        allow("FindLogs", ["logs:DescribeLogGroups"], ["*"]),
    ]
