"""What a deleted project leaves: all of it is found, only its own is purged, and it is named when it is in the way."""

from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, PREPROD, PROD, refused, workspace
from fake_project import S3, Remains

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases import project_remains


def there(folder: Path, remains: Remains) -> tuple[Any, list[project_remains.Remain]]:
    made = workspace(folder, **remains.clients())
    return made, project_remains.find(made, "churn")


def test_where_nothing_is_left_nothing_is_found_or_in_the_way(tmp_path: Path) -> None:
    made, found = there(tmp_path, Remains())
    assert found == []
    project_remains.require_free(made, "churn")


def test_everything_of_the_project_is_found_and_purged_and_each_account_is_asked_as_its_administrator(
    tmp_path: Path,
) -> None:
    remains = Remains().whole()
    made, found = there(tmp_path, remains)
    assert [(each.kind, each.account) for each in found] == [
        ("endpoint stack", DEV), ("endpoint stack", PREPROD), ("endpoint stack", PROD), ("log group", PROD),
        ("training pipeline", DEV), ("model package group", DEV), ("key", DEV), ("key", DEV),
        ("bucket", DEV), ("bucket", DEV),
    ]  # fmt: skip
    assert {role for _, _, role in made.sessions.asked} == {""}
    said: list[str] = []
    assert project_remains.purge(made, "churn", found, said.append) == found
    assert len(said) == len(found)
    assert remains.did == [
        "stack churn-dev", "stack churn-preprod", "stack churn-prod", "logs", "pipeline", "group", "key k-1", "key k-2",
        f"bucket churn-{DEV}", f"bucket churn-pipeline-{DEV}",
    ]  # fmt: skip
    assert project_remains.find(made, "churn") == []


def test_what_only_has_the_name_is_never_purged(tmp_path: Path) -> None:
    remains = Remains().whole()
    remains.tags.clear()
    remains.stacks["churn-prod"] = {"Path": "/somebody/else/"}
    made, found = there(tmp_path, remains)
    foreign = {each.name for each in found if each.foreign}
    assert foreign == {"churn-prod", f"churn-{DEV}", f"churn-pipeline-{DEV}"}
    gone = project_remains.purge(made, "churn", found, lambda _: None)
    assert foreign.isdisjoint({each.name for each in gone})
    assert list(remains.stacks) == ["churn-prod"]
    assert len(remains.buckets) == 2


def test_what_is_in_the_way_of_a_new_project_is_named_with_the_command(tmp_path: Path) -> None:
    made, _ = there(tmp_path, Remains().whole())
    with pytest.raises(ConfigError, match="in the way") as raised:
        project_remains.require_free(made, "churn")
    problems = raised.value.problems
    assert [each.what.split(" is ")[0] for each in problems] == [
        "the model package group churn", f"the bucket churn-{DEV}", f"the bucket churn-pipeline-{DEV}",
    ]  # fmt: skip
    assert all("mlops project purge churn" in each.fix for each in problems)


def test_a_bucket_of_somebody_else_is_in_the_way_and_cannot_be_purged(tmp_path: Path) -> None:
    class Closed(S3):
        def head_bucket(self, Bucket: str) -> None:  # noqa: N803
            raise refused("403", "Forbidden")

    remains = Remains()
    made = workspace(tmp_path, **{**remains.clients(), "s3": Closed(remains)})
    with pytest.raises(ConfigError, match="in the way") as raised:
        project_remains.require_free(made, "churn")
    assert raised.value.problems[0].fix == "choose another name"


def test_who_may_not_look_creates_without_it(tmp_path: Path) -> None:
    class Refusing:
        def describe_stacks(self, StackName: str) -> None:  # noqa: N803
            raise refused("AccessDenied", "not authorized to perform: cloudformation:DescribeStacks")

    project_remains.require_free(workspace(tmp_path, cloudformation=Refusing()), "churn")


def test_an_object_that_cannot_be_deleted_stops_the_purge_with_its_name(tmp_path: Path) -> None:
    class Locked(S3):
        def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            return {"Errors": [{"Key": "a", "Message": "object lock"}]}

    remains = Remains().whole()
    made = workspace(tmp_path, **{**remains.clients(), "s3": Locked(remains)})
    with pytest.raises(ConfigError, match="cannot be deleted") as raised:
        project_remains.purge(made, "churn", project_remains.find(made, "churn"), lambda _: None)
    assert raised.value.problems[0].got == "a: object lock"
