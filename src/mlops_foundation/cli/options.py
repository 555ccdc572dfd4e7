"""Options that several commands share."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from mlops_foundation.core import platform_folder


def _given(context: typer.Context, parameter: typer.CallbackParam) -> bool:
    """Return whether somebody gave an option, on the command line or by its variable."""
    source = context.get_parameter_source(str(parameter.name))
    return source is not None and source.name != "DEFAULT"


def _config(context: typer.Context, parameter: typer.CallbackParam, value: Path) -> Path:
    return value if _given(context, parameter) else platform_folder.default_config()


def _state(context: typer.Context, parameter: typer.CallbackParam, value: Path) -> Path:
    return value if _given(context, parameter) else platform_folder.default_state()


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        help="The configuration file; the nearest mlops.yaml, here or in a folder above, when left out.",
        envvar="MLOPS_CONFIG",
        show_default=False,
        callback=_config,
    ),
]
CONFIG_FILE = Path(platform_folder.CONFIG_NAME)

SetOption = Annotated[str, typer.Option("--set", help="Set of accounts, when there are several.")]
SetsOption = Annotated[
    list[str] | None, typer.Option("--set", help="Only this set of accounts; may be repeated. All when left out.")
]
TargetOption = Annotated[
    Literal["local", "aws"], typer.Option("--target", help="The local cloud, or AWS.", envvar="MLOPS_TARGET")
]
StateOption = Annotated[
    Path,
    typer.Option(
        "--state-dir",
        help="Where the local cloud keeps everything; .mlops beside the configuration when left out.",
        envvar="MLOPS_STATE_DIR",
        show_default=False,
        callback=_state,
    ),
]
STATE_DIR = Path(platform_folder.STATE_NAME)
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


def working(app: typer.Typer, *, epilog: str, name: str | None = None) -> Callable[[Callable[..., None]], None]:
    """Add a command that works on a deployed platform.

    The command's function takes ``workspace`` and ``role`` beside its own parameters; the options that say where and as
    whom (``--role``, ``--set``, ``--target``, ``--config``, ``--state-dir``) are added here, the same for all.

    Args:
        app: Group it belongs to.
        epilog: Examples, shown by ``--help``.
        name: When it is not the function's.
    """

    def decorate(function: Callable[..., None]) -> None:
        own = [
            each for each in inspect.signature(function).parameters.values() if each.name not in {"workspace", "role"}
        ]

        def run(**values: Any) -> None:  # noqa: ANN401  what typer has read
            from mlops_foundation.usecases.workspace import open_workspace  # noqa: PLC0415

            where = {each: values.pop(each) for each in _WHERE if each != "role"}
            role = values.pop("role")
            workspace = open_workspace(**where, project=values.get("project", ""))
            function(workspace=workspace, role=role, **values)

        keyword = inspect.Parameter.KEYWORD_ONLY
        added = [
            inspect.Parameter(key, keyword, default=default, annotation=kind) for key, (kind, default) in _WHERE.items()
        ]
        parameters = [each.replace(kind=keyword) for each in own[:-1]] + added + [own[-1].replace(kind=keyword)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__doc__, run.__name__ = function.__doc__, function.__name__
        app.command(name, epilog=epilog)(run)

    return decorate


_WHERE: Final[dict[str, tuple[Any, Any]]] = {
    "role": (RoleOption, ""),
    "set_name": (SetOption, ""),
    "target": (TargetOption, "local"),
    "config_file": (ConfigOption, CONFIG_FILE),
    "state_dir": (StateOption, STATE_DIR),
}
