"""The CodeBuild projects of a project, and the variables that the seeds' build specifications read."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlops_foundation.constructs.parameters import read, read_list
from mlops_foundation.constructs.project.names import Names
from mlops_foundation.constructs.project.storage import Storage
from mlops_foundation.core.names import PRIVATE_SUBNET_IDS, VPC_ID, WORKLOAD_SECURITY_GROUP_IDS, pascal

IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
_TIMEOUT_MINUTES = 60


class Builds(Construct):
    """The CodeBuild projects, which a template adds one by one."""

    def __init__(self, scope: Construct, names: Names, storage: Storage) -> None:
        super().__init__(scope, "Builds")
        self._names = names
        self._storage = storage
        self._subnets = read_list(self, "PrivateSubnets", PRIVATE_SUBNET_IDS)
        self._security_groups = read_list(self, "SecurityGroups", WORKLOAD_SECURITY_GROUP_IDS)

    def _common(self) -> dict[str, str]:
        packages = self._names.context.packages
        index = (
            {}
            if packages is None
            else {
                "CODEARTIFACT_DOMAIN": packages.domain,
                "CODEARTIFACT_DOMAIN_OWNER": self._names.account("dev"),
                "CODEARTIFACT_REPOSITORY": packages.repository,
            }
        )
        return {
            **index,
            "SAGEMAKER_PROJECT_NAME": self._names.project,
            "SAGEMAKER_PROJECT_ID": self._names.project_id,
            "COST_CENTER": self._names.cost_center,
            "MODEL_PACKAGE_GROUP_NAME": self._names.project,
        }

    def training(self) -> dict[str, str]:
        """Return the variables of a build that writes and runs a SageMaker pipeline."""
        names, storage = self._names, self._storage
        return {
            **self._common(),
            "SAGEMAKER_PIPELINE_NAME": names.of("-training"),
            "SAGEMAKER_PIPELINE_ROLE_ARN": names.role_arn("execution"),
            "ARTIFACT_BUCKET": storage.artifact_bucket.bucket_name,
            "ARTIFACT_KMS_KEY_ARN": storage.artifact_key.key_arn,
            "SUBNET_IDS": cdk.Fn.join(",", self._subnets),
            "SECURITY_GROUP_IDS": cdk.Fn.join(",", self._security_groups),
        }

    def deployment(self) -> dict[str, str]:
        """Return the variables of a build that synthesizes or tests what is deployed."""
        names = self._names
        return {
            **self._common(),
            "DEPLOY_PIPELINE_NAME": names.of("_deploy_pipeline"),
            "DEPLOY_ROLE_PATH": names.path,
            "PERMISSIONS_BOUNDARY": names.context.names.role_path + names.context.names.project_boundary,
            "ENDPOINT_KEY_PARAMETER": f"/{names.context.prefix}/endpoint/key-arn",
            "DEPLOYMENT_REGION": names.region,
            "DEV_ACCOUNT": names.account("dev"),
            "PREPROD_ACCOUNT": names.preprod_account,
            "PROD_ACCOUNT": names.prod_account,
        }

    def add(self, name: str, role: iam.Role, variables: Mapping[str, str], buildspec: str = "") -> codebuild.CfnProject:
        """Add the build ``<project>-<name>`` with its log.

        Args:
            name: End of its name.
            role: Whom it works as.
            variables: What its environment says.
            buildspec: File of the repository with its commands; ``buildspec.<name>.yml``, when left out.
        """
        title = pascal(name)
        group = logs.LogGroup(
            self,
            f"{title}Logs",
            log_group_name=self._names.sub("/aws/codebuild/${SageMakerProjectName}-" + name),
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=self._storage.pipeline_key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        return codebuild.CfnProject(
            self,
            title,
            name=self._names.of(f"-{name}"),
            service_role=role.role_arn,
            encryption_key=self._storage.pipeline_key.key_arn,
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="CODEPIPELINE"),
            source=codebuild.CfnProject.SourceProperty(
                type="CODEPIPELINE", build_spec=buildspec or f"buildspec.{name}.yml"
            ),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type="LINUX_CONTAINER",
                image=IMAGE,
                compute_type="BUILD_GENERAL1_SMALL",
                privileged_mode=False,
                environment_variables=_plain(variables),
            ),
            logs_config=codebuild.CfnProject.LogsConfigProperty(cloud_watch_logs=_enabled(group)),
            timeout_in_minutes=_TIMEOUT_MINUTES,
            vpc_config=self._vpc(),
        )

    def _vpc(self) -> codebuild.CfnProject.VpcConfigProperty | None:
        if not self._names.context.builds_in_vpc:
            return None
        vpc_id = self.node.try_find_child("VpcId")
        return codebuild.CfnProject.VpcConfigProperty(
            vpc_id=read(self, "VpcId", VPC_ID) if vpc_id is None else vpc_id.value_as_string,  # type: ignore[attr-defined]
            subnets=self._subnets,
            security_group_ids=self._security_groups,
        )


def _plain(variables: Mapping[str, str]) -> list[codebuild.CfnProject.EnvironmentVariableProperty]:
    variable = codebuild.CfnProject.EnvironmentVariableProperty
    return [variable(name=name, value=value, type="PLAINTEXT") for name, value in variables.items()]


def _enabled(group: logs.LogGroup) -> codebuild.CfnProject.CloudWatchLogsConfigProperty:
    return codebuild.CfnProject.CloudWatchLogsConfigProperty(status="ENABLED", group_name=group.log_group_name)
