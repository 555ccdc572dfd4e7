"""What a project's deploy pipeline finds in each account: two roles, the boundary of the roles it makes, a key."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.parameters import publish
from mlops_foundation.constructs.policies import narrowed
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.names import role_arn
from mlops_foundation.stacks.targets.boundary import project_boundary
from mlops_foundation.stacks.targets.policies import deploy_action, deploy_execution


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build what deploy pipelines need in one account."""
    stack = FoundationStack(scope, context)
    names = context.names
    statements = project_boundary(context)
    boundary = iam.ManagedPolicy(
        stack,
        "Boundary",
        managed_policy_name=names.project_boundary,
        path=names.role_path,
        description="The most that a role of a project may do",
        statements=statements,
    )
    reason = "A boundary grants nothing: it is the limit of what a project may grant."
    acknowledge_wildcards(boundary, statements, reason)
    key = kms.Key(
        stack,
        "EndpointKey",
        description="Volumes of the endpoints",
        enable_key_rotation=True,
        alias=names.endpoint_key_alias,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    publish(stack, "EndpointKeyArn", names.endpoint_key_parameter, key.key_arn)
    _deploy_roles(stack, context, boundary.managed_policy_arn, key.key_arn)
    return stack


def _deploy_roles(stack: FoundationStack, context: StackContext, boundary_arn: str, key_arn: str) -> None:
    names = context.names
    dev = context.accounts["dev"]
    pipelines = [role_arn(dev, f"*-{part}-pipeline", f"{names.role_path}*/") for part in context.promotions]
    reason = "Projects are made later: their stacks, endpoints and artifacts are named by pattern, in this account."
    statements = deploy_execution(context, boundary_arn=boundary_arn, key_arn=key_arn)
    execution = iam.Role(
        stack,
        "DeployExecution",
        role_name=names.deploy_execution_role,
        path=names.role_path,
        description="CloudFormation takes it to deploy a project's stack",
        assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
        inline_policies={"deploy": iam.PolicyDocument(statements=statements)},
    )
    acknowledge_wildcards(execution, statements, reason)
    statements = deploy_action(context, execution_role_arn=execution.role_arn)
    action = iam.Role(
        stack,
        "DeployAction",
        role_name=names.deploy_action_role,
        path=names.role_path,
        description="A project's deploy pipeline takes it for its CloudFormation actions",
        assumed_by=narrowed(dev, pipelines),
        inline_policies={"deploy": iam.PolicyDocument(statements=statements)},
    )
    acknowledge_wildcards(action, statements, reason)
