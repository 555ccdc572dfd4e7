"""What one authorization asks and says, and what IAM decides for sessions of roles: a case for each rule."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import iam as ministack_iam
from ministack.services import kms, s3, sts

from iam_in_process import REGION, ask, install, make_role, policy, session
from mlops_foundation.core.arns import AccountId, Arn
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.adapter.iam import ResourcePolicy
from mlops_foundation.local.authorize import authorize
from mlops_foundation.local.contract import Check, Principal, Service, ServiceError

_NUMBERS = itertools.count(700000000001)
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountId]:
    """An account that no other test uses, where decisions are the local cloud's."""
    install(monkeypatch)
    return AccountId(str(next(_NUMBERS)))


def allow(actions: str, resource: str = "*", **conditions: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, "Condition": conditions}


def deny(actions: str, resource: str = "*", **conditions: Any) -> dict[str, Any]:
    return {**allow(actions, resource, **conditions), "Effect": "Deny"}


class Things(Service):
    """Has one thing, with tags and a policy of its own."""

    name = "things"

    def __init__(self, tags: Mapping[str, str], own: ResourcePolicy | None) -> None:
        self._tags = tags
        self._own = own

    def tags_of(self, arn: str) -> Mapping[str, str]:
        return self._tags

    def policy_of(self, arn: str) -> ResourcePolicy | None:
        return self._own


def thing(account: str, name: str = "one") -> str:
    return f"arn:aws:things:{REGION}:{account}:thing/{name}"


def refusal(who: Principal, check: Check, service: Service | None = None) -> ServiceError | None:
    """Return what the authorization raises, None when it lets through."""
    asked: list[str] = []

    def service_of(arn: str) -> Service | None:
        asked.append(arn)
        return service

    try:
        authorize(who, check, REGION, service_of)
    except ServiceError as error:
        return error
    finally:
        assert asked == [check.resource]
    return None


# --- authorize --------------------------------------------------------------------------------------------------------


def test_what_a_policy_allows_is_let_through_and_nothing_else(account: AccountId) -> None:
    who = session(make_role(account, [allow("things:Get", thing(account))]))
    assert refusal(who, Check("things:Get", thing(account))) is None
    for check in (Check("things:Put", thing(account)), Check("things:Get", thing(account, "two"))):
        error = refusal(who, check)
        assert error is not None
        assert (error.code, error.status) == ("AccessDeniedException", 400)
        assert f"{who.arn} is not authorized to perform: {check.action} on resource: {check.resource}" in error.message
        assert "because no identity-based policy allows" in error.message


def test_a_deny_wins_and_is_called_explicit(account: AccountId) -> None:
    who = session(make_role(account, [ANYTHING, deny("things:Put")]))
    error = refusal(who, Check("things:Put", thing(account)))
    assert error is not None
    assert "with an explicit deny" in error.message


def test_a_refusal_of_s3_is_403_as_its_clients_expect(account: AccountId) -> None:
    error = refusal(session(make_role(account, [])), Check("s3:GetObject", "arn:aws:s3:::nobodys/x"))
    assert error is not None
    assert error.status == 403


def test_tags_of_the_resource_are_condition_keys(account: AccountId) -> None:
    own = allow("things:Get", StringEquals={"aws:ResourceTag/team": "red"})
    who = session(make_role(account, [own]))
    check = Check("things:Get", thing(account))
    assert refusal(who, check, Things({"team": "red"}, None)) is None
    for tags in ({"team": "blue"}, {"other": "red"}, {}):
        assert refusal(who, check, Things(tags, None)) is not None


def test_what_a_request_says_of_a_tag_comes_before_what_the_resource_has(account: AccountId) -> None:
    """CloudFormation says the tags of what it is about to make, which has none yet."""
    own = allow("things:Get", StringEquals={"aws:ResourceTag/team": "red"})
    who = session(make_role(account, [own]))
    said = Check("things:Get", thing(account), {"aws:ResourceTag/team": "red"})
    assert refusal(who, said, Things({"team": "blue"}, None)) is None
    assert refusal(who, Check(said.action, said.resource, {"aws:ResourceTag/team": "blue"}), Things({}, None))


def test_condition_keys_of_the_request_are_read_whatever_their_case(account: AccountId) -> None:
    own = allow("things:Get", StringEquals={"Things:COLOUR": "red"})
    who = session(make_role(account, [own]))
    assert refusal(who, Check("things:Get", thing(account), {"things:Colour": "red"})) is None
    assert refusal(who, Check("things:Get", thing(account), {"things:Colour": "blue"})) is not None


def test_a_policy_of_the_resource_lets_in_another_account_only_together_with_its_own(account: AccountId) -> None:
    other = AccountId(str(next(_NUMBERS)))
    open_to_all = (policy([{**ANYTHING, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}]), other)
    closed = (policy([{**deny("things:Get"), "Principal": "*"}]), other)
    check = Check("things:Get", thing(other))
    may = session(make_role(account, [ANYTHING]))
    assert refusal(may, check, Things({}, open_to_all)) is None
    assert refusal(may, check, Things({}, None)) is not None, "its account did not let anybody in"
    assert refusal(may, check, Things({}, ("", other))) is not None
    error = refusal(may, check, Things({}, closed))
    assert error is not None
    assert "explicit deny" in error.message
    assert refusal(session(make_role(account, [], name="intern")), check, Things({}, open_to_all)) is not None


def test_in_one_account_the_resources_policy_is_enough_and_may_deny(account: AccountId) -> None:
    arn = make_role(account, [])
    own = (policy([{**ANYTHING, "Principal": {"AWS": arn}}]), account)
    assert refusal(session(arn), Check("things:Get", thing(account)), Things({}, own)) is None
    never = (policy([{**deny("*"), "Principal": "*"}]), account)
    may = session(make_role(account, [ANYTHING], name="admin"))
    assert refusal(may, Check("things:Get", thing(account)), Things({}, never)) is not None
    assert refusal(may, Check("things:Get", thing(account)), Things({}, ("", account))) is None


def test_tags_and_policies_of_what_ministack_serves_are_asked_of_it(account: AccountId) -> None:
    with request_scope(account, REGION):
        _, _, body = kms._create_key({"Tags": [{"TagKey": "team", "TagValue": "red"}]})
        key = json.loads(body)["KeyMetadata"]["Arn"]
    own = allow("kms:DescribeKey", StringEquals={"aws:ResourceTag/team": "red"})
    with request_scope(account, REGION):
        assert refusal(session(make_role(account, [own])), Check("kms:DescribeKey", key)) is None
        blue = allow("kms:DescribeKey", StringEquals={"aws:ResourceTag/team": "blue"})
        assert refusal(session(make_role(account, [blue], name="blue")), Check("kms:DescribeKey", key)) is not None


def test_the_policy_of_a_key_that_ministack_serves_is_asked_too(account: AccountId) -> None:
    arn = make_role(account, [ANYTHING])
    root = {**ANYTHING, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    closed = policy([root, {**deny("kms:Decrypt"), "Principal": {"AWS": arn}}])
    with request_scope(account, REGION):
        _, _, body = kms._create_key({"Policy": closed})
        key = json.loads(body)["KeyMetadata"]["Arn"]
        assert refusal(session(arn), Check("kms:DescribeKey", key)) is None
        error = refusal(session(arn), Check("kms:Decrypt", key))
    assert error is not None
    assert "explicit deny" in error.message


# --- iam.decide -------------------------------------------------------------------------------------------------------


def decide(who: Principal, action: str, resource: str, own: ResourcePolicy | None = None, **keys: Any) -> str:
    return iam.decide(who, Check(action, resource, keys), REGION, own)


def test_root_may_everything_in_its_account_and_nothing_elsewhere(account: AccountId) -> None:
    root = iam.root_of(account)
    assert decide(root, "things:Get", thing(account)) == "Allow"
    assert decide(root, "things:Get", "*") == "Allow"
    assert decide(root, "things:Get", thing("799999999999")) == "ImplicitDeny"
    let_in = policy([{**ANYTHING, "Principal": {"AWS": root.arn}}])
    assert decide(root, "things:Get", thing("799999999999"), (let_in, AccountId("799999999999"))) == "Allow"


def test_a_session_that_nobody_holds_may_nothing(account: AccountId) -> None:
    known = session(make_role(account, [ANYTHING]))
    unknown = iam.Credentials("ASIAUNKNOWNUNKNOWN12", "secret", "token")  # pragma: allowlist secret
    assert decide(Principal(known.arn, account, "AssumedRole", unknown), "things:Get", thing(account)) == "ImplicitDeny"


def test_the_boundary_limits_what_policies_allow(account: AccountId) -> None:
    limited = make_role(account, [ANYTHING], boundary=[allow("things:Get"), deny("things:Get", thing(account, "no"))])
    who = session(limited)
    assert decide(who, "things:Get", thing(account)) == "Allow"
    assert decide(who, "things:Put", thing(account)) == "ImplicitDeny"
    assert decide(who, "things:Get", thing(account, "no")) == "Deny"


def test_a_boundary_limits_what_the_resources_policy_allows_the_role(account: AccountId) -> None:
    arn = make_role(account, [], boundary=[allow("things:Get")])
    own = (policy([{**ANYTHING, "Principal": {"AWS": arn}}]), account)
    assert decide(session(arn), "things:Get", thing(account), own) == "Allow"
    assert decide(session(arn), "things:Put", thing(account), own) != "Allow"


def test_a_key_of_the_own_account_needs_its_policy_too(account: AccountId) -> None:
    who = session(make_role(account, [ANYTHING]))
    key = f"arn:aws:kms:{REGION}:{account}:key/k"
    assert decide(who, "kms:Decrypt", key, ("", account)) == "ImplicitDeny"
    root = {**ANYTHING, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    assert decide(who, "kms:Decrypt", key, (policy([root]), account)) == "Allow"
    assert decide(who, "things:Get", thing(account), ("", account)) == "Allow"


def test_what_has_no_account_belongs_to_who_asks(account: AccountId) -> None:
    who = session(make_role(account, [ANYTHING]))
    assert decide(who, "s3:GetObject", "arn:aws:s3:::bucket/x") == "Allow"
    assert decide(who, "things:List", "*") == "Allow"
    assert decide(who, "things:Get", thing("799999999999")) == "ImplicitDeny"


def test_region_secure_transport_and_session_tags_are_known_to_conditions(account: AccountId) -> None:
    for operator, key, value, good in (
        ("StringEquals", "aws:RequestedRegion", REGION, True),
        ("StringEquals", "aws:RequestedRegion", "us-east-1", False),
        ("Bool", "aws:SecureTransport", "true", True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("StringEquals", "aws:PrincipalTag/team", "red", True),
        ("StringEquals", "aws:PrincipalTag/team", "blue", False),
        ("StringEquals", "aws:PrincipalAccount", account, True),
        ("StringEquals", "aws:PrincipalType", "AssumedRole", True),
        ("Null", "aws:TagKeys", "true", True),
        ("Null", "aws:TagKeys", "false", False),
    ):
        name = f"r{next(_NUMBERS)}"
        who = session(make_role(account, [allow("things:Get", **{operator: {key: value}})], name=name), {"team": "red"})
        assert (decide(who, "things:Get", thing(account)) == "Allow") is good, (key, value)


def test_tag_keys_of_the_request_are_seen(account: AccountId) -> None:
    own = allow("things:Tag", **{"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}})
    who = session(make_role(account, [own]))
    assert decide(who, "things:Tag", thing(account), **{"aws:TagKeys": ["b", "a"]}) == "Allow"
    assert decide(who, "things:Tag", thing(account), **{"aws:TagKeys": ["b"]}) == "ImplicitDeny"


def test_the_arn_of_a_session_is_its_roles_with_the_path(account: AccountId) -> None:
    arn = make_role(account, [ANYTHING], path="/mlops/churn/")
    named = allow("things:Get", ArnEquals={"aws:PrincipalArn": arn})
    ask(account, "PutRolePolicy", RoleName="person", PolicyName="p", PolicyDocument=policy([named]))
    who = session(arn)
    assert who.arn == f"arn:aws:sts::{account}:assumed-role/person/test"
    assert iam.role_of_session(who.arn) == arn
    assert iam.role_of_session(arn) is None
    assert iam.role_of_session(f"arn:aws:sts::{account}:assumed-role/nobody/test") is None
    assert decide(who, "things:Get", thing(account)) == "Allow"
    root = {**named, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    assert decide(iam.root_of(account), "kms:Get", thing(account), (policy([root]), account)) == "Allow"


# --- policy variables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "name", "good"),
    [
        ("${aws:PrincipalTag/p}", "red", True),
        ("${aws:PrincipalTag/p}", "blue", False),
        ("${aws:PrincipalTag/absent}", "red", False),
        ("${aws:PrincipalTag/absent}*", "red", False),
        ("${aws:PrincipalTag/absent, 'dflt'}", "dflt", True),
        ("${aws:PrincipalTag/p, 'dflt'}", "dflt", False),
        ("${*}", "*", True),
        ("x${$}{y}", "x${y}", True),
        ("${aws:PrincipalTag/p}-${aws:PrincipalTag/q}", "red-2", True),
    ],
)
def test_a_variable_in_a_resource_has_the_sessions_value(
    account: AccountId, resource: str, name: str, good: bool
) -> None:
    who = session(make_role(account, [allow("things:Get", thing(account, resource))]), {"p": "red", "q": "2"})
    assert (decide(who, "things:Get", thing(account, name)) == "Allow") is good


def test_a_variable_in_what_a_statement_is_not_about(account: AccountId) -> None:
    others = {"Effect": "Deny", "Action": "*", "NotResource": thing(account, "${aws:PrincipalTag/p}")}
    who = session(make_role(account, [ANYTHING, others]), {"p": "red"})
    assert decide(who, "things:Get", thing(account, "red")) == "Allow"
    assert decide(who, "things:Get", thing(account, "blue")) == "Deny"


@pytest.mark.parametrize("value", ["${aws:PrincipalTag/p}", ["x", "${aws:PrincipalTag/p}"]])
def test_a_variable_in_a_condition(account: AccountId, value: Any) -> None:
    own = allow("things:Get", StringEquals={"aws:ResourceTag/p": value})
    who = session(make_role(account, [own]), {"p": "red"})
    assert decide(who, "things:Get", thing(account), **{"aws:ResourceTag/p": "red"}) == "Allow"
    assert decide(who, "things:Get", thing(account), **{"aws:ResourceTag/p": "blue"}) == "ImplicitDeny"
    assert decide(who, "things:Get", thing(account), **{"aws:ResourceTag/p": "${aws:PrincipalTag/p}"}) != "Allow"


# --- who and what -----------------------------------------------------------------------------------------------------


def test_a_session_is_who_holds_its_key_and_its_token(account: AccountId) -> None:
    who = session(make_role(account, []))
    key, token = who.credentials.access_key_id, who.credentials.session_token
    assert iam.principal_for(key, token) == who
    assert iam.principal_for(key, "another") is None
    assert iam.principal_for(key, None) == who
    assert iam.principal_for("ASIAUNKNOWNUNKNOWN12", token) is None  # pragma: allowlist secret
    root = iam.principal_for(account, None)
    assert root is not None
    assert (root.arn, root.account, root.kind) == (f"arn:aws:iam::{account}:root", account, "Root")
    assert iam.root_of(account) == root


def test_a_user_is_who_holds_its_key(account: AccountId) -> None:
    ask(account, "CreateUser", UserName="ann")
    ask(account, "CreateAccessKey", UserName="ann")
    (key,) = [name for (scope, name) in ministack_iam._access_keys._data if scope == account]
    found = iam.principal_for(key, None)
    assert found is not None
    assert (found.arn, found.kind, found.account) == (f"arn:aws:iam::{account}:user/ann", "User", account)


def test_accounts_of_a_key_and_of_a_resource(account: AccountId) -> None:
    other = "799999999998"
    key = session(make_role(account, [])).credentials.access_key_id
    assert iam.accounts_of(key, thing(other)) == (account, other)
    assert iam.accounts_of(key, "arn:aws:iam::aws:policy/x") == (account, "aws")
    assert iam.accounts_of(key, "*") == (account, account)
    assert iam.accounts_of(key, f"arn:aws:logs:{REGION}:{other}:log-group:/x:*") == (account, other)
    assert iam.accounts_of(key, "arn:aws:s3:::nobodys/x") == (account, account)
    with request_scope(other, REGION):
        s3._create_bucket("theirs-799999999998", b"", {})
    assert iam.accounts_of(key, "arn:aws:s3:::theirs-799999999998/x/y") == (account, other)
    assert iam.accounts_of("ASIAUNKNOWNUNKNOWN12", "*") == ("", "")  # pragma: allowlist secret


def test_who_took_a_session_is_nobody_when_a_service_started_it(account: AccountId) -> None:
    assert iam.taken_by(session(make_role(account, [])).credentials.access_key_id) == ""
    assert iam.taken_by("ASIAUNKNOWNUNKNOWN12") == ""  # pragma: allowlist secret


def test_a_role_is_found_by_its_whole_arn_and_by_its_name(account: AccountId) -> None:
    arn = make_role(account, [], path="/mlops/")
    found = iam.role(arn)
    assert found is not None
    assert found["Arn"] == arn
    assert iam.role(f"arn:aws:iam::{account}:role/person") is None, "the path is part of it"
    assert iam.role("person") is None
    assert iam.role(f"arn:aws:iam::{account}:role/nobody") is None
    assert iam.role_named(account, "person") == arn
    assert iam.role_named(account, "nobody") is None


def trusting(service: str | list[str], **conditions: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": conditions,
    }


SAGEMAKER = "sagemaker.amazonaws.com"


@pytest.mark.parametrize(
    ("trust", "good"),
    [
        ([trusting(SAGEMAKER)], True),
        ([trusting(["events.amazonaws.com", SAGEMAKER])], True),
        ([trusting("events.amazonaws.com")], False),
        ([], False),
        ([{**trusting(SAGEMAKER), "Effect": "Deny"}, trusting(SAGEMAKER)], False),
        ([{**trusting(SAGEMAKER), "Action": "sts:TagSession"}], False),
        ([{**trusting(SAGEMAKER), "Principal": {"AWS": "*"}}], False),
        ([trusting(SAGEMAKER, StringEquals={"aws:SourceAccount": "ACCOUNT"})], True),
        ([trusting(SAGEMAKER, StringEquals={"aws:SourceAccount": "799999999999"})], False),
        ([trusting(SAGEMAKER, ArnLike={"aws:SourceArn": "arn:aws:sagemaker:*:ACCOUNT:training-job/*"})], True),
        ([trusting(SAGEMAKER, ArnLike={"aws:SourceArn": "arn:aws:sagemaker:*:ACCOUNT:model/*"})], False),
    ],
)
def test_a_service_takes_a_role_that_trusts_it_for_what_it_acts_for(
    account: AccountId, trust: list[dict[str, Any]], good: bool
) -> None:
    arn = make_role(account, [ANYTHING], trust=json.loads(json.dumps(trust).replace("ACCOUNT", account)))
    source = f"arn:aws:sagemaker:{REGION}:{account}:training-job/one"
    if good:
        taken = iam.assume_as_service(arn, SAGEMAKER, "job", source, REGION)
        assert taken.arn == f"arn:aws:sts::{account}:assumed-role/person/job"
        assert decide(taken, "things:Get", thing(account)) == "Allow"
    else:
        with pytest.raises(ServiceError, match="trust policy does not allow it") as raised:
            iam.assume_as_service(arn, SAGEMAKER, "job", source, REGION)
        assert raised.value.code == "AccessDeniedException"
        assert f"sts:AssumeRole on resource: {arn}" in raised.value.message


def test_without_a_source_the_account_is_the_roles_and_no_source_is_known(account: AccountId) -> None:
    own = trusting(SAGEMAKER, StringEquals={"aws:SourceAccount": str(account)}, Null={"aws:SourceArn": "true"})
    arn = make_role(account, [], trust=[own])
    assert iam.assume_as_service(arn, SAGEMAKER, "job", "", REGION).account == account


def test_a_role_that_there_is_not_is_taken_by_nobody(account: AccountId) -> None:
    with pytest.raises(ServiceError, match="the role does not exist") as raised:
        iam.assume_as_service(f"arn:aws:iam::{account}:role/nobody", SAGEMAKER, "job", "", REGION)
    assert raised.value.code == "AccessDeniedException"


def test_the_account_that_a_service_acts_for_is_that_of_its_source(account: AccountId) -> None:
    """A role that names its own account would otherwise be taken for another account's job: a confused deputy."""
    arn = make_role(account, [], trust=[trusting(SAGEMAKER, StringEquals={"aws:SourceAccount": str(account)})])
    with pytest.raises(ServiceError, match="trust policy"):
        iam.assume_as_service(arn, SAGEMAKER, "job", f"arn:aws:sagemaker:{REGION}:799999999999:training-job/x", REGION)


def test_a_function_is_known_by_the_account_in_the_arn_of_its_session(account: AccountId) -> None:
    arn = f"arn:aws:sts::{account}:assumed-role/person/function"
    key_id = "ASIA" + "FUNCTION" * 2
    sts.register_session(key_id, {"Arn": arn, "SecretAccessKey": "s", "SessionToken": "t"})
    found = iam.principal_for(key_id, "t")
    assert found is not None
    assert (found.arn, found.account) == (arn, account)


def test_a_session_has_a_key_of_its_own_a_name_that_fits_and_an_end(account: AccountId) -> None:
    arn = make_role(account, [])
    first, second = (iam.start_session(arn, "n" * 80, "who", {"team": "red"}) for _ in range(2))
    assert first.arn == f"arn:aws:sts::{account}:assumed-role/person/{'n' * 64}"
    assert len(first.credentials.access_key_id) == 20
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", first.credentials.access_key_id)
    assert first.credentials != second.credentials
    assert len(first.credentials.secret_access_key) == 40
    assert first.credentials.session_token
    assert len(first.credentials.session_token) == 64
    assert Arn.parse(first.arn).account == first.account == account
    assert first.kind == "AssumedRole"
