"""The most that a project's own roles may do with each part, one function for each part.

The boundary of all projects is what the templates in use take of these, and what no project may ever do.
"""

from mlops_foundation.plan.rights import Right, RightsScope, right

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


def storage(scope: RightsScope) -> list[Right]:
    """Objects, keys and parameters of the project."""
    accounts = scope.project_accounts
    # A project's buckets end in their account's id; ECR keeps image layers in a bucket of its own.
    buckets = [f"arn:aws:s3:::*-{account}" for account in accounts]
    return [
        right(
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
        right(
            "Keys",
            [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            [f"arn:aws:kms:{scope.region}:{account}:key/*" for account in accounts],
        ),
        right(
            "Parameters",
            ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
            [
                scope.arn("ssm", "parameter/vpc/*"),
                scope.arn("ssm", f"parameter{scope.names.role_path}*"),
            ],
        ),
    ]


def machine_learning(scope: RightsScope) -> list[Right]:
    """SageMaker, and the images of its jobs and endpoints."""
    return [
        right(
            "SageMaker",
            [f"sagemaker:{action}" for action in _SAGEMAKER],
            [f"arn:aws:sagemaker:{scope.region}:{account}:*" for account in scope.project_accounts],
        ),
        right("SageMakerLists", ["sagemaker:List*", "sagemaker:Search"], ["*"]),
        right(
            "Images",
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
            ],
            [f"arn:aws:ecr:{scope.region}:*:repository/*"],
        ),
        right("ImageLogin", ["ecr:GetAuthorizationToken"], ["*"]),
    ]


def workloads(scope: RightsScope) -> list[Right]:
    """Interfaces in the VPC, metrics and logs."""
    return [
        right("VpcInterfaces", _NETWORK_INTERFACES, ["*"]),
        right("Metrics", ["cloudwatch:PutMetricData"], ["*"]),
        right(
            "Logs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:Describe*", "logs:GetLogEvents", "logs:PutLogEvents"],
            [scope.arn("logs", "log-group:/aws/sagemaker/*"), scope.arn("logs", "log-group:/aws/codebuild/*")],
        ),
    ]


def delivery(scope: RightsScope) -> list[Right]:
    """Repositories, builds and pipelines."""
    return [
        right(
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
            [scope.arn(service, "*") for service in ("codebuild", "codecommit", "codepipeline")],
        )
    ]


def roles(scope: RightsScope) -> list[Right]:
    """Taking and handing on roles of projects."""
    return [
        right("Roles", ["sts:AssumeRole", "sts:TagSession"], [f"arn:aws:iam::*:role{scope.names.role_path}*"]),
        right(
            "PassRoles",
            ["iam:PassRole"],
            [scope.roles("*")],
            {"StringEquals": {"iam:PassedToService": ["sagemaker.amazonaws.com", "codebuild.amazonaws.com"]}},
        ),
        right("Self", ["iam:GetRole"], [scope.roles("*")]),
    ]
