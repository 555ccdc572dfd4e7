"""Studio in the dev account: a VpcOnly domain with a key of its own, its profiles, and the roles of the people."""

from collections.abc import Callable
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlops_foundation.config.models import Persona
from mlops_foundation.config.studio import DOMAIN_ADMIN_PROFILE
from mlops_foundation.constructs import parameters
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import PRIVATE_SUBNET_IDS, VPC_ID, WORKLOAD_SECURITY_GROUP_ID, persona_role
from mlops_foundation.stacks.studio import personas
from mlops_foundation.stacks.studio.signin import administrator, trust

_PERSONAS: Final[dict[Persona, tuple[str, str, Callable[[StackContext], list[iam.PolicyStatement]]]]] = {
    "data-scientist": ("DataScientist", "Builds models", personas.data_scientist),
    "lead": ("Lead", "Builds models, approves versions and preprod", personas.lead),
    "admin": ("Admin", "Creates and deletes projects", personas.admin),
    "approver-prod": ("ApproverProd", "Approves production", personas.approver_prod),
    "auditor": ("Auditor", "Reads what there is, never data", personas.auditor),
}
"""Persona -> construct id, description, policy."""


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build Studio and the roles of its people."""
    stack = FoundationStack(scope, context)
    names = context.names
    roles = {persona: _persona_role(stack, context, persona) for persona in _PERSONAS}
    execution = _execution_role(stack, context)
    domain = _domain(stack, context, execution)
    for persona, role in (
        ("data-scientist", roles["data-scientist"]),
        ("lead", roles["lead"]),
        ("execution", execution),
    ):
        parameters.publish(stack, f"{role.node.id}RoleArn", names.role_parameter(persona), role.role_arn)
    parameters.publish(stack, "DomainId", names.domain_id_parameter, domain.attr_domain_id)
    return stack


def _persona_role(stack: FoundationStack, context: StackContext, persona: Persona) -> iam.Role:
    construct_id, description, policy = _PERSONAS[persona]
    statements = policy(context)
    role = iam.Role(
        stack,
        construct_id,
        role_name=persona_role(persona, context.region, context.account),
        description=description,
        assumed_by=administrator(context.account),
        inline_policies={persona: iam.PolicyDocument(statements=statements)},
    )
    trust(role, context.account, context.config, persona)
    reason = (
        "People reach projects that are made later: by name pattern in this account and region, and by project tag."
    )
    acknowledge_wildcards(role, statements, reason)
    return role


def _execution_role(stack: FoundationStack, context: StackContext) -> iam.Role:
    statements = personas.studio_execution(context)
    role = iam.Role(
        stack,
        "Execution",
        role_name=context.names.studio_execution_role(context.region),
        path=context.names.role_path,
        description="Studio's apps and notebooks",
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": context.account}}
        ),
        inline_policies={"studio": iam.PolicyDocument(statements=statements)},
    )
    reason = "Studio's own apps and spaces, and projects that are made later: by name pattern and by project tag."
    acknowledge_wildcards(role, statements, reason)
    return role


def _domain(stack: FoundationStack, context: StackContext, execution: iam.Role) -> sagemaker.CfnDomain:
    key = kms.Key(
        stack,
        "Key",
        description="Studio's file system and volumes",
        enable_key_rotation=True,
        alias=f"alias/{context.names.prefix}-studio",
        removal_policy=RemovalPolicy.RETAIN,
    )
    security_group = parameters.read(stack, "SecurityGroupId", WORKLOAD_SECURITY_GROUP_ID)
    # DomainName, AuthMode and KmsKeyId can never be changed: UpdateDomain has none of them.
    domain = sagemaker.CfnDomain(
        stack,
        "Domain",
        domain_name=f"{context.region}-studio-domain",
        auth_mode="IAM",
        app_network_access_type="VpcOnly",
        vpc_id=parameters.read(stack, "VpcId", VPC_ID),
        subnet_ids=parameters.read_list(stack, "SubnetIds", PRIVATE_SUBNET_IDS),
        kms_key_id=key.key_id,
        default_user_settings=sagemaker.CfnDomain.UserSettingsProperty(
            execution_role=execution.role_arn,
            security_groups=[security_group],
            studio_web_portal="ENABLED",
            default_landing_uri="studio::",
        ),
        domain_settings=sagemaker.CfnDomain.DomainSettingsProperty(execution_role_identity_config="USER_PROFILE_NAME"),
    )
    domain.apply_removal_policy(RemovalPolicy.RETAIN)
    users = Construct(stack, "Users")
    for user in (DOMAIN_ADMIN_PROFILE, *(user.name for user in context.config.studio.users)):
        sagemaker.CfnUserProfile(users, user, domain_id=domain.attr_domain_id, user_profile_name=user)
    return domain
