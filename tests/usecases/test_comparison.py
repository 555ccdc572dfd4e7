"""Two versions side by side."""

import io
import json
from pathlib import Path
from typing import Any

from fake_aws import refused, workspace
from test_models import FakeSageMaker as Registry

from mlops_foundation.usecases import comparison


class FakeSageMaker(Registry):
    """Two versions of jobs with other parameters; the job of version 3 is gone."""

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        found = super().describe_model_package(ModelPackageName)
        number = found["ModelPackageVersion"]
        container = {"Image": "image:1", "ModelDataUrl": f"s3://b/models/churn-train-{number}/output/model.tar.gz"}
        report = {"ModelQuality": {"Statistics": {"S3Uri": f"s3://b/{number}.json"}}}
        return found | {"InferenceSpecification": {"Containers": [container]}, "ModelMetrics": report}

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
        number = TrainingJobName.rpartition("-")[2]
        if number == "3":
            raise refused("ValidationException", "Requested resource not found.")
        channels = [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": f"s3://b/{name}/{number}"}}}
            for name in ("train", "code")
        ]
        return {"HyperParameters": {"c": f"{number}.0", "max-iterations": "1000"}, "InputDataConfig": channels}


class FakeS3:
    """The report of each version; that of version 1 has one figure less."""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "b"
        number = int(Key.partition(".")[0])
        figures = {"accuracy": {"value": 0.9 + number / 100}} | ({"auc": {"value": 1}} if number > 1 else {})
        return {"Body": io.BytesIO(json.dumps(figures).encode())}


def compared(folder: Path, first: str, second: str) -> comparison.Comparison:
    made = workspace(folder, sagemaker=FakeSageMaker(), s3=FakeS3())
    return comparison.compare(made, "churn", first, second, "data-scientist")


def test_metrics_have_a_difference_where_both_have_them(tmp_path: Path) -> None:
    accuracy, auc = compared(tmp_path, "1", "2").metrics
    assert (accuracy.name, round(accuracy.difference or 0, 6)) == ("accuracy", 0.01)
    assert (auc.first, auc.second, auc.difference) == (None, 1.0, None)


def test_parameters_image_and_data_are_the_same_or_not(tmp_path: Path) -> None:
    found = {each.name: each for each in compared(tmp_path, "1", "2").properties}
    assert (found["c"].first, found["c"].second, found["c"].same) == ("1.0", "2.0", False)
    assert found["max-iterations"].same
    assert found["image"].same
    assert (found["train"].kind, found["train"].second) == ("data", "s3://b/train/2")
    assert "code" not in found


def test_without_the_training_job_the_rest_is_compared(tmp_path: Path) -> None:
    found = compared(tmp_path, "2", "latest").as_dict()
    assert found["second"]["version"] == 3
    by_name = {each["name"]: each for each in found["properties"]}
    assert (by_name["c"]["first"], by_name["c"]["second"], by_name["c"]["same"]) == ("2.0", "", False)
