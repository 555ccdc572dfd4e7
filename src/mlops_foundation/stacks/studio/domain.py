"""The Studio domain: VpcOnly, with a key of its own, its settings for everybody, and one profile for each person."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlops_foundation.config.studio import DOMAIN_ADMIN_PROFILE, StudioUser
from mlops_foundation.constructs import parameters
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import PRIVATE_SUBNET_IDS, VPC_ID, WORKLOAD_SECURITY_GROUP_IDS, studio_domain

_KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""People's files outlive the stack; a deployment that fails at the start leaves nothing behind."""


@dataclass(frozen=True)
class StudioRoles:
    """ARNs of the roles that Studio's apps work with.

    Attributes:
        execution: Everybody's who is listed nowhere as a lead.
        lead: The leads'.
    """

    execution: str
    lead: str


def studio_key(stack: FoundationStack, context: StackContext) -> kms.Key:
    """Make the key of the domain's files."""
    return kms.Key(
        stack,
        "Key",
        description="Studio's file system and volumes",
        enable_key_rotation=True,
        alias=f"alias/{context.names.prefix}-studio",
        removal_policy=_KEPT,
    )


def domain(stack: FoundationStack, context: StackContext, key: kms.Key, roles: StudioRoles) -> sagemaker.CfnDomain:
    """Make the domain and its profiles.

    Args:
        stack: Where.
        context: What it is built from.
        key: Encrypts its files.
        roles: Of Studio's apps.
    """
    # DomainName, AuthMode and KmsKeyId can never be changed: UpdateDomain has none of them.
    made = sagemaker.CfnDomain(
        stack,
        "Domain",
        domain_name=studio_domain(context.region),
        auth_mode=context.settings.studio.auth_mode.upper(),
        app_network_access_type="VpcOnly",
        vpc_id=parameters.read(stack, "VpcId", VPC_ID),
        subnet_ids=parameters.read_list(stack, "SubnetIds", PRIVATE_SUBNET_IDS),
        kms_key_id=key.key_id,
        default_user_settings=sagemaker.CfnDomain.UserSettingsProperty(
            execution_role=roles.execution,
            security_groups=parameters.read_list(stack, "SecurityGroupIds", WORKLOAD_SECURITY_GROUP_IDS),
            studio_web_portal="ENABLED",
            default_landing_uri="studio::",
            **_idle_shutdown(context.settings.studio.idle_shutdown_minutes),
        ),
        domain_settings=sagemaker.CfnDomain.DomainSettingsProperty(execution_role_identity_config="USER_PROFILE_NAME"),
    )
    made.apply_removal_policy(_KEPT)
    _profiles(stack, context, made, roles)
    return made


def _idle_shutdown(minutes: int) -> dict[str, Any]:
    """Return the settings that stop apps nobody uses; people may wait shorter, never longer.

    Both are written with 0 too: CloudFormation leaves a setting that a template no longer has as it is.
    """
    idle = (
        sagemaker.CfnDomain.IdleSettingsProperty(
            lifecycle_management="ENABLED", idle_timeout_in_minutes=minutes, max_idle_timeout_in_minutes=minutes
        )
        if minutes
        else sagemaker.CfnDomain.IdleSettingsProperty(lifecycle_management="DISABLED")
    )
    lifecycle = sagemaker.CfnDomain.AppLifecycleManagementProperty(idle_settings=idle)
    return {
        "jupyter_lab_app_settings": sagemaker.CfnDomain.JupyterLabAppSettingsProperty(
            app_lifecycle_management=lifecycle
        ),
        "code_editor_app_settings": sagemaker.CfnDomain.CodeEditorAppSettingsProperty(
            app_lifecycle_management=lifecycle
        ),
    }


def _profiles(stack: FoundationStack, context: StackContext, made: sagemaker.CfnDomain, roles: StudioRoles) -> None:
    """Make a profile for each person: who is listed as a lead works with the leads' role."""
    studio = context.settings.studio
    scope = Construct(stack, "Users")
    for user in (StudioUser(name=DOMAIN_ADMIN_PROFILE, sso_user=studio.admin_sso_user), *studio.users):
        sagemaker.CfnUserProfile(
            scope,
            user.name,
            domain_id=made.attr_domain_id,
            user_profile_name=user.name,
            single_sign_on_user_identifier="UserName" if user.sso_user else None,
            single_sign_on_user_value=user.sso_user,
            user_settings=sagemaker.CfnUserProfile.UserSettingsProperty(
                execution_role=roles.lead if user in studio.leads else roles.execution
            ),
        )
