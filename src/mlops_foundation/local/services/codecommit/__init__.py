"""CodeCommit: real git repositories, reached with git over HTTP and with the API."""

from mlops_foundation.local.services.codecommit.service import CodeCommit

__all__ = ["CodeCommit"]
