"""A git credential helper for the local cloud, for machines without the AWS CLI.

``git -c credential.helper='!python -m mlops_foundation.local.services.codecommit' -c credential.UseHttpPath=true clone
http://localhost:4566/v1/repos/<name>`` with ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN`` and
``AWS_REGION`` set. It answers what ``aws codecommit credential-helper --ignore-host-check`` does.

Source: git's Documentation/git-credential.
"""

import os
import sys

from mlops_foundation.local.contract import Credentials
from mlops_foundation.local.services.codecommit.password import git_login


def main() -> None:
    """Answer ``get``; ``store`` and ``erase`` need nothing, as every password is new."""
    if sys.argv[-1] != "get":
        return
    asked = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin if "=" in line)
    credentials = Credentials(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN")
    )
    region = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]
    username, password = git_login(
        credentials, host=asked["host"], path=f"/{asked['path'].removeprefix('/')}", region=region
    )
    sys.stdout.write(f"username={username}\npassword={password}\n")


main()
