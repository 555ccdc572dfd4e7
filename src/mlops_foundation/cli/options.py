"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="MLOPS_CONFIG", show_default=True)
]
CONFIG_FILE = Path("mlops.yaml")

SetOption = Annotated[str, typer.Option("--set", help="Set of accounts, when there are several.")]
TargetOption = Annotated[
    Literal["local", "aws"], typer.Option("--target", help="The local cloud, or AWS.", envvar="MLOPS_TARGET")
]
StateOption = Annotated[
    Path, typer.Option("--state-dir", help="Where the local cloud keeps everything.", envvar="MLOPS_STATE_DIR")
]
STATE_DIR = Path(".mlops")
RoleOption = Annotated[
    str,
    typer.Option(
        "--role",
        help="Act as admin, platform-engineer, data-scientist, lead, approver-prod, auditor, or any role by its name. "
        "On AWS the default is the profile's own rights.",
    ),
]
"""Empty: the persona whose task it is, on the local cloud; the profile as it is, on AWS."""
ProjectArgument = Annotated[str, typer.Argument(help="Project name.", show_default=False)]
