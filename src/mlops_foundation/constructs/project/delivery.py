"""Repositories, pipelines and what starts them: a push, or the approval of a version."""

from collections.abc import Mapping

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_foundation.constructs.project.names import Names
from mlops_foundation.constructs.project.stages import Stages
from mlops_foundation.constructs.project.storage import Storage

LATEST = "latest"
"""Value of the pipeline variable when nobody chose a version: the latest approved one."""


class Delivery(Construct):
    """The repositories, the pipelines and their rules, which a template adds one by one."""

    def __init__(self, scope: Construct, names: Names, storage: Storage, starter: iam.Role) -> None:
        super().__init__(scope, "Delivery")
        self._names = names
        self._storage = storage
        self._starter = starter

    def repository(self, side: str) -> None:
        """Add the repository ``<project>-<side>`` with the seed of that name in it."""
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

    def pipeline(self, side: str, role: iam.Role, stages: Stages) -> codepipeline.CfnPipeline:
        """Add the pipeline ``<project>_<side>_pipeline``."""
        return codepipeline.CfnPipeline(
            self,
            f"{side.capitalize()}Pipeline",
            name=self._names.of(f"_{side}_pipeline"),
            pipeline_type="V2",
            execution_mode="SUPERSEDED",
            role_arn=role.role_arn,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
                type="S3",
                location=self._storage.pipeline_bucket.bucket_name,
                encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(
                    id=self._storage.pipeline_key.key_arn, type="KMS"
                ),
            ),
            stages=list(stages),
        )

    @staticmethod
    def choose_version(pipeline: codepipeline.CfnPipeline) -> None:
        """Let who starts a pipeline name the version to deploy, as ``#{variables.ModelPackageArn}``."""
        pipeline.variables = [
            codepipeline.CfnPipeline.VariableDeclarationProperty(
                name="ModelPackageArn",
                default_value=LATEST,
                description="The version to deploy; the latest approved one when nothing is said",
            )
        ]

    def start_on_push(self, side: str) -> None:
        """Start a pipeline when its repository's branch moves."""
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
        self._rule(f"Push{side.capitalize()}", f"-{side}-push", pattern, side)

    def start_on_approval(self, side: str) -> None:
        """Start a pipeline with a version when somebody approves it."""
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelPackageGroupName": [self._names.project], "ModelApprovalStatus": ["Approved"]},
        }
        transformer = events.CfnRule.InputTransformerProperty(
            input_paths_map={"version": "$.detail.ModelPackageArn"},
            input_template='{"variables": [{"name": "ModelPackageArn", "value": "<version>"}]}',
        )
        self._rule("Approved", "-approved", pattern, side, transformer)

    def _rule(
        self,
        construct_id: str,
        suffix: str,
        pattern: Mapping[str, object],
        side: str,
        transformer: events.CfnRule.InputTransformerProperty | None = None,
    ) -> None:
        target = events.CfnRule.TargetProperty(
            id="pipeline",
            arn=self._names.arn("codepipeline", f"${{SageMakerProjectName}}_{side}_pipeline"),
            role_arn=self._starter.role_arn,
            input_transformer=transformer,
        )
        events.CfnRule(
            self, construct_id, name=self._names.of(suffix), event_pattern=pattern, state="ENABLED", targets=[target]
        )
