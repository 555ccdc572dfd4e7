"""What the tests of the code services share: roles, git in a folder, buckets, archives, waiting."""

import io
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Statement = Mapping[str, Any]


def allow(*actions: str, resource: str | Sequence[str] = "*", **more: Any) -> Statement:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def make_role(iam: Any, name: str, *statements: Statement, trust: str | Mapping[str, Any] = "") -> str:
    """Make a role and return its ARN; ``trust`` is a service, or a principal element."""
    principal = {"Service": trust or "codebuild.amazonaws.com"} if isinstance(trust, str) else trust
    document = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    if statements:
        set_rights(iam, name, *statements)
    return str(made["Role"]["Arn"])


def set_rights(iam: Any, name: str, *statements: Statement) -> None:
    """Replace what a role may do."""
    iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps({"Statement": list(statements)}))


def make_bucket(s3: Any, name: str) -> str:
    """Make a bucket and return its name."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return name


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def wait_for(what: Callable[[], Any], timeout_s: float = 180) -> Any:
    """Call until the answer is true and return it."""
    end = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < end, f"nothing after {timeout_s} s"
        time.sleep(0.1)
    return found


class Git:
    """Git in one folder, signed in as one principal."""

    def __init__(self, folder: Path, environment: Mapping[str, str], helper: str = "") -> None:
        self.folder = folder
        self._helper = helper
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            **environment,
        }

    def __call__(self, *arguments: str) -> str:
        """Run git and return what it printed; a failure raises with it."""
        own = ("-c", f"credential.helper={self._helper}", "-c", "credential.UseHttpPath=true")
        settings = own if self._helper else ()
        done = subprocess.run(
            ["git", *settings, *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        """Write files, commit them and return the commit's id."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self("add", "--all", *files)
        self("commit", "-m", message)
        return self("rev-parse", "HEAD").strip()
