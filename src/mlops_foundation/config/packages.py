"""The packages section: where builds get Python packages from."""

from typing import Annotated, Literal

from pydantic import Field

from mlops_foundation.config.base import Section

CodeArtifactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,48}[a-z0-9]$")]


class Packages(Section):
    """The package index of the projects' builds."""

    provider: Literal["public", "codeartifact"] = "public"
    """The public index, through a NAT gateway, or a CodeArtifact repository of the dev account."""
    domain: CodeArtifactName | None = None
    """CodeArtifact domain; the prefix when left out."""
    repository: CodeArtifactName | None = None
    """CodeArtifact repository; <prefix>-pypi when left out."""
