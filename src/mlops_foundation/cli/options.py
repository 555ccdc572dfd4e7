"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="MLOPS_CONFIG", show_default=True)
]
CONFIG_FILE = Path("mlops.yaml")
