"""The packages section: where builds get Python packages from."""

from typing import Annotated, Final, Literal

from pydantic import Field

from mlops_foundation.config.base import Section

CodeArtifactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,48}[a-z0-9]$")]


CODEARTIFACT_REGIONS: Final = frozenset({
    "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "eu-central-1", "eu-north-1", "eu-south-1",
    "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-2",
})  # fmt: skip
"""Where CodeArtifact is; "CodeArtifact endpoints and quotas" in the AWS general reference, November 2026."""


class Packages(Section):
    """The package index of the projects' builds."""

    provider: Literal["public", "codeartifact"] = "public"
    """The public index, through a NAT gateway, or a CodeArtifact repository of the dev account."""
    domain: CodeArtifactName | None = None
    """CodeArtifact domain; the prefix when left out."""
    repository: CodeArtifactName | None = None
    """CodeArtifact repository; <prefix>-pypi when left out."""

    @property
    def private(self) -> bool:
        """Whether the platform makes an index of its own."""
        return self.provider == "codeartifact"

    def domain_name(self, prefix: str) -> str:
        """Return the name of the CodeArtifact domain of a prefix."""
        return self.domain or prefix

    def repository_name(self, prefix: str) -> str:
        """Return the name of the CodeArtifact repository of a prefix."""
        return self.repository or f"{prefix}-pypi"
