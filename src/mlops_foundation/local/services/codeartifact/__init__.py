"""CodeArtifact: a private index of Python packages in front of this machine's own."""

from typing import Final

from mlops_foundation.local.services.codeartifact.service import CodeArtifact

SERVICE: Final = CodeArtifact
