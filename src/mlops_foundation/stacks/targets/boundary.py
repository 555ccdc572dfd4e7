"""The most that any role of a project may do, whoever writes its policy.

The boundary grants nothing. It lets a project's roles use the services a project is made of, in the set's accounts, and
denies what no project may ever do: approve its own model, reach another project, change who owns a resource.
"""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.packages import read_platform_packages
from mlops_foundation.constructs.policies import allow, deny, deny_other_projects
from mlops_foundation.core.names import PROJECT_TAG, PROJECT_TAGS

_SAGEMAKER = (
    "AddTags",
    "BatchDescribeModelPackage",
    "BatchPutMetrics",
    "Create*",
    "DeleteModel",
    "Describe*",
    "InvokeEndpoint*",
    "List*",
    "RetryPipelineExecution",
    "Search",
    "Start*",
    "Stop*",
    "UpdateArtifact",
    "UpdateExperiment",
    "UpdatePipeline*",
    "UpdateTrial*",
)
_NETWORK_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def project_boundary(context: StackContext) -> list[iam.PolicyStatement]:
    """Return the statements of the permissions boundary in the context's account."""
    return [*_data(context), *_services(context), *read_platform_packages(context), *_never()]


def _accounts(context: StackContext) -> list[str]:
    return sorted({context.account, *(context.accounts[stage] for stage in ("dev", "preprod", "prod"))})


def _data(context: StackContext) -> list[iam.PolicyStatement]:
    accounts = _accounts(context)
    # A project's buckets end in their account's id; ECR keeps image layers in a bucket of its own.
    buckets = [f"arn:aws:s3:::*-{account}" for account in accounts]
    return [
        allow(
            "Objects",
            [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject*",
                "s3:GetBucket*",
                "s3:GetObject*",
                "s3:List*",
                "s3:PutObject*",
            ],
            [*buckets, *(f"{bucket}/*" for bucket in buckets)],
        ),
        allow(
            "Keys",
            [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            [f"arn:aws:kms:{context.region}:{account}:key/*" for account in accounts],
        ),
        allow(
            "Parameters",
            ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
            [
                context.arn("ssm", "parameter/vpc/*"),
                context.arn("ssm", f"parameter{context.names.role_path}*"),
            ],
        ),
    ]


def _services(context: StackContext) -> list[iam.PolicyStatement]:
    path = context.names.role_path
    region = context.region
    return [
        allow(
            "SageMaker",
            [f"sagemaker:{action}" for action in _SAGEMAKER],
            [f"arn:aws:sagemaker:{region}:{account}:*" for account in _accounts(context)],
        ),
        allow("SageMakerLists", ["sagemaker:List*", "sagemaker:Search"], ["*"]),
        allow(
            "Images",
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
            ],
            [f"arn:aws:ecr:{region}:*:repository/*"],
        ),
        allow("ImageLogin", ["ecr:GetAuthorizationToken"], ["*"]),
        allow("VpcInterfaces", _NETWORK_INTERFACES, ["*"]),
        allow("Metrics", ["cloudwatch:PutMetricData"], ["*"]),
        allow(
            "Logs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:Describe*", "logs:GetLogEvents", "logs:PutLogEvents"],
            [context.arn("logs", "log-group:/aws/sagemaker/*"), context.arn("logs", "log-group:/aws/codebuild/*")],
        ),
        allow(
            "Delivery",
            [
                "codebuild:BatchGetBuilds",
                "codebuild:StartBuild",
                "codebuild:StopBuild",
                "codecommit:CancelUploadArchive",
                "codecommit:Get*",
                "codecommit:GitPull",
                "codecommit:UploadArchive",
                "codepipeline:GetPipeline*",
                "codepipeline:List*",
                "codepipeline:StartPipelineExecution",
                "codepipeline:StopPipelineExecution",
            ],
            [context.arn(service, "*") for service in ("codebuild", "codecommit", "codepipeline")],
        ),
        allow("Roles", ["sts:AssumeRole", "sts:TagSession"], [f"arn:aws:iam::*:role{path}*"]),
        allow(
            "PassRoles",
            ["iam:PassRole"],
            [f"arn:aws:iam::{context.account}:role{path}*"],
            {"StringEquals": {"iam:PassedToService": ["sagemaker.amazonaws.com", "codebuild.amazonaws.com"]}},
        ),
        allow("Self", ["iam:GetRole"], [f"arn:aws:iam::{context.account}:role{path}*"]),
    ]


def _never() -> list[iam.PolicyStatement]:
    tag = f"aws:RequestTag/{PROJECT_TAG}"
    return [
        deny(
            "ApproveModels",
            ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
            ["*"],
            {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
        ),
        deny_other_projects(),
        deny(
            "TagsOfOthers",
            ["*"],
            ["*"],
            {
                "Null": {tag: "false", f"aws:PrincipalTag/{PROJECT_TAG}": "false"},
                "StringNotEquals": {tag: f"${{aws:PrincipalTag/{PROJECT_TAG}}}"},
            },
        ),
        deny(
            "TagRemoval",
            ["sagemaker:DeleteTags", "codecommit:UntagResource", "codepipeline:UntagResource", "iam:UntagRole"],
            ["*"],
            {"ForAnyValue:StringEquals": {"aws:TagKeys": list(PROJECT_TAGS)}},
        ),
    ]
