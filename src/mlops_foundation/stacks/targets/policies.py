"""What the two deploy roles of an account may do."""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import allow


def deploy_action(context: StackContext, *, execution_role_arn: str) -> list[iam.PolicyStatement]:
    """The pipeline's side: its own stacks, the artifact it deploys, and the one role to hand to CloudFormation."""
    dev = context.accounts["dev"]
    bucket = f"arn:aws:s3:::*-pipeline-{dev}"
    stacks = [context.arn("cloudformation", f"stack/*-{stage}/*") for stage in context.foundation.stages]
    return [
        allow(
            "ProjectStacks",
            [
                "cloudformation:CreateChangeSet",
                "cloudformation:CreateStack",
                "cloudformation:DeleteChangeSet",
                "cloudformation:DeleteStack",
                "cloudformation:DescribeChangeSet",
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:ExecuteChangeSet",
                "cloudformation:GetTemplate",
                "cloudformation:SetStackPolicy",
                "cloudformation:TagResource",
                "cloudformation:UntagResource",
                "cloudformation:UpdateStack",
            ],
            stacks,
        ),
        allow("CheckTemplates", ["cloudformation:ValidateTemplate"], ["*"]),
        allow(
            "HandOver",
            ["iam:PassRole"],
            [execution_role_arn],
            {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        ),
        allow("Artifacts", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], [f"{bucket}/*"]),
        allow("ArtifactBuckets", ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"], [bucket]),
        allow(
            "ArtifactKeys",
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
            [f"arn:aws:kms:{context.region}:{dev}:key/*"],
            {"StringEquals": {"kms:ViaService": f"s3.{context.region}.amazonaws.com"}},
        ),
    ]


def deploy_execution(context: StackContext, *, boundary_arn: str, key_arn: str) -> list[iam.PolicyStatement]:
    """CloudFormation's side: models and endpoints, and roles that carry the boundary."""
    return [*_endpoints(context, key_arn), *_roles(context, boundary_arn), *_parameters(context)]


def _endpoints(context: StackContext, key_arn: str) -> list[iam.PolicyStatement]:
    packages = f"arn:aws:sagemaker:{context.region}:{context.accounts['dev']}:model-package/*"
    return [
        allow(
            "Endpoints",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DeleteTags",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeModel",
                "sagemaker:ListTags",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            [context.arn("sagemaker", f"{kind}/*") for kind in ("model", "endpoint-config", "endpoint")],
        ),
        allow("ApprovedVersions", ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage"], [packages]),
        allow("EndpointKey", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"], [key_arn]),
        allow("EndpointKeyGrants", ["kms:CreateGrant"], [key_arn], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ]


def _roles(context: StackContext, boundary_arn: str) -> list[iam.PolicyStatement]:
    prefix = f"arn:aws:iam::{context.account}:role{context.names.role_path}*/*"
    endpoint = [f"{prefix}-endpoint-{stage}" for stage in context.foundation.stages]
    roles = [*endpoint, *(f"{prefix}-test-{stage}" for stage in context.foundation.stages)]
    return [
        allow(
            "BoundedRoles",
            [
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
            ],
            roles,
            {"StringEquals": {"iam:PermissionsBoundary": boundary_arn}},
        ),
        allow(
            "RoleUpkeep",
            [
                "iam:DeleteRole",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
                "iam:TagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            roles,
        ),
        allow(
            "HandOver",
            ["iam:PassRole"],
            endpoint,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    ]


def _parameters(context: StackContext) -> list[iam.PolicyStatement]:
    names = ("/vpc/*", f"{context.names.role_path}endpoint/*")
    parameters = [context.arn("ssm", f"parameter{name}") for name in names]
    return [allow("Parameters", ["ssm:GetParameter", "ssm:GetParameters"], parameters)]
