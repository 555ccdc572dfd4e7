"""Whatever can carry tags does: the platform's on everything, a project's on everything of a project."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from mlops_foundation.core.names import PROJECT_ID_TAG, PROJECT_TAG

OF_A_PROJECT = {PROJECT_TAG, PROJECT_ID_TAG, "CostCenter"}


@functools.cache
def tag_property(type_: str) -> str:
    """Return the property that holds a type's tags, by CloudFormation's own schema; empty when it takes none."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", type_).schema
    tagging = schema.get("tagging", {})
    name = str(tagging.get("tagProperty", "/properties/Tags")).rsplit("/", 1)[-1]
    return name if tagging.get("taggable") or name in schema["properties"] else ""


def keys_of(tags: Any) -> set[str]:
    return set(tags) if isinstance(tags, dict) else {each["Key"] for each in tags or []}


def taggable(assembly: Any) -> Iterator[tuple[str, str, set[str]]]:
    """Yield template, type and keys of the tags of every resource that can have some."""
    for path, template in assembly.templates():
        for resource in template["Resources"].values():
            type_ = resource["Type"]
            if type_.startswith("AWS::") and tag_property(type_):
                yield path, type_, keys_of(resource["Properties"].get(tag_property(type_)))


def test_everything_of_the_stacks_carries_the_mandatory_tags(assembly: Any) -> None:
    found = [each for each in taggable(assembly) if each[0].startswith("assembly-")]
    assert len({type_ for _, type_, _ in found}) > 20
    assert [(path, type_) for path, type_, keys in found if "CostCenter" not in keys] == []


@pytest.mark.parametrize("place", ["products/", "seeds/"])
def test_everything_of_a_project_carries_its_tags(assembly: Any, place: str) -> None:
    found = [each for each in taggable(assembly) if each[0].startswith(place)]
    types = {type_ for _, type_, _ in found}
    expected = {"products/": {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::CodeBuild::Project", "AWS::IAM::Role"}}
    assert types >= expected.get(place, {"AWS::SageMaker::Endpoint", "AWS::SageMaker::Model", "AWS::IAM::Role"})
    assert [(path, type_, OF_A_PROJECT - keys) for path, type_, keys in found if not keys >= OF_A_PROJECT] == []
