"""Versions: found by number, latest or ARN; decided on by who may; their figures read where one may."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, WHEN, refused, workspace

from mlops_foundation.core.errors import AccessDenied, ConfigError
from mlops_foundation.usecases import models

ARN = f"arn:aws:sagemaker:eu-west-1:{DEV}:model-package/churn/"
REPORT = {
    "binary_classification_metrics": {"accuracy": {"value": 0.97, "standard_deviation": "NaN"}, "auc": {"value": 1}}
}


class FakeSageMaker:
    """A registry with versions 3, 2 and 1 in two pages."""

    def __init__(self, *, numbers: tuple[int, ...] = (3, 2, 1), metrics: bool = True, deny: bool = False) -> None:
        self.numbers = numbers
        self.metrics = metrics
        self.deny = deny
        self.updated: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> "FakeSageMaker":
        assert name == "list_model_packages"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request == {"ModelPackageGroupName": "churn", "SortBy": "CreationTime", "SortOrder": "Descending"}
        yield {"ModelPackageSummaryList": [self._version(number) for number in self.numbers[:2]]}
        yield {"ModelPackageSummaryList": [self._version(number) for number in self.numbers[2:]]}

    @staticmethod
    def _version(number: int) -> dict[str, Any]:
        return {
            "ModelPackageArn": f"{ARN}{number}",
            "ModelPackageVersion": number,
            "ModelApprovalStatus": "PendingManualApproval",
            "CreationTime": WHEN,
        }

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        number = int(ModelPackageName.rsplit("/", 1)[-1])
        if number not in self.numbers:
            raise refused("ValidationException", f"ModelPackage {ModelPackageName} does not exist")
        report = {"ModelQuality": {"Statistics": {"S3Uri": "s3://churn-bucket/runs/1/evaluation.json"}}}
        return {
            **self._version(number),
            "InferenceSpecification": {"Containers": [{"Image": "image:1", "ModelDataUrl": "s3://m"}]},
            "CustomerMetadataProperties": {"commit": "abc"},
            "ModelMetrics": report if self.metrics else {},
        }

    @staticmethod
    def describe_project(ProjectName: str) -> dict[str, Any]:  # noqa: N803
        if ProjectName != "churn":
            raise refused("ValidationException", f"Project {ProjectName} does not exist")
        return {}

    @staticmethod
    def list_projects(**_: Any) -> dict[str, Any]:
        return {"ProjectSummaryList": []}

    def update_model_package(self, **request: Any) -> None:
        if self.deny:
            raise refused("AccessDeniedException", "not authorized to perform: sagemaker:UpdateModelPackage")
        self.updated.append(request)


class FakeS3:
    """Holds the evaluation report, or refuses it."""

    def __init__(self, *, deny: bool = False) -> None:
        self.deny = deny

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if self.deny:
            raise refused("AccessDenied", "Access Denied")
        assert (Bucket, Key) == ("churn-bucket", "runs/1/evaluation.json")
        return {"Body": io.BytesIO(json.dumps(REPORT).encode())}


def test_versions_are_listed_over_all_pages_newest_first(tmp_path: Path) -> None:
    found = models.list_versions(workspace(tmp_path, sagemaker=FakeSageMaker()), "churn", "lead")
    assert [each.version for each in found] == [3, 2, 1]
    assert found[0].as_dict()["created"] == WHEN.isoformat()


@pytest.mark.parametrize(("asked", "number"), [("latest", 3), ("2", 2), (f"{ARN}1", 1)])
def test_a_version_is_named_by_number_latest_or_arn(tmp_path: Path, asked: str, number: int) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker(), s3=FakeS3())
    assert models.describe(made, "churn", asked, "lead").version == number


@pytest.mark.parametrize(("numbers", "there_are"), [((3, 2, 1), "3, 2, 1"), ((), "none yet")])
def test_an_unknown_version_is_an_error_with_those_there_are(
    tmp_path: Path, numbers: tuple[int, ...], there_are: str
) -> None:
    sagemaker = FakeSageMaker(numbers=numbers)
    for act in (
        lambda made: models.describe(made, "churn", "7", "lead"),
        lambda made: models.decide(made, "churn", "7", "Approved", "", "lead"),
    ):
        with pytest.raises(ConfigError, match="project churn has no version 7") as raised:
            act(workspace(tmp_path, sagemaker=sagemaker))
        assert raised.value.problems[0].expected == f"one of {there_are}, or latest"
        assert raised.value.problems[0].fix == "mlops model list churn"
    assert sagemaker.updated == []


def test_versions_of_an_unknown_project_are_one_clear_error(tmp_path: Path) -> None:
    class Empty(FakeSageMaker):
        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            raise refused("ValidationException", "ModelPackageGroup nosuch does not exist.")

    made = workspace(tmp_path, sagemaker=Empty())
    for ask in (
        lambda: models.list_versions(made, "nosuch", "lead"),
        lambda: models.describe(made, "nosuch", "latest", "lead"),
        lambda: models.decide(made, "nosuch", "1", "Approved", "", "lead"),
    ):
        with pytest.raises(ConfigError, match="there is no project nosuch") as raised:
            ask()
        assert raised.value.problems[0].expected == "there is no project yet"


def test_an_arn_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        models.describe(workspace(tmp_path, sagemaker=FakeSageMaker()), "churn", f"{ARN}9", "lead")


def test_a_version_has_its_figures_image_artifact_and_origin(tmp_path: Path) -> None:
    found = models.describe(workspace(tmp_path, sagemaker=FakeSageMaker(), s3=FakeS3()), "churn", "latest", "lead")
    assert found.metrics == {"accuracy": 0.97, "auc": 1.0}
    assert found.details == {"image": "image:1", "artifact": "s3://m", "commit": "abc"}


@pytest.mark.parametrize(
    ("sagemaker", "s3"), [(FakeSageMaker(metrics=False), None), (FakeSageMaker(), FakeS3(deny=True))]
)
def test_without_a_report_or_the_right_to_read_it_there_are_no_figures(
    tmp_path: Path, sagemaker: FakeSageMaker, s3: FakeS3 | None
) -> None:
    assert models.describe(workspace(tmp_path, sagemaker=sagemaker, s3=s3), "churn", "latest", "lead").metrics == {}


@pytest.mark.parametrize("reason", ["", "better recall"])
def test_a_decision_goes_to_the_version_it_was_made_for(tmp_path: Path, reason: str) -> None:
    sagemaker = FakeSageMaker()
    made = workspace(tmp_path, sagemaker=sagemaker, s3=FakeS3())
    models.decide(made, "churn", "2", "Rejected", reason, "lead")
    expected = {"ModelPackageArn": f"{ARN}2", "ModelApprovalStatus": "Rejected"}
    assert sagemaker.updated == [expected | ({"ApprovalDescription": reason} if reason else {})]
    assert {role for _, _, role in made.sessions.asked} == {f"eu-west-1-lead-datascientist-{DEV}"}  # type: ignore[attr-defined]


def test_who_may_not_decide_is_told_so(tmp_path: Path) -> None:
    sagemaker = FakeSageMaker(deny=True)
    with pytest.raises(AccessDenied, match="sagemaker:UpdateModelPackage") as raised:
        models.decide(workspace(tmp_path, sagemaker=sagemaker), "churn", "latest", "Approved", "", "data-scientist")
    assert "--role" in raised.value.problems[0].fix
