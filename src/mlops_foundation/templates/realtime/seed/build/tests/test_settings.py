import re
from pathlib import Path

import pytest

from pipeline.settings import PARAMETERS, SettingsError, load_parameters, load_project


def changed(tmp_path: Path, key: str, line: str) -> Path:
    """Return the project's parameters with another line for one key, whatever its value is now."""
    text, count = re.subn(rf"(?m)^  {key}:.*$", f"  {line}", PARAMETERS.read_text())
    assert count == 1
    file = tmp_path / "parameters.yml"
    file.write_text(text)
    return file


def test_parameter_file_of_the_project_is_good():
    assert 0 < load_parameters().min_accuracy <= 1


@pytest.mark.parametrize(
    ("key", "line", "problem"),
    [
        ("c", "c: high", "hyperparameters.c: expected float, got 'high'"),
        ("c", "C: 1.0", "hyperparameters.C: unknown key; hyperparameters.c: expected float, got None"),
        ("test_fraction", "test_fraction: 2", "data.test_fraction: expected more than 0"),
        ("training_instance", "training_instance: ml.m5.huge", "compute.training_instance: 'ml.m5.huge' is no instance type"),
        ("training_instance", "training_instance: m5.large", "near are ml.m5.large, ml.m5.xlarge"),
        ("inference_instances", "inference_instances: [ml.m5]", "compute.inference_instances[0]: 'ml.m5' is no"),
        ("s3_uri", "s3_uri: /tmp/rows", "data.s3_uri: expected an S3 URI"),
    ],
)
def test_bad_value_is_named(tmp_path, key, line, problem):
    with pytest.raises(SettingsError) as caught:
        load_parameters(changed(tmp_path, key, line))
    assert problem in str(caught.value)


def test_environment_becomes_the_project(environment):
    project = load_project(environment)
    assert project.subnet_ids == ("subnet-a", "subnet-b")
    tags = {"sagemaker:project-name": "churn", "sagemaker:project-id": "p-abcdefghijkl", "CostCenter": "4711"}
    assert project.tags == tags


def test_all_missing_variables_are_named(environment):
    del environment["ARTIFACT_BUCKET"], environment["AWS_REGION"]
    with pytest.raises(SettingsError, match="ARTIFACT_BUCKET, AWS_REGION"):
        load_project(environment)
