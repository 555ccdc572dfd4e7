"""Credentials by profile: the right account, a role that may be taken, and what is said when there are none.

A small STS answers on 127.0.0.1: access key ``AKIA<account>`` belongs to that account.
"""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from mlops_foundation.aws.sessions import Keys, ProfileSource, Sessions
from mlops_foundation.core.arns import Region
from mlops_foundation.core.errors import AccessDenied

DEV, PROD = "222222222222", "444444444444"
REGION = Region("eu-west-1")


class Sts(BaseHTTPRequestHandler):
    """Says who a key belongs to; lets the role ``lead`` be assumed and no other."""

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        key = re.search(r"Credential=(\w+)/", self.headers["Authorization"])
        account = key.group(1).removeprefix("AKIA") if key else ""
        action = asked["Action"][0]
        if action == "GetCallerIdentity":
            self._answer(200, f"<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/me</Arn>", action)
        elif asked["RoleArn"][0].endswith("role/lead"):
            keys = "<AccessKeyId>ASIALEAD</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            rest = "<SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>"
            self._answer(200, f"<Credentials>{keys}{rest}</Credentials>", action)
        else:
            message = f"User is not authorized to perform: sts:AssumeRole on {asked['RoleArn'][0]}"
            self._send(
                403,
                f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>",
            )

    def _answer(self, status: int, result: str, action: str) -> None:
        self._send(status, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")

    def _send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the tests' output clean."""


@pytest.fixture
def sts() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Sts)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def profiles(sts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An AWS configuration of its own: profile mlops-dev, and nothing of the machine's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[mlops-dev]\naws_access_key_id = AKIA{DEV}\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
    return credentials


def source() -> ProfileSource:
    return ProfileSource({DEV: "mlops-dev", PROD: "mlops-prod"})


@pytest.mark.usefixtures("profiles")
def test_a_profile_gives_its_accounts_credentials() -> None:
    assert source().keys(DEV, "") == Keys(f"AKIA{DEV}", "secret", None)


@pytest.mark.usefixtures("profiles")
def test_a_profile_in_the_environment_that_is_not_there_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert source().keys(DEV, "").access_key_id == f"AKIA{DEV}"
    with pytest.raises(AccessDenied, match=f"no credentials for account {PROD}") as raised:
        source().keys(PROD, "")
    assert "gone" in raised.value.problems[0].got


@pytest.mark.usefixtures("profiles")
def test_a_role_is_taken_with_the_profile() -> None:
    assert source().keys(DEV, "lead") == Keys("ASIALEAD", "s", "t")


@pytest.mark.usefixtures("profiles")
def test_a_role_that_may_not_be_taken_is_an_error_with_who_can_help() -> None:
    with pytest.raises(AccessDenied, match=f"sts:AssumeRole on arn:aws:iam::{DEV}:role/auditor") as raised:
        source().keys(DEV, "auditor")
    problem = raised.value.problems[0]
    assert problem.where == f"role auditor in account {DEV}"
    assert "sign_in in mlops.yaml" in problem.fix


def test_credentials_of_another_account_are_never_used(profiles: Path) -> None:
    profiles.write_text(
        profiles.read_text() + f"[mlops-prod]\naws_access_key_id = AKIA{DEV}\naws_secret_access_key = s\n"
    )
    with pytest.raises(AccessDenied, match=f"no credentials for account {PROD}") as raised:
        source().keys(PROD, "")
    problem = raised.value.problems[0]
    assert problem.got == f"credentials of account {DEV}"
    assert problem.where == "AWS profile mlops-prod"
    assert "aws configure --profile mlops-prod" in problem.fix


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("data_path", ["", "/models"])
def test_without_a_profile_the_default_chain_is_asked_and_its_account_is_checked(
    data_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With a path for further models (the AWS CLI sets one) boto3 finds out about a missing profile much later.
    monkeypatch.setenv("AWS_DATA_PATH", data_path)
    with pytest.raises(AccessDenied, match=f"no credentials for account {PROD}"):
        source().keys(PROD, "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{PROD}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-environment")
    assert source().keys(PROD, "").secret_access_key == "from-environment"


def test_secrets_are_in_no_representation() -> None:
    assert "hidden" not in repr(Keys("AKIA", "hidden", "hidden"))


class FakeSource:
    """Counts how often credentials are asked for."""

    endpoint_url: str | None = "http://localhost:1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def keys(self, account: str, role: str) -> Keys:
        self.asked.append((account, role))
        return Keys(f"{account}{role}", "secret", "token" if role else None)


def test_each_account_and_role_has_one_client_with_its_own_credentials() -> None:
    asked = FakeSource()
    sessions = Sessions(asked, REGION)
    first = sessions.client("ssm", DEV)
    assert sessions.client("ssm", DEV) is first
    assert sessions.client("ssm", DEV, "lead") is not first
    assert sessions.client("ssm", PROD) is not first
    assert asked.asked == [(DEV, ""), (DEV, "lead"), (PROD, "")]
    assert first.meta.endpoint_url == "http://localhost:1"
    assert first.meta.region_name == REGION


def test_a_child_process_gets_no_variable_without_a_value() -> None:
    sessions = Sessions(FakeSource(), REGION)
    assert sessions.environment(DEV) == {
        "AWS_ACCESS_KEY_ID": DEV,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": "http://localhost:1",
        "MLOPS_CDK_POLL_MS": "200",
    }
    assert sessions.environment(DEV, "lead")["AWS_SESSION_TOKEN"] == "token"
