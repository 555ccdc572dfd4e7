"""The SDK's session, under which steps are described instead of run."""

import os

import boto3
from sagemaker.core.config.config_manager import SageMakerConfig
from sagemaker.core.workflow.pipeline_context import PipelineSession

from pipeline.settings import Project


# The SDK's own check of the role needs iam:SimulatePrincipalPolicy, which a build has not; SageMaker checks it anyway.
os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")

NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
# The SDK checks this against its whole schema at each of some fifty looks, 0.1 s each; it is a constant.
SageMakerConfig.validate_sagemaker_config = staticmethod(lambda _config=None: None)


class ProjectSession(PipelineSession):
    """Keeps everything in the project's bucket, encrypted with its key, and names jobs after the project.

    With a custom prefix in the pipeline's definition, SageMaker names a step's job
    ``<prefix>-<execution>-<token>-<failures>``; the project's roles may only touch jobs of such names.
    """

    def __init__(self, project: Project, boto_session: boto3.Session) -> None:
        super().__init__(
            boto_session=boto_session, default_bucket=project.bucket, sagemaker_config=NO_TELEMETRY
        )
        self._project = project
        self._default_bucket = project.bucket  # the SDK would look for it among all buckets, which a build may not list

    def upload_data(self, path, bucket, key_prefix="data", callback=None, extra_args=None):
        """Upload a file or folder, encrypted with the project's key."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._project.kms_key_arn}
        return super().upload_data(path, bucket, key_prefix, callback, {**(extra_args or {}), **encryption})

    def _intercept_create_request(self, request, create, func_name=None):
        """Give training jobs their prefix back, which SDK 3.27 drops: aws/sagemaker-python-sdk issue 5776."""
        if func_name == "train":
            request["TrainingJobName"] = f"{self._project.name}-train"
        return super()._intercept_create_request(request, create, func_name)
