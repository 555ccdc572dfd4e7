"""CodeBuild: builds that run as child processes, in an environment of their own, as the project's service role."""

from typing import Final

from mlops_foundation.local.services.codebuild.service import CodeBuild

SERVICE: Final = CodeBuild
