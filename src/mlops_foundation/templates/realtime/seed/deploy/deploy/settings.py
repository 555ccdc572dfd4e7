"""The project's facts, from the pipeline's environment, and each stage's settings, from its YAML file."""

import os
import re
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

STAGES = ("dev", "preprod", "prod")
_INSTANCE = re.compile(r"ml\.[a-z][a-z0-9-]*\.(medium|large|\d*xlarge)")


@dataclass(frozen=True)
class Project:
    """What the platform knows of the project.

    Attributes:
        name: Project name, first part of every name.
        project_id: SageMaker's id of the project.
        cost_center: Who pays for what is deployed.
        dev_account: Account of the registry and the pipelines.
        region: Region of the endpoints.
        role_path: IAM path of the project's roles, with slashes around it.
        boundary: Path and name of the permissions boundary, in every account.
        endpoint_key_parameter: SSM parameter with the ARN of the key for endpoint volumes.
    """

    name: str
    project_id: str
    cost_center: str
    dev_account: str
    region: str
    role_path: str
    boundary: str
    endpoint_key_parameter: str

    @classmethod
    def from_environment(cls) -> "Project":
        """Read the variables that the platform sets on the build projects.

        Raises:
            ValueError: Naming every variable that is missing.
        """
        missing = sorted(variable for variable in _VARIABLES.values() if not os.environ.get(variable))
        if missing:
            raise ValueError(f"not set in the environment: {', '.join(missing)}; see README.md")
        return cls(**{field: os.environ[variable] for field, variable in _VARIABLES.items()})


_VARIABLES = {
    "name": "SAGEMAKER_PROJECT_NAME",
    "project_id": "SAGEMAKER_PROJECT_ID",
    "cost_center": "COST_CENTER",
    "dev_account": "DEV_ACCOUNT",
    "region": "DEPLOYMENT_REGION",
    "role_path": "DEPLOY_ROLE_PATH",
    "boundary": "PERMISSIONS_BOUNDARY",
    "endpoint_key_parameter": "ENDPOINT_KEY_PARAMETER",
}


@dataclass(frozen=True)
class Settings:
    """How one stage serves the model.

    Attributes:
        instance_type: For example ``ml.m5.large``.
        instance_count: Instances behind the endpoint, at least 1.
    """

    instance_type: str
    instance_count: int


def load_settings(path: Path) -> Settings:
    """Read a stage's settings.

    Raises:
        ValueError: Naming the file and every key that is missing, unknown or out of range.
    """
    values = yaml.safe_load(path.read_text()) or {}
    known = {field.name for field in fields(Settings)}
    problems = [f"{key} is missing" for key in sorted(known - values.keys())]
    problems += [f"{key} is not a setting; known are {', '.join(sorted(known))}" for key in sorted(values.keys() - known)]
    if "instance_type" in values and not _INSTANCE.fullmatch(str(values["instance_type"])):
        problems.append(f"instance_type {values['instance_type']!r} is no instance type such as ml.m5.large or ml.m5.2xlarge")
    if not isinstance(values.get("instance_count", 1), int) or values.get("instance_count", 1) < 1:
        problems.append(f"instance_count {values['instance_count']!r} is not a number of at least 1")
    if problems:
        raise ValueError(f"{path}: " + "; ".join(problems))
    return Settings(**values)
