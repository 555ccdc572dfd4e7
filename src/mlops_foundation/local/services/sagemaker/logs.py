"""Follow a log file into a CloudWatch log stream, with the rights of the role that owns it."""

import threading
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from mlops_foundation.core import clock

_INTERVAL_S: Final = 0.5
_BATCH_LINES: Final = 1000
_LINE_MAX: Final = 8192
LogsClient = Any


class LogFollower:
    """Sends what is appended to a file, until closed.

    Without permission to write logs a job runs all the same, as on AWS; the file says why the stream is missing.

    Args:
        client: A CloudWatch Logs client.
        group: Log group, made when missing.
        stream: Log stream, made when missing.
        file: The file to follow; need not exist yet.
    """

    def __init__(self, client: LogsClient, group: str, stream: str, file: Path) -> None:
        self._client, self._group, self._stream, self._file = client, group, stream, file
        self._offset = 0
        self._made = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"logs {stream}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send the rest and stop."""
        self._closed.set()
        self._thread.join()

    def _follow(self) -> None:
        try:
            while not self._closed.wait(_INTERVAL_S):
                self._send(whole_lines=True)
            self._send(whole_lines=False)
        except (ClientError, BotoCoreError) as error:
            with self._file.open("a") as log:
                log.write(f"(no log stream {self._group} {self._stream}: {error})\n")

    def _send(self, *, whole_lines: bool) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        if whole_lines:
            new = new[: new.rfind(b"\n") + 1]
        if not new:
            return
        self._offset += len(new)
        self._make()
        now = int(clock.now().timestamp() * 1000)
        lines = [line[:_LINE_MAX] for line in new.decode(errors="replace").splitlines() if line.strip()]
        for start in range(0, len(lines), _BATCH_LINES):
            events = [{"timestamp": now, "message": line} for line in lines[start : start + _BATCH_LINES]]
            self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)

    def _make(self) -> None:
        if self._made:
            return
        for make, names in (
            (self._client.create_log_group, {"logGroupName": self._group}),
            (self._client.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                make(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
        self._made = True
