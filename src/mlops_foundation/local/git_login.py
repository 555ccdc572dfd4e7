"""How git signs in to CodeCommit: a Signature Version 4 signature of the clone URL as the password.

User name is the access key id, followed by ``%`` and the session token of a session; the password is
``<yyyymmddThhmmss>Z<64 hex digits>``. Both are what ``aws codecommit credential-helper`` and ``git-remote-codecommit``
send. The signature covers method ``GIT``, path and host without port; it is good for 15 minutes.

``python -m mlops_foundation.local.git_login get`` is a git credential helper for the local cloud, for machines without
the AWS CLI. It signs with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION.

Source: awscli/customizations/codecommit.py, "Signature Version 4" in the IAM user guide, git's git-credential.
"""

import datetime as dt
import hashlib
import hmac
import os
import re
import shlex
import sys
from dataclasses import dataclass
from urllib.parse import unquote

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Credentials

MAX_AGE = dt.timedelta(minutes=15)
PASSWORD = re.compile(r"(\d{8}T\d{6})Z([0-9a-f]{64})")
TIMESTAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True)
class GitLogin:
    """User name and password of one git request, taken apart."""

    access_key_id: str
    session_token: str | None
    signed_at: dt.datetime
    signature: str

    @classmethod
    def parse(cls, username: str, password: str) -> "GitLogin | None":
        """Take a login apart, or return None when it has not the form of a signature."""
        match = PASSWORD.fullmatch(password)
        if match is None:
            return None
        access_key_id, _, token = username.partition("%")
        signed_at = dt.datetime.strptime(match[1], TIMESTAMP).replace(tzinfo=dt.UTC)
        return cls(access_key_id, unquote(token) or None, signed_at, match[2])

    def fresh(self) -> bool:
        """Tell whether the signature is at most 15 minutes away from now."""
        return abs(now() - self.signed_at) <= MAX_AGE

    def signed_by(self, secret: str, *, host: str, path: str, region: str) -> bool:
        """Tell whether ``secret`` made this signature for a URL in a region."""
        expected = signature(secret, host=host, path=path, region=region, signed_at=self.signed_at)
        return hmac.compare_digest(expected, self.signature)


def signature(secret: str, *, host: str, path: str, region: str, signed_at: dt.datetime) -> str:
    """Return the hexadecimal signature of a git request; ``host`` has no port."""
    timestamp = signed_at.strftime(TIMESTAMP)
    scope = (timestamp[:8], region, "codecommit", "aws4_request")
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    to_sign = "\n".join(
        ("AWS4-HMAC-SHA256", timestamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


def git_login(credentials: Credentials, *, host: str, path: str, region: str) -> tuple[str, str]:
    """Return the user name and password with which git clones and pushes as ``credentials``.

    Args:
        credentials: Of a user, a session or the root.
        host: Host of the clone URL, with or without its port.
        path: Path of the clone URL, for example ``/v1/repos/churn-build``.
        region: Region of the repository.
    """
    signed_at = now()
    signed = signature(
        credentials.secret_access_key,
        host=host.split(":", maxsplit=1)[0],
        path=path,
        region=region,
        signed_at=signed_at,
    )
    token = f"%{credentials.session_token}" if credentials.session_token else ""
    return f"{credentials.access_key_id}{token}", f"{signed_at.strftime(TIMESTAMP)}Z{signed}"


def git_settings(endpoint_url: str) -> dict[str, str]:
    """Return variables with which git, for this address only, signs in with the AWS_* variables of its environment."""
    helper = f"!{shlex.quote(sys.executable)} -m {__name__}"
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"credential.{endpoint_url}.helper",
        "GIT_CONFIG_VALUE_0": helper,
        "GIT_CONFIG_KEY_1": f"credential.{endpoint_url}.useHttpPath",
        "GIT_CONFIG_VALUE_1": "true",
    }


def main() -> None:
    """Answer git's ``get``; ``store`` and ``erase`` need nothing, as every password is new."""
    if sys.argv[-1] != "get":
        return
    asked = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin if "=" in line)
    credentials = Credentials(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN")
    )
    region = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]
    path = f"/{asked['path'].removeprefix('/')}"
    username, password = git_login(credentials, host=asked["host"], path=path, region=region)
    sys.stdout.write(f"username={username}\npassword={password}\n")


if __name__ == "__main__":
    main()
