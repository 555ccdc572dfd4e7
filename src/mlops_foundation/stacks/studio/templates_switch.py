"""The switch of SageMaker's own project templates: a custom resource, its function and the function's narrow role."""

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_function, acknowledge_wildcards
from mlops_foundation.constructs.policies import allow
from mlops_foundation.constructs.stack import FoundationStack

TIMEOUT_S: Final = 90
_CODE: Final = Path(__file__).parent / "functions" / "project_templates"


def templates_switch(stack: FoundationStack, context: StackContext, key: kms.Key, roles: list[str]) -> None:
    """Turn the templates on or off with the configuration.

    Args:
        stack: Where.
        context: What it is built from.
        key: Encrypts the function's log.
        roles: ARNs of the roles that may use the templates when they are on.
    """
    name = context.names.templates_function
    log_group = _log_group(stack, context, key, name)
    function = lambda_.Function(
        stack,
        "TemplatesSwitch",
        function_name=name,
        description="Turns SageMaker's own project templates on or off",
        code=lambda_.Code.from_asset(str(_CODE), exclude=["__pycache__", "*.pyc"]),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        timeout=cdk.Duration.seconds(TIMEOUT_S),
        memory_size=256,
        role=_role(stack, context, roles, log_group),
        log_group=log_group,
    )
    acknowledge_function(function)
    resource = cdk.CustomResource(
        stack,
        "ProjectTemplates",
        service_token=function.function_arn,
        service_timeout=cdk.Duration.seconds(TIMEOUT_S + 30),
        resource_type="Custom::SageMakerProjectTemplates",
        properties={"Enabled": str(context.config.studio.sagemaker_templates).lower(), "Roles": roles},
    )
    resource.node.add_dependency(log_group)


def _log_group(stack: FoundationStack, context: StackContext, key: kms.Key, name: str) -> logs.LogGroup:
    group = f"/aws/lambda/{name}"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Logs",
            principals=[iam.ServicePrincipal(f"logs.{context.region}.amazonaws.com")],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": context.arn("logs", f"log-group:{group}")}},
        )
    )
    return logs.LogGroup(
        stack,
        "TemplatesSwitchLog",
        log_group_name=group,
        retention=logs.RetentionDays.ONE_YEAR,
        encryption_key=key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def _role(stack: FoundationStack, context: StackContext, roles: list[str], log_group: logs.LogGroup) -> iam.Role:
    # AWS owns the portfolio: its id and account are known only once it is shared.
    portfolios = [f"arn:aws:catalog:{context.region}:*:portfolio/*"]
    statements = [
        allow(
            "Switch",
            [
                "sagemaker:DisableSagemakerServicecatalogPortfolio",
                "sagemaker:EnableSagemakerServicecatalogPortfolio",
                "sagemaker:GetSagemakerServicecatalogPortfolioStatus",
                "servicecatalog:ListAcceptedPortfolioShares",
            ],
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": context.region}},
        ),
        allow(
            "Access",
            [
                "servicecatalog:AcceptPortfolioShare",
                "servicecatalog:AssociatePrincipalWithPortfolio",
                "servicecatalog:DisassociatePrincipalFromPortfolio",
                "servicecatalog:ListPrincipalsForPortfolio",
            ],
            portfolios,
        ),
        allow("RolesExist", ["iam:GetRole"], roles),
        allow(
            "Log",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [context.arn("logs", f"log-group:/aws/lambda/{context.names.templates_function}:*")],
        ),
    ]
    role = iam.Role(
        stack,
        "TemplatesSwitchRole",
        role_name=context.names.templates_function,
        path=context.names.role_path,
        description="Turns SageMaker's own project templates on or off",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"switch": iam.PolicyDocument(statements=statements)},
    )
    role.node.add_dependency(log_group)
    reason = "SageMaker's switch knows no resource, and the portfolio is AWS's own, with an id that only AWS knows."
    acknowledge_wildcards(role, statements, reason)
    return role
