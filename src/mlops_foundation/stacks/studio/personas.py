"""What each persona may do, one function each, and what nobody of them may.

Reading and working is by project tag: a session without the tag ``sagemaker:project-name`` sees every project of the
account, one with it its own only, and only a session with it may create jobs, pass the project's role or touch its
data.
Approval is separated: versions and preprod are approved by the lead, production by the prod approver, by nobody else.
"""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.packages import read_platform_packages
from mlops_foundation.constructs.policies import allow, deny, deny_other_projects, granted
from mlops_foundation.plan.rights import IN_A_PROJECT
from mlops_foundation.stacks.studio.approvals import (
    approve_stage,
    approve_versions,
    deny_stage_approval,
    deny_version_approval,
)
from mlops_foundation.stacks.studio.working import (
    build_models,
    code,
    project_data,
    read_delivery,
    read_machine_learning,
    studio_apps,
    watch,
)


def data_scientist(context: StackContext) -> list[iam.PolicyStatement]:
    """Builds models: code, jobs, versions that wait for approval."""
    return [
        *_working(context),
        deny_other_projects(),
        deny_version_approval(),
        deny_stage_approval(context),
    ]


def lead(context: StackContext) -> list[iam.PolicyStatement]:
    """Builds models, and alone decides on versions and on preprod."""
    return [
        *_working(context),
        approve_versions(context),
        approve_stage(context, "ApprovePreprod"),
        allow(
            "StartDelivery",
            [
                "codepipeline:StartPipelineExecution",
                "codepipeline:RetryStageExecution",
                "codepipeline:StopPipelineExecution",
            ],
            _pipelines(context, context.promotions),
        ),
        deny_other_projects(),
        deny_stage_approval(context, "ApproveProd"),
    ]


def approver_prod(context: StackContext) -> list[iam.PolicyStatement]:
    """Alone decides on production; sees versions and pipelines, changes neither."""
    return [
        *read_machine_learning(context),
        *read_delivery(context),
        *watch(context),
        approve_stage(context, "ApproveProd"),
        deny_version_approval(),
        deny_stage_approval(context, "ApprovePreprod"),
    ]


def admin(context: StackContext) -> list[iam.PolicyStatement]:
    """Creates and deletes projects, and nothing else."""
    return [
        allow(
            "Projects",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateProject",
                "sagemaker:DeleteProject",
                "sagemaker:DescribeProject",
                "sagemaker:UpdateProject",
            ],
            [context.arn("sagemaker", "project/*")],
        ),
        allow("ListProjects", ["sagemaker:ListProjects"], ["*"]),
        *_products(context),
        allow(
            "ProvisioningProgress",
            ["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks"],
            [context.arn("cloudformation", "stack/SC-*/*")],
        ),
        allow(
            "Parameters",
            ["ssm:GetParameter", "ssm:GetParameters"],
            [context.arn("ssm", f"parameter{context.names.role_path}*")],
        ),
        deny_version_approval(),
        deny_stage_approval(context),
    ]


def auditor(context: StackContext) -> list[iam.PolicyStatement]:
    """Reads how things are set up and what happened, never data, code or predictions."""
    return [
        *read_machine_learning(context),
        *read_delivery(context),
        *_setup(context),
        deny(
            "NeverData",
            [
                "codecommit:BatchGet*",
                "codecommit:GetBlob",
                "codecommit:GetFile",
                "codecommit:GetFolder",
                "codecommit:GitPull",
                "kms:Decrypt",
                "s3:GetObject*",
                "sagemaker:CreatePresigned*",
                "sagemaker:InvokeEndpoint*",
            ],
            ["*"],
        ),
        deny_version_approval(),
        deny_stage_approval(context),
    ]


def _setup(context: StackContext) -> list[iam.PolicyStatement]:
    """How stacks, roles, keys, buckets and parameters are set up, and the lists of what there is."""
    return [
        allow(
            "Setup",
            [
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:GetTemplate",
            ],
            [context.arn("cloudformation", "stack/*")],
        ),
        allow(
            "Roles",
            [
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            [f"arn:aws:iam::{context.account}:role/*", f"arn:aws:iam::{context.account}:policy/*"],
        ),
        allow("Keys", ["kms:DescribeKey", "kms:GetKeyPolicy"], [context.arn("kms", "key/*")]),
        allow(
            "Buckets",
            ["s3:GetBucketPolicy", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration"],
            [f"arn:aws:s3:::*-{context.account}"],
        ),
        allow("Parameters", ["ssm:GetParameter"], [context.arn("ssm", f"parameter{context.names.role_path}*")]),
        allow(
            "Lists",
            [
                "cloudformation:ListStacks",
                "cloudtrail:LookupEvents",
                "iam:ListRoles",
                "kms:ListKeys",
                "s3:ListAllMyBuckets",
            ],
            ["*"],
        ),
    ]


def _products(context: StackContext) -> list[iam.PolicyStatement]:
    """The catalog's products, and what was provisioned of them."""
    return [
        allow(
            "Product",
            [
                "servicecatalog:DescribeProduct",
                "servicecatalog:DescribeProductView",
                "servicecatalog:DescribeProvisioningParameters",
                "servicecatalog:ListLaunchPaths",
                "servicecatalog:ProvisionProduct",
            ],
            [f"arn:aws:catalog:{context.region}:{context.account}:product/*"],
        ),
        allow(
            "ProvisionedProducts",
            [
                "servicecatalog:DescribeProvisionedProduct",
                "servicecatalog:DescribeRecord",
                "servicecatalog:ListRecordHistory",
                "servicecatalog:SearchProducts",
                "servicecatalog:SearchProvisionedProducts",
                "servicecatalog:TerminateProvisionedProduct",
                "servicecatalog:UpdateProvisionedProduct",
            ],
            # These actions have no resources of their own: Service Catalog limits them to what the caller provisioned.
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": context.region}},
        ),
    ]


def studio_execution(context: StackContext) -> list[iam.PolicyStatement]:
    """Studio's own apps and spaces, reading, and code; never an approval."""
    return [*_in_studio(context), deny_other_projects(), deny_version_approval(), deny_stage_approval(context)]


def studio_lead(context: StackContext) -> list[iam.PolicyStatement]:
    """The same for a lead, who decides on versions where Studio shows them, and on no stage."""
    return [*_in_studio(context), approve_versions(context), deny_other_projects(), deny_stage_approval(context)]


def _in_studio(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        *studio_apps(context),
        *read_platform_packages(context),
        *read_machine_learning(context),
        *code(context),
        *watch(context),
    ]


def _working(context: StackContext) -> list[iam.PolicyStatement]:
    return [
        *read_platform_packages(context),
        *read_machine_learning(context),
        *read_delivery(context),
        *watch(context),
        *code(context),
        *build_models(context),
        *project_data(context),
        *granted({template: found.working for template, found in context.template_rights().items()}),
        allow(
            "StartBuild",
            [
                "codepipeline:RetryStageExecution",
                "codepipeline:StartPipelineExecution",
                "codepipeline:StopPipelineExecution",
            ],
            _pipelines(context, context.pipelines),
        ),
        allow(
            "StartTraining",
            [
                "sagemaker:RetryPipelineExecution",
                "sagemaker:StartPipelineExecution",
                "sagemaker:StopPipelineExecution",
                "sagemaker:StopProcessingJob",
                "sagemaker:StopTrainingJob",
            ],
            [context.arn("sagemaker", f"{kind}/*") for kind in ("pipeline", "processing-job", "training-job")],
            IN_A_PROJECT,
        ),
    ]


def _pipelines(context: StackContext, parts: tuple[str, ...]) -> list[str]:
    """Return the ARNs of pipelines of all projects, and of their stages, by the middle parts of their names."""
    return [context.arn("codepipeline", f"*_{part}_pipeline{end}") for part in parts for end in ("", "/*")]
