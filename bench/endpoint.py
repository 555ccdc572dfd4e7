"""An endpoint asked through the API against the same model server asked directly.

Through the API a request is HTTP with AWS's signature to the cloud's port, from a role that may invoke and nothing
else; the cloud checks the signature, reads the request by its model, decides by IAM, and asks the model server. The
baseline is the same server program with the same model on its own socket, unsigned.
"""

import asyncio
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import load
from bench.cloud import IMAGE, REGION, BenchCloud
from bench.measure import Figure, MeasurementError
from bench.pipeline import model_uri
from mlops_foundation.local import runtimes
from mlops_foundation.local.runtimes import Runtime

CONCURRENCY = 8
ROUNDS = 3
REQUESTS_A_ROUND = 800
WARM_UP = 100
TIMEOUT_S = 60.0
NAME = "bench"
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py"}


def figures(cloud: BenchCloud, runtime: Runtime, folder: Path) -> Iterator[Figure]:
    """Yield p50, p99 and requests a second."""
    _make_endpoint(cloud)
    row = _a_row(folder)
    with _bare_server(cloud, runtime, folder) as socket:
        api, bare = asyncio.run(_measure(cloud, row, socket))
    server = "the model server asked directly"
    yield Figure("endpoint p50", api.quantile(0.5), server, bare.quantile(0.5), "ms")
    yield Figure("endpoint p99", api.quantile(0.99), server, bare.quantile(0.99), "ms")
    yield Figure("endpoint requests a second", api.per_second, server, bare.per_second, "1/s")


async def _measure(cloud: BenchCloud, row: bytes, socket: Path) -> tuple[load.Load, load.Load]:
    """Ask both in turn, so that they share the machine's mood."""
    credentials = cloud.caller()
    signing = Credentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    api, bare = load.Load(), load.Load()
    rounds = [(WARM_UP, load.Load(), load.Load()), *[(REQUESTS_A_ROUND, api, bare)] * ROUNDS]
    for count, into_api, into_bare in rounds:
        signed = [_signed(cloud.port, row, signing) for _ in range(count)]
        plain = [_plain(row)] * count
        await load.send(lambda: asyncio.open_unix_connection(str(socket)), plain, CONCURRENCY, TIMEOUT_S, into_bare)
        await load.send(
            lambda: asyncio.open_connection("127.0.0.1", cloud.port), signed, CONCURRENCY, TIMEOUT_S, into_api
        )
    return api, bare


def _signed(port: int, row: bytes, credentials: Credentials) -> bytes:
    """Return InvokeEndpoint as a client sends it, signed on its own."""
    path = f"/endpoints/{NAME}/invocations"
    request = AWSRequest("POST", f"http://localhost:{port}{path}", {"Content-Type": "text/csv"}, data=row)
    SigV4Auth(credentials, "sagemaker", REGION).add_auth(request)
    return _text("POST", path, {"Host": f"localhost:{port}", **dict(request.headers.items())}, row)


def _plain(row: bytes) -> bytes:
    return _text("POST", "/invocations", {"Host": "localhost", "Content-Type": "text/csv"}, row)


def _text(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _a_row(folder: Path) -> bytes:
    """Return the first row that the model has not seen, without its target."""
    line = (folder / "by-hand" / "test" / "test.csv").read_text().splitlines()[1]
    return line.split(",", 1)[1].encode()


def _make_endpoint(cloud: BenchCloud) -> None:
    sagemaker = cloud.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": model_uri(cloud), "Environment": ENVIRONMENT}
    sagemaker.create_model(
        ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=cloud.role, EnableNetworkIsolation=True
    )
    variant = {"VariantName": "All", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        found = sagemaker.describe_endpoint(EndpointName=NAME)
        if found["EndpointStatus"] == "InService":
            return
        if found["EndpointStatus"] == "Failed" or time.monotonic() > deadline:
            raise MeasurementError(f"the endpoint is {found['EndpointStatus']}: {found.get('FailureReason', '')}")
        time.sleep(0.1)


@contextmanager
def _bare_server(cloud: BenchCloud, runtime: Runtime, folder: Path) -> Iterator[Path]:
    """Start the model server by hand: same program, same model, same environment."""
    base = folder / "bare"
    (base / "model").mkdir(parents=True)
    cloud.get(model_uri(cloud), base / "model.tar.gz")
    with tarfile.open(base / "model.tar.gz") as archive:
        archive.extractall(base / "model", filter="data")
    environment = {
        "PATH": runtime.path,
        "HOME": str(base),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "SAGEMAKER_BASE_DIR": str(base),
        **ENVIRONMENT,
    }
    socket = base / "http"
    argv = [str(runtime.python), str(runtimes.LOCKS / "serve.py"), os.path.relpath(socket, base / "model")]
    with (base / "log.txt").open("wb") as log:
        server = subprocess.Popen(argv, env=environment, cwd=base, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + TIMEOUT_S
            while not socket.exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise MeasurementError(f"the model server does not start: {(base / 'log.txt').read_text()[-1000:]}")
                time.sleep(0.05)
            yield socket
        finally:
            server.terminate()
            server.wait(10)
