"""What a project template's builder is given, and where its seed archives are.

A template is a folder ``templates/<name>/``; ``docs/extending.md`` says what is in it. Its builder is a function::

    def build(scope: Construct, id: str, context: ProductContext) -> servicecatalog.ProductStack: ...

``scope`` is the catalog stack. The product's resources are made later, by Service Catalog, with the launch role.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import Environment, PlatformNames, Stage, role_arn
from mlops_foundation.plan.specs import TemplateSpec


@dataclass(frozen=True)
class SeedArchive:
    """A zip in the bootstrap's asset bucket: literal names, as CodeCommit's ``Code.S3`` wants them."""

    bucket: str
    key: str


@dataclass(frozen=True)
class PackageIndex:
    """A CodeArtifact repository of the dev account."""

    domain: str
    repository: str


@dataclass(frozen=True)
class ProductContext:
    """What a project template may look at.

    Attributes:
        prefix: The set's prefix.
        region: The set's region.
        accounts: The set's accounts by environment; defaults of PreProdAccount and ProdAccount.
        tags: Mandatory tags of the configuration.
        builds_in_vpc: Whether CodeBuild runs in the private subnets.
        source_branch: The branch that starts the pipelines.
        asset_bucket: The bootstrap's bucket in dev.
        title: Name of the template.
        problem_types: Kinds of problem that it serves.
        inference_types: Ways of serving predictions that it has.
        seeds: The archives of the template's seed folders, by the name its ``TemplateSpec`` gives them.
        subnet_count: Number of private subnets, because an SSM list is a token.
        packages: The platform's package index, None where builds use the public one.
    """

    prefix: str
    region: Region
    accounts: Mapping[Environment, AccountId]
    tags: Mapping[str, str]
    builds_in_vpc: bool
    source_branch: str
    asset_bucket: str
    title: str
    problem_types: tuple[str, ...]
    inference_types: tuple[str, ...]
    seeds: Mapping[str, SeedArchive]
    subnet_count: int
    packages: PackageIndex | None = None

    @property
    def names(self) -> PlatformNames:
        """Names of what the prefix owns."""
        return PlatformNames(self.prefix)

    def boundary_arn(self, account: str) -> str:
        """Return the permissions boundary that every role of a project must carry, in an account."""
        return self.names.boundary_arn(account)

    def deploy_action_role_arn(self, account: str) -> str:
        """Return the role that the deploy pipeline's CloudFormation actions take in a stage's account."""
        return role_arn(account, self.names.deploy_action_role, self.names.role_path)

    def deploy_execution_role_arn(self, account: str) -> str:
        """Return the role that CloudFormation takes to deploy a project's stack in a stage's account."""
        return role_arn(account, self.names.deploy_execution_role, self.names.role_path)

    def account(self, stage: Stage) -> AccountId:
        """Return the account of a stage."""
        return self.accounts[stage]


def product_context(
    context: StackContext, templates: Sequence[TemplateSpec], title: str, seeds: Mapping[str, SeedArchive]
) -> ProductContext:
    """Return the context of a product, from that of the catalog in dev.

    Args:
        context: Of the catalog.
        templates: Those that the product offers.
        title: Name of the product among the templates of products.
        seeds: Their archives.
    """
    return ProductContext(
        prefix=context.names.prefix,
        region=context.region,
        accounts=context.accounts,
        tags=context.tags,
        builds_in_vpc=context.settings.builds_in_vpc,
        source_branch=context.settings.source.branch,
        asset_bucket=context.names.asset_bucket(context.account, context.region),
        title=title,
        problem_types=tuple(dict.fromkeys(each for template in templates for each in template.problem_types)),
        inference_types=tuple(dict.fromkeys(each for template in templates for each in template.inference_types)),
        seeds=seeds,
        subnet_count=context.network.private_subnet_count,
        packages=_packages(context),
    )


def _packages(context: StackContext) -> PackageIndex | None:
    packages, prefix = context.settings.packages, context.names.prefix
    if not packages.private:
        return None
    return PackageIndex(packages.domain_name(prefix), packages.repository_name(prefix))
