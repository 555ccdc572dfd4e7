"""CodeCommit: real git repositories, reached with git over HTTP and with the API."""

from typing import Final

from mlops_foundation.local.services.codecommit.service import CodeCommit

SERVICE: Final = CodeCommit
