"""Operations of CodeBuild.

Source: CodeBuild API reference; service authorization reference.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.local.contract import (
    Call,
    Check,
    Cloud,
    Json,
    Principal,
    ResourceType,
    Scope,
    Service,
    ServiceError,
    VpcWorkload,
    operation,
)
from mlops_foundation.local.services.codebuild import projects
from mlops_foundation.local.services.codebuild.build import Build, Surroundings
from mlops_foundation.local.services.codebuild.records import (
    BUILD,
    PROJECT,
    build_of,
    finished_at_start,
    hand_over,
    new_build,
    project_arn,
    project_of,
    visible,
)
from mlops_foundation.local.services.codebuild.resource import PROJECT_TYPE

CODEBUILD = "codebuild.amazonaws.com"


def _project(_service: object, call: Call, request: Json) -> str:
    return project_arn(call.scope, request.get("projectName") or request.get("name", ""))


def _project_of_build(_service: object, call: Call, request: Json) -> str:
    return project_arn(call.scope, _project_name(request["id"]))


def _project_name(build_id: str) -> str:
    return build_id.rsplit("/", 1)[-1].partition(":")[0]


def _each(kind: str, action: str) -> Callable[["CodeBuild", Call, Json], Iterable[Check]]:
    """Return the checks of a batch operation: one for each project."""

    def checks(_service: "CodeBuild", call: Call, request: Json) -> Iterable[Check]:
        for name in dict.fromkeys(_project_name(item) for item in request[kind]):
            yield Check(action, project_arn(call.scope, name))

    return checks


def _first(kind: str) -> Callable[["CodeBuild", Call, Json], str]:
    def arn(_service: "CodeBuild", call: Call, request: Json) -> str:
        return project_arn(call.scope, _project_name(request[kind][0]) if request[kind] else "")

    return arn


class CodeBuild(Service):
    """Build projects and their builds."""

    name = "codebuild"
    models = ("codebuild",)
    namespace = "codebuild"
    resource_types: ClassVar[Mapping[str, ResourceType]] = {"AWS::CodeBuild::Project": PROJECT_TYPE}

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._running: dict[str, Build] = {}

    def start(self) -> None:
        """Close the records of builds that ran when the cloud was stopped: their processes are gone."""
        for scope in self.records.scopes():
            for record in self.records.all(scope, BUILD):
                if not record["buildComplete"]:
                    self.records.put(scope, BUILD, record["id"], finished_at_start(record))

    def stop(self) -> None:
        """Kill what builds run."""
        for build in list(self._running.values()):
            build.stop()

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a project."""
        where = Arn.parse(arn)
        record = self.records.get(Scope(AccountId(where.account), Region(where.region)), PROJECT, where.name)
        return {tag["key"]: tag["value"] for tag in record.get("tags", [])} if record else {}

    # --- projects

    @operation(resource=_project, passes={"serviceRole": CODEBUILD})
    def create_project(self, call: Call, request: Json) -> Json:
        """Make a build project."""
        if self.records.get(call.scope, PROJECT, request["name"]):
            raise ServiceError(
                "ResourceAlreadyExistsException", f"Project already exists: {project_arn(call.scope, request['name'])}"
            )
        record = projects.new_project(call, request)
        self.records.put(call.scope, PROJECT, record["name"], record)
        return {"project": visible(record)}

    @operation(resource=_project, passes={"serviceRole": CODEBUILD})
    def update_project(self, call: Call, request: Json) -> Json:
        """Change a build project; what is left out stays."""
        before = project_of(self.records, call.scope, request["name"])
        record = projects.changed_project(before, request)
        self.records.put(call.scope, PROJECT, record["name"], record)
        return {"project": visible(record)}

    @operation(resource=_project)
    def delete_project(self, call: Call, request: Json) -> Json:
        """Remove a build project; its builds stay listed. One that is gone is no error, as on AWS."""
        self.records.pop(call.scope, PROJECT, request["name"])
        return {}

    @operation(resource=_first("names"), more=_each("names", "codebuild:BatchGetProjects"))
    def batch_get_projects(self, call: Call, request: Json) -> Json:
        """Describe projects."""
        found = {name: self.records.get(call.scope, PROJECT, name.rsplit("/", 1)[-1]) for name in request["names"]}
        return {
            "projects": [visible(record) for record in found.values() if record],
            "projectsNotFound": [name for name, record in found.items() if record is None],
        }

    @operation()
    def list_projects(self, call: Call, request: Json) -> Json:
        """List the names of all projects."""
        names = sorted(record["name"] for record in self.records.all(call.scope, PROJECT))
        return {"projects": names[::-1] if request.get("sortOrder") == "DESCENDING" else names}

    # --- builds

    @operation(resource=_project)
    def start_build(self, call: Call, request: Json) -> Json:
        """Start a build of a project."""
        project = project_of(self.records, call.scope, request["projectName"])
        wanted = projects.overridden(project, request)
        if "CODEPIPELINE" in (wanted["source"]["type"], wanted["artifacts"]["type"]):
            raise ServiceError(
                "InvalidInputException", "A project with source or artifacts of CODEPIPELINE is started by CodePipeline"
            )
        record = new_build(call, wanted, initiator=Arn.parse(call.principal.arn).name)
        return {"build": self._start(call, record)}

    @operation(resource=_project, action="codebuild:StartBuild", name="StartPipelineBuild")
    def start_pipeline_build(self, call: Call, request: Json) -> Json:
        """Start a build as CodePipeline does, which is not in the API: its artifacts become source and target.

        The request has ``projectName``, ``initiator``, ``sources`` and ``outputs`` (lists of ``{name, location}``, the
        primary one first), ``encryptionKey`` and ``environmentVariablesOverride``.
        """
        project = project_of(self.records, call.scope, request["projectName"])
        if project["source"]["type"] != "CODEPIPELINE":
            raise ServiceError(
                "InvalidInputException", f"The source of project {project['name']} is not of type CODEPIPELINE"
            )
        wanted = projects.overridden(
            project, {"environmentVariablesOverride": request.get("environmentVariablesOverride", [])}
        )
        record = new_build(call, hand_over(wanted, request), initiator=request["initiator"])
        return {"build": self._start(call, record)}

    @operation(resource=_first("ids"), more=_each("ids", "codebuild:BatchGetBuilds"))
    def batch_get_builds(self, call: Call, request: Json) -> Json:
        """Describe builds."""
        found = {name: self.records.get(call.scope, BUILD, name.rsplit("/", 1)[-1]) for name in request["ids"]}
        return {
            "builds": [visible(record) for record in found.values() if record],
            "buildsNotFound": [name for name, record in found.items() if record is None],
        }

    @operation()
    def list_builds(self, call: Call, request: Json) -> Json:
        """List the ids of all builds, newest first unless asked otherwise."""
        return {"ids": self._ids(call, request, "")}

    @operation(resource=_project)
    def list_builds_for_project(self, call: Call, request: Json) -> Json:
        """List the ids of a project's builds, newest first unless asked otherwise."""
        project_of(self.records, call.scope, request["projectName"])
        return {"ids": self._ids(call, request, request["projectName"])}

    def _ids(self, call: Call, request: Json, project: str) -> list[str]:
        records = self.records.all(call.scope, BUILD)
        ids = [record["id"] for record in records if project in ("", record["projectName"])]
        return ids if request.get("sortOrder") == "ASCENDING" else ids[::-1]

    @operation(resource=_project_of_build)
    def stop_build(self, call: Call, request: Json) -> Json:
        """Stop a build."""
        record = build_of(self.records, call.scope, request["id"])
        build = self._running.get(record["id"])
        if build is not None:
            build.stop()
        return {"build": visible(build_of(self.records, call.scope, request["id"]))}

    def _start(self, call: Call, record: Json) -> Json:
        role = self._assume(call, record)
        self._count(call, record)
        key = record["id"]
        self.records.put(call.scope, BUILD, key, record)
        scope = call.scope
        build = Build(
            Surroundings(
                cloud=self.cloud,
                scope=scope,
                role=role,
                folder=self.cloud.folder("codebuild", scope.account, scope.region, key.replace(":", "-")),
                change=lambda change: self.records.change(scope, BUILD, key, change),
                done=lambda done: self._announce(scope, done),
            ),
            record,
        )
        self._running[key] = build
        self._announce(scope, record)
        self.cloud.spawn(f"codebuild-{key}", lambda: self._run(key, build))
        return visible(record)

    def _run(self, key: str, build: Build) -> None:
        try:
            build.run()
        finally:
            self._running.pop(key, None)

    def _assume(self, call: Call, record: Json) -> Principal:
        vpc = record.get("vpcConfig")
        try:
            return self.cloud.assume_service_role(
                record["serviceRole"],
                CODEBUILD,
                f"AWSCodeBuild-{record['id'].partition(':')[2]}",
                source_arn=project_arn(call.scope, record["projectName"]),
                region=call.region,
                workload=VpcWorkload("build", record["projectName"], tuple(vpc["subnets"])) if vpc else None,
            )
        except ServiceError as error:
            raise ServiceError(
                "InvalidInputException",
                f"CodeBuild is not authorized to perform: sts:AssumeRole on service role. {error.message}",
            ) from error

    def _count(self, call: Call, record: Json) -> None:
        def count(project: Json) -> None:
            project["_builds"] += 1

        record["buildNumber"] = self.records.change(call.scope, PROJECT, record["projectName"], count)["_builds"]

    def _announce(self, scope: Scope, record: Json) -> None:
        detail = {
            "build-id": record["arn"],
            "build-status": record["buildStatus"],
            "project-name": record["projectName"],
            "current-phase": record["currentPhase"],
            "current-phase-context": "[]",
            "version": "1",
            "additional-information": {
                "build-complete": record["buildComplete"],
                "build-start-time": record["startTime"],
                "initiator": record["initiator"],
                "logs": {
                    "group-name": record["logs"].get("groupName"),
                    "stream-name": record["logs"].get("streamName"),
                },
            },
        }
        self.cloud.emit(scope, "aws.codebuild", "CodeBuild Build State Change", detail, [record["arn"]])
