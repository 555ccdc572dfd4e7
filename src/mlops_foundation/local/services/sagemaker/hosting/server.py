"""One model server: a container with a model, started, healthy, stopped."""

import http.client
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Final

from mlops_foundation.core.arns import Arn
from mlops_foundation.local import runtimes
from mlops_foundation.local.contract import Cloud, Json, Scope, ServiceError, VpcWorkload
from mlops_foundation.local.runtimes import RuntimeBuildError, UnknownImageError
from mlops_foundation.local.sandbox import Running, Workload
from mlops_foundation.local.services.sagemaker.hosting.connections import Connections
from mlops_foundation.local.services.sagemaker.jobs.run import last_exception
from mlops_foundation.local.services.sagemaker.jobs.storage import TransferError, download_object, unpack
from mlops_foundation.local.services.sagemaker.logs import LogFollower
from mlops_foundation.local.services.sagemaker.machine import Machine
from mlops_foundation.local.services.sagemaker.resources import SERVICE_PRINCIPAL, timestamp
from mlops_foundation.local.services.sagemaker.vpc import attach, way_out

_START_TIMEOUT_S: Final = 60
_POLL_S: Final = 0.05
_SERVER_PROGRAM: Final = runtimes.LOCKS / "serve.py"


class ServerFailedError(Exception):
    """The model server does not come up; the message is the endpoint's FailureReason."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=2)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class ModelServer:
    """A container that serves one production variant.

    Args:
        cloud: The cloud.
        machine: Runtimes and sandbox.
        scope: Where the endpoint is.
        names: Names of the endpoint and the variant.
        model: The model's record.
    """

    def __init__(self, cloud: Cloud, machine: Machine, scope: Scope, names: tuple[str, str], model: Json) -> None:
        self._cloud, self._machine, self._scope = cloud, machine, scope
        self._endpoint, self.variant = names
        self._model = model
        stamp = f"{int(timestamp() * 1000)}"
        self._folder = cloud.folder("sagemaker", "endpoint", scope.account, self._endpoint, stamp)
        self._instance = f"i-{stamp}"
        self._running: Running | None = None
        self._follower: LogFollower | None = None
        # a unix socket's path holds about 100 characters: less than a state folder may take
        self._sockets = Path(tempfile.mkdtemp(prefix="mlops-"))
        self.connections = Connections(self._sockets / "http")

    @property
    def log_stream(self) -> str:
        """Name of the stream in the endpoint's log group."""
        return f"{self.variant}/{self._instance}"

    @property
    def alive(self) -> bool:
        """Whether the container runs."""
        return self._running is not None and self._running.alive

    def start(self) -> None:
        """Fetch the model as its role, start the container and wait until it answers.

        Raises:
            ServerFailedError: With the endpoint's FailureReason.
        """
        try:
            self._start()
        except (UnknownImageError, RuntimeBuildError) as error:
            self.stop()
            raise ServerFailedError(str(error)) from error
        except ServiceError as error:
            self.stop()
            raise ServerFailedError(f"{error.code}: {error.message}") from error
        except ServerFailedError:
            self.stop()
            raise

    def stop(self) -> None:
        """End the container and remove what it had."""
        if self._running:
            self._running.kill(grace_s=2)
        if self._follower:
            self._follower.close()
        self.connections.close()
        shutil.rmtree(self._sockets, ignore_errors=True)
        shutil.rmtree(self._folder / "ml", ignore_errors=True)

    def _start(self) -> None:
        role, region, vpc = self._model["ExecutionRoleArn"], self._scope.region, self._model.get("VpcConfig")
        principal = self._cloud.assume_service_role(
            role,
            SERVICE_PRINCIPAL,
            "SageMaker",
            source_arn=self._model["Arn"],
            region=region,
            workload=VpcWorkload("model", Arn.parse(role).name, tuple(vpc["Subnets"])) if vpc else None,
        )
        if vpc:
            attach(self._cloud, principal, self._scope, vpc)
        log = self._folder / "log.txt"
        group = f"/aws/sagemaker/Endpoints/{self._endpoint}"
        self._follower = LogFollower(self._cloud.client(principal, "logs", region), group, self.log_stream, log)
        container = self._model["ResolvedContainer"]
        self._fetch(self._cloud.client(principal, "s3", region), container["ModelDataUrl"], role)
        runtime = self._machine.runtimes.get(container["Image"], lambda line: _append(log, line))
        environment = dict(self._machine.environment(runtime)) | container["Environment"]
        isolated = bool(self._model.get("EnableNetworkIsolation"))
        if not isolated:
            environment |= self._cloud.environment(principal, region)
            environment |= way_out(self._cloud, self._scope, vpc)
        workload = Workload(
            self._folder / "ml",
            (str(runtime.python), str(_SERVER_PROGRAM), str(self._sockets / "http")),
            environment,
            log,
            readable=(runtime.folder, runtime.base, _SERVER_PROGRAM.parent),
            writable=(self._sockets,),
            network=not isolated,
        )
        self._running = self._machine.sandbox.start(workload)
        self._wait_healthy(self._running, log)

    def _fetch(self, s3: object, uri: str, role: str) -> None:
        archive = self._folder / "model.tar.gz"
        try:
            download_object(s3, uri, archive)
            unpack(archive, self._folder / "ml" / "model")
            archive.unlink()
        except TransferError as error:
            message = (
                f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust '
                'relationship policy allows the action "sts:AssumeRole" for the service principal '
                f'"{SERVICE_PRINCIPAL}". Also ensure that the role has "s3:GetObject" permissions and that the object '
                f"is located in {self._scope.region}. ({error})"
            )
            raise ServerFailedError(message) from error

    def _wait_healthy(self, running: Running, log: Path) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while running.alive and time.monotonic() < deadline:
            if self.healthy():
                return
            time.sleep(_POLL_S)
        said = last_exception(log.read_text(errors="replace"))
        message = (
            f"The primary container for production variant {self.variant} did not pass the ping health check. "
            f"Please check CloudWatch logs for this endpoint. {said}"
        )
        raise ServerFailedError(message)

    def healthy(self) -> bool:
        """Ask the container's ``/ping``."""
        connection = _UnixConnection(self._sockets / "http")
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _append(file: Path, line: str) -> None:
    with file.open("a") as log:
        log.write(f"{line}\n")
