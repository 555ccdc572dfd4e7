"""The shell of a build: one process that keeps variables and folder from command to command.

Each command is a file that the shell sources, so the commands of a phase are told apart and share their state, as in
buildspec version 0.2. Everything the commands print goes straight into the build's log file.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

# Reads paths of command files from descriptor $1, writes their exit statuses to $2. The exported state is kept in $3
# after every command, for the next shell when a command ends this one (`exit 1`, or `set -e` and a failure).
_DRIVER = r"""
if [ -f "$3/environment" ]; then . "$3/environment"; cd "$(cat "$3/folder")" || exit 1; fi
eval 'while IFS= read -r -u '"$1"' _file; do
  . "$_file" </dev/null '"$1"'<&- '"$2"'>&-
  _status=$?
  export -p > "$3/environment"; pwd > "$3/folder"
  echo "$_status" >&'"$2"'
done'
"""
_KINDS: dict[Literal["sh", "bash"], tuple[str, ...]] = {"sh": ("bash", "--posix"), "bash": ("bash",)}


class DeadlinePassed(Exception):  # noqa: N818  an event of the build, not an error of ours
    """A command was still running at the end of the build's time."""


class BuildShell:
    """Runs the commands of one build.

    Args:
        kind: ``sh`` or ``bash``.
        scratch: Folder for the command files and the kept state.
        cwd: Folder of the first command.
        environment: Of the first command.
        log: Where output goes.
    """

    def __init__(
        self, kind: Literal["sh", "bash"], scratch: Path, cwd: Path, environment: Mapping[str, str], log: BinaryIO
    ) -> None:
        self._kind = kind
        self._scratch = scratch
        self._cwd = cwd
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._commands = self._statuses = -1
        self._count = 0
        self._lock = threading.Lock()
        self._killed = False

    def run(self, command: str, deadline: float) -> int:
        """Run one command and return its exit status.

        Args:
            command: One entry of a phase, of any number of lines.
            deadline: ``time.monotonic()`` at which it is killed.

        Raises:
            DeadlinePassed: When it was killed.
        """
        if self._process is None:
            self._start()
        self._count += 1
        file = self._scratch / f"command-{self._count}.sh"
        file.write_text(command + "\n", encoding="utf-8")
        try:
            os.write(self._commands, f"{file}\n".encode())
            return self._status(deadline)
        except BrokenPipeError:
            return self._ended()

    def values(self, names: Sequence[str]) -> dict[str, str]:
        """Return the values that the shell has for variables, exported or not; empty for those it has not."""
        target = self._scratch / "values"
        target.unlink(missing_ok=True)
        words = " ".join(f'"${{{name}-}}"' for name in names)
        self.run(f"printf '%s\\0' {words} > '{target}'", time.monotonic() + 10)
        found = target.read_text(encoding="utf-8").split("\0")[:-1] if target.exists() else []
        return dict(zip(names, found, strict=False))

    def kill(self) -> None:
        """Kill what runs, from another thread, and whatever is started later; ``run`` then returns."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                kill_group(self._process.pid)

    def close(self) -> None:
        """End the shell and everything it started."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        kill_group(process.pid)
        process.wait()
        os.close(self._commands)
        os.close(self._statuses)

    def _start(self) -> None:
        with self._lock:
            process = self._process = self._new_process()
            if self._killed:
                kill_group(process.pid)

    def _new_process(self) -> subprocess.Popen[bytes]:
        command_read, self._commands = os.pipe()
        self._statuses, status_write = os.pipe()
        arguments = (*_KINDS[self._kind], "-c", _DRIVER, "build", str(command_read), str(status_write))
        try:
            return subprocess.Popen(
                [*arguments, str(self._scratch)],
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=(command_read, status_write),
                start_new_session=True,
            )
        finally:
            os.close(command_read)
            os.close(status_write)

    def _status(self, deadline: float) -> int:
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._statuses], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self.close()
                raise DeadlinePassed
            chunk = os.read(self._statuses, 16)
            if not chunk:
                return self._ended()
            line += chunk
        return int(line)

    def _ended(self) -> int:
        """Take up that a command ended the shell; the next one gets a new shell with the kept state."""
        process = self._process
        status = process.wait() if process else 1
        self.close()
        return status if status >= 0 else 128 - status


def kill_group(pid: int) -> None:
    """Kill a process group that we started; one that is gone is no error."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
