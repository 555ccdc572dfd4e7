"""How a person reaches a persona's role.

A role is taken with ``sts:AssumeRole``. Its trust names accounts, never the whole of one: each is narrowed by
``aws:PrincipalArn`` to exact ARNs. Two kinds of principals are trusted:

- the principals that ``sign_in.principals`` lists for the persona: the roles of IAM Identity Center's permission sets,
  or the sign-in roles of the governance account. On AWS these are the people.
- the root session of the role's own account. A trust has to name somebody, and AWS refuses AssumeRole to root, as the
  local cloud does: where nobody is listed, nobody takes the role.

Who takes a role with the session tag ``sagemaker:project-name`` is confined to that project. Nobody gives it to
himself: a listed principal may only pass on the tag that it carries already.
"""

from collections.abc import Iterator

from aws_cdk import aws_iam as iam

from mlops_foundation.config.models import Persona, SignIn
from mlops_foundation.constructs.policies import STUDIO_USER_TAG, narrowed
from mlops_foundation.core.arns import Arn
from mlops_foundation.core.names import PROJECT_TAGS

_SESSION_TAGS = (*PROJECT_TAGS, STUDIO_USER_TAG)


def administrator(account: str) -> iam.PrincipalBase:
    """Return the root session of an account, and nothing else of it."""
    return narrowed(account, [f"arn:aws:iam::{account}:root"])


def trust(role: iam.Role, account: str, sign_in: SignIn, persona: Persona) -> None:
    """Add to a role, made with :func:`administrator`, the people and the session tags.

    Args:
        role: A persona's role.
        account: Its account.
        sign_in: Names the people.
        persona: Whose role it is.
    """
    document = role.assume_role_policy
    if document is not None:
        document.add_statements(*_statements(account, sign_in.principals.get(persona, ())))


def _statements(account: str, people: tuple[str, ...]) -> Iterator[iam.PolicyStatement]:
    known_tags = {"ForAllValues:StringEquals": {"aws:TagKeys": list(_SESSION_TAGS)}}
    own_tags = {f"aws:RequestTag/{tag}": f"${{aws:PrincipalTag/{tag}}}" for tag in _SESSION_TAGS}
    yield iam.PolicyStatement(
        sid="AdministratorTags",
        actions=["sts:TagSession"],
        principals=[administrator(account)],
        conditions=known_tags,
    )
    by_account: dict[str, list[str]] = {}
    for arn in people:
        by_account.setdefault(Arn.parse(arn).account, []).append(arn)
    for home, arns in sorted(by_account.items()):
        principal = narrowed(home, arns)
        yield iam.PolicyStatement(sid=f"People{home}", actions=["sts:AssumeRole"], principals=[principal])
        yield iam.PolicyStatement(
            sid=f"OwnTags{home}",
            actions=["sts:TagSession"],
            principals=[principal],
            conditions={**known_tags, "StringEqualsIfExists": own_tags},
        )
