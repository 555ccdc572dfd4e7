"""The catalog: a portfolio with the one product "SageMaker Project", whose versions are the project templates."""

from importlib import import_module
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from mlops_foundation.constructs import parameters
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.product import SeedArchive, product_context
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.errors import PluginError
from mlops_foundation.core.names import FRONT_PRODUCT, PORTFOLIO, persona_role, role_arn
from mlops_foundation.plan.specs import TemplateSpec, load_builder
from mlops_foundation.stacks.catalog.launch import launch_policies

_NOT_SEED = ["**/__pycache__", "**/*.pyc", "**/.venv", "**/.pytest_cache", "**/.ruff_cache", "**/cdk.out"]
_STUDIO_VISIBILITY = ("sagemaker:studio-visibility", "true")
"""Tag by which Studio finds organization templates."""


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build the catalog of the dev account."""
    stack = FoundationStack(scope, context)
    launch_role = _launch_role(stack, context)
    product = servicecatalog.CloudFormationProduct(
        stack,
        "Product",
        product_name=FRONT_PRODUCT,
        owner=context.names.prefix,
        description="A project: repositories, pipelines and registry from a push to a production endpoint",
        product_versions=[_version(stack, context, template) for template in context.templates],
    )
    cdk.Tags.of(product).add(*_STUDIO_VISIBILITY)
    portfolio = servicecatalog.Portfolio(
        stack,
        "Portfolio",
        display_name=PORTFOLIO,
        provider_name=context.names.prefix,
        description="Templates of machine learning projects",
    )
    portfolio.add_product(product)
    portfolio.set_launch_role(product, launch_role)
    _give_access(stack, context, portfolio)
    parameters.publish(stack, "ProductId", context.names.product_id_parameter, product.product_id)
    parameters.publish(stack, "PortfolioId", context.names.portfolio_id_parameter, portfolio.portfolio_id)
    return stack


def _launch_role(stack: FoundationStack, context: StackContext) -> iam.Role:
    policies = launch_policies(context)
    role = iam.Role(
        stack,
        "LaunchRole",
        role_name=context.names.launch_role,
        path=context.names.role_path,
        description="Service Catalog takes it to make and remove projects",
        assumed_by=iam.ServicePrincipal("servicecatalog.amazonaws.com"),
        inline_policies={name: iam.PolicyDocument(statements=statements) for name, statements in policies.items()},
    )
    reason = "Projects are made later: what they consist of is named by pattern, in this account and region."
    acknowledge_wildcards(role, [each for statements in policies.values() for each in statements], reason)
    return role


def _version(
    stack: FoundationStack, context: StackContext, template: TemplateSpec
) -> servicecatalog.CloudFormationProductVersion:
    seeds = {name: _seed(stack, context, template, name) for name in template.seeds}
    product_values = product_context(context, seeds)
    builder = load_builder(template.builder, f"the template {template.name}")
    product_stack = builder(stack, f"Template{template.name.capitalize()}", product_values)
    if not isinstance(product_stack, servicecatalog.ProductStack):
        what = f"the builder of the template {template.name} returned no ProductStack"
        raise PluginError(what, template.builder, type(product_stack).__name__, "aws_servicecatalog.ProductStack")
    return servicecatalog.CloudFormationProductVersion(
        product_version_name=template.name,
        description=template.description,
        cloud_formation_template=servicecatalog.CloudFormationTemplate.from_product_stack(product_stack),
    )


def _seed(stack: FoundationStack, context: StackContext, template: TemplateSpec, name: str) -> SeedArchive:
    """Zip a seed folder; the CDK publishes it to the bootstrap's bucket under the hash of its content."""
    module = import_module(template.builder.partition(":")[0])
    folder = Path(module.__file__ or "").parent / template.seeds[name]
    if not folder.is_dir():
        what = f"the template {template.name} has no seed folder {template.seeds[name]}"
        raise PluginError(what, str(folder), expected="a folder with the repository's first content")
    asset = s3_assets.Asset(
        stack,
        f"Seed{template.name.capitalize()}{name.capitalize()}",
        path=str(folder),
        exclude=_NOT_SEED,
        ignore_mode=cdk.IgnoreMode.GLOB,
    )
    return SeedArchive(context.names.asset_bucket(context.account, context.region), asset.s3_object_key)


def _give_access(stack: FoundationStack, context: StackContext, portfolio: servicecatalog.Portfolio) -> None:
    """Who may see the product: who creates projects, and Studio, which lists it."""
    admin = role_arn(context.account, persona_role("admin", context.region, context.account))
    for construct_id, arn in (("AdminRole", admin), ("StudioRole", context.execution_role_arn)):
        portfolio.give_access_to_role(iam.Role.from_role_arn(stack, construct_id, arn, mutable=False))
