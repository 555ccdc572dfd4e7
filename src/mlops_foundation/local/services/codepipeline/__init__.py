"""CodePipeline: pipelines whose actions really run, each with the pipeline's role or a role of its own."""

from typing import Final

from mlops_foundation.local.services.codepipeline.service import CodePipeline

SERVICE: Final = CodePipeline
