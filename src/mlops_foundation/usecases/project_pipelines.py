"""Which pipelines projects have, as the specs of their templates say: those that build, and those that promote."""

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.plan.specs import TemplateSpec
from mlops_foundation.usecases.projects import template_of
from mlops_foundation.usecases.workspace import Workspace


def kinds_of(template: TemplateSpec) -> tuple[str, ...]:
    """Return the kinds of pipelines of a template's projects: ``build`` and ``deploy``."""
    return (*template.pipelines, *template.promotions)


def of_project(workspace: Workspace, project: str, persona: str) -> tuple[str, ...]:
    """Return the kinds of a project's pipelines, in the order in which a change goes through them."""
    return kinds_of(template_of(workspace, project, persona))


def of_asked(workspace: Workspace, project: str, kind: str, persona: str) -> str:
    """Return the kind that somebody asked for, the project's first when nothing was said."""
    return kind or of_project(workspace, project, persona)[0]


def promotes(workspace: Workspace, kind: str) -> bool:
    """Return whether a kind of pipeline goes to production: it deploys a version, and the lead starts it."""
    return any(kind in each.promotions for each in workspace.plan.templates)


def promoting(workspace: Workspace, project: str, persona: str) -> tuple[str, ...]:
    """Return the kinds of a project's pipelines that go to production, and then those of the other templates.

    Who approves may not be allowed to read which template a project was made from.
    """
    own = template_of(workspace, project, persona).promotions
    return tuple(dict.fromkeys((*own, *(kind for each in workspace.plan.templates for kind in each.promotions))))


def starter(workspace: Workspace, kind: str) -> str:
    """Return the persona that starts, stops and retries a kind of pipeline."""
    return "lead" if promotes(workspace, kind) else "data-scientist"


def name_of(workspace: Workspace, project: str, kind: str) -> str:
    """Return the name of a project's pipeline.

    Raises:
        ConfigError: When no template in use has this kind.
    """
    known = dict.fromkeys(each for template in workspace.plan.templates for each in kinds_of(template))
    if kind not in known:
        raise ConfigError(
            f"there is no pipeline {kind}",
            got=kind,
            expected=" or ".join(known),
            fix=f"mlops pipeline list {project}",
        )
    return workspace.project(project).pipeline(kind)
