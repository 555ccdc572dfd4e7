"""Repositories, pipelines and what starts them: a push, or the approval of a version."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from constructs import Construct

from mlops_foundation.core.names import Stage
from mlops_foundation.templates.realtime.builds import Builds
from mlops_foundation.templates.realtime.names import Names
from mlops_foundation.templates.realtime.roles import Roles
from mlops_foundation.templates.realtime.storage import Storage

LATEST = "latest"
"""Value of the pipeline variable when nobody chose a version: the latest approved one."""

_Stage = codepipeline.CfnPipeline.StageDeclarationProperty
_Action = codepipeline.CfnPipeline.ActionDeclarationProperty
_VERSION = "#{Synth.MODEL_PACKAGE_ARN}"


class Delivery(Construct):
    """The two repositories and the two pipelines."""

    def __init__(self, scope: Construct, names: Names, storage: Storage, roles: Roles, builds: Builds) -> None:
        super().__init__(scope, "Delivery")
        self._names = names
        self._storage = storage
        self._repository("build")
        self._repository("deploy")
        build = self._pipeline("build", roles.build_pipeline.role_arn, self._build_stages())
        build.node.add_dependency(builds)
        deploy = self._pipeline("deploy", roles.deploy_pipeline.role_arn, self._deploy_stages())
        deploy.variables = [
            codepipeline.CfnPipeline.VariableDeclarationProperty(
                name="ModelPackageArn",
                default_value=LATEST,
                description="The version to deploy; the latest approved one when nothing is said",
            )
        ]
        deploy.node.add_dependency(builds)
        self._start_on_push("build", roles)
        self._start_on_push("deploy", roles)
        self._start_on_approval(roles)

    def _repository(self, side: str) -> None:
        seed = self._names.context.seeds[side]
        codecommit.CfnRepository(
            self,
            f"{side.capitalize()}Repository",
            repository_name=self._names.of(f"-{side}"),
            repository_description=f"The {side} app of the project",
            code=codecommit.CfnRepository.CodeProperty(
                branch_name=self._names.context.source_branch,
                s3=codecommit.CfnRepository.S3Property(bucket=seed.bucket, key=seed.key),
            ),
        )

    def _pipeline(self, side: str, role_arn: str, stages: Sequence[_Stage]) -> codepipeline.CfnPipeline:
        return codepipeline.CfnPipeline(
            self,
            f"{side.capitalize()}Pipeline",
            name=self._names.of(f"_{side}_pipeline"),
            pipeline_type="V2",
            execution_mode="SUPERSEDED",
            role_arn=role_arn,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
                type="S3",
                location=self._storage.pipeline_bucket.bucket_name,
                encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(
                    id=self._storage.pipeline_key.key_arn, type="KMS"
                ),
            ),
            stages=list(stages),
        )

    # --- stages -------------------------------------------------------------------------------------------------------

    def _source(self, side: str) -> _Stage:
        configuration = {
            "RepositoryName": self._names.of(f"-{side}"),
            "BranchName": self._names.context.source_branch,
            "PollForSourceChanges": "false",
        }
        action = _action("Source", "Source", "CodeCommit", configuration, outputs=["Source"], namespace="Source")
        return _Stage(name="Source", actions=[action])

    def _build_stages(self) -> list[_Stage]:
        action = _action("Build", "Build", "CodeBuild", self._build("build"), inputs=["Source"], namespace="Build")
        return [self._source("build"), _Stage(name="Build", actions=[action])]

    def _build(self, name: str, **variables: str) -> dict[str, str]:
        configuration = {"ProjectName": self._names.of(f"-{name}")}
        if variables:
            listed = [{"name": key, "value": value, "type": "PLAINTEXT"} for key, value in variables.items()]
            configuration["EnvironmentVariables"] = json.dumps(listed)
        return configuration

    def _deploy_stages(self) -> list[_Stage]:
        synth = self._build(
            "synth",
            REQUESTED_VERSION="#{variables.ModelPackageArn}",
            SOURCE_COMMIT="#{Source.CommitId}",
            EXECUTION_ID="#{codepipeline.PipelineExecutionId}",
        )
        scan = {**self._build("scan"), "PrimarySource": "Source"}
        return [
            self._source("deploy"),
            _Stage(
                name="Synth",
                actions=[_action("Synth", "Build", "CodeBuild", synth, ["Source"], ["Templates"], namespace="Synth")],
            ),
            _Stage(name="Scan", actions=[_action("Scan", "Build", "CodeBuild", scan, ["Source", "Templates"])]),
            self._deploy_stage("dev"),
            self._approve_stage("preprod"),
            self._deploy_stage("preprod"),
            self._approve_stage("prod"),
            self._deploy_stage("prod"),
        ]

    def _deploy_stage(self, stage: Stage) -> _Stage:
        names = self._names
        deployment = {
            "ActionMode": "CREATE_UPDATE",
            "StackName": names.of(f"-{stage}"),
            "TemplatePath": f"Templates::{stage}.template.json",
            "ParameterOverrides": json.dumps({"ModelPackageArn": _VERSION}),
            "Capabilities": "CAPABILITY_NAMED_IAM",
            "RoleArn": names.deploy_execution_role_arn(stage),
        }
        test = self._build("test", STAGE=stage, MODEL_PACKAGE_ARN=_VERSION, TEST_ROLE_ARN=names.test_role_arn(stage))
        deploy = _action(
            "Deploy",
            "Deploy",
            "CloudFormation",
            deployment,
            ["Templates"],
            role_arn=names.deploy_action_role_arn(stage),
        )
        return _Stage(
            name=stage.capitalize(),
            actions=[deploy, _action("Test", "Test", "CodeBuild", test, ["Source"], run_order=2)],
        )

    @staticmethod
    def _approve_stage(stage: Stage) -> _Stage:
        configuration = {"CustomData": f"Deploy {_VERSION} to {stage}?"}
        return _Stage(
            name=f"Approve{stage.capitalize()}", actions=[_action("Approve", "Approval", "Manual", configuration)]
        )

    # --- what starts them ---------------------------------------------------------------------------------------------

    def _start_on_push(self, side: str, roles: Roles) -> None:
        pattern = {
            "source": ["aws.codecommit"],
            "detail-type": ["CodeCommit Repository State Change"],
            "resources": [self._names.arn("codecommit", f"${{SageMakerProjectName}}-{side}")],
            "detail": {
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": [self._names.context.source_branch],
            },
        }
        self._rule(f"Push{side.capitalize()}", f"-{side}-push", pattern, side, roles)

    def _start_on_approval(self, roles: Roles) -> None:
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelPackageGroupName": [self._names.project], "ModelApprovalStatus": ["Approved"]},
        }
        transformer = events.CfnRule.InputTransformerProperty(
            input_paths_map={"version": "$.detail.ModelPackageArn"},
            input_template='{"variables": [{"name": "ModelPackageArn", "value": "<version>"}]}',
        )
        self._rule("Approved", "-approved", pattern, "deploy", roles, transformer)

    def _rule(
        self,
        construct_id: str,
        suffix: str,
        pattern: Mapping[str, object],
        side: str,
        roles: Roles,
        transformer: events.CfnRule.InputTransformerProperty | None = None,
    ) -> None:
        target = events.CfnRule.TargetProperty(
            id="pipeline",
            arn=self._names.arn("codepipeline", f"${{SageMakerProjectName}}_{side}_pipeline"),
            role_arn=roles.events.role_arn,
            input_transformer=transformer,
        )
        events.CfnRule(
            self, construct_id, name=self._names.of(suffix), event_pattern=pattern, state="ENABLED", targets=[target]
        )


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
