"""Endpoints of a project: which version each stage serves, and asking one."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.core.errors import ConfigError, FoundationError
from mlops_foundation.core.names import STAGES, Stage
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.known_project import check_project, project_errors
from mlops_foundation.usecases.logs import LogReader, endpoint_place
from mlops_foundation.usecases.workspace import Workspace

ABSENT: Final = "Absent"
_POLL_S: Final = 1.0


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


@dataclass(frozen=True)
class Seen:
    """What could be seen of a project's endpoints.

    Attributes:
        endpoints: Of the stages that could be read, in order.
        unseen: Why a stage could not be read, by its name.
    """

    endpoints: tuple[Endpoint, ...]
    unseen: Mapping[str, str]


def list_endpoints(workspace: Workspace, project: str, role: str = "") -> list[Endpoint]:
    """Return the endpoint of every stage, read as each account's administrator or as ``role``.

    Raises:
        ConfigError: When there is no such project.
    """
    with ThreadPoolExecutor(len(STAGES)) as pool:
        found = list(pool.map(lambda stage: describe(workspace, project, stage, role), STAGES))
    if all(each.status == ABSENT for each in found):
        check_project(workspace, project, role)
    return found


def look(workspace: Workspace, project: str) -> Seen:
    """Return the endpoints of the stages that can be read, and why the others cannot."""

    def one(stage: Stage) -> Endpoint | str:
        try:
            return describe(workspace, project, stage)
        except FoundationError as error:
            return error.what

    with ThreadPoolExecutor(len(STAGES)) as pool:
        found = dict(zip(STAGES, pool.map(one, STAGES), strict=True))
    seen = tuple(each for each in found.values() if isinstance(each, Endpoint))
    return Seen(seen, {stage: each for stage, each in found.items() if isinstance(each, str)})


def logs(
    workspace: Workspace, project: str, stage: Stage, role: str, *, lines: int = 0, follow: bool = False
) -> Iterator[str]:
    """Yield the log of a stage's endpoint, of all its containers.

    Args:
        workspace: Where.
        project: Project name.
        stage: dev, preprod or prod.
        role: Who reads; the account's administrator when empty.
        lines: Only the last lines of what is there; all when 0.
        follow: Go on without end.

    Raises:
        ConfigError: When the stage has no endpoint, or there is no such project.
    """
    found = describe(workspace, project, stage, role)
    if found.status == ABSENT:
        check_project(workspace, project, role)
        raise ConfigError(
            f"{stage} has no endpoint {found.name}",
            where=f"account {found.account}",
            got=ABSENT,
            expected="a version that is deployed there",
            fix=f"mlops endpoint list {project}",
        )
    reader = LogReader(workspace.client("logs", stage, role), endpoint_place(found.name))
    with aws_errors(f"log of {found.name}"):
        yield from reader.read()[-lines:] if lines else reader.read()
        while follow:
            time.sleep(_POLL_S)
            yield from reader.read()


def describe(workspace: Workspace, project: str, stage: Stage, role: str = "") -> Endpoint:
    """Return a stage's endpoint with the version that is really served, read from endpoint to model package."""
    name, account = workspace.project(project).endpoint(stage), workspace.account(stage)
    sagemaker = workspace.client("sagemaker", stage, role)
    with aws_errors(f"endpoint {name} in {account}"):
        try:
            endpoint = sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if "Could not find" in error.response["Error"]["Message"]:
                return Endpoint(stage, account, name, ABSENT)
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
    with project_errors(workspace, project, "", f"endpoint {name} in {workspace.account(stage)}"):
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
