"""IAM statements the way the platform writes them: exact actions, named resources, narrowed principals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam

from mlops_foundation.core.names import PROJECT_TAG
from mlops_foundation.plan.rights import Conditions, Right, union

STUDIO_USER_TAG: Final = "mlops:studio-user"
"""Session tag with the user profile that a person may open."""
OWN_PROJECT: Final = f"${{aws:PrincipalTag/{PROJECT_TAG}}}"
"""The project of who calls, from a tag of the role or the session."""


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Conditions | None = None
) -> iam.PolicyStatement:
    """Return an Allow statement of an identity's policy."""
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions)


def deny(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Conditions | None = None
) -> iam.PolicyStatement:
    """Return a Deny statement of an identity's policy."""
    return iam.PolicyStatement(
        sid=sid, effect=iam.Effect.DENY, actions=list(actions), resources=list(resources), conditions=conditions
    )


def granted(rights: Mapping[str, Iterable[Right]]) -> list[iam.PolicyStatement]:
    """Return what the templates in use need together, as statements; the rights are given by template."""
    return [
        (deny if each.effect == "Deny" else allow)(each.sid, each.actions, each.resources, each.conditions or None)
        for each in union(rights)
    ]


def narrowed(account: str, arns: Sequence[str]) -> iam.PrincipalBase:
    """Return the principals of one account whose ARN is one of those given, ``*`` allowed in their names.

    Naming the roles themselves as principals would need them to exist already, and IAM would replace them by ids
    that outlive a role's replacement.
    """
    return iam.AccountPrincipal(account).with_conditions({"ArnLike": {"aws:PrincipalArn": list(arns)}})


def deny_other_projects() -> iam.PolicyStatement:
    """Return the Deny that keeps who has a project from every resource of other projects."""
    return deny(
        "OtherProjects",
        ["*"],
        ["*"],
        {
            "Null": {f"aws:PrincipalTag/{PROJECT_TAG}": "false", f"aws:ResourceTag/{PROJECT_TAG}": "false"},
            "StringNotEquals": {f"aws:ResourceTag/{PROJECT_TAG}": OWN_PROJECT},
        },
    )


def keep_who_works(role: iam.Role, account: str) -> None:
    """Let SageMaker say which user profile works with a role; CloudTrail then knows the person behind it.

    The Studio domain passes the profile's name on (``ExecutionRoleIdentityConfig``). SageMaker refuses apps and jobs
    with a role whose trust does not allow it.

    Source: Amazon SageMaker developer guide, "Turn on sourceIdentity in CloudTrail logs".

    Args:
        role: That SageMaker takes.
        account: On whose behalf.
    """
    document = role.assume_role_policy
    if document is not None:
        document.add_statements(
            iam.PolicyStatement(
                actions=["sts:SetSourceIdentity"],
                principals=[iam.ServicePrincipal("sagemaker.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            )
        )
