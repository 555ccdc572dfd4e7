"""What CloudFormation's role in each stage's account needs to deploy a project, one function for each part."""

from collections.abc import Sequence

from mlops_foundation.plan.rights import Right, RightsScope, right


def endpoints(scope: RightsScope) -> list[Right]:
    """Make models and endpoints of versions in the registry of dev."""
    packages = f"arn:aws:sagemaker:{scope.region}:{scope.accounts['dev']}:model-package/*"
    return [
        right(
            "Endpoints",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DeleteTags",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeModel",
                "sagemaker:ListTags",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            [scope.arn("sagemaker", f"{kind}/*") for kind in ("model", "endpoint-config", "endpoint")],
        ),
        right("ApprovedVersions", ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage"], [packages]),
        right("EndpointKey", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"], [scope.endpoint_key_arn]),
        right(
            "EndpointKeyGrants",
            ["kms:CreateGrant"],
            [scope.endpoint_key_arn],
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]


def stage_roles(scope: RightsScope, kinds: Sequence[str], passed: Sequence[str]) -> list[Right]:
    """Make the roles ``<project>-<kind>-<stage>`` with the boundary, and hand the ``passed`` to SageMaker."""
    roles = [scope.roles(f"*/*-{kind}-{stage}") for kind in kinds for stage in scope.stages]
    handed = [scope.roles(f"*/*-{kind}-{stage}") for kind in passed for stage in scope.stages]
    found = [
        right(
            "BoundedRoles",
            [
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
            ],
            roles,
            {"StringEquals": {"iam:PermissionsBoundary": scope.boundary_arn}},
        ),
        right(
            "RoleUpkeep",
            [
                "iam:DeleteRole",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
                "iam:TagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            roles,
        ),
    ]
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return [*found, right("HandOver", ["iam:PassRole"], handed, to_sagemaker)] if handed else found


def parameters(scope: RightsScope) -> list[Right]:
    """Read the parameters of the network and of the endpoints' key."""
    names = ("/vpc/*", f"{scope.names.role_path}endpoint/*")
    found = [scope.arn("ssm", f"parameter{name}") for name in names]
    return [right("Parameters", ["ssm:GetParameter", "ssm:GetParameters"], found)]
