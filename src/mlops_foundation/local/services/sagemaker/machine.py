"""What of this machine the service runs containers with."""

from collections.abc import Mapping
from functools import cached_property

from mlops_foundation.local.contract import Cloud
from mlops_foundation.local.runtimes import Runtime, Runtimes, cache_folder
from mlops_foundation.local.sandbox import Sandbox, probe


class Machine:
    """Runtimes and sandbox of this machine, found on first use."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @cached_property
    def runtimes(self) -> Runtimes:
        """The environments of images."""
        return Runtimes(cache_folder(), self._cloud.machine_environment())

    @cached_property
    def sandbox(self) -> Sandbox:
        """How containers are run."""
        return probe(self._cloud.folder("sagemaker", "probe"))

    def environment(self, runtime: Runtime) -> Mapping[str, str]:
        """Return the environment variables every container has."""
        return {
            "PATH": runtime.path,
            "HOME": "/tmp",  # noqa: S108  private to the container
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
