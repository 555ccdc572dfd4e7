"""Endpoints of a project: which version each stage serves, and asking one."""

from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.core.names import STAGES, Stage
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace


@dataclass(frozen=True)
class Endpoint:
    """One stage's endpoint.

    Attributes:
        stage: dev, preprod or prod.
        account: Its account.
        name: Endpoint name.
        status: SageMaker's status, ``Absent`` when there is none.
        model_package: ARN of the version it serves.
        instances: Instance type and count.
        changed: ISO 8601, empty when absent.
    """

    stage: str
    account: str
    name: str
    status: str
    model_package: str = ""
    instances: str = ""
    changed: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return asdict(self)


def list_endpoints(workspace: Workspace, project: str, role: str = "") -> list[Endpoint]:
    """Return the endpoint of every stage, read as each account's administrator or as ``role``."""
    return [describe(workspace, project, stage, role) for stage in STAGES]


def describe(workspace: Workspace, project: str, stage: Stage, role: str = "") -> Endpoint:
    """Return a stage's endpoint with the version that is really served, read from endpoint to model package."""
    name, account = workspace.project(project).endpoint(stage), workspace.account(stage)
    sagemaker = workspace.client("sagemaker", stage, role)
    with aws_errors(f"endpoint {name} in {account}"):
        try:
            endpoint = sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if "Could not find" in error.response["Error"]["Message"]:
                return Endpoint(stage, account, name, "Absent")
            raise
        configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        variant = configuration["ProductionVariants"][0]
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
    return Endpoint(
        stage=stage,
        account=account,
        name=name,
        status=endpoint["EndpointStatus"],
        model_package=model.get("PrimaryContainer", {}).get("ModelPackageName", ""),
        instances=f"{variant['InitialInstanceCount']} x {variant['InstanceType']}",
        changed=endpoint["LastModifiedTime"].isoformat(),
    )


def invoke(  # noqa: PLR0913, PLR0917  an endpoint and what it is asked
    workspace: Workspace, project: str, stage: Stage, body: bytes, content_type: str, accept: str, role: str
) -> str:
    """Ask an endpoint and return its answer as text.

    Raises:
        AccessDenied: When the role may not invoke it.
        ConfigError: When the stage has no endpoint.
    """
    name = workspace.project(project).endpoint(stage)
    runtime = workspace.client("sagemaker-runtime", stage, role)
    with aws_errors(f"endpoint {name} in {workspace.account(stage)}"):
        answer = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, Accept=accept)
    text: str = answer["Body"].read().decode("utf-8")
    return text


def check_stage(stage: str) -> Stage:
    """Return a stage by its name.

    Raises:
        ConfigError: When there is no such stage.
    """
    for known in STAGES:
        if stage == known:
            return known
    raise ConfigError(f"there is no stage {stage}", where="--stage", got=stage, expected=f"one of {', '.join(STAGES)}")
