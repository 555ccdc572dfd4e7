"""What CloudFormation needs to deploy the catalog."""

from mlops_foundation.constructs.execution import (
    ExecutionScope,
    Statement,
    may,
    parameters,
    pass_role,
    roles,
)


def statements(scope: ExecutionScope) -> list[Statement]:
    """Return the rights of the catalog's deployment."""
    names = scope.names
    launch = scope.iam(f"role{names.role_path}{names.launch_role}")
    assets = names.asset_bucket(scope.account, scope.region)
    return [
        *_service_catalog(scope),
        roles([launch]),
        pass_role("servicecatalog.amazonaws.com", launch),
        may("ProductTemplates", ["s3:GetObject"], [f"arn:aws:s3:::{assets}/*"]),
        may("CheckTemplates", ["cloudformation:ValidateTemplate"], ["*"], scope.in_region),
        parameters(scope, names.product_id_parameter, names.portfolio_id_parameter),
    ]


def _service_catalog(scope: ExecutionScope) -> list[Statement]:
    products = (
        "AssociateProductWithPortfolio",
        "CreateConstraint",
        "CreateProvisioningArtifact",
        "DeleteProduct",
        "DeleteProvisioningArtifact",
        "DescribeProductAsAdmin",
        "DescribeProvisioningArtifact",
        "DisassociateProductFromPortfolio",
        "ListPortfoliosForProduct",
        "ListProvisioningArtifacts",
        "UpdateProduct",
        "UpdateProvisioningArtifact",
    )
    portfolios = (
        "AssociatePrincipalWithPortfolio",
        "AssociateProductWithPortfolio",
        "CreateConstraint",
        "DeletePortfolio",
        "DescribePortfolio",
        "DisassociatePrincipalFromPortfolio",
        "DisassociateProductFromPortfolio",
        "ListConstraintsForPortfolio",
        "ListPrincipalsForPortfolio",
        "UpdatePortfolio",
    )
    without_resource = (
        "CreatePortfolio",
        "CreateProduct",
        "DeleteConstraint",
        "DescribeConstraint",
        "SearchProductsAsAdmin",
        "UpdateConstraint",
    )
    return [
        may("Products", [f"servicecatalog:{action}" for action in products], [scope.arn("catalog", "product/*")]),
        may("Portfolios", [f"servicecatalog:{action}" for action in portfolios], [scope.arn("catalog", "portfolio/*")]),
        may("NewProducts", [f"servicecatalog:{action}" for action in without_resource], ["*"], scope.in_region),
    ]
