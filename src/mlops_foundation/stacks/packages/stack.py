"""A CodeArtifact repository in front of the public package index, for builds without a way to the internet.

It keeps every package that somebody has asked for, encrypted with a key of its own.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_codeartifact as codeartifact
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.parameters import publish
from mlops_foundation.constructs.stack import FoundationStack


def build(scope: Construct, context: StackContext) -> FoundationStack:
    """Build the package index of one account."""
    stack = FoundationStack(scope, context)
    names, packages = context.names, context.settings.packages
    key = kms.Key(
        stack,
        "Key",
        description="Packages in CodeArtifact",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    domain = codeartifact.CfnDomain(
        stack, "Domain", domain_name=packages.domain_name(names.prefix), encryption_key=key.key_arn
    )
    # A domain takes neither another name nor another key, and its packages would have to be fetched anew.
    domain.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    repository = codeartifact.CfnRepository(
        stack,
        "Repository",
        domain_name=domain.attr_name,
        repository_name=packages.repository_name(names.prefix),
        description="Python packages of builds, from the public index",
        external_connections=["public:pypi"],
    )
    repository.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    publish(stack, "DomainName", names.package_domain_parameter, domain.attr_name)
    publish(stack, "RepositoryName", names.package_repository_parameter, repository.attr_name)
    publish(stack, "RepositoryArn", names.package_repository_arn_parameter, repository.attr_arn)
    return stack
