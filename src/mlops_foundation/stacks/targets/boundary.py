"""The most that any role of a project may do, whoever writes its policy.

The boundary grants nothing. It lets a project's roles use what the templates in use are made of, in the set's accounts,
and denies what no project may ever do: approve its own model, reach another project, change who owns a resource.
"""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.packages import read_platform_packages
from mlops_foundation.constructs.policies import deny, deny_other_projects, granted
from mlops_foundation.core.names import PROJECT_TAG, PROJECT_TAGS


def project_boundary(context: StackContext) -> list[iam.PolicyStatement]:
    """Return the statements of the permissions boundary in the context's account."""
    used = {template: found.boundary for template, found in context.template_rights().items()}
    return [*granted(used), *read_platform_packages(context), *_never()]


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
