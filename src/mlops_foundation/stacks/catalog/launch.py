"""What the launch role may do: deploy products as stacks, and make what the templates in use consist of."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import allow, granted


def launch_policies(context: StackContext) -> Mapping[str, list[iam.PolicyStatement]]:
    """Return the inline policies of the launch role by their names."""
    platform = {"delivery": _stacks(context), "storage": _archives(context)}
    rights = context.template_rights()
    names = dict.fromkeys([*platform, *(name for each in rights.values() for name in each.launch)])
    return {
        name: [*platform.get(name, []), *granted({each: found.launch.get(name, ()) for each, found in rights.items()})]
        for name in names
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


def _archives(context: StackContext) -> list[iam.PolicyStatement]:
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
    ]
