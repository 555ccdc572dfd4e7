"""The VPC endpoints that ``network.endpoints`` switches, each with the calls it lets through.

An endpoint policy is a second lock: it never grants anything, it names what may pass for principals of the account.
"""

from dataclasses import dataclass
from typing import Final, Literal

from mlops_foundation.config.packages import CODEARTIFACT_REGIONS
from mlops_foundation.config.regions import LACKING

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
    "cloudformation",
    "secretsmanager",
    "events",
    "lambda",
    "application-autoscaling",
    "sagemaker.metrics",
]
GATEWAY: Final[EndpointName] = "s3"
"""The one endpoint that is a route and no interface: it costs nothing and cannot be shared between VPCs."""


@dataclass(frozen=True)
class VpcEndpoint:
    """One switchable endpoint.

    Attributes:
        id: Construct id.
        service: Service name after the region, or the whole name when it starts with ``aws.``.
        actions: What its policy lets through.
        names: Names that lead to the service, ``<service>.<region>.amazonaws.com`` when left out; a name that starts
            with ``*.`` stands for every name below the rest.
    """

    id: str
    service: str
    actions: tuple[str, ...]
    names: tuple[str, ...] = ()

    def service_name(self, region: str) -> str:
        """Return the name of the endpoint service in a region."""
        if self.service.startswith("aws."):
            return self.service.format(region=region)
        return f"com.amazonaws.{region}.{self.service}"

    def private_names(self, region: str) -> tuple[str, ...]:
        """Return the names that private DNS answers with the endpoint's addresses.

        Source: "AWS services that integrate with AWS PrivateLink" and ``describe-vpc-endpoint-services``.
        """
        names = self.names or (f"{self.service}.{{region}}.amazonaws.com",)
        return tuple(name.format(region=region) for name in names)

    def zones(self, region: str) -> tuple[str, ...]:
        """Return the private hosted zones that stand for those names, each once."""
        return tuple(dict.fromkeys(name.removeprefix("*.") for name in self.private_names(region)))


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
    "sagemaker.api": VpcEndpoint(
        "SageMakerApi",
        "sagemaker.api",
        tuple(f"sagemaker:{action}" for action in _SAGEMAKER_API),
        ("api.sagemaker.{region}.amazonaws.com",),
    ),
    "sagemaker.runtime": VpcEndpoint(
        "SageMakerRuntime",
        "sagemaker.runtime",
        ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "sagemaker:InvokeEndpointWithResponseStream"),
        ("runtime.sagemaker.{region}.amazonaws.com",),
    ),
    "sagemaker.notebook": VpcEndpoint(
        "SageMakerNotebook",
        "aws.sagemaker.{region}.notebook",
        ("sagemaker:CreatePresignedNotebookInstanceUrl",),
        ("*.notebook.{region}.sagemaker.aws",),
    ),
    "sagemaker.studio": VpcEndpoint(
        "SageMakerStudio",
        "aws.sagemaker.{region}.studio",
        ("sagemaker:CreatePresignedDomainUrl",),
        ("*.studio.{region}.sagemaker.aws",),
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
    "ecr.api": VpcEndpoint("EcrApi", "ecr.api", (*_ECR_PULL, *_ECR_PUSH), ("api.ecr.{region}.amazonaws.com",)),
    "ecr.dkr": VpcEndpoint("EcrDocker", "ecr.dkr", (*_ECR_PULL, *_ECR_PUSH), ("*.dkr.ecr.{region}.amazonaws.com",)),
    "kms": VpcEndpoint(
        "Kms",
        "kms",
        ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    ),
    "sts": VpcEndpoint("Sts", "sts", ("sts:AssumeRole", "sts:GetCallerIdentity", "sts:TagSession")),
    "codeartifact.api": VpcEndpoint(
        "CodeArtifactApi", "codeartifact.api", _CODEARTIFACT, ("codeartifact.{region}.amazonaws.com",)
    ),
    "codeartifact.repositories": VpcEndpoint(
        "CodeArtifactRepositories",
        "codeartifact.repositories",
        _CODEARTIFACT,
        ("*.d.codeartifact.{region}.amazonaws.com",),
    ),
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
    "cloudformation": VpcEndpoint(
        "CloudFormation",
        "cloudformation",
        ("cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*", "cloudformation:SignalResource"),
    ),
    "secretsmanager": VpcEndpoint(
        "SecretsManager", "secretsmanager", ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
    ),
    "events": VpcEndpoint("Events", "events", ("events:Describe*", "events:List*", "events:PutEvents")),
    "lambda": VpcEndpoint("Lambda", "lambda", ("lambda:GetFunction*", "lambda:InvokeFunction", "lambda:List*")),
    "application-autoscaling": VpcEndpoint(
        "ApplicationAutoScaling",
        "application-autoscaling",
        (
            "application-autoscaling:DeleteScalingPolicy",
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:Describe*",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:RegisterScalableTarget",
        ),
    ),
    "sagemaker.metrics": VpcEndpoint(
        "SageMakerMetrics",
        "sagemaker.metrics",
        ("sagemaker:BatchGetMetrics", "sagemaker:BatchPutMetrics"),
        ("metrics.sagemaker.{region}.amazonaws.com",),
    ),
}
"""Every endpoint that can be switched, in the order they are made."""


def in_region(name: EndpointName, region: str) -> bool:
    """Return whether a region has an endpoint's service."""
    if name.startswith("codeartifact"):
        return region in CODEARTIFACT_REGIONS
    return region not in LACKING.get(name.removeprefix("git-"), ())


def available(region: str) -> tuple[EndpointName, ...]:
    """Return every endpoint that a region has, in the order they are made."""
    return tuple(name for name in ENDPOINTS if in_region(name, region))
