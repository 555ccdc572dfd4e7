"""What CloudFormation needs to deploy Studio and the roles of its people."""

from mlops_foundation.constructs.execution import (
    ExecutionScope,
    Statement,
    custom_resource,
    keys,
    may,
    parameters,
    pass_role,
    roles,
)
from mlops_foundation.core.names import PERSONAS, persona_role


def statements(scope: ExecutionScope) -> list[Statement]:
    """Return the rights of Studio's deployment."""
    names = scope.names
    in_studio = [
        scope.iam(f"role{names.role_path}{name}")
        for name in (names.studio_execution_role(scope.region), names.studio_lead_role(scope.region))
    ]
    imported = scope.imported_execution_role_arn
    switch = scope.iam(f"role{names.role_path}{names.templates_function}")
    people = [
        persona_role(persona, scope.region, scope.account) for persona in PERSONAS if persona != "platform-engineer"
    ]
    studio_linked_role = "role/aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForAmazonSageMakerNotebooks"
    return [
        may(
            "Studio",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateDomain",
                "sagemaker:CreateUserProfile",
                "sagemaker:DeleteDomain",
                "sagemaker:DeleteTags",
                "sagemaker:DeleteUserProfile",
                "sagemaker:DescribeDomain",
                "sagemaker:DescribeUserProfile",
                "sagemaker:ListTags",
                "sagemaker:UpdateDomain",
                "sagemaker:UpdateUserProfile",
            ],
            [scope.arn("sagemaker", "domain/*"), scope.arn("sagemaker", "user-profile/*")],
        ),
        may("FindStudio", ["sagemaker:ListDomains", "sagemaker:ListUserProfiles"], ["*"], scope.in_region),
        may(
            "StudioServiceRole",
            ["iam:CreateServiceLinkedRole"],
            [scope.iam(studio_linked_role)],
            {"StringEquals": {"iam:AWSServiceName": "sagemaker.amazonaws.com"}},
        ),
        *_templates_switch(scope),
        roles([*in_studio, switch, *(scope.iam(f"role/{role}") for role in people)]),
        pass_role("sagemaker.amazonaws.com", *([imported] if imported else in_studio)),
        *keys(scope, f"alias/{names.prefix}-studio"),
        # Studio's file system is encrypted on behalf of who makes the domain.
        may(
            "KeyGrants",
            ["kms:CreateGrant"],
            [scope.arn("kms", "key/*")],
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        parameters(scope, f"{names.role_path}role/*", names.domain_id_parameter),
    ]


def _templates_switch(scope: ExecutionScope) -> list[Statement]:
    find = may("FindLogs", ["logs:DescribeLogGroups"], ["*"], scope.in_region)
    return [*custom_resource(scope, scope.names.templates_function), find]
