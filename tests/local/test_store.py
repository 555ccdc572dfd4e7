"""The records: copies, the disk, atomic changes, scopes, order."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.contract import Json, Scope
from mlops_foundation.local.store import Database, Records

DEV = Scope(AccountId("2" * 12), Region("eu-west-1"))
PROD = Scope(AccountId("4" * 12), Region("eu-west-1"))
DEV_US = Scope(AccountId("2" * 12), Region("us-east-1"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "state" / "records.sqlite")
    yield made
    made.close()


@pytest.fixture
def records(database: Database) -> Records:
    return database.of("codebuild")


def test_what_was_put_is_got_and_popped_once(records: Records) -> None:
    records.put(DEV, "build", "a", {"status": "SUCCEEDED"})
    assert records.get(DEV, "build", "a") == {"status": "SUCCEEDED"}
    assert records.pop(DEV, "build", "a") == {"status": "SUCCEEDED"}
    assert records.pop(DEV, "build", "a") is None
    assert records.get(DEV, "build", "a") is None


def test_nobody_changes_a_record_by_what_went_in_or_came_out(records: Records) -> None:
    given: Json = {"phases": ["INSTALL"]}
    records.put(DEV, "build", "a", given)
    given["phases"].append("mine")
    got = records.get(DEV, "build", "a")
    assert got is not None
    got["phases"].append("yours")
    records.all(DEV, "build")[0]["phases"].clear()
    records.change(DEV, "build", "a", lambda record: None)["phases"].clear()
    assert records.get(DEV, "build", "a") == {"phases": ["INSTALL"]}


def test_everything_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    first = Database(path)
    records = first.of("codebuild")
    for name in ("b", "a", "c"):
        records.put(DEV, "build", name, {"name": name})
    records.change(DEV, "build", "b", lambda record: record.update(done=True))
    records.pop(DEV, "build", "c")
    records.put(DEV, "build", "a", {"name": "a", "put": "again"})
    first.close()
    second = Database(path)
    try:
        assert second.of("codebuild").all(DEV, "build") == [{"name": "b", "done": True}, {"name": "a", "put": "again"}]
    finally:
        second.close()


def test_every_change_is_on_disk_before_the_call_returns(database: Database, tmp_path: Path) -> None:
    records = database.of("codebuild")
    records.put(DEV, "build", "a", {"n": 1})
    records.change(DEV, "build", "a", lambda record: record.update(n=2))
    other = Database(tmp_path / "state" / "records.sqlite")  # as after a kill: nobody closed the first
    try:
        assert other.of("codebuild").get(DEV, "build", "a") == {"n": 2}
    finally:
        other.close()


def test_changes_of_many_threads_are_one_after_the_other(records: Records) -> None:
    records.put(DEV, "counter", "n", {"n": 0})
    gate = threading.Barrier(8)

    def count() -> None:
        gate.wait()
        for _ in range(200):
            records.change(DEV, "counter", "n", lambda record: record.update(n=record["n"] + 1))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert records.get(DEV, "counter", "n") == {"n": 1600}


def test_a_change_that_fails_changes_nothing(records: Records) -> None:
    records.put(DEV, "build", "a", {"n": 1})

    def fail(record: Json) -> None:
        record["n"] = 2
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        records.change(DEV, "build", "a", fail)
    assert records.get(DEV, "build", "a") == {"n": 1}


def test_changing_what_does_not_exist_is_an_error(records: Records) -> None:
    with pytest.raises(KeyError):
        records.change(DEV, "build", "a", lambda record: record.update(n=1))
    assert records.get(DEV, "build", "a") is None


def test_what_is_no_json_is_refused_and_keeps_the_record(records: Records) -> None:
    records.put(DEV, "build", "a", {"n": 1})
    with pytest.raises(TypeError):
        records.put(DEV, "build", "a", {"n": object()})
    assert records.get(DEV, "build", "a") == {"n": 1}


def test_services_accounts_regions_and_kinds_do_not_see_each_other(database: Database) -> None:
    builds, pipelines = database.of("codebuild"), database.of("codepipeline")
    builds.put(DEV, "build", "a", {"in": "dev"})
    builds.put(PROD, "build", "a", {"in": "prod"})
    builds.put(DEV_US, "build", "a", {"in": "us"})
    builds.put(DEV, "project", "a", {"is": "a project"})
    pipelines.put(DEV, "build", "a", {"of": "codepipeline"})
    assert builds.all(DEV, "build") == [{"in": "dev"}]
    assert builds.all(PROD, "build") == [{"in": "prod"}]
    assert builds.all(DEV_US, "build") == [{"in": "us"}]
    assert pipelines.get(DEV, "build", "a") == {"of": "codepipeline"}
    builds.pop(DEV, "build", "a")
    assert pipelines.get(DEV, "build", "a") == {"of": "codepipeline"}


def test_scopes_are_those_that_hold_records(database: Database) -> None:
    builds = database.of("codebuild")
    database.of("codepipeline").put(DEV_US, "pipeline", "a", {})
    builds.put(PROD, "build", "a", {})
    builds.put(DEV, "build", "a", {})
    builds.put(DEV, "project", "a", {})
    assert builds.scopes() == [PROD, DEV]
    builds.pop(PROD, "build", "a")
    assert builds.scopes() == [DEV]


def test_the_order_is_that_of_creation(records: Records) -> None:
    for name in ("z", "a", "m"):
        records.put(DEV, "build", name, {"name": name})
    records.put(DEV, "build", "z", {"name": "z", "put": "again"})
    assert [record["name"] for record in records.all(DEV, "build")] == ["z", "a", "m"]
