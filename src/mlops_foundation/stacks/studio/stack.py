"""Studio in the dev account: a VpcOnly domain with a key of its own, its profiles, and the roles of the people."""

from collections.abc import Callable
from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_foundation.config.models import Persona
from mlops_foundation.constructs import parameters
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.policies import keep_who_works
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import persona_role
from mlops_foundation.stacks.studio import personas
from mlops_foundation.stacks.studio.domain import StudioRoles, domain, studio_key
from mlops_foundation.stacks.studio.signin import administrator, trust
from mlops_foundation.stacks.studio.templates_switch import templates_switch

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
    in_studio = _studio_roles(stack, context)
    key = studio_key(stack, context)
    made = domain(stack, context, key, in_studio)
    users = [roles[persona].role_arn for persona in ("admin", "data-scientist", "lead")]
    templates_switch(stack, context, key, [*users, *dict.fromkeys((in_studio.execution, in_studio.lead))])
    for name, persona, arn in (
        ("DataScientist", "data-scientist", roles["data-scientist"].role_arn),
        ("Lead", "lead", roles["lead"].role_arn),
        ("Execution", "execution", in_studio.execution),
    ):
        parameters.publish(stack, f"{name}RoleArn", names.role_parameter(persona), arn)
    parameters.publish(stack, "DomainId", names.domain_id_parameter, made.attr_domain_id)
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
    trust(role, context.account, context.settings.sign_in, persona)
    reason = (
        "People reach projects that are made later: by name pattern in this account and region, and by project tag."
    )
    acknowledge_wildcards(role, statements, reason)
    return role


def _studio_roles(stack: FoundationStack, context: StackContext) -> StudioRoles:
    """Make the roles of Studio's apps; one that the configuration names is everybody's."""
    if context.imported_execution_role_arn:
        return StudioRoles(context.imported_execution_role_arn, context.imported_execution_role_arn)
    names, region = context.names, context.region
    execution = _studio_role(
        stack,
        context,
        "Execution",
        names.studio_execution_role(region),
        "Studio's apps and notebooks",
        personas.studio_execution(context),
    )
    lead = _studio_role(
        stack,
        context,
        "LeadExecution",
        names.studio_lead_role(region),
        "Studio's apps and notebooks of lead data scientists",
        personas.studio_lead(context),
    )
    return StudioRoles(execution.role_arn, lead.role_arn)


def _studio_role(
    stack: FoundationStack,
    context: StackContext,
    construct_id: str,
    name: str,
    description: str,
    statements: list[iam.PolicyStatement],
) -> iam.Role:
    role = iam.Role(
        stack,
        construct_id,
        role_name=name,
        path=context.names.role_path,
        description=description,
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": context.account}}
        ),
        inline_policies={"studio": iam.PolicyDocument(statements=statements)},
    )
    keep_who_works(role, context.account)
    reason = "Studio's own apps and spaces, and projects that are made later: by name pattern and by project tag."
    acknowledge_wildcards(role, statements, reason)
    return role
