"""CodePipeline: pipelines whose actions really run, each with the pipeline's role or a role of its own."""

from mlops_foundation.local.services.codepipeline.service import CodePipeline

__all__ = ["CodePipeline"]
