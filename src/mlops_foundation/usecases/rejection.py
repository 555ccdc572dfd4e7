"""What somebody should know who rejects a version that stages already serve."""

from mlops_foundation.usecases import endpoints, models
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
    number = arn.rsplit("/", 1)[-1]
    seen = endpoints.look(workspace, project)
    serving = [each.stage for each in seen.endpoints if each.model_package == arn]
    told = [f"what {stage} serves could not be seen: {reason}" for stage, reason in seen.unseen.items()]
    if not serving:
        return told
    stages = " and ".join(serving)
    instead = next(
        (
            each.version
            for each in models.list_versions(workspace, project, persona)
            if each.status == "Approved" and each.arn != arn
        ),
        None,
    )
    command = f"mlops model approve {project} {instead}" if instead else f"mlops model list {project}"
    return [
        f"{stages} {'serves' if len(serving) == 1 else 'serve'} version {number}, and will go on serving it",
        f"to replace it, approve another version: {command}",
        *told,
    ]
