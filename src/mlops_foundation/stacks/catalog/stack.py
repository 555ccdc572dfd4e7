"""The catalog: a portfolio with the front product "SageMaker Project", and a product for each project template."""

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

import mlops_foundation
from mlops_foundation.constructs import parameters
from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_wildcards
from mlops_foundation.constructs.product import SeedArchive, product_context
from mlops_foundation.constructs.stack import FoundationStack
from mlops_foundation.core.errors import PluginError
from mlops_foundation.core.names import FRONT_PRODUCT, FRONT_PRODUCT_FILE, PORTFOLIO, pascal, persona_role, role_arn
from mlops_foundation.plan.specs import TemplateSpec, load_builder
from mlops_foundation.stacks.catalog.front import FrontProduct
from mlops_foundation.stacks.catalog.launch import launch_policies

_NOT_SEED: Final = ["**/__pycache__", "**/*.pyc", "**/.venv", "**/.pytest_cache", "**/.ruff_cache", "**/cdk.out"]
_STUDIO_VISIBILITY: Final = ("sagemaker:studio-visibility", "true")
"""Tag by which Studio finds organization templates."""


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build the catalog of the dev account."""
    stack = FoundationStack(scope, context)
    launch_role = _launch_role(stack, context)
    made = [(template, _product_stack(stack, context, template)) for template in context.templates]
    front = _product(stack, context, "Product", FRONT_PRODUCT, _FRONT, _front(stack, context, made))
    own = [
        _product(stack, context, f"Product{pascal(template.name)}", template.name, template.description, product_stack)
        for template, product_stack in made
    ]
    portfolio = _portfolio(stack, context, [front, *own], launch_role)
    parameters.publish(stack, "ProductId", context.names.product_id_parameter, front.product_id)
    parameters.publish(stack, "PortfolioId", context.names.portfolio_id_parameter, portfolio.portfolio_id)
    return stack


_FRONT: Final = "A project: repositories, pipelines and registry from a push to a production endpoint"


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


def _product_stack(
    stack: FoundationStack, context: StackContext, template: TemplateSpec
) -> servicecatalog.ProductStack:
    """Build a template, as its own product has it."""
    seeds = {name: _seed(stack, context, template, name) for name in template.seeds}
    builder = load_builder(template.builder, f"the template {template.name}")
    values = product_context(context, [template], template.name, seeds)
    product_stack = builder(stack, f"Template{pascal(template.name)}", values)
    if not isinstance(product_stack, servicecatalog.ProductStack):
        what = f"the builder of the template {template.name} returned no ProductStack"
        raise PluginError(what, template.builder, type(product_stack).__name__, "aws_servicecatalog.ProductStack")
    return product_stack


def _front(
    stack: FoundationStack, context: StackContext, made: Sequence[tuple[TemplateSpec, servicecatalog.ProductStack]]
) -> servicecatalog.ProductStack:
    choices = [
        (template, _address(stack, product_stack))
        for template, product_stack in made
        if template.problem_types and template.inference_types
    ]
    values = product_context(context, [template for template, _ in choices], FRONT_PRODUCT_FILE, {})
    return FrontProduct(stack, f"Template{pascal(FRONT_PRODUCT_FILE)}", values, choices)


def _address(stack: FoundationStack, product_stack: servicecatalog.ProductStack) -> str:
    """Return where a template is in the bootstrap's bucket; it is known once that template is synthesized."""
    found = servicecatalog.CloudFormationTemplate.from_product_stack(product_stack).bind(stack)
    return found.http_url


def _product(
    stack: FoundationStack,
    context: StackContext,
    construct_id: str,
    name: str,
    description: str,
    product_stack: servicecatalog.ProductStack,
) -> servicecatalog.CloudFormationProduct:
    """Make a product; its one version is the platform's: an upgrade goes from version to version."""
    version = servicecatalog.CloudFormationProductVersion(
        product_version_name=mlops_foundation.__version__,
        description=f"Of MLOps Foundation {mlops_foundation.__version__}",
        cloud_formation_template=servicecatalog.CloudFormationTemplate.from_product_stack(product_stack),
    )
    product = servicecatalog.CloudFormationProduct(
        stack,
        construct_id,
        product_name=name,
        owner=context.names.prefix,
        description=description,
        product_versions=[version],
    )
    cdk.Tags.of(product).add(*_STUDIO_VISIBILITY)
    return product


def _portfolio(
    stack: FoundationStack,
    context: StackContext,
    products: Sequence[servicecatalog.CloudFormationProduct],
    launch_role: iam.Role,
) -> servicecatalog.Portfolio:
    portfolio = servicecatalog.Portfolio(
        stack,
        "Portfolio",
        display_name=PORTFOLIO,
        provider_name=context.names.prefix,
        description="Templates of machine learning projects",
    )
    for product in products:
        portfolio.add_product(product)
        portfolio.set_launch_role(product, launch_role)
    _give_access(stack, context, portfolio)
    return portfolio


def _seed(stack: FoundationStack, context: StackContext, template: TemplateSpec, name: str) -> SeedArchive:
    """Zip a seed folder; the CDK publishes it to the bootstrap's bucket under the hash of its content."""
    folder = template.folder / template.seeds[name]
    if not folder.is_dir():
        what = f"the template {template.name} has no seed folder {template.seeds[name]}"
        raise PluginError(what, str(folder), expected="a folder with the repository's first content")
    asset = s3_assets.Asset(
        stack,
        f"Seed{pascal(template.name)}{pascal(name)}",
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
