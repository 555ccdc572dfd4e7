"""The VPC endpoints that ``network.endpoints`` switches, each with the calls it lets through.

An endpoint policy is a second lock: it never grants anything, it names what may pass for principals of the account.
"""

from dataclasses import dataclass
from typing import Final, Literal

EndpointName = Literal[
    "s3",
    "sagemaker.api",
    "sagemaker.runtime",
    "sagemaker.notebook",
    "sagemaker.studio",
    "codecommit",
    "git-codecommit",
    "ssm",
    "monitoring",
    "logs",
    "ecr.api",
    "ecr.dkr",
    "kms",
    "sts",
    "codeartifact.api",
    "codeartifact.repositories",
    "codepipeline",
    "codebuild",
    "servicecatalog",
]


@dataclass(frozen=True)
class VpcEndpoint:
    """One switchable endpoint.

    Attributes:
        id: Construct id.
        service: Service name after the region, or the whole name when it starts with ``aws.``.
        actions: What its policy lets through.
        policy: False for a service whose endpoint takes no policy.
    """

    id: str
    service: str
    actions: tuple[str, ...]
    policy: bool = True

    def service_name(self, region: str) -> str:
        """Return the name of the endpoint service in a region."""
        if self.service.startswith("aws."):
            return self.service.format(region=region)
        return f"com.amazonaws.{region}.{self.service}"


_ECR_PULL: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
)
_ECR_PUSH: Final = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
_CODEARTIFACT: Final = (
    "codeartifact:GetAuthorizationToken",
    "codeartifact:GetRepositoryEndpoint",
    "codeartifact:ReadFromRepository",
    "sts:GetServiceBearerToken",
)
_CODECOMMIT_API: Final = ("BatchGet*", "Create*", "Get*", "List*", "Merge*", "Post*", "Put*", "UploadArchive")
_SAGEMAKER_API: Final = (
    "AddTags",
    "BatchDescribeModelPackage",
    "BatchPutMetrics",
    "Create*",
    "Delete*",
    "Describe*",
    "List*",
    "QueryLineage",
    "Search",
    "Start*",
    "Stop*",
    "Update*",
)

ENDPOINTS: Final[dict[EndpointName, VpcEndpoint]] = {
    "s3": VpcEndpoint(
        "S3",
        "s3",
        ("s3:AbortMultipartUpload", "s3:DeleteObject*", "s3:GetBucket*", "s3:GetObject*", "s3:List*", "s3:PutObject*"),
    ),
    "sagemaker.api": VpcEndpoint("SageMakerApi", "sagemaker.api", tuple(f"sagemaker:{a}" for a in _SAGEMAKER_API)),
    "sagemaker.runtime": VpcEndpoint(
        "SageMakerRuntime",
        "sagemaker.runtime",
        ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "sagemaker:InvokeEndpointWithResponseStream"),
    ),
    "sagemaker.notebook": VpcEndpoint(
        "SageMakerNotebook", "aws.sagemaker.{region}.notebook", ("sagemaker:CreatePresignedNotebookInstanceUrl",)
    ),
    "sagemaker.studio": VpcEndpoint(
        "SageMakerStudio", "aws.sagemaker.{region}.studio", ("sagemaker:CreatePresignedDomainUrl",)
    ),
    "codecommit": VpcEndpoint("CodeCommit", "codecommit", tuple(f"codecommit:{action}" for action in _CODECOMMIT_API)),
    "git-codecommit": VpcEndpoint("CodeCommitGit", "git-codecommit", ("codecommit:GitPull", "codecommit:GitPush")),
    "ssm": VpcEndpoint("Ssm", "ssm", ("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath")),
    "monitoring": VpcEndpoint(
        "CloudWatchMonitoring",
        "monitoring",
        ("cloudwatch:DescribeAlarms", "cloudwatch:GetMetric*", "cloudwatch:ListMetrics", "cloudwatch:PutMetricData"),
    ),
    "logs": VpcEndpoint(
        "CloudWatchLogs",
        "logs",
        (
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:Describe*",
            "logs:FilterLogEvents",
            "logs:GetLogEvents",
            "logs:PutLogEvents",
        ),
    ),
    "ecr.api": VpcEndpoint("EcrApi", "ecr.api", (*_ECR_PULL, *_ECR_PUSH)),
    "ecr.dkr": VpcEndpoint("EcrDocker", "ecr.dkr", (*_ECR_PULL, *_ECR_PUSH)),
    "kms": VpcEndpoint(
        "Kms",
        "kms",
        ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    ),
    "sts": VpcEndpoint("Sts", "sts", ("sts:AssumeRole", "sts:GetCallerIdentity", "sts:TagSession")),
    "codeartifact.api": VpcEndpoint("CodeArtifactApi", "codeartifact.api", _CODEARTIFACT),
    "codeartifact.repositories": VpcEndpoint("CodeArtifactRepositories", "codeartifact.repositories", _CODEARTIFACT),
    "codepipeline": VpcEndpoint(
        "CodePipeline",
        "codepipeline",
        (
            "codepipeline:GetPipeline*",
            "codepipeline:List*",
            "codepipeline:PutApprovalResult",
            "codepipeline:StartPipelineExecution",
            "codepipeline:StopPipelineExecution",
        ),
    ),
    "codebuild": VpcEndpoint("CodeBuild", "codebuild", ("codebuild:BatchGet*", "codebuild:List*")),
    "servicecatalog": VpcEndpoint(
        "ServiceCatalog",
        "servicecatalog",
        (
            "servicecatalog:Describe*",
            "servicecatalog:GetProvisionedProductOutputs",
            "servicecatalog:List*",
            "servicecatalog:ProvisionProduct",
            "servicecatalog:ScanProvisionedProducts",
            "servicecatalog:Search*",
            "servicecatalog:TerminateProvisionedProduct",
            "servicecatalog:UpdateProvisionedProduct",
        ),
    ),
}
"""Every endpoint that can be switched, in the order they are made."""
