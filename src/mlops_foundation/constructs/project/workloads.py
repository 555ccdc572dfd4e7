"""What of a project runs in the VPC, part by part, and which AWS services it calls from there, each with its reason.

A template's spec takes those that it has. A test holds them against the record of the main path, so that no seed calls
what is not here.
"""

from typing import Final

from mlops_foundation.core.names import STAGES
from mlops_foundation.plan.specs import Workload

_CODEBUILD: Final = {
    "s3": "the source from CodePipeline, the artifacts that go back",
    "logs": "the build's log",
}

BUILD: Final = Workload(
    "build",
    "CodeBuild of a project's build pipeline",
    ("dev",),
    {
        **_CODEBUILD,
        "sagemaker.api": "creates and follows the training pipeline, reads metrics of the version",
    },
    installs=True,
    in_codebuild=True,
)
DEPLOY_BUILD: Final = Workload(
    "deploy-build",
    "CodeBuild of a project's deploy pipeline: synth and scan",
    ("dev",),
    {
        **_CODEBUILD,
        "sagemaker.api": "finds the approved version",
        "codepipeline": "sees whether the version is on its way already",
    },
    installs=True,
    in_codebuild=True,
)
DEPLOY_TEST: Final = Workload(
    "deploy-test",
    "CodeBuild of a project's deploy pipeline: integration test",
    ("dev",),
    {
        **_CODEBUILD,
        "sts": "takes the test role of the stage's account",
        "sagemaker.api": "sees which version the endpoint serves",
        "sagemaker.runtime": "asks the endpoint",
    },
    installs=True,
    in_codebuild=True,
)
JOBS: Final = Workload(
    "job",
    "Processing and training jobs",
    ("dev",),
    {
        "s3": "SageMaker reads inputs and writes outputs through the job's interface",
        "kms": "data and models are encrypted with the project's key",
        "logs": "the job's log",
        "monitoring": "the job's metrics",
        "ecr.api": "the image of the job, when the project brings its own",
        "ecr.dkr": "the image's layers",
        "sagemaker.api": "a job without network isolation may log to its experiment",
        "sts": "credentials of roles that a job's code takes",
    },
)
ENDPOINTS: Final = Workload(
    "endpoint",
    "Containers of the endpoints",
    STAGES,
    {
        "s3": "SageMaker reads the model through the container's interface",
        "kms": "the model is encrypted with the project's key",
        "logs": "the container's log",
        "monitoring": "the container's metrics",
        "ecr.api": "the image, when the project brings its own",
        "ecr.dkr": "the image's layers",
    },
)
