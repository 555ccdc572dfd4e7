"""What reading the platform's package index takes: a token, the index's address, and its packages."""

from aws_cdk import aws_iam as iam

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.policies import allow


def read_packages(domain_arn: str, repository_arn: str) -> list[iam.PolicyStatement]:
    """Return the rights to install packages from one CodeArtifact repository.

    Source: "Using IAM with CodeArtifact" in the user guide; the token itself is STS's and knows no resource.
    """
    to_codeartifact = {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}
    reading = ["codeartifact:GetRepositoryEndpoint", "codeartifact:ReadFromRepository"]
    return [
        allow("PackageToken", ["codeartifact:GetAuthorizationToken"], [domain_arn]),
        allow("Packages", reading, [repository_arn]),
        allow("BearerToken", ["sts:GetServiceBearerToken"], ["*"], to_codeartifact),
    ]


def read_platform_packages(context: StackContext) -> list[iam.PolicyStatement]:
    """Return these rights on the platform's own repository, which is in dev; none where there is none."""
    packages, prefix = context.settings.packages, context.names.prefix
    if not packages.private or "dev" not in context.foundation.stages:
        return []
    domain = packages.domain_name(prefix)
    repository = f"repository/{domain}/{packages.repository_name(prefix)}"
    return read_packages(context.arn("codeartifact", f"domain/{domain}"), context.arn("codeartifact", repository))
