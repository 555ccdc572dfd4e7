"""The record of called services: who counts, under which name, and what it costs everybody else."""

import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.call_record import CallRecord
from mlops_foundation.local.contract import Credentials, Principal, VpcWorkload
from mlops_foundation.local.store import Database

REGION = Region("eu-west-1")
ROLE = "arn:aws:iam::222222222222:role/mlops/churn/churn-build"
BUILD = VpcWorkload("build", "churn-build", ("subnet-1",))


def principal(key: str) -> Principal:
    return Principal(
        "arn:aws:sts::222222222222:assumed-role/r/s", AccountId("2" * 12), "AssumedRole", Credentials(key, "s")
    )


def request(key: str, service: str, path: str = "/", *, presigned: bool = False) -> dict[str, Any]:
    credential = f"{key}/20261121/eu-west-1/{service}/aws4_request"
    if presigned:
        query = f"X-Amz-Algorithm=x&X-Amz-Credential={credential.replace('/', '%2F')}&X-Amz-Date=d".encode()
        return {"type": "http", "path": path, "headers": [], "query_string": query}
    header = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0".encode()
    return {"type": "http", "path": path, "headers": [(b"host", b"x"), (b"authorization", header)], "query_string": b""}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "records.sqlite")
    yield made
    made.close()


def record(database: Database, **taken_by: str) -> CallRecord:
    made = CallRecord(database.of("calls"), lambda key: taken_by.get(key, ""))
    made.enter(principal("BUILD"), BUILD, ROLE, REGION)
    return made


def services(made: CallRecord) -> dict[str, int]:
    return {each["service"]: each["calls"] for each in made.all()}


@pytest.mark.parametrize(
    ("service", "path", "name"),
    [
        ("s3", "/bucket/key", "s3"),
        ("sagemaker", "/", "sagemaker.api"),
        ("sagemaker", "/endpoints/churn-dev/invocations", "sagemaker.runtime"),
        ("ecr", "/", "ecr.api"),
        ("codeartifact", "/v1/authorization-token", "codeartifact.api"),
        ("monitoring", "/", "monitoring"),
    ],
)
def test_services_have_the_names_of_their_endpoints(database: Database, service: str, path: str, name: str) -> None:
    made = record(database)
    made.note_request(request("BUILD", service, path))
    assert services(made) == {name: 1}


def test_a_presigned_address_counts(database: Database) -> None:
    made = record(database)
    made.note_request(request("BUILD", "s3", presigned=True))
    assert services(made) == {"s3": 1}


def test_sessions_that_a_workload_takes_count_as_the_workload(database: Database) -> None:
    made = record(database, SECOND="FIRST", FIRST="BUILD", OTHER="PERSON")
    for key in ("SECOND", "FIRST", "OTHER", "PERSON", "UNKNOWN"):
        made.note_request(request(key, "sts"))
    (only,) = made.all()
    assert (only["kind"], only["name"], only["role"], only["calls"]) == ("build", "churn-build", ROLE, 2)


@pytest.mark.parametrize(
    ("service", "path", "action", "name"),
    [
        ("s3", "/bucket/key", "s3:GetObject", "s3"),
        ("sagemaker", "/endpoints/churn-dev/invocations", "sagemaker:InvokeEndpoint", "sagemaker.runtime"),
        ("sagemaker", "/", "sagemaker:CreateModel", "sagemaker.api"),
        ("codeartifact", "/v1/authorization-token", "sts:GetServiceBearerToken", "codeartifact.api"),
        ("monitoring", "/", "cloudwatch:PutMetricData", "monitoring"),
    ],
)
def test_actions_stand_beside_the_service_that_was_asked(
    database: Database, service: str, path: str, action: str, name: str
) -> None:
    made = record(database, TAKEN="BUILD")
    made.note_request(request("TAKEN", service, path))
    for _ in range(2):
        made.acted("TAKEN", action, "3" * 12, "2" * 12)
    made.acted("PERSON", action, "2" * 12, "2" * 12)
    (only,) = made.all()
    assert (only["service"], only["actions"]) == (name, [{"action": action, "caller": "3" * 12, "owner": "2" * 12}])


def test_what_a_service_asks_for_itself_is_left_out(database: Database) -> None:
    made = record(database)
    made.note_request(request("BUILD", "s3", "/bucket/key"))
    made.acted("BUILD", "kms:Decrypt", "2" * 12, "2" * 12)
    (only,) = made.all()
    assert (only["service"], only["actions"]) == ("s3", [])


def test_what_is_not_signed_is_nobodys(database: Database) -> None:
    made = record(database)
    made.note_request(
        {"type": "http", "path": "/", "headers": [(b"authorization", b"Basic eDp5")], "query_string": b""}
    )
    made.note_call(principal("PERSON"), "git-codecommit")
    assert made.all() == []
    made.note_call(principal("BUILD"), "git-codecommit")
    assert services(made) == {"git-codecommit": 1}


def test_a_header_of_any_bytes_is_no_trouble(database: Database) -> None:
    made = record(database)
    scope = request("BUILD", "s3")
    scope["headers"] = [
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=\xff\xfe/20261121/eu-west-1/\xff/aws4_request")
    ]
    made.note_request(scope)
    assert made.all() == []


def test_it_is_there_after_a_restart_and_goes_on_counting(database: Database) -> None:
    made = record(database)
    for _ in range(3):
        made.note_request(request("BUILD", "s3"))
    made.write()
    again = record(database)
    again.note_request(request("BUILD", "s3"))
    assert services(again) == {"s3": 4}


def test_a_new_service_is_kept_at_once(database: Database) -> None:
    record(database).note_request(request("BUILD", "kms"))
    assert services(record(database)) == {"kms": 1}


def test_a_request_of_anybody_else_costs_next_to_nothing(database: Database) -> None:
    made, scope = record(database), request("PERSON", "sagemaker", "/endpoints/churn-dev/invocations")
    made.note_request(scope)
    microseconds = min(timeit.repeat(lambda: made.note_request(scope), number=2000, repeat=5)) / 2000 * 1e6
    assert microseconds < 50  # an invocation takes 7,000
