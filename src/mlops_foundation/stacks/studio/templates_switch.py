"""The switch of SageMaker's own project templates: a custom resource with a narrow role."""

from pathlib import Path
from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.custom_resource import ResourceFunction, Work
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
    work = Work(
        name=context.names.templates_function,
        description="Turns SageMaker's own project templates on or off",
        code=_CODE,
        timeout_s=TIMEOUT_S,
        statements=_statements(context, roles),
        wildcards="SageMaker's switch knows no resource, and only AWS knows the id of the portfolio, which is its own.",
    )
    wanted: dict[str, object] = {
        "Enabled": str(context.settings.studio.sagemaker_templates).lower(),
        "Roles": roles,
    }
    function = ResourceFunction(stack, "TemplatesSwitch", context, work, key)
    function.resource("ProjectTemplates", "SageMakerProjectTemplates", wanted)


def _statements(context: StackContext, roles: list[str]) -> list[iam.PolicyStatement]:
    # AWS owns the portfolio: its id and account are known only once it is shared.
    portfolios = [f"arn:aws:catalog:{context.region}:*:portfolio/*"]
    return [
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
    ]
