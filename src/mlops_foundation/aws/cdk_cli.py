"""The official cdk CLI, at a pinned version, on the Node that the package brings.

It is installed once for a user, below the cache folder, from the lock file beside this module.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from mlops_foundation.core import interrupt, node
from mlops_foundation.core.caches import cache_folder
from mlops_foundation.core.errors import DeployError

_LOCK = files("mlops_foundation.aws") / "cdk"
_UNREACHED: Final = "check the network and npm's settings, then run the command again"
_UNTRUSTED: Final = (
    "Node does not read this machine's certificates: name the file with those of your company, "
    "export NODE_EXTRA_CA_CERTS=/path/to/ca.pem, then run the command again"
)
_PRELOADED: Final = tuple(Path(__file__).with_name(name) for name in ("end_with_parent.cjs", "poll_often.cjs"))


def version() -> str:
    """Return the pinned version of the CLI."""
    package = json.loads((_LOCK / "package.json").read_text())
    return str(package["dependencies"]["aws-cdk"])


def install() -> Path:
    """Return the CLI's script, installing it when it is not there yet.

    Raises:
        DeployError: When npm cannot install it.
    """
    folder = cache_folder(f"aws-cdk-{version()}")
    script = folder / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if script.exists():
        return script
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        _install_into(made)
        made.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return script


def _install_into(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        with as_file(_LOCK / name) as source:
            shutil.copy(source, folder)
    npm = node.bin_folder().parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [_node(), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, env=_environment({}), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise DeployError(
            f"the cdk CLI {version()} cannot be installed",
            where=str(folder.parent),
            got=said,
            expected="npm can reach its registry",
            fix=_UNTRUSTED if "CERT" in said or "certificate" in said else _UNREACHED,
        )


def _node() -> str:
    return str(node.bin_folder() / "node")


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without AWS settings of its own, so that nobody else's credentials are used."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "PATH": f"{node.bin_folder()}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ca_bundle = {name: value for name, value in os.environ.items() if name == "AWS_CA_BUNDLE"}
    return inherited | settings | ca_bundle | dict(variables)


def replace_process(arguments: Sequence[str]) -> None:
    """Become the CLI, as the person who called: with the own environment and credentials.

    Raises:
        DeployError: When npm cannot install it.
    """
    path = f"{node.bin_folder()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.execve(_node(), [_node(), str(install()), *arguments], {**os.environ, "PATH": path})  # noqa: S606


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run the CLI; its output, both streams, can be read line by line from ``stdout``.

    Args:
        arguments: Arguments after ``cdk``.
        environment: AWS_* variables of the caller.
    """
    command = [_node(), *(f"--require={script}" for script in _PRELOADED), str(install()), *arguments]
    with (
        subprocess.Popen(
            command,
            env=_environment(environment),
            # Left open: it closes when we end, however we end, and the CLI ends too.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        interrupt.child(process),
    ):
        yield process
