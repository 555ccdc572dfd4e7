"""Puts ministack together with our services; imported once, after ``environment.prepare``."""

from typing import Any

import ministack.app

from mlops_foundation.local.adapter import saving
from mlops_foundation.local.adapter.changes import CHANGES

_saver = saving.Saver()


def install(cloud: Any) -> None:
    """Register our services and make every change of :data:`~.changes.CHANGES`, in order."""
    for change in CHANGES:
        change.install(cloud)


def application() -> Any:
    """Return ministack's ASGI application, which notes when a request may have changed something."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await ministack.app.app(scope, receive, send)
        if scope["type"] == "http" and _may_change(scope):
            _saver.changed()
        if scope["type"] == "lifespan":
            _saver.stop()

    _saver.start()
    return app


def _may_change(scope: Any) -> bool:
    """Return whether a request may change ministack's state; who follows a pipeline reads several times a second."""
    target: bytes = dict(scope["headers"]).get(b"x-amz-target", b"")
    reads = target.rpartition(b".")[2].startswith((b"Describe", b"List", b"Get", b"BatchGet"))
    return scope["method"] != "GET" and not reads and not scope["path"].endswith("/invocations")


def unsaved() -> dict[str, str]:
    """Return what could not be saved the last time, with the reason."""
    return _saver.unsaved
