"""What is read of an account before anything is changed in it: what each answer of AWS comes to.

``tests/local/test_preflight.py`` asks a whole cloud; here the answers are given, those that a cloud seldom gives too.
"""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from mlops_foundation.aws import accounts
from mlops_foundation.aws.accounts import BOOTSTRAP_ACTIONS, Caller, Quota, Record
from mlops_foundation.plan.quotas import ELASTIC_ADDRESSES, ROLES, VPCS

DEV, REGION = "2" * 12, "eu-west-1"
WHEN = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
SESSION = f"arn:aws:sts::{DEV}:assumed-role/Admin/ann"
Answered = Callable[..., Any]
MODELS = boto3.session.Session()
"""One for all clients: it reads each service's model once."""


@pytest.fixture
def answered() -> Any:
    """Clients that give these answers in this order, to exactly these requests."""
    stubs = []

    def make(service: str, *answers: tuple[str, Any, dict[str, Any]]) -> Any:
        keys = {"aws_access_key_id": DEV, "aws_secret_access_key": "test"}
        client = MODELS.client(service, region_name=REGION, **keys)
        stub = Stubber(client)
        for operation, answer, request in answers:
            if isinstance(answer, str):
                code, _, message = answer.partition(": ")
                stub.add_client_error(operation, code, message, expected_params=request)
            else:
                stub.add_response(operation, answer, request)
        stub.activate()
        stubs.append(stub)
        return client

    yield make
    for stub in stubs:
        stub.assert_no_pending_responses()


def test_the_caller_is_who_sts_says_until_the_credentials_end(answered: Answered) -> None:
    identity = {"Arn": SESSION, "Account": DEV, "UserId": "AROA:ann"}
    assert accounts.caller(answered("sts", ("get_caller_identity", identity, {})), WHEN) == Caller(SESSION, WHEN)
    assert accounts.caller(answered("sts", ("get_caller_identity", identity, {}))) == Caller(SESSION, None)


@pytest.mark.parametrize(
    ("arn", "root", "source"),
    [
        (f"arn:aws:iam::{DEV}:root", True, f"arn:aws:iam::{DEV}:root"),
        (f"arn:aws:iam::{DEV}:user/root", False, f"arn:aws:iam::{DEV}:user/root"),
        (SESSION, False, f"arn:aws:iam::{DEV}:role/Admin"),
        (f"arn:aws:sts::{DEV}:assumed-role/Admin/a/b", False, f"arn:aws:iam::{DEV}:role/Admin"),
    ],
)
def test_iam_simulates_the_role_of_a_session(arn: str, root: bool, source: str) -> None:
    assert (Caller(arn).is_root, Caller(arn).policy_source) == (root, source)


def decided(**decisions: str) -> dict[str, Any]:
    return {
        "EvaluationResults": [
            {"EvalActionName": name.replace("__", ":"), "EvalDecision": decision}
            for name, decision in decisions.items()
        ]
    }


def test_every_action_that_is_not_allowed_is_refused(answered: Answered) -> None:
    answer = decided(iam__CreateRole="implicitDeny", s3__CreateBucket="allowed", iam__CreatePolicy="explicitDeny")
    request = {"PolicySourceArn": f"arn:aws:iam::{DEV}:role/Admin", "ActionNames": list(BOOTSTRAP_ACTIONS)}
    iam = answered("iam", ("simulate_principal_policy", answer, request))
    assert accounts.refused_actions(iam, Caller(SESSION)) == ["iam:CreateRole", "iam:CreatePolicy"]
    few = {**request, "ActionNames": ["ssm:PutParameter"]}
    iam = answered("iam", ("simulate_principal_policy", decided(ssm__PutParameter="allowed"), few))
    assert accounts.refused_actions(iam, Caller(SESSION), ["ssm:PutParameter"]) == []


def test_root_is_not_simulated(answered: Answered) -> None:
    assert accounts.refused_actions(answered("iam"), Caller(f"arn:aws:iam::{DEV}:root")) == []


PATH = "/aws/service/global-infrastructure/regions/eu-west-1/services"


def test_services_of_a_region_are_read_to_the_last_page(answered: Answered) -> None:
    ssm = answered(
        "ssm",
        ("get_parameters_by_path", {"Parameters": [{"Value": "kms"}], "NextToken": "more"}, {"Path": PATH}),
        ("get_parameters_by_path", {"Parameters": [{"Value": "s3"}]}, {"Path": PATH, "NextToken": "more"}),
    )
    assert accounts.region_services(ssm, REGION) == {"kms", "s3"}


def test_no_public_parameter_is_no_answer_and_not_no_service(answered: Answered) -> None:
    assert (
        accounts.region_services(
            answered("ssm", ("get_parameters_by_path", {"Parameters": []}, {"Path": PATH})), REGION
        )
        is None
    )


def test_botocore_knows_which_services_a_region_has() -> None:
    asked = ("codecommit", "sagemaker")
    assert accounts.known_services("eu-west-1", asked) == {*asked}
    assert accounts.known_services("mx-central-1", asked) == {"sagemaker"}


def test_platforms_are_read_as_their_bootstrap_wrote_them(answered: Answered) -> None:
    value = json.dumps({"set": "team", "region": REGION, "accounts": {"dev": DEV}})
    page = {"Parameters": [{"Name": "/mlops-foundation/mlops", "Value": value}]}
    ssm = answered("ssm", ("get_parameters_by_path", page, {"Path": "/mlops-foundation"}))
    assert list(accounts.records(ssm)) == [Record("mlops", "team", REGION, {"dev": DEV})]


def role(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{DEV}:role/{name}"
    return {"RoleName": name, "Path": "/", "RoleId": "AROA12345678901234", "Arn": arn, "CreateDate": WHEN}


def test_an_account_deploys_where_it_has_a_platform_engineer_of_its_own(answered: Answered) -> None:
    names = [
        f"eu-west-1-platform-engineer-{DEV}",
        f"us-east-1-platform-engineer-{DEV}",
        f"eu-west-2-platform-engineer-{'3' * 12}",
        f"eu-west-3-datascience-admin-{DEV}",
    ]
    pages = [{"Roles": list(map(role, names[:1])), "IsTruncated": True, "Marker": "m"}, {"Roles": [*map(role, names)]}]
    iam = answered("iam", ("list_roles", pages[0], {}), ("list_roles", pages[1], {"Marker": "m"}))
    assert accounts.engineer_regions(iam, DEV) == {"eu-west-1", "us-east-1"}


def stack(*parameters: dict[str, str]) -> dict[str, Any]:
    made = {"StackName": "t", "CreationTime": WHEN, "StackStatus": "CREATE_COMPLETE", "Parameters": [*parameters]}
    return {"Stacks": [made]}


@pytest.mark.parametrize(
    ("answer", "engineer"),
    [
        ("ValidationError: Stack with id t does not exist", None),
        (stack(), ""),
        (stack({"ParameterKey": "TrustedPrincipals"}), ""),
        (stack({"ParameterKey": "Other", "ParameterValue": "y"}), ""),
        (stack({"ParameterKey": "O"}, {"ParameterKey": "TrustedPrincipals", "ParameterValue": "x"}), "x"),
    ],
)
def test_whom_a_toolkit_trusts(answered: Answered, answer: Any, engineer: str | None) -> None:
    client = answered("cloudformation", ("describe_stacks", answer, {"StackName": "t"}))
    assert accounts.toolkit_engineer(client, "t") == engineer


def test_a_toolkit_that_may_not_be_looked_at_is_not_absent(answered: Answered) -> None:
    client = answered("cloudformation", ("describe_stacks", "AccessDenied: no", {"StackName": "t"}))
    with pytest.raises(ClientError, match="AccessDenied"):
        accounts.toolkit_engineer(client, "t")


@pytest.mark.parametrize(
    ("answer", "there"), [({}, True), ("404: ", False), ("NoSuchBucket: ", False), ("403: ", True)]
)
def test_a_bucket_that_is_anybodys_is_taken(answered: Answered, answer: Any, there: bool) -> None:
    assert accounts.bucket_exists(answered("s3", ("head_bucket", answer, {"Bucket": "b"})), "b") is there


@pytest.mark.parametrize(("answer", "there"), [({"Role": role("r")}, True), ("NoSuchEntity: ", False)])
def test_a_role_is_there_or_not(answered: Answered, answer: Any, there: bool) -> None:
    assert accounts.role_exists(answered("iam", ("get_role", answer, {"RoleName": "r"})), "r") is there


def test_a_role_that_may_not_be_looked_at_is_neither(answered: Answered) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        accounts.role_exists(answered("iam", ("get_role", "AccessDenied: no", {"RoleName": "r"})), "r")


@pytest.mark.parametrize(
    ("answer", "limit"), [({"Quota": {"Value": 7.0}}, (7, True)), ("NoSuchResourceException: ", (5, False))]
)
def test_a_quota_is_the_accounts_own_or_awss_default(answered: Answered, answer: Any, limit: tuple[int, bool]) -> None:
    request = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    client = answered("service-quotas", ("get_service_quota", answer, request))
    found = Quota("VPCs", "vpc", "L-F678F1CE", 5, 0).limit(client)
    assert found == limit
    assert type(found[0]) is int


def test_what_a_region_uses_of_its_network(answered: Answered) -> None:
    ec2 = answered(
        "ec2", ("describe_vpcs", {"Vpcs": [{}, {}]}, {}), ("describe_addresses", {"Addresses": [{}, {}, {}]}, {})
    )
    assert accounts.network_quotas(ec2) == [
        Quota(VPCS, "vpc", "L-F678F1CE", 5, 2),
        Quota(ELASTIC_ADDRESSES, "ec2", "L-0263D0A3", 5, 3),
    ]


@pytest.mark.parametrize(("summary", "limit"), [({"Roles": 9, "RolesQuota": 2000}, 2000), ({"Roles": 9}, 1000)])
def test_what_an_account_uses_of_its_roles(answered: Answered, summary: dict[str, int], limit: int) -> None:
    iam = answered("iam", ("get_account_summary", {"SummaryMap": summary}, {}))
    assert accounts.role_quota(iam) == Quota(ROLES, "iam", "L-FE177D64", limit, 9)


def test_blocks_of_vpcs_are_known_by_their_id(answered: Answered) -> None:
    vpcs = {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}, {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/16"}]}
    assert accounts.vpc_blocks(answered("ec2", ("describe_vpcs", vpcs, {}))) == {
        "vpc-1": "10.0.0.0/16",
        "vpc-2": "10.1.0.0/16",
    }
