"""What the two deploy roles of an account may do."""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import allow, granted


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
    """CloudFormation's side: what the projects of the templates in use are deployed with."""
    rights = context.template_rights(boundary_arn, key_arn)
    return granted({template: found.deployment for template, found in rights.items()})
