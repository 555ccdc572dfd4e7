"""A pipeline's declaration: what CodePipeline checks before it keeps one.

Source: "CodePipeline pipeline structure reference", "Action structure reference", "Pipeline type".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlops_foundation.local.contract import Json, ServiceError, not_supported
from mlops_foundation.local.services.codepipeline.variables import EXECUTION, PIPELINE, references


@dataclass(frozen=True)
class ActionType:
    """What an action provider takes.

    Attributes:
        required: Configuration keys that must be there.
        optional: Keys that may be there.
        inputs: Fewest and most input artifacts.
        outputs: Fewest and most output artifacts.
    """

    required: frozenset[str]
    optional: frozenset[str]
    inputs: tuple[int, int]
    outputs: tuple[int, int]


def _type(required: str, optional: str, inputs: tuple[int, int], outputs: tuple[int, int]) -> ActionType:
    return ActionType(frozenset(required.split()), frozenset(optional.split()), inputs, outputs)


_CODEBUILD = _type("ProjectName", "PrimarySource EnvironmentVariables", (1, 5), (0, 5))
ACTION_TYPES: Mapping[tuple[str, str], ActionType] = {
    ("Source", "CodeCommit"): _type(
        "RepositoryName BranchName PollForSourceChanges", "OutputArtifactFormat", (0, 0), (1, 1)
    ),
    ("Source", "S3"): _type("S3Bucket S3ObjectKey PollForSourceChanges", "", (0, 0), (1, 1)),
    ("Build", "CodeBuild"): _CODEBUILD,
    ("Test", "CodeBuild"): _CODEBUILD,
    ("Deploy", "CloudFormation"): _type(
        "ActionMode StackName",
        "TemplatePath TemplateConfiguration ParameterOverrides Capabilities RoleArn ChangeSetName OutputFileName",
        (0, 10),
        (0, 1),
    ),
    ("Approval", "Manual"): _type("", "CustomData ExternalEntityLink", (0, 0), (0, 0)),
}
ACTION_MODES = ("CREATE_UPDATE", "REPLACE_ON_FAILURE", "DELETE_ONLY", "CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE")


def actions_of(stage: Json) -> Iterator[tuple[int, list[Json]]]:
    """Yield a stage's actions in groups that run at the same time, by run order."""
    orders = sorted({action.get("runOrder", 1) for action in stage["actions"]})
    for order in orders:
        yield order, [action for action in stage["actions"] if action.get("runOrder", 1) == order]


def action_named(pipeline: Json, stage_name: str, action_name: str) -> Json:
    """Return the declaration of an action.

    Raises:
        ServiceError: ``StageNotFoundException``, ``ActionNotFoundException``.
    """
    stage = stage_named(pipeline, stage_name)
    for action in stage["actions"]:
        if action["name"] == action_name:
            return dict(action)
    raise ServiceError("ActionNotFoundException", f"The stage {stage_name} has no action {action_name}")


def stage_named(pipeline: Json, name: str) -> Json:
    """Return the declaration of a stage.

    Raises:
        ServiceError: ``StageNotFoundException``.
    """
    for stage in pipeline["stages"]:
        if stage["name"] == name:
            return dict(stage)
    raise ServiceError("StageNotFoundException", f"The pipeline {pipeline['name']} has no stage {name}")


def check(pipeline: Json, region: str) -> None:
    """Refuse a pipeline that CodePipeline, or the local cloud, cannot run.

    Raises:
        ServiceError: With CodePipeline's code for the part that is wrong.
    """
    _check_kind(pipeline)
    _check_stores(pipeline, region)
    stages = pipeline["stages"]
    if len(stages) < 2:  # noqa: PLR2004  AWS's limit
        raise ServiceError("InvalidStructureException", "Pipeline should have at least 2 stages")
    _unique((stage["name"] for stage in stages), "InvalidStageDeclarationException", "stage")
    _unique(
        (artifact["name"] for action in _all(stages) for artifact in action.get("outputArtifacts", [])),
        "InvalidStructureException",
        "output artifact",
    )
    artifacts: set[str] = set()
    for number, stage in enumerate(stages):
        _check_stage(stage, first=number == 0)
        for _, actions in actions_of(stage):
            for action in actions:
                _check_action(action, region, artifacts)
            artifacts |= {artifact["name"] for action in actions for artifact in action.get("outputArtifacts", [])}
    _check_references(pipeline)


def _all(stages: Iterable[Json]) -> Iterator[Json]:
    return (action for stage in stages for action in stage["actions"])


def _unique(names: Iterable[str], code: str, what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ServiceError(code, f"The {what} {name} is there more than once")
        seen.add(name)


def _check_kind(pipeline: Json) -> None:
    if pipeline.get("triggers"):
        raise not_supported("triggers of a pipeline")
    mode = pipeline.get("executionMode", "SUPERSEDED")
    if mode == "PARALLEL":
        raise not_supported("Execution mode PARALLEL")
    if pipeline.get("pipelineType", "V1") == "V1" and (pipeline.get("variables") or mode != "SUPERSEDED"):
        raise ServiceError("ValidationException", "Variables and execution mode QUEUED need a pipeline of type V2")
    _unique((item["name"] for item in pipeline.get("variables", [])), "ValidationException", "variable")


def _check_stores(pipeline: Json, region: str) -> None:
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        raise ServiceError("InvalidStructureException", "Pipeline should have either artifactStore or artifactStores")
    if set(pipeline.get("artifactStores", {region: ""})) != {region}:
        raise not_supported("An artifact store in another region than the pipeline's")


def _check_stage(stage: Json, *, first: bool) -> None:
    for key in ("blockers", "onFailure", "onSuccess", "beforeEntry"):
        if stage.get(key):
            raise not_supported(f"{key} of a stage")
    if not stage["actions"]:
        raise ServiceError("InvalidStageDeclarationException", f"The stage {stage['name']} has no action")
    _unique((action["name"] for action in stage["actions"]), "InvalidActionDeclarationException", "action")
    for action in stage["actions"]:
        if (action["actionTypeId"]["category"] == "Source") != first:
            where = f"{stage['name']} may have {'only source actions' if first else 'no source action'}"
            raise ServiceError(
                "InvalidStageDeclarationException",
                f"Pipeline should start with a stage that only contains source actions: {where}",
            )


def _check_action(action: Json, region: str, artifacts: set[str]) -> None:
    for key in ("commands", "outputVariables", "environmentVariables", "timeoutInMinutes"):
        if action.get(key):
            raise not_supported(f"{key} of an action")
    if action.get("region", region) != region:
        raise not_supported(f"An action in another region than the pipeline's ({action['region']})")
    kind = action["actionTypeId"]
    action_type = ACTION_TYPES.get((kind["category"], kind["provider"]))
    if action_type is None or (kind["owner"], kind["version"]) != ("AWS", "1"):
        raise not_supported(f"Action type {kind['category']} {kind['owner']} {kind['provider']} {kind['version']}")
    _check_configuration(action, action_type)
    _check_artifacts(action, action_type, artifacts)


def _check_configuration(action: Json, kind: ActionType) -> None:
    configuration: Mapping[str, str] = action.get("configuration", {})
    for key in sorted(kind.required - configuration.keys()):
        raise _invalid(f"Action configuration for action '{action['name']}' is missing required key '{key}'")
    for key in sorted(configuration.keys() - kind.required - kind.optional):
        raise _invalid(f"Action configuration for action '{action['name']}' contains unknown key '{key}'")
    if configuration.get("PollForSourceChanges", "false") != "false":
        raise not_supported("PollForSourceChanges true")
    if configuration.get("OutputArtifactFormat", "CODE_ZIP") != "CODE_ZIP":
        raise not_supported(f"OutputArtifactFormat {configuration['OutputArtifactFormat']}")
    mode = configuration.get("ActionMode", "CREATE_UPDATE")
    if mode not in ACTION_MODES:
        raise _invalid(f"ActionMode {mode} is not one of {', '.join(ACTION_MODES)}")
    _check_mode(action, configuration, mode)


def _check_mode(action: Json, configuration: Mapping[str, str], mode: str) -> None:
    if "ActionMode" not in configuration:
        return
    needs = []
    if mode not in ("DELETE_ONLY", "CHANGE_SET_EXECUTE"):
        needs = ["TemplatePath", "RoleArn"]
    if mode.startswith("CHANGE_SET"):
        needs.append("ChangeSetName")
    for key in needs:
        if key not in configuration:
            raise _invalid(f"ActionMode {mode} of action '{action['name']}' needs '{key}'")


def _check_artifacts(action: Json, kind: ActionType, artifacts: set[str]) -> None:
    inputs = [artifact["name"] for artifact in action.get("inputArtifacts", [])]
    for what, count, (low, high) in (
        ("input", len(inputs), kind.inputs),
        ("output", len(action.get("outputArtifacts", [])), kind.outputs),
    ):
        if not low <= count <= high:
            raise _invalid(f"Action '{action['name']}' has {count} {what} artifacts, allowed are {low} to {high}")
    for name in inputs:
        if name not in artifacts:
            raise _invalid(f"Input Artifact Bundle {name} in action {action['name']} is not declared as output")
    primary = action.get("configuration", {}).get("PrimarySource")
    if kind is _CODEBUILD and len(inputs) > 1 and primary not in inputs:
        raise _invalid(f"Action '{action['name']}' has several inputs and needs PrimarySource to name one")


def _check_references(pipeline: Json) -> None:
    known = {PIPELINE, EXECUTION} | {
        action["namespace"] for action in _all(pipeline["stages"]) if "namespace" in action
    }
    declared = {item["name"] for item in pipeline.get("variables", [])}
    for action in _all(pipeline["stages"]):
        for value in action.get("configuration", {}).values():
            for namespace, key in references(value):
                if namespace not in known or (namespace == PIPELINE and key not in declared):
                    raise _invalid(f"Action '{action['name']}' refers to unknown variable #{{{namespace}.{key}}}")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidActionDeclarationException", message)
