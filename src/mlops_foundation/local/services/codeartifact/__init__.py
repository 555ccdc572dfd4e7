"""CodeArtifact: a private index of Python packages in front of this machine's own."""

from mlops_foundation.local.services.codeartifact.service import CodeArtifact

__all__ = ["CodeArtifact"]
