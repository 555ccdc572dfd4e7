"""Who decides what: model versions and the two manual approvals of a deploy pipeline."""

from typing import Literal

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import allow, deny

ApprovalStage = Literal["ApprovePreprod", "ApproveProd"]
"""Names of the approval stages in every deploy pipeline."""

_SETTING_STATUS = ("sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage")
_DECISIONS = ("Approved", "Rejected")


def approve_versions(context: StackContext) -> iam.PolicyStatement:
    """Allow setting any status on a version."""
    return allow("DecideOnVersions", ["sagemaker:UpdateModelPackage"], [context.arn("sagemaker", "model-package/*")])


def deny_version_approval() -> iam.PolicyStatement:
    """Deny deciding on a version, by updating one and by creating one that is decided already."""
    conditions = {"StringEquals": {"sagemaker:ModelApprovalStatus": list(_DECISIONS)}}
    return deny("NeverDecideOnVersions", _SETTING_STATUS, ["*"], conditions)


def approve_stage(context: StackContext, stage: ApprovalStage) -> iam.PolicyStatement:
    """Allow answering one manual approval of every project's deploy pipeline."""
    return allow(stage, ["codepipeline:PutApprovalResult"], _approval(context, stage))


def deny_stage_approval(context: StackContext, stage: ApprovalStage | None = None) -> iam.PolicyStatement:
    """Deny answering one manual approval, or all."""
    resources = _approval(context, stage) if stage else ["*"]
    return deny(f"Never{stage or 'Approve'}", ["codepipeline:PutApprovalResult"], resources)


def _approval(context: StackContext, stage: ApprovalStage) -> list[str]:
    return [context.arn("codepipeline", f"*_{promotion}_pipeline/{stage}/*") for promotion in context.promotions]
