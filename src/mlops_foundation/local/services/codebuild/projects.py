"""What a build project may be here, and what StartBuild may change of it for one build."""

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Call, Json, ServiceError, not_supported
from mlops_foundation.local.services.codebuild.images import IMAGES
from mlops_foundation.local.services.codebuild.records import project_arn

_REFUSED = ("secondarySources", "secondaryArtifacts", "fileSystemLocations", "buildBatchConfig", "concurrentBuildLimit")
_SOURCES = ("CODEPIPELINE", "NO_SOURCE", "S3")
_OVERRIDES = {
    "artifactsOverride": "artifacts",
    "sourceVersion": "sourceVersion",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "logsConfigOverride": "logsConfig",
    "encryptionKeyOverride": "encryptionKey",
}
_SOURCE_OVERRIDES = {
    "buildspecOverride": "buildspec",
    "sourceTypeOverride": "type",
    "sourceLocationOverride": "location",
}


def new_project(call: Call, request: Json) -> Json:
    """Return the record of a new project, with CodeBuild's defaults.

    Raises:
        ServiceError: When it asks for what CodeBuild or the local cloud does not allow.
    """
    stamp = now().timestamp()
    record = {
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "encryptionKey": f"arn:aws:kms:{call.region}:{call.account}:alias/aws/s3",
        "cache": {"type": "NO_CACHE"},
        "tags": [],
        **request,
        "arn": project_arn(call.scope, request["name"]),
        "created": stamp,
        "lastModified": stamp,
        "badge": {"badgeEnabled": False},
        "projectVisibility": "PRIVATE",
        "_builds": 0,
    }
    record.pop("badgeEnabled", None)
    _check(request, record)
    return record


def changed_project(before: Json, request: Json) -> Json:
    """Return the record of a project after an update.

    Raises:
        ServiceError: As for a new one.
    """
    record = {**before, **request, "lastModified": now().timestamp()}
    record.pop("badgeEnabled", None)
    _check(request, record)
    return record


def _check(request: Json, record: Json) -> None:
    for key in _REFUSED:
        if request.get(key):
            raise not_supported(f"{key} of a CodeBuild project")
    if request.get("badgeEnabled"):
        raise not_supported("badgeEnabled of a CodeBuild project")
    _check_environment(record["environment"])
    _check_files(record["source"], record["artifacts"])
    if record.get("logsConfig", {}).get("s3Logs", {}).get("status") == "ENABLED":
        raise not_supported("s3Logs of a CodeBuild project")


def _check_environment(environment: Json) -> None:
    if environment["type"] != "LINUX_CONTAINER":
        raise not_supported(f"Environment type {environment['type']}")
    if environment["image"] not in IMAGES:
        raise ServiceError(
            "InvalidInputException",
            f"Image {environment['image']!r} is not one the local cloud stands in for: {', '.join(IMAGES)}",
        )
    for variable in environment.get("environmentVariables", []):
        if variable.get("type") == "SECRETS_MANAGER":
            raise not_supported("An environment variable of type SECRETS_MANAGER")


def _check_files(source: Json, artifacts: Json) -> None:
    if source["type"] not in _SOURCES:
        raise not_supported(f"Source type {source['type']}")
    if (source["type"] == "CODEPIPELINE") != (artifacts["type"] == "CODEPIPELINE"):
        raise ServiceError("InvalidInputException", "Source and artifacts must both be CODEPIPELINE, or neither")
    if source["type"] == "NO_SOURCE" and "\n" not in source.get("buildspec", ""):
        raise ServiceError("InvalidInputException", "A project of NO_SOURCE needs its buildspec inline")
    if source["type"] == "S3" and not source.get("location"):
        raise ServiceError("InvalidInputException", "A source of S3 needs a location")
    if artifacts["type"] == "S3" and not (artifacts.get("location") and artifacts.get("name")):
        raise ServiceError("InvalidInputException", "Artifacts of S3 need a location and a name")


def overridden(project: Json, request: Json) -> Json:
    """Return a project as one build sees it.

    Raises:
        ServiceError: When an override is not supported, or its result is not allowed.
    """
    known = {*_OVERRIDES, *_SOURCE_OVERRIDES, "environmentVariablesOverride", "projectName", "idempotencyToken"}
    for key in request:
        if key not in known:
            raise not_supported(f"{key} of StartBuild")
    changes = {name: request[key] for key, name in _OVERRIDES.items() if key in request}
    source = {name: request[key] for key, name in _SOURCE_OVERRIDES.items() if key in request}
    variables = {item["name"]: item for item in project["environment"].get("environmentVariables", [])}
    variables |= {item["name"]: item for item in request.get("environmentVariablesOverride", [])}
    wanted = {
        **project,
        **changes,
        "source": {**project["source"], **source},
        "environment": {**project["environment"], "environmentVariables": list(variables.values())},
    }
    _check(request, wanted)
    return wanted
