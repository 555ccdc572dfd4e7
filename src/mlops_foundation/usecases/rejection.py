"""What somebody should know who rejects a version that stages already serve."""

from mlops_foundation.usecases import endpoints, models
from mlops_foundation.usecases.pipeline_state import Decision
from mlops_foundation.usecases.workspace import Workspace


def warnings(workspace: Workspace, project: str, version: str, persona: str) -> list[str]:
    """Return what a rejection does not do; nothing when no stage serves the version.

    Args:
        workspace: Where.
        project: Project name.
        version: Number, latest, or ARN.
        persona: Who rejects; the endpoints are read as each account's own administrator, as ``endpoint list`` does.

    Raises:
        ConfigError: When there is no such version.
    """
    arn = models.resolve(workspace, project, version, persona)
    served, told = _served(workspace, project, arn.rsplit("/", 1)[-1])
    if not served:
        return told
    instead = next(
        (
            each.version
            for each in models.list_versions(workspace, project, persona)
            if each.status == "Approved" and each.arn != arn
        ),
        None,
    )
    command = f"mlops model approve {project} {instead}" if instead else f"mlops model list {project}"
    return [served, f"to replace it, approve another version: {command}", *told]


def of_execution(workspace: Workspace, project: str, decision: Decision) -> list[str]:
    """Return what the rejection of an execution does not do; nothing when no stage serves its version.

    Args:
        workspace: Where.
        project: Project name.
        decision: What was decided, about which version.
    """
    number = decision.subject.removeprefix("version ")
    if number == decision.subject:
        return []  # it is not known yet what the execution deploys
    served, told = _served(workspace, project, number)
    if not served:
        return told
    return [served, f"to put another version back: mlops pipeline start {project} {decision.kind} --version N", *told]


def _served(workspace: Workspace, project: str, number: str) -> tuple[str, list[str]]:
    """Return who serves a version, as a sentence that is empty when nobody does, and what could not be seen."""
    seen = endpoints.look(workspace, project)
    group = workspace.project(project).model_package_group
    serving = [each.stage for each in seen.endpoints if each.model_package.endswith(f"/{group}/{number}")]
    told = [f"what {stage} serves could not be seen: {reason}" for stage, reason in seen.unseen.items()]
    if not serving:
        return "", told
    who = f"{' and '.join(serving)} {'serves' if len(serving) == 1 else 'serve'}"
    return f"{who} version {number}, and will go on serving it", told
