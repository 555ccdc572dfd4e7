"""How people reach the accounts: links of the console that switch to a role, and profiles for the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from mlops_foundation.core.names import PERSONAS, persona_role
from mlops_foundation.plan.models import Plan, SetPlan

SWITCH_ROLE: Final = "https://signin.aws.amazon.com/switchrole"
_DISPLAY_NAME_MAX: Final = 64

Form = Literal["sso", "keys"]

_SSO_HEAD: Final = """\
# For ~/.aws/config (outside of any repository). Replace what stands in <>, then: aws sso login --sso-session {prefix}
[sso-session {prefix}]
sso_start_url = <https://your-directory.awsapps.com/start>
sso_region = <region of IAM Identity Center>
sso_registration_scopes = sso:account:access
"""
_SSO_PROFILE: Final = """
[profile {profile}]
sso_session = {prefix}
sso_account_id = {account}
sso_role_name = <permission set>
region = {region}
"""
_KEYS_HEAD: Final = """\
# For ~/.aws/credentials (outside of any repository). Replace what stands in <>. Prefer temporary credentials to
# permanent keys, and IAM Identity Center to both.
"""
_KEYS_PROFILE: Final = """
[{profile}]
# account {account}
aws_access_key_id = <access key id>
aws_secret_access_key = <secret access key>
aws_session_token = <session token; remove the line for keys of an IAM user>
region = {region}
"""


@dataclass(frozen=True)
class RoleLink:
    """The link that switches to a persona's role in an account.

    Attributes:
        set_name: The set of accounts.
        persona: Whose role.
        account: Its account.
        role: Its name.
        link: For the console, once signed in to an account whose role or user may take this one.
    """

    set_name: str
    persona: str
    account: str
    role: str
    link: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {("set" if name == "set_name" else name): value for name, value in vars(self).items()}


def role_links(plan: Plan) -> tuple[RoleLink, ...]:
    """Return the link of each persona's role in each account that has it, of every set."""
    return tuple(dict.fromkeys(link for each in plan.sets for link in _links(each)))


def _links(each: SetPlan) -> Iterator[RoleLink]:
    deployers = dict.fromkeys(each.engineer_account(account) for account in each.accounts.values())
    for persona in PERSONAS:
        accounts = deployers if persona == "platform-engineer" else [each.account("dev")]
        for account in accounts:
            role = persona_role(persona, each.region, account)
            shown = f"{each.prefix} {persona} {each.region}"[:_DISPLAY_NAME_MAX]
            query = urlencode({"account": account, "roleName": role, "displayName": shown}, quote_via=quote)
            yield RoleLink(each.name, persona, account, role, f"{SWITCH_ROLE}?{query}")


def credentials_template(plan: Plan, form: Form) -> str:
    """Return the profiles that the command line looks for, one for each account, with places to fill in; never a key.

    Args:
        plan: Every set.
        form: Sign-in with IAM Identity Center, or keys.
    """
    head, profile = (_SSO_HEAD, _SSO_PROFILE) if form == "sso" else (_KEYS_HEAD, _KEYS_PROFILE)
    parts: list[str] = []
    for each in plan.sets:
        known = {"prefix": each.prefix, "region": each.region}
        parts.append(head.format(**known))
        parts += [
            profile.format(profile=f"{each.prefix}-{environment}", account=account, **known)
            for environment, account in each.accounts.items()
        ]
    # Sets with the same prefix share a session, and the words before all keys are the same.
    return "".join(dict.fromkeys(parts))
