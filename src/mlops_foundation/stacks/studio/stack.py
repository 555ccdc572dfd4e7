"""Studio in the dev account: a VpcOnly domain with a key of its own, its profiles, and the roles of the people."""

from collections.abc import Callable
from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_foundation.config.models import Persona
from mlops_foundation.constructs import parameters
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import persona_role
from mlops_foundation.stacks.studio import personas
from mlops_foundation.stacks.studio.domain import domain, studio_key
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
    execution_role_arn = context.imported_execution_role_arn or _execution_role(stack, context).role_arn
    key = studio_key(stack, context)
    made = domain(stack, context, key, execution_role_arn)
    users = [roles[persona].role_arn for persona in ("admin", "data-scientist", "lead")]
    templates_switch(stack, context, key, [*users, execution_role_arn])
    for name, persona, arn in (
        ("DataScientist", "data-scientist", roles["data-scientist"].role_arn),
        ("Lead", "lead", roles["lead"].role_arn),
        ("Execution", "execution", execution_role_arn),
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
