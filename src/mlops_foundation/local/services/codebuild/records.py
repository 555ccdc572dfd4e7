"""The records of projects and builds, in the shape the API shows; keys with an underscore stay inside."""

from mlops_foundation.core.clock import new_id, now
from mlops_foundation.local.contract import Call, Json, Scope, ServiceError, Store

PROJECT, BUILD = "project", "build"
_SECONDARY = ("secondarySourceVersions", "secondaryArtifacts")


def project_arn(scope: Scope, name: str) -> str:
    """Return the ARN of a project, or ``name`` when it is one."""
    return name if name.startswith("arn:") else f"arn:aws:codebuild:{scope.region}:{scope.account}:project/{name}"


def visible(record: Json) -> Json:
    """Return what the API shows of a record."""
    return {key: value for key, value in record.items() if not key.startswith("_")}


def project_of(records: Store, scope: Scope, name: str) -> Json:
    """Return the record of a project by its name or ARN.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    record = records.get(scope, PROJECT, name.rsplit("/", 1)[-1])
    if record is None:
        raise ServiceError("ResourceNotFoundException", f"Project cannot be found: {project_arn(scope, name)}")
    return record


def build_of(records: Store, scope: Scope, build_id: str) -> Json:
    """Return the record of a build by its id or ARN.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    record = records.get(scope, BUILD, build_id.rsplit("/", 1)[-1])
    if record is None:
        raise ServiceError("ResourceNotFoundException", f"Build cannot be found: {build_id}")
    return record


def new_build(call: Call, project: Json, *, initiator: str) -> Json:
    """Return the record of a build that has just been submitted.

    Args:
        call: Where it runs.
        project: The project, with what the start overrides.
        initiator: Who started it: a user or role session, or ``codepipeline/<name>``.
    """
    token, stamp = new_id(), now().timestamp()
    build_id = f"{project['name']}:{token}"
    kept = ("source", "environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes", "encryptionKey")
    given = ("cache", "vpcConfig", "sourceVersion", "resolvedSourceVersion", *_SECONDARY)
    return {
        "id": build_id,
        "arn": call.arn("codebuild", f"build/{build_id}"),
        "projectName": project["name"],
        **{key: project[key] for key in kept},
        **{key: project[key] for key in given if key in project},
        "artifacts": _artifacts(project["artifacts"], token),
        "initiator": initiator,
        "startTime": stamp,
        "currentPhase": "QUEUED",
        "buildStatus": "IN_PROGRESS",
        "buildComplete": False,
        "buildNumber": 0,
        "logs": _logs(call, project, token),
        "phases": [
            {
                "phaseType": phase,
                "phaseStatus": "SUCCEEDED",
                "startTime": stamp,
                "endTime": stamp,
                "durationInSeconds": 0,
            }
            for phase in ("SUBMITTED", "QUEUED")
        ],
        "exportedEnvironmentVariables": [],
    }


def _artifacts(artifacts: Json, token: str) -> Json:
    """Return where a build's artifact goes, as BatchGetBuilds shows it: ``arn:aws:s3:::bucket/path/<id>/name``."""
    if artifacts["type"] == "NO_ARTIFACTS":
        return {}
    if artifacts["type"] == "CODEPIPELINE":
        return {key: artifacts[key] for key in ("location", "artifactIdentifier") if key in artifacts}
    token = token if artifacts.get("namespaceType") == "BUILD_ID" else ""
    parts = (artifacts["location"], artifacts.get("path", "").strip("/"), token, artifacts["name"])
    shown: Json = {key: artifacts[key] for key in ("encryptionDisabled", "packaging") if key in artifacts}
    return {"packaging": "NONE", **shown, "location": f"arn:aws:s3:::{'/'.join(part for part in parts if part)}"}


def _logs(call: Call, project: Json, token: str) -> Json:
    config = project.get("logsConfig", {}).get("cloudWatchLogs", {"status": "ENABLED"})
    if config["status"] == "DISABLED":
        return {"cloudWatchLogs": config}
    group = config.get("groupName", f"/aws/codebuild/{project['name']}")
    stream = f"{config['streamName']}/{token}" if "streamName" in config else token
    arn = call.arn("logs", f"log-group:{group}:log-stream:{stream}")
    return {"groupName": group, "streamName": stream, "cloudWatchLogsArn": arn, "cloudWatchLogs": config}


def hand_over(project: Json, request: Json) -> Json:
    """Return the project of a build that a pipeline starts: its artifacts are the source and the target."""
    sources, outputs = request["sources"], request["outputs"]
    wanted = {**project, "sourceVersion": sources[0]["location"], "encryptionKey": request["encryptionKey"]}
    wanted["secondarySourceVersions"] = [
        {"sourceIdentifier": item["name"], "sourceVersion": item["location"]} for item in sources[1:]
    ]
    single = len(outputs) == 1
    primary = {"location": outputs[0]["location"]} if single else {}
    wanted["artifacts"] = {"type": "CODEPIPELINE", **primary}
    wanted["secondaryArtifacts"] = [
        {"artifactIdentifier": item["name"], "location": item["location"]} for item in outputs
    ]
    return wanted | ({"resolvedSourceVersion": request["revision"]} if request.get("revision") else {})


def finished_at_start(record: Json) -> Json:
    """Return the record of a build whose process ended with the cloud itself."""
    stamp = now().timestamp()
    message = "The local cloud was stopped while this build ran"
    last = record["phases"][-1]
    last |= {"phaseStatus": "FAULT", "endTime": stamp, "contexts": [{"statusCode": "FAULT", "message": message}]}
    done = {"buildStatus": "FAULT", "buildComplete": True, "endTime": stamp, "currentPhase": "COMPLETED"}
    return {**record, **done, "phases": [*record["phases"], {"phaseType": "COMPLETED", "startTime": stamp}]}
