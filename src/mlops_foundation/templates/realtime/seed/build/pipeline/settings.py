"""What a run depends on: the parameter file, and the project's facts from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

PARAMETERS = Path(__file__).parent.parent / "parameters.yml"
_INSTANCE = re.compile(r"ml\.[a-z][a-z0-9-]*\.(medium|large|\d*xlarge)")


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message says which and what is expected."""


@dataclass(frozen=True)
class Parameters:
    """The parameter file, checked."""

    data_s3_uri: str
    target: str
    test_fraction: float
    seed: int
    c: float
    max_iterations: int
    min_accuracy: float
    processing_instance: str
    training_instance: str
    inference_instances: tuple[str, ...]


@dataclass(frozen=True)
class Project:
    """Where the pipeline lives, as the project's build environment sets it.

    Attributes:
        name: Of the project; names of jobs start with it.
        tags: On everything a run makes.
        commit: What is built.
    """

    name: str
    pipeline: str
    role_arn: str
    model_package_group: str
    bucket: str
    kms_key_arn: str
    region: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    tags: Mapping[str, str]
    commit: str


_FORMAT = {
    "data": {"s3_uri": str, "target": str, "test_fraction": float, "seed": int},
    "hyperparameters": {"c": float, "max_iterations": int},
    "quality": {"min_accuracy": float},
    "compute": {"processing_instance": str, "training_instance": str, "inference_instances": list},
}


def load_parameters(file: Path = PARAMETERS) -> Parameters:
    """Read the parameter file.

    Raises:
        SettingsError: With every problem in it.
    """
    content = yaml.safe_load(file.read_text()) or {}
    problems = [f"{section}: unknown section" for section in content.keys() - _FORMAT.keys()]
    values = {}
    for section, members in _FORMAT.items():
        given = content.get(section) or {}
        problems += [f"{section}.{name}: unknown key" for name in given.keys() - members.keys()]
        for name, kind in members.items():
            value = given.get(name)
            value = float(value) if kind is float and type(value) is int else value
            if type(value) is not kind:
                problems.append(f"{section}.{name}: expected {kind.__name__}, got {value!r}")
            values[name] = value
    if not problems:
        problems = _range_problems(values)
    if problems:
        raise SettingsError(f"{file.name}: " + "; ".join(sorted(problems)))
    values["data_s3_uri"] = values.pop("s3_uri")
    values["inference_instances"] = tuple(values["inference_instances"])
    return Parameters(**values)


def _range_problems(values: dict) -> list[str]:
    checks = {
        "data.s3_uri: expected an S3 URI or nothing": values["s3_uri"] == "" or values["s3_uri"].startswith("s3://"),
        "data.test_fraction: expected more than 0 and less than 1": 0 < values["test_fraction"] < 1,
        "quality.min_accuracy: expected 0 to 1": 0 <= values["min_accuracy"] <= 1,
        "compute.inference_instances: expected at least one": bool(values["inference_instances"]),
    }
    single = {name: values[name] for name in ("processing_instance", "training_instance")}
    several = {f"inference_instances[{place}]": each for place, each in enumerate(values["inference_instances"])}
    given = {f"compute.{name}": each for name, each in (single | several).items()}
    wrong = [f"{key}: {_no_instance(each)}" for key, each in given.items() if not _INSTANCE.fullmatch(str(each))]
    return [problem for problem, holds in checks.items() if not holds] + wrong


def _no_instance(given: object) -> str:
    """Say that this is no instance type, and which ones are near."""
    family = re.match(r"(?:ml\.)?([a-z][a-z0-9-]*)", str(given))
    near = [f"ml.{family[1] if family else 'm5'}.{size}" for size in ("large", "xlarge", "2xlarge")]
    return f"{given!r} is no instance type; near are {', '.join(near)}"


def load_project(environment: Mapping[str, str] = os.environ) -> Project:
    """Read the project's facts.

    Raises:
        SettingsError: Naming every variable that is missing.
    """
    needed = (
        "SAGEMAKER_PROJECT_NAME",
        "SAGEMAKER_PROJECT_ID",
        "COST_CENTER",
        "SAGEMAKER_PIPELINE_NAME",
        "SAGEMAKER_PIPELINE_ROLE_ARN",
        "MODEL_PACKAGE_GROUP_NAME",
        "ARTIFACT_BUCKET",
        "ARTIFACT_KMS_KEY_ARN",
        "AWS_REGION",
    )
    if missing := [name for name in needed if not environment.get(name)]:
        raise SettingsError(f"environment variables are missing: {', '.join(missing)}")
    name = environment["SAGEMAKER_PROJECT_NAME"]
    return Project(
        name=name,
        pipeline=environment["SAGEMAKER_PIPELINE_NAME"],
        role_arn=environment["SAGEMAKER_PIPELINE_ROLE_ARN"],
        model_package_group=environment["MODEL_PACKAGE_GROUP_NAME"],
        bucket=environment["ARTIFACT_BUCKET"],
        kms_key_arn=environment["ARTIFACT_KMS_KEY_ARN"],
        region=environment["AWS_REGION"],
        subnet_ids=_list(environment.get("SUBNET_IDS", "")),
        security_group_ids=_list(environment.get("SECURITY_GROUP_IDS", "")),
        tags={
            "sagemaker:project-name": name,
            "sagemaker:project-id": environment["SAGEMAKER_PROJECT_ID"],
            "CostCenter": environment["COST_CENTER"],
        },
        commit=environment.get("CODEBUILD_RESOLVED_SOURCE_VERSION") or "unknown",
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
