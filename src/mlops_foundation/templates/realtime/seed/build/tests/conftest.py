"""The project's facts as a build sees them, and rows that no file holds."""

import os

import pytest

from pipeline.settings import Project, load_project

ENVIRONMENT = {
    "SAGEMAKER_PROJECT_NAME": "churn",
    "SAGEMAKER_PROJECT_ID": "p-abcdefghijkl",
    "COST_CENTER": "4711",
    "SAGEMAKER_PIPELINE_NAME": "churn-training",
    "SAGEMAKER_PIPELINE_ROLE_ARN": "arn:aws:iam::123456789012:role/churn-execution",
    "MODEL_PACKAGE_GROUP_NAME": "churn",
    "ARTIFACT_BUCKET": "churn-123456789012",
    "ARTIFACT_KMS_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1234",
    "AWS_REGION": "eu-west-1",
    "SUBNET_IDS": "subnet-a,subnet-b",
    "SECURITY_GROUP_IDS": "sg-a",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123abcd",
}

os.environ.setdefault("AWS_DEFAULT_REGION", ENVIRONMENT["AWS_REGION"])  # importing the SDK makes a client


@pytest.fixture
def environment() -> dict[str, str]:
    return dict(ENVIRONMENT)


@pytest.fixture(scope="session")
def project() -> Project:
    return load_project(ENVIRONMENT)
