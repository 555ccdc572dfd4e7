"""The password of git against the AWS CLI's own credential helper."""

import datetime as dt

import pytest
from awscli.customizations.codecommit import CodeCommitGetCommand
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Credentials
from mlops_foundation.local.git_login import GitLogin, git_login

PATH = "/v1/repos/churn-build"


def login_of_the_aws_cli(secret: str, region: str) -> GitLogin | None:
    session = Session()
    session.set_credentials("AKIAEXAMPLE", secret)
    password = CodeCommitGetCommand(session).sign_request(region, f"http://localhost:4566{PATH}")
    return GitLogin.parse("AKIAEXAMPLE", password)


@given(secret=st.text("abcXYZ019+/", min_size=8, max_size=40), region=st.sampled_from(["eu-west-1", "us-east-1"]))
def test_accepts_what_the_aws_cli_signs(secret: str, region: str) -> None:
    login = login_of_the_aws_cli(secret, region)
    assert login is not None
    assert login.fresh()
    assert login.signed_by(secret, host="localhost", path=PATH, region=region)


@pytest.mark.parametrize(
    ("secret", "host", "path", "region"),
    [
        ("other", "localhost", PATH, "eu-west-1"),
        ("secret", "example.com", PATH, "eu-west-1"),
        ("secret", "localhost", "/v1/repos/other", "eu-west-1"),
        ("secret", "localhost", PATH, "us-east-1"),
    ],
)
def test_refuses_another_secret_host_path_or_region(secret: str, host: str, path: str, region: str) -> None:
    login = login_of_the_aws_cli("secret", "eu-west-1")
    assert login is not None
    assert not login.signed_by(secret, host=host, path=path, region=region)


def test_our_helper_signs_the_same_and_carries_the_session_token() -> None:
    username, password = git_login(
        Credentials("ASIA", "secret", "token/+="), host="localhost:4566", path=PATH, region="eu-west-1"
    )
    login = GitLogin.parse(username, password)
    assert login is not None
    assert (login.access_key_id, login.session_token) == ("ASIA", "token/+=")
    assert login.signed_by("secret", host="localhost", path=PATH, region="eu-west-1")


def test_a_signature_ends_after_15_minutes() -> None:
    old = GitLogin("AKIA", None, now() - dt.timedelta(minutes=16), "0" * 64)
    assert not old.fresh()


def test_an_ordinary_password_is_no_signature() -> None:
    assert GitLogin.parse("someone", "secret") is None
