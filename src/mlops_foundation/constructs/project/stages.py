"""The stages of a project's pipelines: from a repository, through builds, to every account that it is deployed to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_codepipeline as codepipeline

from mlops_foundation.constructs.project.names import Names
from mlops_foundation.core.names import Stage

Stages = Sequence[codepipeline.CfnPipeline.StageDeclarationProperty]
_Stage = codepipeline.CfnPipeline.StageDeclarationProperty
_Action = codepipeline.CfnPipeline.ActionDeclarationProperty


@dataclass(frozen=True)
class Deployment:
    """What every stage deploys, and how it is looked at afterwards.

    Attributes:
        artifact: Artifact that holds ``<stage>.template.json``.
        overrides: Parameters of the template.
        question: What who approves is asked; the stage's name follows.
        test: Build that tests each deployment; none when empty.
        variables: What that build is told beside the stage and its test role.
    """

    artifact: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    question: str = "Deploy"
    test: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def source(names: Names, side: str) -> _Stage:
    """Fetch the repository ``<project>-<side>``, as the artifact Source."""
    configuration = {
        "RepositoryName": names.of(f"-{side}"),
        "BranchName": names.context.source_branch,
        "PollForSourceChanges": "false",
    }
    action = _action("Source", "Source", "CodeCommit", configuration, outputs=["Source"], namespace="Source")
    return _Stage(name="Source", actions=[action])


def build(
    names: Names,
    name: str,
    variables: Mapping[str, str] | None = None,
    inputs: Sequence[str] = ("Source",),
    outputs: Sequence[str] = (),
) -> _Stage:
    """Run the build ``<project>-<name>``; what it exports is ``#{<Name>.VARIABLE}``.

    Args:
        names: Of the project.
        name: Of the build, and of the stage.
        variables: What it is told of the execution.
        inputs: Artifacts; the first is where its build specification is.
        outputs: Artifacts that it makes.
    """
    configuration = _build(names, name, variables or {})
    if len(inputs) > 1:
        configuration["PrimarySource"] = inputs[0]
    title = name.capitalize()
    namespace = title if len(inputs) == 1 else None
    action = _action(title, "Build", "CodeBuild", configuration, inputs, outputs, namespace=namespace)
    return _Stage(name=title, actions=[action])


def promotion(names: Names, deployment: Deployment) -> list[_Stage]:
    """Deploy to dev, and after an approval each to preprod and to prod."""
    return [
        _deploy(names, "dev", deployment),
        _approve("preprod", deployment),
        _deploy(names, "preprod", deployment),
        _approve("prod", deployment),
        _deploy(names, "prod", deployment),
    ]


def _deploy(names: Names, stage: Stage, deployment: Deployment) -> _Stage:
    configuration = {
        "ActionMode": "CREATE_UPDATE",
        "StackName": names.of(f"-{stage}"),
        "TemplatePath": f"{deployment.artifact}::{stage}.template.json",
        "ParameterOverrides": json.dumps(dict(deployment.overrides)),
        "Capabilities": "CAPABILITY_NAMED_IAM",
        "RoleArn": names.deploy_execution_role_arn(stage),
    }
    role_arn = names.deploy_action_role_arn(stage)
    actions = [_action("Deploy", "Deploy", "CloudFormation", configuration, [deployment.artifact], role_arn=role_arn)]
    if deployment.test:
        told = {"STAGE": stage, **deployment.variables, "TEST_ROLE_ARN": names.test_role_arn(stage)}
        test = _build(names, deployment.test, told)
        actions.append(_action("Test", "Test", "CodeBuild", test, ["Source"], run_order=2))
    return _Stage(name=stage.capitalize(), actions=actions)


def _approve(stage: Stage, deployment: Deployment) -> _Stage:
    configuration = {"CustomData": f"{deployment.question} to {stage}?"}
    return _Stage(
        name=f"Approve{stage.capitalize()}", actions=[_action("Approve", "Approval", "Manual", configuration)]
    )


def _build(names: Names, name: str, variables: Mapping[str, str]) -> dict[str, str]:
    configuration = {"ProjectName": names.of(f"-{name}")}
    if variables:
        listed = [{"name": key, "value": value, "type": "PLAINTEXT"} for key, value in variables.items()]
        configuration["EnvironmentVariables"] = json.dumps(listed)
    return configuration


def _action(  # noqa: PLR0913  the parts of one action
    name: str,
    category: str,
    provider: str,
    configuration: dict[str, str],
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    *,
    namespace: str | None = None,
    role_arn: str | None = None,
    run_order: int = 1,
) -> _Action:
    pipeline = codepipeline.CfnPipeline
    return _Action(
        name=name,
        action_type_id=pipeline.ActionTypeIdProperty(category=category, owner="AWS", provider=provider, version="1"),
        configuration=configuration,
        input_artifacts=[pipeline.InputArtifactProperty(name=each) for each in inputs] or None,
        output_artifacts=[pipeline.OutputArtifactProperty(name=each) for each in outputs] or None,
        namespace=namespace,
        role_arn=role_arn,
        run_order=run_order,
    )
