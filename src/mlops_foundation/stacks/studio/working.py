"""The parts that the personas' policies are made of, each a handful of statements for one purpose."""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import (
    OWN_PROJECT,
    STUDIO_USER_TAG,
    allow,
)
from mlops_foundation.core.names import PROJECT_TAG
from mlops_foundation.plan.rights import IN_A_PROJECT, Conditions


def read_machine_learning(context: StackContext) -> list[iam.PolicyStatement]:
    """Describe and list what SageMaker holds, and read the projects' parameters."""
    return [
        allow(
            "ReadMachineLearning",
            [
                "sagemaker:BatchDescribeModelPackage",
                "sagemaker:Describe*",
                "sagemaker:ListTags",
                "sagemaker:QueryLineage",
            ],
            [context.arn("sagemaker", "*")],
        ),
        allow(
            "ListMachineLearning",
            ["sagemaker:GetSearchSuggestions", "sagemaker:List*", "sagemaker:Search"],
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": context.region}},
        ),
        allow(
            "ProjectParameters",
            ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
            [context.arn("ssm", f"parameter{context.names.role_path}projects/*")],
        ),
    ]


def read_delivery(context: StackContext) -> list[iam.PolicyStatement]:
    """Follow the projects' pipelines and builds."""
    pipelines = (*context.pipelines, *context.promotions)
    return [
        allow(
            "ReadPipelines",
            [
                "codepipeline:GetPipeline",
                "codepipeline:GetPipelineExecution",
                "codepipeline:GetPipelineState",
                "codepipeline:ListActionExecutions",
                "codepipeline:ListPipelineExecutions",
                "codepipeline:ListTagsForResource",
            ],
            [context.arn("codepipeline", f"*_{pipeline}_pipeline") for pipeline in pipelines],
        ),
        allow("ListPipelines", ["codepipeline:ListPipelines"], ["*"]),
        allow(
            "ReadBuilds",
            ["codebuild:BatchGetBuilds", "codebuild:BatchGetProjects", "codebuild:ListBuildsForProject"],
            [context.arn("codebuild", "project/*")],
        ),
    ]


def watch(context: StackContext) -> list[iam.PolicyStatement]:
    """Read the logs of jobs, endpoints and builds, and the metrics."""
    groups = ("/aws/sagemaker/*", "/aws/codebuild/*")
    return [
        allow(
            "ReadLogs",
            ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
            [context.arn("logs", f"log-group:{group}") for group in groups],
        ),
        allow(
            "ReadMetrics",
            [
                "cloudwatch:GetMetricData",
                "cloudwatch:GetMetricStatistics",
                "cloudwatch:ListMetrics",
                "logs:DescribeLogGroups",
            ],
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": context.region}},
        ),
    ]


def code(context: StackContext) -> list[iam.PolicyStatement]:
    """Clone, push and review in the projects' repositories."""
    return [
        allow(
            "ProjectCode",
            [
                "codecommit:BatchGet*",
                "codecommit:CreateBranch",
                "codecommit:CreatePullRequest",
                "codecommit:DeleteBranch",
                "codecommit:Get*",
                "codecommit:GitPull",
                "codecommit:GitPush",
                "codecommit:ListBranches",
                "codecommit:ListPullRequests",
                "codecommit:MergePullRequestByFastForward",
                "codecommit:MergePullRequestBySquash",
                "codecommit:PostCommentForPullRequest",
                "codecommit:UpdatePullRequestStatus",
            ],
            [context.arn("codecommit", f"*-{side}") for side in context.repositories],
            IN_A_PROJECT,
        ),
        allow("ListCode", ["codecommit:ListRepositories"], ["*"]),
    ]


def build_models(context: StackContext) -> list[iam.PolicyStatement]:
    """Run jobs and pipelines as the own project, and register versions that wait for a decision."""
    kinds = ("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job", "pipeline", "experiment")
    own: Conditions = {"StringEquals": {f"aws:RequestTag/{PROJECT_TAG}": OWN_PROJECT}}
    versions = [context.arn("sagemaker", "model-package/*"), context.arn("sagemaker", "model-package-group/*")]
    project_roles = f"arn:aws:iam::{context.account}:role{context.names.role_path}{OWN_PROJECT}/{OWN_PROJECT}-execution"
    return [
        allow(
            "RunJobs",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateExperiment",
                "sagemaker:CreateHyperParameterTuningJob",
                "sagemaker:CreatePipeline",
                "sagemaker:CreateProcessingJob",
                "sagemaker:CreateTrainingJob",
                "sagemaker:CreateTransformJob",
            ],
            [context.arn("sagemaker", f"{kind}/*") for kind in kinds],
            own,
        ),
        allow(
            "ProjectRole",
            ["iam:PassRole"],
            [project_roles],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        allow(
            "RegisterVersions",
            ["sagemaker:CreateModelPackage"],
            versions,
            {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}},
        ),
        allow(
            "DescribeVersions",
            ["sagemaker:UpdateModelPackage"],
            versions,
            {"Null": {"sagemaker:ModelApprovalStatus": "true"}},
        ),
    ]


def project_data(context: StackContext) -> list[iam.PolicyStatement]:
    """The bucket and the keys of the project in the session's tag."""
    bucket = f"arn:aws:s3:::{OWN_PROJECT}-{context.account}"
    return [
        allow("ProjectBucket", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
        allow("ProjectObjects", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [f"{bucket}/*"]),
        allow(
            "ProjectKeys",
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
            [context.arn("kms", "key/*")],
            {"StringEquals": {f"aws:ResourceTag/{PROJECT_TAG}": OWN_PROJECT}},
        ),
    ]


def studio_apps(context: StackContext) -> list[iam.PolicyStatement]:
    """Apps and private spaces of who is signed in to Studio.

    Source: "Use IAM policies with Studio: apps and spaces" in the SageMaker developer guide.
    """
    profile = context.arn("sagemaker", "user-profile/${sagemaker:DomainId}/${sagemaker:UserProfileName}")
    owner: Conditions = {
        "ArnLike": {"sagemaker:OwnerUserProfileArn": profile},
        "StringEquals": {"sagemaker:SpaceSharingType": ["Private"]},
    }
    return [
        allow(
            "OwnApps",
            ["sagemaker:CreateApp", "sagemaker:DeleteApp"],
            [context.arn("sagemaker", "app/${sagemaker:DomainId}/${sagemaker:UserProfileName}/*")],
            {"Null": {"sagemaker:OwnerUserProfileArn": "true"}},
        ),
        allow(
            "OwnSpaces",
            ["sagemaker:CreateSpace", "sagemaker:DeleteSpace", "sagemaker:UpdateSpace"],
            [context.arn("sagemaker", "space/${sagemaker:DomainId}/*")],
            owner,
        ),
        allow(
            "OwnSpaceApps",
            ["sagemaker:CreateApp", "sagemaker:DeleteApp"],
            [context.arn("sagemaker", "app/${sagemaker:DomainId}/*")],
            owner,
        ),
        allow(
            "OpenOwnProfile",
            ["sagemaker:CreatePresignedDomainUrl"],
            [context.arn("sagemaker", f"user-profile/*/${{aws:PrincipalTag/{STUDIO_USER_TAG}}}")],
        ),
        allow(
            "AppLogs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [context.arn("logs", "log-group:/aws/sagemaker/studio*")],
        ),
    ]
