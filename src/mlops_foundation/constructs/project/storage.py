"""Where a project keeps data, models and pipeline artifacts, and which role outside the account may read them."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlops_foundation.constructs.nag import acknowledge_bucket
from mlops_foundation.constructs.policies import narrowed
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.core.names import Stage, pascal

_REMOTE: tuple[Stage, ...] = ("preprod", "prod")
_DECRYPT = ("kms:Decrypt", "kms:DescribeKey")


class Storage(Construct):
    """Two buckets with a key each, the registry's group, and the project's SSM parameters.

    Data, keys and the versions in the registry stay when a project is deleted, and go with a project that could not be
    created, so that its name is free again. S3, KMS and the registry refuse a policy that names a role which does not
    exist yet, and the roles in preprod and prod are made by the first promotion. So a statement names the account,
    narrowed to the exact ARNs of those roles.
    """

    def __init__(self, scope: Construct, names: Names, facts: Mapping[str, str]) -> None:
        super().__init__(scope, "Storage")
        self.artifact_key = self._key("ArtifactKey", "Data and models of the project")
        self.artifact_bucket = self._bucket("ArtifactBucket", names.sub("${SageMakerProjectName}-${AWS::AccountId}"))
        self.pipeline_key = self._key("PipelineKey", "Artifacts and logs of the project's pipelines")
        self.pipeline_bucket = self._bucket(
            "PipelineBucket", names.sub("${SageMakerProjectName}-pipeline-${AWS::AccountId}"), self.pipeline_key
        )
        self._share_templates(names)
        self._let_logs_use(self.pipeline_key, names)
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "ModelPackageGroup",
            model_package_group_name=names.project,
            model_package_group_description="Versions of the project's model",
            model_package_group_policy=self._group_policy(names),
        )
        # SageMaker deletes no group that holds versions, and they are the record of what ran in production.
        self.group.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self._publish(names, facts)

    def _key(self, construct_id: str, description: str) -> kms.Key:
        return kms.Key(
            self,
            construct_id,
            description=description,
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _bucket(self, construct_id: str, name: str, key: kms.Key | None = None) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key or self.artifact_key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        acknowledge_bucket(bucket)
        return bucket

    def share_models(self, names: Names) -> None:
        """Let the containers of the other stages read the model that they serve."""
        for stage in _REMOTE:
            reader = narrowed(names.account(stage), [names.endpoint_role_arn(stage)])
            sid = f"Model{stage.capitalize()}"
            objects, bucket = self.artifact_bucket.arn_for_objects("*"), self.artifact_bucket.bucket_arn
            _let(self.artifact_bucket, sid, reader, ["s3:GetObject"], objects)
            _let(self.artifact_bucket, f"ModelList{stage.capitalize()}", reader, ["s3:ListBucket"], bucket)
            _let(self.artifact_key, sid, reader, _DECRYPT, "*")

    def _share_templates(self, names: Names) -> None:
        """Let the CloudFormation actions of the other stages read the template that they deploy."""
        for stage in _REMOTE:
            deployer = narrowed(names.account(stage), [names.deploy_action_role_arn(stage)])
            sid, objects = f"Template{stage.capitalize()}", self.pipeline_bucket.arn_for_objects("*")
            _let(self.pipeline_bucket, sid, deployer, ["s3:GetObject", "s3:GetObjectVersion"], objects)
            _let(self.pipeline_key, sid, deployer, _DECRYPT, "*")

    @staticmethod
    def _let_logs_use(key: kms.Key, names: Names) -> None:
        groups = names.arn("logs", "log-group:/aws/codebuild/${SageMakerProjectName}-*")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Logs",
                principals=[iam.ServicePrincipal("logs.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    @staticmethod
    def _group_policy(names: Names) -> dict[str, object]:
        """Let CloudFormation and the integration tests of the other stages see the version they deploy."""
        group = names.arn("sagemaker", "model-package-group/${SageMakerProjectName}")
        versions = names.arn("sagemaker", "model-package/${SageMakerProjectName}/*")
        statements = [
            {
                "Sid": f"Versions{stage.capitalize()}",
                "Effect": "Allow",
                "Principal": {"AWS": names.sub("arn:aws:iam::" + account + ":root")},
                "Action": ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", "sagemaker:CreateModel"],
                "Resource": [group, versions],
                "Condition": {"ArnEquals": {"aws:PrincipalArn": names.deploy_execution_role_arn(stage)}},
            }
            for stage, account in zip(_REMOTE, ("${PreProdAccount}", "${ProdAccount}"), strict=True)
        ]
        return {"Version": "2012-10-17", "Statement": statements}

    def _publish(self, names: Names, facts: Mapping[str, str]) -> None:
        values = {
            **facts,
            "artifact-bucket": self.artifact_bucket.bucket_name,
            "artifact-key": self.artifact_key.key_arn,
            "model-package-group": names.project,
            "project-id": names.project_id,
        }
        for name, value in values.items():
            ssm.StringParameter(
                self,
                f"{pascal(name)}Parameter",
                parameter_name=names.sub(f"{names.literal.parameters}/{name}"),
                string_value=value,
                simple_name=False,
            )


def _let(
    resource: s3.Bucket | kms.Key, sid: str, principal: iam.IPrincipal, actions: Sequence[str], reached: str
) -> None:
    statement = iam.PolicyStatement(sid=sid, principals=[principal], actions=list(actions), resources=[reached])
    resource.add_to_resource_policy(statement)
