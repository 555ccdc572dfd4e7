"""One clear error for a project that does not exist, whichever verb was asked for it.

Nothing is asked before the work itself: a project that is being deleted still has versions and endpoints to look at.
Only when AWS has found nothing is the project looked up.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace


@contextmanager
def project_errors(workspace: Workspace, project: str, persona: str, where: str) -> Iterator[None]:
    """Turn a client's error into ours, and into that of an unknown project when the project is why nothing was found.

    Args:
        workspace: Where.
        project: Project name.
        persona: Who asks.
        where: What was worked on, for example ``pipeline churn_build_pipeline``.

    Raises:
        ConfigError: When there is no such project, or no such thing in it.
    """
    try:
        with aws_errors(where):
            yield
    except ConfigError as error:
        if isinstance(error.__cause__, ClientError):
            check_project(workspace, project, persona)
        raise


def check_project(workspace: Workspace, project: str, persona: str) -> None:
    """Refuse a project that does not exist; who may not look is not stopped here.

    Raises:
        ConfigError: Naming the projects there are, and how one is made.
    """
    sagemaker = workspace.client("sagemaker", "dev", persona)
    try:
        sagemaker.describe_project(ProjectName=project)
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            return
    except BotoCoreError:
        return
    else:
        return
    raise ConfigError(
        f"there is no project {project}",
        where=f"account {workspace.account('dev')}",
        got=project,
        expected=_expected(sagemaker),
        fix=f"mlops project list, or: mlops project create {project} --cost-center NUMBER",
    )


def _expected(sagemaker: object) -> str:
    try:
        found = sagemaker.list_projects(SortBy="CreationTime", SortOrder="Descending")  # type: ignore[attr-defined]
    except (ClientError, BotoCoreError):
        return "a project of this account"
    names = [each["ProjectName"] for each in found["ProjectSummaryList"]]
    return f"one of {', '.join(names)}" if names else "there is no project yet"
