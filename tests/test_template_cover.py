"""A cover has what a linter would look at, and no template twice."""

import json
from pathlib import Path
from typing import Any

from template_cover import cover, skeletons


def written(folder: Path, name: str, properties: dict[str, Any]) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}))
    return path


def test_another_value_is_no_other_skeleton_and_another_kind_of_value_is(tmp_path: Path) -> None:
    named = written(tmp_path, "named", {"BucketName": "a"})
    also_named = written(tmp_path, "also-named", {"BucketName": "bc"})
    by_reference = written(tmp_path, "by-reference", {"BucketName": {"Ref": "Name"}})
    assert cover([named, also_named, by_reference]) == [by_reference, named]


def test_properties_that_never_stood_beside_each_other_are_a_skeleton(tmp_path: Path) -> None:
    one = written(tmp_path, "one", {"BucketName": "a"})
    other = written(tmp_path, "other", {"ObjectLockEnabled": True})
    both = written(tmp_path, "both", {"BucketName": "a", "ObjectLockEnabled": True})
    assert set(cover([one, other, both])) == {one, other, both}


def test_sections_beside_the_resources_count(tmp_path: Path) -> None:
    plain: dict[str, Any] = {"Resources": {}}
    assert skeletons({**plain, "Outputs": {"Arn": {"Value": "a"}}}) != skeletons(plain)
