"""Who we are in each account: the platform's only door to boto3.

The same code serves AWS and the local cloud; they differ in where credentials come from and in the endpoint.
"""

import datetime as dt
import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import AccessDenied

_making = threading.Lock()
"""Clients may be used by several threads at once, but not made."""


@functools.cache
def _session() -> boto3.session.Session:
    """Return one session for all accounts of all sets: it reads each service's model, which takes long, once."""
    return boto3.session.Session()


@dataclass(frozen=True)
class Keys:
    """Credentials as text; never printed."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires: dt.datetime | None = None


class Source(Protocol):
    """Where credentials come from."""

    endpoint_url: str | None

    def keys(self, account: str, role: str) -> Keys:
        """Return credentials of a role in an account; of its administrator when ``role`` is empty."""


class Sessions:
    """Clients and environments for any account and role, each made once."""

    def __init__(self, source: Source, region: Region) -> None:
        self._source = source
        self._region = region
        self._clients: dict[tuple[str, str, str, str], Any] = {}

    @property
    def region(self) -> Region:
        """The region of all clients."""
        return self._region

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint of all clients; None for AWS itself."""
        return self._source.endpoint_url

    def client(self, service: str, account: str, role: str = "", region: str = "") -> Any:  # noqa: ANN401  boto3
        """Return a client that acts in an account as a role, or as its administrator; in another region when named."""
        with _making:
            key = (service, account, role, region or self._region)
            if key not in self._clients:
                self._clients[key] = self._made(service, self._source.keys(account, role), region or self._region)
            return self._clients[key]

    def _made(self, service: str, keys: Keys, region: str) -> Any:  # noqa: ANN401  boto3 clients
        return _session().client(
            service,
            region_name=region,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            endpoint_url=self._source.endpoint_url,
            config=Config(retries={"mode": "standard", "max_attempts": 4}, s3={"addressing_style": "path"}),
        )

    def expires(self, account: str) -> dt.datetime | None:
        """Return when the credentials of an account's administrator end; None when they do not, or do not say so.

        Raises:
            AccessDenied: When there are none.
        """
        return self._source.keys(account, "").expires

    def environment(self, account: str, role: str = "") -> dict[str, str]:
        """Return the AWS_* variables of a child process that acts in an account as a role."""
        keys = self._source.keys(account, role)
        values: Mapping[str, str | None] = {
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": keys.session_token,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ENDPOINT_URL": self._source.endpoint_url,
            # An endpoint of one's own has no rate limits: see poll_often.cjs.
            "MLOPS_CDK_POLL_MS": "200" if self._source.endpoint_url else None,
        }
        return {name: value for name, value in values.items() if value}


class ProfileSource:
    """Profiles of the shared credentials file: ``<prefix>-<environment>`` for each account, else the default chain.

    Args:
        profiles: Account id -> profile name.
    """

    endpoint_url: str | None = None

    def __init__(self, profiles: Mapping[str, str]) -> None:
        self._profiles = profiles

    def keys(self, account: str, role: str) -> Keys:
        """Return a profile's credentials, or a session of a role that the profile may assume.

        Raises:
            AccessDenied: When there are no credentials, or they belong to another account.
        """
        profile = self._profiles.get(account)
        known = profile in botocore.session.get_session().available_profiles
        try:
            session = boto3.session.Session(profile_name=profile if known else None)
            found = session.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise self._denied(account, str(error)) from error
        if found != account:
            raise self._denied(account, f"credentials of account {found}")
        if role:
            session = self._assume(session, account, role)
        held = session.get_credentials()
        # botocore keeps it to itself; credentials that do not end have none.
        expires: dt.datetime | None = getattr(held, "_expiry_time", None)
        credentials = held.get_frozen_credentials()
        return Keys(credentials.access_key, credentials.secret_key, credentials.token, expires)

    @staticmethod
    def _assume(session: Any, account: str, role: str) -> Any:  # noqa: ANN401  boto3 sessions
        try:
            made = session.client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="mlops"
            )["Credentials"]
        except ClientError as error:
            raise AccessDenied(
                error.response["Error"]["Message"],
                where=f"role {role} in account {account}",
                expected="a role that your profile may assume",
                fix="ask the platform engineer to add you to sign_in in mlops.yaml",
            ) from error
        return boto3.session.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def _denied(self, account: str, got: str) -> AccessDenied:
        profile = self._profiles.get(account, "default")
        return AccessDenied(
            f"there are no credentials for account {account}",
            where=f"AWS profile {profile}",
            got=got,
            expected=f"a profile {profile} whose credentials belong to account {account}",
            fix=f"aws configure --profile {profile}, or: aws sso login --profile {profile}",
        )
