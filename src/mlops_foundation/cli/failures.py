"""What goes wrong around a command, in our form: a command line that cannot be understood, an answer of no, Ctrl-C."""

import difflib
import signal
from collections.abc import Sequence
from typing import Any

from typer._click import exceptions as click

from mlops_foundation.core.errors import Aborted, FoundationError, Interrupted, UsageError
from mlops_foundation.core.interrupt import received


def no_command(path: str, name: str, known: Sequence[str]) -> UsageError:
    """Return the error for a command that does not exist.

    Args:
        path: What stands before it, for example ``mlops local``.
        name: What was typed.
        known: Commands that there are.
    """
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean: {path} {near[0]}" if near else f"{path} --help"
    return UsageError(f"there is no command {name}", where=path, got=name, expected=", ".join(known), fix=fix)


def usage(error: click.ClickException) -> UsageError:
    """Return typer's error about a command line in our form."""
    context: Any = getattr(error, "ctx", None)
    where = context.command_path if context else "mlops"
    example = _example(context)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = "/".join(error.param.opts) if error.param.param_type_name == "option" else _metavar(error.param)
        what = f"the {error.param.param_type_name} {name} is missing"
        return UsageError(what, where=where, got="nothing", expected=_purpose(error.param), fix=example)
    if isinstance(error, click.NoSuchOption):
        known = sorted({option for each in context.command.params for option in each.opts}) if context else []
        near = error.possibilities or difflib.get_close_matches(error.option_name, known, n=1)
        fix = f"did you mean: {' or '.join(near)}" if near else f"{where} --help"
        expected = ", ".join([*known, "--help"])
        return UsageError(f"there is no option {error.option_name}", where, error.option_name, expected, fix)
    if isinstance(error, click.BadParameter) and error.param is not None:
        names = "/".join(error.param.opts) if error.param.param_type_name == "option" else _metavar(error.param)
        what = f"{names} cannot be used: {error.message.rstrip('.')}"
        return UsageError(what, where=where, expected=_purpose(error.param), fix=example)
    said = error.format_message().rstrip(".")
    return UsageError(f"{said[0].lower()}{said[1:]}", where=where, fix=example)


def aborted(error: BaseException, doing: str) -> FoundationError:
    """Return the error for a question that was not answered with yes, or for Ctrl-C in its place.

    Args:
        error: typer's, which keeps what it stands for.
        doing: The command.
    """
    if received() or isinstance(error.__context__, KeyboardInterrupt):
        return interrupted(doing)
    if isinstance(error.__context__, EOFError):
        fix = "answer in a terminal, or give --yes when the command has it"
        return Aborted("nobody is there to answer; nothing was changed", where=doing, expected="an answer", fix=fix)
    return Aborted("nothing was changed: the answer was no", where=doing)


def interrupted(doing: str) -> Interrupted:
    """Return the error for a command that was ended, when it did not say itself what is left.

    Args:
        doing: The command.
    """
    return Interrupted(f"stopped: {doing}", by=received() or signal.SIGINT)


def _example(context: Any) -> str:  # noqa: ANN401  typer's context
    """Return the first example of a command's help, else how to get its help."""
    epilog = (context.command.epilog or "") if context else ""
    first = epilog.partition(":")[2].split(" | ")[0].strip()
    path = context.command_path if context else "mlops"
    return f"for example: {first}" if first.startswith(path) else f"{path} --help"


def _metavar(parameter: Any) -> str:  # noqa: ANN401  typer's parameter
    return str(parameter.name).upper()


def _purpose(parameter: Any) -> str:  # noqa: ANN401  typer's parameter
    return str(getattr(parameter, "help", None) or "a value").rstrip(".")
