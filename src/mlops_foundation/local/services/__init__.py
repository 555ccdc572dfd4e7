"""The services of ours, in the order they start. Adding one is a folder and a line."""

from mlops_foundation.local.contract import Service
from mlops_foundation.local.services.codeartifact import CodeArtifact
from mlops_foundation.local.services.codebuild import CodeBuild
from mlops_foundation.local.services.codecommit import CodeCommit
from mlops_foundation.local.services.codepipeline import CodePipeline
from mlops_foundation.local.services.sagemaker import SageMaker
from mlops_foundation.local.services.servicecatalog import ServiceCatalog

SERVICES: tuple[type[Service], ...] = (CodeCommit, CodeArtifact, CodeBuild, CodePipeline, ServiceCatalog, SageMaker)
