"""Run a command that believes it is alone in a SageMaker container: its own ``/opt/ml``, and little else.

Three ways, tried once in this order by :func:`probe`:

1. **bubblewrap**: a new root with the system read-only, the runtime read-only, a private ``/tmp`` and process table.
2. **unshare**: a user and mount namespace in which the job's folder is mounted over ``/opt/ml``. It hides nothing else.
3. **paths**: where there are no namespaces (macOS; Linux only when ``MLOPS_SANDBOX=paths`` asks for it), ``/opt/ml`` in
   arguments, environment, scripts and configuration is rewritten to the job's folder. It isolates nothing; scripts that
   read ``SM_*`` variables or arguments work.

The network stays open, since the cloud's endpoint is on this machine, unless a workload asks for isolation.
"""

import os
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from mlops_foundation.core.errors import LocalCloudError

WITHOUT: Final = "MLOPS_SANDBOX"
"""Variable by which a person lets jobs run without a sandbox."""
CONTAINER_ROOT: Final = "/opt/ml"
_SYSTEM: Final = ("/usr", "/etc", "/nix", "/sys/devices/system/cpu", "/run/systemd/resolve")
_SYSTEM_LINKS: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_REWRITTEN_SUFFIXES: Final = (".sh", ".py", ".json")
_PROBE_TIMEOUT_S: Final = 10


@dataclass(frozen=True)
class Workload:
    """One command and what it may reach.

    Attributes:
        root: Folder that becomes ``/opt/ml``, writable.
        argv: Program and arguments, as they are inside.
        environment: The whole environment, nothing is inherited.
        log: File that receives stdout and stderr as they are written.
        readable: Folders of the runtime, at the same path inside, read-only.
        writable: Further folders, at the same path inside (the directory of a socket).
        network: False cuts the network off, as SageMaker's network isolation does.
    """

    root: Path
    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    network: bool = True


@dataclass
class Running:
    """A started workload."""

    process: "subprocess.Popen[bytes]"

    @property
    def alive(self) -> bool:
        """Whether the command still runs."""
        return self.process.poll() is None

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end and return the exit code; negative for the signal that ended it.

        Raises:
            TimeoutError: When it takes longer than ``timeout_s``; the whole process tree has been ended then.
        """
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise TimeoutError from error

    def kill(self, grace_s: float = 0.0) -> None:
        """End the whole process tree: first asked for ``grace_s`` seconds, then forced."""
        if grace_s > 0 and self.alive:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a zombie
            return


class Sandbox(ABC):
    """One way to give a command its own ``/opt/ml``.

    Attributes:
        name: Which way.
        cuts_network: Whether network isolation works; where it does not, the workload's log says so.
    """

    name: ClassVar[str]
    cuts_network = True

    @abstractmethod
    def command(self, workload: Workload) -> tuple[list[str], dict[str, str]]:
        """Return the command line and environment that run ``workload`` on this machine."""

    def container_path(self, workload_root: Path) -> str:
        """Return what the command sees its folder as."""
        del workload_root
        return CONTAINER_ROOT

    def start(self, workload: Workload) -> Running:
        """Start a workload in a process group of its own."""
        workload.log.parent.mkdir(parents=True, exist_ok=True)
        if not workload.network and not self.cuts_network:
            with workload.log.open("a") as log:
                log.write("network isolation is not enforced: this machine does not allow network namespaces\n")
            workload = replace(workload, network=True)
        argv, environment = self.command(workload)
        return Running(_LAUNCHER.submit(_launch, argv, environment, workload).result())

    def works(self, folder: Path, *, network: bool = True) -> bool:
        """Tell whether a command that writes below ``/opt/ml`` succeeds and leaves its file in ``folder``."""
        mark = folder / "mark"
        probe_log = folder / "probe.log"
        shell = f'echo "$0" > {self.container_path(folder)}/mark'
        argv = ("/bin/sh", "-c", shell)
        workload = Workload(folder, argv, {"PATH": "/usr/bin:/bin"}, probe_log, network=network)
        try:
            return self.start(workload).wait(_PROBE_TIMEOUT_S) == 0 and mark.exists()
        except (OSError, TimeoutError):
            return False
        finally:
            mark.unlink(missing_ok=True)


_LAUNCHER: Final = ThreadPoolExecutor(1, thread_name_prefix="sandbox")
"""Starts every process: Linux ends a child "with its parent" when the *thread* that started it ends."""


def _launch(argv: list[str], environment: dict[str, str], workload: Workload) -> "subprocess.Popen[bytes]":
    with workload.log.open("ab") as log:
        return subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=workload.root,
            start_new_session=True,
        )


class Bubblewrap(Sandbox):
    """A new root by bubblewrap: system and runtime read-only, private ``/tmp``, process table and users."""

    name = "bubblewrap"

    def __init__(self, program: str) -> None:
        self._program = program
        self._system = [argument for path in _SYSTEM for argument in ("--ro-bind-try", path, path)]
        for path in map(Path, _SYSTEM_LINKS):
            if path.is_symlink():
                self._system += ["--symlink", str(path.readlink()), str(path)]
            else:
                self._system += ["--ro-bind-try", str(path), str(path)]

    def command(self, workload: Workload) -> tuple[list[str], dict[str, str]]:
        """Return bubblewrap's command line; later mounts lie over earlier ones."""
        argv = [self._program, *self._system, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108
        for folder in workload.readable:
            argv += ["--ro-bind", str(folder), str(folder)]
        argv += ["--bind", str(workload.root), CONTAINER_ROOT]
        for folder in workload.writable:
            argv += ["--bind", str(folder), str(folder)]
        argv += ["--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        argv += [] if workload.network else ["--unshare-net"]
        argv += ["--die-with-parent", "--new-session", "--chdir", CONTAINER_ROOT, "--"]
        return [*argv, *workload.argv], dict(workload.environment)


class UserNamespace(Sandbox):
    """A user and mount namespace by ``unshare``: its own ``/opt/ml``; everything else stays visible."""

    name = "unshare"
    _SCRIPT: ClassVar[str] = """
set -e
if [ ! -d "$2" ]; then  # nobody may make it in the real /opt: mount a copy of /opt, by reference, over it
    opt=$(mktemp -d); mount -t tmpfs tmpfs "$opt"
    for entry in /opt/*/; do
        [ ! -d "$entry" ] || { copy="$opt/$(basename "$entry")"; mkdir "$copy"; mount --rbind "$entry" "$copy"; }
    done
    mkdir "$opt/ml"; mount --rbind "$opt" /opt
fi
mount --bind "$1" "$2"; cd "$2"; shift 2; exec "$@"
"""

    def __init__(self, program: str) -> None:
        self._program = program

    def command(self, workload: Workload) -> tuple[list[str], dict[str, str]]:
        """Return ``unshare``'s command line around a shell that mounts and then becomes the command."""
        flags = ["-rmpf", "--kill-child", "--mount-proc", *([] if workload.network else ["-n"])]
        shell = ["/bin/sh", "-c", self._SCRIPT, "sandbox", str(workload.root), CONTAINER_ROOT]
        return [self._program, *flags, *shell, *workload.argv], dict(workload.environment)


class RewrittenPaths(Sandbox):
    """No namespaces: ``/opt/ml`` is rewritten wherever the command could read it before it starts."""

    name = "paths"
    cuts_network = False

    def container_path(self, workload_root: Path) -> str:
        """Return the job's real folder."""
        return str(workload_root)

    def command(self, workload: Workload) -> tuple[list[str], dict[str, str]]:
        """Rewrite arguments, environment and the job's scripts and configuration."""
        root = str(workload.root)
        for file in workload.root.rglob("*"):
            if file.suffix in _REWRITTEN_SUFFIXES and file.is_file():
                text = file.read_text(errors="surrogateescape")
                if CONTAINER_ROOT in text:
                    file.write_text(text.replace(CONTAINER_ROOT, root), errors="surrogateescape")
        environment = {key: value.replace(CONTAINER_ROOT, root) for key, value in workload.environment.items()}
        environment["SAGEMAKER_BASE_DIR"] = root
        return [argument.replace(CONTAINER_ROOT, root) for argument in workload.argv], environment


def probe(folder: Path) -> Sandbox:
    """Return the strongest sandbox that works on this machine, found by running a command in it.

    Where none does, as in most containers, jobs run only if ``MLOPS_SANDBOX=paths`` says that they may run without.

    Args:
        folder: An existing scratch folder.

    Raises:
        LocalCloudError: When none works.
    """
    candidates: list[Sandbox] = []
    if bwrap := shutil.which("bwrap"):
        candidates.append(Bubblewrap(bwrap))
    if sys.platform == "linux" and (unshare := shutil.which("unshare")):
        candidates.append(UserNamespace(unshare))
    if sys.platform != "linux" or os.environ.get(WITHOUT) == RewrittenPaths.name:
        candidates.append(RewrittenPaths())
    for sandbox in candidates:
        if sandbox.works(folder):
            sandbox.cuts_network = sandbox.cuts_network and sandbox.works(folder, network=False)
            return sandbox
    raise LocalCloudError(
        "jobs cannot be given a folder of their own: install bubblewrap, or allow user namespaces",
        where="local cloud sandbox",
        got=", ".join(sandbox.name for sandbox in candidates) + " tried" if candidates else "no sandbox program",
        expected="bubblewrap, or user namespaces by unshare",
        fix="install bubblewrap (apt-get install bubblewrap; on Ubuntu 24.04 allow it in AppArmor); in a container "
        f"that allows neither, run jobs with your own rights and no sandbox: export {WITHOUT}={RewrittenPaths.name}",
    )
