"""The endpoint: one ASGI application on 127.0.0.1 for AWS clients, git and the cloud's own control."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mlops_foundation.core.arns import AccountId
from mlops_foundation.local.adapter import environment
from mlops_foundation.local.contract import HttpHandler, ServiceError
from mlops_foundation.local.wire_errors import refuse

log = logging.getLogger(__name__)

CONTROL = "/_mlops"
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def build(state_dir: Path, port: int) -> "Gateway":
    """Put the local cloud together; imports ministack, so a process can do it once.

    Args:
        state_dir: Where everything is kept; made when missing.
        port: Port of the endpoint, which clients and child processes are told.
    """
    environment.prepare(state_dir, port)
    from mlops_foundation.local.adapter import ministack  # noqa: PLC0415  only after its environment is set
    from mlops_foundation.local.cloud import LocalCloud  # noqa: PLC0415
    from mlops_foundation.local.services import SERVICES  # noqa: PLC0415

    cloud = LocalCloud(state_dir, port, SERVICES)
    ministack.install(cloud)
    return Gateway(cloud, ministack.application())


class Gateway:
    """Sends a request to the control, to a service's own HTTP routes (git), or to ministack's router."""

    def __init__(self, cloud: Any, application: Asgi) -> None:  # noqa: ANN401  LocalCloud, imported late
        self.cloud = cloud
        self._application = application
        self._control = _control(cloud)
        routes: dict[str, HttpHandler] = {}
        for service in cloud.services.values():
            routes |= service.http_routes()
        self._routes: Mapping[str, HttpHandler] = routes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        """Take one request."""
        path = scope.get("path", "")
        if path.startswith(CONTROL):
            await self._control(scope, receive, send)
            return
        if scope["type"] == "http":
            try:
                self.cloud.admit_request(scope)
            except ServiceError as error:
                await refuse(error, scope, send)
                return
        route = next((handler for prefix, handler in self._routes.items() if path.startswith(prefix)), None)
        await (route or self._application)(scope, receive, send)


def _control(cloud: Any) -> Starlette:  # noqa: ANN401  LocalCloud
    from mlops_foundation.local.adapter import iam, ministack  # noqa: PLC0415

    async def health(request: Request) -> JSONResponse:
        del request
        status = "ok" if cloud.ready else "starting"
        return JSONResponse({"status": status, "services": list(cloud.services), "unsaved": ministack.unsaved()})

    async def sign_in(request: Request) -> JSONResponse:
        """Stand in for the console's sign-in: credentials of an account's root or of a role in it."""
        asked = json.loads(await request.body())
        account = AccountId(asked["account"])
        principal = iam.root_of(account)
        if asked.get("role"):
            name = asked["role"]
            found = iam.role_named(account, name)
            if found is None:
                return JSONResponse({"error": f"account {account} has no role {name}"}, status_code=404)
            principal = iam.start_session(found, asked.get("session", "local"), principal.arn, asked.get("tags"))
        return JSONResponse(
            {
                "arn": principal.arn,
                "account": principal.account,
                "access_key_id": principal.credentials.access_key_id,
                "secret_access_key": principal.credentials.secret_access_key,
                "session_token": principal.credentials.session_token,
            }
        )

    async def calls(request: Request) -> JSONResponse:
        """Say which services workloads in a VPC have called."""
        del request
        return JSONResponse(await asyncio.to_thread(cloud.calls.all))

    return Starlette(
        routes=[
            Route(f"{CONTROL}/health", health),
            Route(f"{CONTROL}/sign-in", sign_in, methods=["POST"]),
            Route(f"{CONTROL}/calls", calls),
        ]
    )


@contextlib.asynccontextmanager
async def serving(gateway: Gateway, port: int) -> AsyncIterator[uvicorn.Server]:
    """Serve until the block is left; services are started before it and stopped after it.

    They call the cloud themselves, so it listens first: its health says when the services are ready.
    """
    config = uvicorn.Config(
        gateway,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        date_header=False,  # ministack sends one; two make the SDKs sign with an invalid time
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
            raise ServiceError("ServiceUnavailable", f"port {port} of 127.0.0.1 cannot be served")
        await asyncio.sleep(0.01)
    await asyncio.to_thread(gateway.cloud.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(gateway.cloud.stop)
        server.should_exit = True
        await task
