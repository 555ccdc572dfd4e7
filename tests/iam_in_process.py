"""IAM in this process: roles with policies and sessions of them, decided about as the local cloud does, without one."""

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import iam as ministack_iam

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import Check, Principal

REGION = Region("eu-west-1")
Statements = Sequence[Mapping[str, Any]]
_NUMBERS = itertools.count()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change ministack's decisions as the local cloud changes them, until the test ends."""
    for name in ("_resolve_condition_key", "_first_match", "_conditions_met"):
        monkeypatch.setattr(iam_evaluator, name, getattr(iam_evaluator, name))
    iam.name_the_role(None)
    iam.know_policy_variables(None)


def ask(account: str, action: str, **parameters: str) -> None:
    """Have IAM do something in an account."""
    body = urlencode({"Action": action, **parameters}).encode()
    with request_scope(account, REGION):
        status, _, answer = asyncio.run(ministack_iam.handle_request("POST", "/", {}, body, {}))
    assert status == 200, answer


def policy(statements: Statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_role(
    account: str,
    statements: Statements,
    *,
    name: str = "person",
    path: str = "/",
    boundary: Statements = (),
    trust: Statements = (),
) -> str:
    """Make a role, with a boundary when one is given, and return its ARN."""
    limit = {}
    if boundary:
        ask(account, "CreatePolicy", PolicyName=f"{name}-limit", PolicyDocument=policy(boundary))
        limit = {"PermissionsBoundary": f"arn:aws:iam::{account}:policy/{name}-limit"}
    ask(account, "CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=policy(trust), **limit)
    if statements:
        ask(account, "PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=policy(statements))
    return f"arn:aws:iam::{account}:role{path}{name}"


def new_name() -> str:
    """Return a name that no other role of this process has."""
    return f"acting-{next(_NUMBERS)}"


def session(role_arn: str, tags: Mapping[str, str] | None = None) -> Principal:
    return iam.start_session(role_arn, "test", "nobody", tags)


def decision(who: Principal, action: str, resource: str, keys: Mapping[str, str | Sequence[str]] | None = None) -> str:
    """Return what the principal's own policies and limits come to, on a resource whose policy leaves it to them.

    Args:
        who: Who asks.
        action: What for.
        resource: On what; one of another account, or of S3, lets the principal's account in.
        keys: Condition keys of the request.
    """
    parts = resource.split(":", 5)
    owner = parts[4] if len(parts) > 5 else ""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    leaves = policy([{**everything, "Principal": {"AWS": f"arn:aws:iam::{who.account}:root"}}])
    return iam.decide(who, Check(action, resource, keys or {}), REGION, (leaves, AccountId(owner or who.account)))
