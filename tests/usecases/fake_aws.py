"""A workspace whose clients are small fakes: who asks for which client is written down."""

import datetime as dt
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mlops_foundation.core.arns import Region
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.workspace import Target, Workspace

DEV, PREPROD, PROD = "2" * 12, "3" * 12, "4" * 12
WHEN = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)


def refused(code: str, message: str, operation: str = "Operation") -> ClientError:
    """Return a client's error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeSessions:
    """Gives the fakes it was made with, by service; a service that has none must not be asked."""

    endpoint_url: str | None = None
    region = Region("eu-west-1")

    def __init__(self, **clients: Any) -> None:
        self._clients = {name.replace("_", "-"): client for name, client in clients.items()}
        self.asked: list[tuple[str, str, str]] = []

    def client(self, service: str, account: str, role: str = "") -> Any:
        self.asked.append((service, account, role))
        return self._clients[service]


def workspace(folder: Path, target: Target = "local", **clients: Any) -> Workspace:
    """Return the workspace of the example configuration with these clients."""
    config_file = folder / "mlops.yaml"
    if not config_file.exists():
        write_config(config_file, Answers())
    config, plan = load_and_plan(config_file)
    return Workspace(config, plan, plan.sets[0], target, FakeSessions(**clients))  # type: ignore[arg-type]
