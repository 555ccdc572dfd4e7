"""The log of a build: a file that the commands write to, shipped to CloudWatch Logs while it grows."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from mlops_foundation.core.clock import now

_SHIP_EVERY_S = 0.5
_BATCH_LINES = 1000
_LINE_BYTES = 32768
log = logging.getLogger(__name__)


class BuildLog:
    """One build's log.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO = path.open("ab", buffering=0)
        self._shipped = 0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> None:
        """Add a line of CodeBuild's own."""
        stamp = now().strftime("%Y/%m/%d %H:%M:%S.%f")
        self.file.write(f"[Container] {stamp} {text}\n".encode())

    def size(self) -> int:
        """Return the bytes written so far."""
        return self.path.stat().st_size

    def tail(self, since: int, lines: int, characters: int) -> str:
        """Return the last lines that were written after the first ``since`` bytes."""
        with self.path.open("rb") as file:
            file.seek(since)
            text = file.read().decode("utf-8", "replace").strip()
        return "\n".join(text.splitlines()[-lines:])[-characters:]

    def ship_to(self, put: Callable[[list[dict[str, Any]]], None]) -> None:
        """Send what is there and whatever is added until :meth:`close`.

        Args:
            put: Sends a batch of ``{timestamp, message}``; called at once, so that missing rights show here.
        """
        self._ship(put)
        self._thread = threading.Thread(target=self._keep_shipping, args=(put,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send the rest and close the file."""
        self._done.set()
        if self._thread:
            self._thread.join()
        self.file.close()

    def _keep_shipping(self, put: Callable[[list[dict[str, Any]]], None]) -> None:
        try:
            while not self._done.wait(_SHIP_EVERY_S):
                self._ship(put)
            self._ship(put, rest=True)
        except ClientError:
            log.exception("the log %s cannot be sent any further", self.path)

    def _ship(self, put: Callable[[list[dict[str, Any]]], None], *, rest: bool = False) -> None:
        with self.path.open("rb") as file:
            file.seek(self._shipped)
            data = file.read()
        if not rest:
            data = data[: data.rfind(b"\n") + 1]
        self._shipped += len(data)
        stamp = int(now().timestamp() * 1000)
        lines = [line[:_LINE_BYTES].decode("utf-8", "replace") or " " for line in data.splitlines()]
        events = [{"timestamp": stamp, "message": line} for line in lines]
        for start in range(0, len(events), _BATCH_LINES):
            put(events[start : start + _BATCH_LINES])
