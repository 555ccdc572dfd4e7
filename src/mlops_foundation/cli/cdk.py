"""``cdk``: the official CLI at the version that the platform deploys with, for whoever wants it by hand."""

import sys

from mlops_foundation.aws import cdk_cli
from mlops_foundation.core.errors import FoundationError


def main() -> None:
    """Become the CLI, installed first when this is its first use."""
    try:
        cdk_cli.replace_process(sys.argv[1:])
    except FoundationError as error:
        from mlops_foundation.cli import output  # noqa: PLC0415  rich loads only when something is printed

        output.error(error, as_json=False)
        sys.exit(error.exit_code)
