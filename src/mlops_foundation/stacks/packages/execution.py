"""What CloudFormation needs to deploy the package index."""

from typing import Final

from mlops_foundation.constructs.execution import ExecutionScope, Statement, keys, may, parameters

_CODEARTIFACT: Final = (
    "AssociateExternalConnection",
    "CreateDomain",
    "CreateRepository",
    "DeleteDomain",
    "DeleteRepository",
    "DescribeDomain",
    "DescribeRepository",
    "DisassociateExternalConnection",
    "GetDomainPermissionsPolicy",
    "GetRepositoryPermissionsPolicy",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
    "UpdateRepository",
)


def statements(scope: ExecutionScope) -> list[Statement]:
    """Return the rights of the package index's deployment."""
    resources = [scope.arn("codeartifact", "domain/*"), scope.arn("codeartifact", "repository/*/*")]
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        may("PackageIndex", [f"codeartifact:{action}" for action in _CODEARTIFACT], resources),
        # CodeArtifact encrypts with a grant that it takes with the caller's rights.
        may("KeyGrant", ["kms:CreateGrant"], [scope.arn("kms", "key/*")], for_aws),
        *keys(scope),
        parameters(scope, f"/{scope.names.prefix}/packages/*"),
    ]
