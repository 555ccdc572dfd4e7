"""What of this machine the service runs containers with."""

from collections.abc import Mapping

from mlops_foundation.local.contract import Cloud
from mlops_foundation.local.runtimes import Runtime, Runtimes, cache_folder, without_white_space
from mlops_foundation.local.sandbox import Sandbox, probe


class Machine:
    """Runtimes and sandbox of this machine.

    Raises:
        LocalCloudError: When no sandbox works here; found out at once, not by the first job.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.runtimes = Runtimes(without_white_space(cache_folder()), cloud.machine_environment())
        self.sandbox: Sandbox = probe(cloud.folder("sagemaker", "probe"))

    def environment(self, runtime: Runtime) -> Mapping[str, str]:
        """Return the environment variables every container has."""
        return {
            "PATH": runtime.path,
            "HOME": "/tmp",  # noqa: S108  private to the container
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
