"""Start, stop and look at the local cloud's process.

One cloud per state directory: ``process.json`` there names the process and port, ``cloud.log`` holds what it says.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_foundation.core.errors import LocalCloudError
from mlops_foundation.local import DEFAULT_PORT
from mlops_foundation.local.contract import Credentials

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_ANSWER_TIMEOUT_S = 10.0
"""A cloud on a busy machine answers late; one that does not run refuses at once."""
_CONTROL = "/_mlops"

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Clouds that this process started: as their parent it has to collect their end."""


@dataclass(frozen=True)
class Running:
    """A local cloud that answers.

    Attributes:
        pid: Process id.
        port: Port on 127.0.0.1.
        state_dir: Where everything is kept.
    """

    pid: int
    port: int
    state_dir: Path

    @property
    def endpoint_url(self) -> str:
        """The address clients use."""
        return f"http://localhost:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the process says."""
        return log_file(self.state_dir)


@dataclass(frozen=True)
class SignedIn:
    """Credentials of an account's root or of a role in it."""

    arn: str
    account: str
    credentials: Credentials


def log_file(state_dir: Path) -> Path:
    """Return where the process of a state directory writes its log."""
    return state_dir / "cloud.log"


def record_file(state_dir: Path) -> Path:
    """Return the file that names the process of a state directory."""
    return state_dir / "process.json"


def named_in(record: Path) -> int | None:
    """Return the process that a record names, None when there is no record."""
    try:
        found: int = json.loads(record.read_text())["pid"]
    except (OSError, ValueError, KeyError):
        return None
    return found


def find(state_dir: Path) -> Running | None:
    """Return the cloud of a state directory when it runs and answers, or None."""
    try:
        record = json.loads(record_file(state_dir).read_text())
        running = Running(record["pid"], record["port"], state_dir)
    except (OSError, ValueError, KeyError):
        return None
    return running if alive(running.pid) and _answers(running.port) else None


def start(state_dir: Path, port: int = DEFAULT_PORT) -> Running:
    """Start the cloud in the background and wait until it answers; one that runs already is returned.

    Args:
        state_dir: Where everything is kept; made when missing.
        port: Port on 127.0.0.1.

    Raises:
        LocalCloudError: When the port is taken or the process ends before it answers.
    """
    state_dir = state_dir.absolute()
    if running := find(state_dir):
        return running
    _check_port(port)
    state_dir.mkdir(parents=True, exist_ok=True)
    # It holds the keys and sessions of every account here.
    state_dir.chmod(0o700)
    command = [sys.executable, "-m", "mlops_foundation.local", "--state-dir", str(state_dir), "--port", str(port)]
    with log_file(state_dir).open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    _children[process.pid] = process
    record_file(state_dir).write_text(json.dumps({"pid": process.pid, "port": port}))
    try:
        _wait_until_it_answers(process, state_dir, port)
    except KeyboardInterrupt:
        process.kill()
        record_file(state_dir).unlink(missing_ok=True)
        raise
    return Running(process.pid, port, state_dir)


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", state_dir: Path, port: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise _did_not_start(state_dir, process.returncode)
        time.sleep(0.05)


def stop(state_dir: Path) -> bool:
    """Stop the cloud of a state directory and wait for its end; False when none runs.

    Raises:
        LocalCloudError: When the process does not end.
    """
    running = find(state_dir.absolute())
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while alive(running.pid):
        if time.monotonic() > deadline:
            raise LocalCloudError(
                "the local cloud does not stop",
                where=f"process {running.pid}",
                expected=f"its end within {_STOP_TIMEOUT_S:.0f} s",
                fix=f"look at {running.log_file}, then end it with: kill -9 {running.pid}",
            )
        time.sleep(0.05)
    record_file(state_dir).unlink(missing_ok=True)
    return True


def reset(state_dir: Path) -> None:
    """Stop the cloud when it runs and remove everything it keeps."""
    stop(state_dir)
    shutil.rmtree(state_dir, ignore_errors=True)


def sign_in(running: Running, account: str, role: str = "", tags: Mapping[str, str] | None = None) -> SignedIn:
    """Return credentials of an account's root, or of a role in it, as a person's sign-in would give them.

    Args:
        running: The cloud.
        account: Account id.
        role: Name of a role, or empty for the root.
        tags: Session tags, for example the project that the person works in.

    Raises:
        LocalCloudError: When the account has no such role.
    """
    body = json.dumps({"account": account, "role": role, "tags": dict(tags or {})}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{running.port}{_CONTROL}/sign-in", body)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            signed_in: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise LocalCloudError(
            json.load(error)["error"],
            where=running.endpoint_url,
            got=role,
            expected="a role that a deployment has made",
            fix="mlops deploy",
        ) from error
    credentials = Credentials(signed_in["access_key_id"], signed_in["secret_access_key"], signed_in["session_token"])
    return SignedIn(signed_in["arn"], signed_in["account"], credentials)


def service_calls(running: Running) -> list[dict[str, Any]]:
    """Return the record of the services that workloads in a VPC have called, oldest first."""
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}{_CONTROL}/calls", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def unsaved(running: Running) -> dict[str, str]:
    """Return the services whose state a cloud could not save the last time, with the reason."""
    health = f"http://127.0.0.1:{running.port}{_CONTROL}/health"
    try:
        with urllib.request.urlopen(health, timeout=_ANSWER_TIMEOUT_S) as answer:
            found: dict[str, str] = json.load(answer)["unsaved"]
    except (OSError, ValueError, KeyError):
        return {}
    return found


def alive(pid: int) -> bool:
    """Return whether a process lives."""
    if pid in _children:
        return _children[pid].poll() is None
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{_CONTROL}/health", timeout=_ANSWER_TIMEOUT_S) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (OSError, ValueError, KeyError):
        return False


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalCloudError(
                f"port {port} is taken",
                where=f"127.0.0.1:{port}",
                got=str(error),
                expected="a free port",
                fix=f"stop what listens there, or use another one: mlops local start --port {port + 1}",
            ) from error


def _did_not_start(state_dir: Path, returncode: int | None) -> LocalCloudError:
    said = log_file(state_dir).read_text(errors="replace").strip().splitlines()
    ended = "still starting" if returncode is None else f"exit code {returncode}"
    return LocalCloudError(
        "the local cloud did not start",
        where=str(log_file(state_dir)),
        got=f"{ended}: {said[-1] if said else 'no output'}",
        expected=f"an answer within {_START_TIMEOUT_S:.0f} s",
        fix="read the log, then try again: mlops local start",
    )
