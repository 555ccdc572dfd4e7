"""What there is and what waits for whom: projects, versions, pipelines and endpoints of every set, at one look.

Everything is asked for at the same time. What the reader may not see is named, and the rest is shown all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from mlops_foundation.core.errors import FoundationError
from mlops_foundation.usecases import endpoints, models, projects
from mlops_foundation.usecases.endpoints import Endpoint
from mlops_foundation.usecases.models import Version
from mlops_foundation.usecases.pipeline_state import PipelineState, asked_stage
from mlops_foundation.usecases.pipeline_view import PipelineView
from mlops_foundation.usecases.project_pipelines import of_project
from mlops_foundation.usecases.projects import Project
from mlops_foundation.usecases.workspace import Workspace

_AT_ONCE: Final = 16
_VERSIONS: Final = 3


@dataclass(frozen=True)
class ProjectStatus:
    """One project.

    Attributes:
        project: The project.
        versions: The newest ones, newest first.
        pipelines: With their newest execution, by kind.
        endpoints: Of the stages that could be read.
        unseen: Why a part could not be read, by its name.
    """

    project: Project
    versions: tuple[Version, ...]
    pipelines: Mapping[str, PipelineState]
    endpoints: tuple[Endpoint, ...]
    unseen: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {
            "project": self.project.name,
            "status": self.project.status,
            "versions": [{"version": each.version, "status": each.status} for each in self.versions],
            "pipelines": {kind: _pipeline(each) for kind, each in self.pipelines.items()},
            "endpoints": [each.as_dict() for each in self.endpoints],
            "unseen": dict(self.unseen),
        }


@dataclass(frozen=True)
class SetStatus:
    """One set of accounts.

    Attributes:
        name: The set.
        region: Its region.
        projects: Newest first.
        unseen: Why its projects could not be listed; empty when they could.
    """

    name: str
    region: str
    projects: tuple[ProjectStatus, ...] = ()
    unseen: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        shown = [each.as_dict() for each in self.projects]
        return {"set": self.name, "region": self.region, "projects": shown, "unseen": self.unseen}


@dataclass
class _Asked:
    """What is being asked for about one project."""

    project: Project
    parts: dict[str, "Future[Any]"] = field(default_factory=dict)
    pipelines: dict[str, "Future[PipelineState]"] = field(default_factory=dict)

    def answered(self) -> ProjectStatus:
        found: dict[str, Any] = {}
        unseen: dict[str, str] = {}
        for name, part in {**self.parts, **self.pipelines}.items():
            try:
                found[name] = part.result()
            except FoundationError as error:
                unseen[name] = error.what
        seen = found.get("endpoints")
        return ProjectStatus(
            project=self.project,
            versions=tuple(found.get("versions", ())),
            pipelines={kind: found[kind] for kind in self.pipelines if kind in found},
            endpoints=seen.endpoints if seen else (),
            unseen=unseen | dict(seen.unseen if seen else {}),
        )


def look(workspaces: Sequence[Workspace], role: str) -> list[SetStatus]:
    """Return the status of sets of accounts.

    Args:
        workspaces: One for each set.
        role: Who looks; on the local cloud the auditor when empty, who may read everything but data.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        listed = [
            (each, pool.submit(projects.list_projects, each, each.persona(role, "auditor"))) for each in workspaces
        ]
        asked = [(workspace, _ask(pool, workspace, role, found)) for workspace, found in listed]
        return [_set(workspace, found) for workspace, found in asked]


def _ask(
    pool: ThreadPoolExecutor, workspace: Workspace, role: str, listed: "Future[list[Project]]"
) -> list[_Asked] | str:
    try:
        found = listed.result()
    except FoundationError as error:
        return error.what
    persona = workspace.persona(role, "auditor")
    kinds = list(pool.map(lambda each: of_project(workspace, each.name, persona), found))
    return [_about(pool, workspace, each, of, persona) for each, of in zip(found, kinds, strict=True)]


def _about(
    pool: ThreadPoolExecutor, workspace: Workspace, project: Project, kinds: Sequence[str], persona: str
) -> _Asked:
    """Ask for everything about a project, whose pipelines are of these kinds."""
    name = project.name

    def pipeline(kind: str) -> Callable[[], PipelineState]:
        return lambda: PipelineView(workspace, name, kind, persona, steps=False).state()

    parts: dict[str, Future[Any]] = {
        "versions": pool.submit(lambda: models.list_versions(workspace, name, persona)[:_VERSIONS]),
        "endpoints": pool.submit(endpoints.look, workspace, name),
    }
    return _Asked(project, parts, {kind: pool.submit(pipeline(kind)) for kind in kinds})


def _set(workspace: Workspace, found: list[_Asked] | str) -> SetStatus:
    name, region = workspace.set_plan.name, workspace.set_plan.region
    if isinstance(found, str):
        return SetStatus(name, region, unseen=found)
    return SetStatus(name, region, tuple(each.answered() for each in found))


def todo(project: str, kind: str, state: PipelineState) -> list[tuple[str, str]]:
    """Return what waits for somebody in a pipeline, each with the command that moves it on; nothing when nothing does.

    Args:
        project: Project name.
        kind: Of the project's pipelines.
        state: Its newest execution, which knows of the others that wait.
    """
    found: list[tuple[str, str]] = []
    if state.waiting:
        found.append(_approval(project, state.waiting.name, state.subject))
    elif state.wait:
        found.append((state.wait.reason, state.wait.command))
    elif state.status == "Failed" and not state.rejected:
        stage = state.failed[0].name if state.failed else "an early stage"
        found.append((f"{state.subject or 'it'} failed in {stage}", f"mlops pipeline watch {project} {kind}"))
    told = state.wait.holder if state.wait else ""
    return found + [_approval(project, each.stage, each.subject) for each in state.pending if each.execution_id != told]


def _approval(project: str, stage: str, subject: str) -> tuple[str, str]:
    asked = asked_stage(stage)
    return f"{subject or 'a version'} waits for an approval before {asked}", f"mlops pipeline approve {project} {asked}"


def _pipeline(state: PipelineState) -> dict[str, Any]:
    project, kind, _ = state.name.split("_")
    return {
        "execution": state.execution_id,
        "subject": state.subject,
        "status": state.status,
        "todo": [{"waits": waits, "command": command} for waits, command in todo(project, kind, state)],
    }
