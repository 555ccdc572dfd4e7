"""``mlops``: finds the command, runs it, and says once what went wrong.

A command is a line in ``COMMANDS``: its module is imported when it is used, so that ``mlops --help`` and completion
stay fast. A module exposes a typer ``app``; one with a single command is that command, one with several is a group.
"""

import contextlib
import importlib
import itertools
import os
import signal
import sys
from typing import Any, Final, NamedTuple

import typer
import typer.main
from typer._click import exceptions as click
from typer.core import TyperCommand, TyperGroup

from mlops_foundation.cli import failures
from mlops_foundation.core import interrupt
from mlops_foundation.core.errors import FoundationError, Interrupted


class Command(NamedTuple):
    """Where a command is, and its line in ``mlops --help``."""

    module: str
    help: str
    panel: str


_SETUP: Final = "Set up"
_DAILY: Final = "Work"
_PIPE_CLOSED: Final = 128 + signal.SIGPIPE
"""Who reads our output has read enough: what a program that the signal ends answers."""

COMMANDS: Final[dict[str, Command]] = {
    "demo": Command("mlops_foundation.cli.demo", "The whole way on this machine, in one command.", _SETUP),
    "init": Command("mlops_foundation.cli.platform:init_app", "Write mlops.yaml, by questions or by example.", _SETUP),
    "plan": Command("mlops_foundation.cli.platform:plan_app", "Show what will be made in each account.", _SETUP),
    "synth": Command("mlops_foundation.cli.platform:synth_app", "Write the CloudFormation templates.", _SETUP),
    "config": Command("mlops_foundation.cli.platform:config_app", "Check mlops.yaml; print schema, profiles.", _SETUP),
    "links": Command("mlops_foundation.cli.links", "Print the links that switch to each role.", _SETUP),
    "check": Command("mlops_foundation.cli.check", "Check accounts and networks before anything is changed.", _SETUP),
    "local": Command("mlops_foundation.cli.local", "Start, stop and use the local cloud.", _SETUP),
    "bootstrap": Command("mlops_foundation.cli.deploy:bootstrap_app", "Prepare the accounts, once.", _SETUP),
    "deploy": Command("mlops_foundation.cli.deploy:deploy_app", "Deploy the platform to its accounts.", _SETUP),
    "status": Command("mlops_foundation.cli.status", "Projects, versions, what waits for whom, endpoints.", _DAILY),
    "project": Command("mlops_foundation.cli.project", "Create, list and describe projects.", _DAILY),
    "model": Command("mlops_foundation.cli.model", "List, compare, approve and reject versions.", _DAILY),
    "pipeline": Command("mlops_foundation.cli.pipeline", "Watch, approve, start, stop, retry, read logs.", _DAILY),
    "endpoint": Command("mlops_foundation.cli.endpoint", "List and invoke endpoints, read their logs.", _DAILY),
}


class CommandGroup(TyperGroup):
    """A group of commands that says which name is near to one that it does not have."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  typer's signature
        """Return the command that is named."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            raise failures.no_command(ctx.command_path, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class LazyCommand(TyperCommand):
    """A command that is imported when it is run."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(name, help=command.help, short_help=command.help)
        self.panel = command.panel
        self._module = command.module

    def load(self) -> Any:  # noqa: ANN401  typer's commands share no public base
        """Import the command."""
        module, _, attribute = self._module.partition(":")
        app: typer.Typer = getattr(importlib.import_module(module), attribute or "app")
        app._add_completion = False  # noqa: SLF001  completion belongs to mlops as a whole
        app.info.cls = CommandGroup
        loaded = typer.main.get_command(app)
        loaded.name = self.name
        return loaded

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401  typer's signature
        """Hand over to the command itself."""
        return self.load().make_context(info_name, args, parent=parent, **extra)


class LazyGroup(CommandGroup):
    """The top level: every command of ``COMMANDS``, in that order and under its heading."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  typer's signature
        """Run the command; what ends it by Ctrl-C reaches :func:`run`, where typer would turn it into a bare code."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, OSError) as error:
            raise _Ended from error

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401  typer's signature
        """Return the names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> LazyCommand | None:  # noqa: ANN401  typer's signature
        """Return a command that loads itself."""
        del ctx
        return LazyCommand(cmd_name, COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  typer's signature
        """Write the commands, one section for each heading."""
        del ctx
        for panel in dict.fromkeys(command.panel for command in COMMANDS.values()):
            with formatter.section(panel):
                formatter.write_dl([(name, each.help) for name, each in COMMANDS.items() if each.panel == panel])


app = typer.Typer(
    name="mlops",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain at the top: rich alone takes longer than the rest of mlops --help
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback(epilog="Start with: mlops init --yes, then mlops plan, then mlops synth -o DIR")
def _mlops() -> None:
    """A secure multi-account MLOps platform for AWS that also runs whole on a laptop."""


class _Ended(Exception):  # noqa: N818  carries another error past typer
    """What ended a command stands in ``__cause__``."""


def main() -> None:
    """Run the command line and exit with the code of its error, if any."""
    with interrupt.caught():
        code = run(sys.argv[1:])
    if interrupt.received() or code == _PIPE_CLOSED:
        # Threads that still wait for somebody else must not hold us up, nor standard output be written to once more.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code: 0, or that of the error, which is printed here and nowhere else.
    """
    try:
        code: int | None = typer.main.get_command(app).main(arguments, prog_name="mlops", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else 0
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  a bug is raised again, with its traceback
        cause = error.__cause__ if isinstance(error, _Ended) and error.__cause__ else error
        return _told(cause, arguments)
    return code or 0


def _told(error: BaseException, arguments: list[str]) -> int:
    """Print what ended a command, and return its exit code; raise it when it is a bug."""
    if isinstance(error, BrokenPipeError):
        return _PIPE_CLOSED
    if isinstance(error, click.NoArgsIsHelpError):
        # Groups have shown their help by then; the top level's is the message.
        if error.message:
            error.show()
        return error.exit_code
    words = itertools.takewhile(lambda each: not each.startswith("-"), arguments[:2])
    failure = _failure(error, " ".join(["mlops", *words]))
    if failure is None:
        raise error from error.__cause__
    from mlops_foundation.cli import output  # noqa: PLC0415  rich loads only when something is printed

    if isinstance(failure, Interrupted) or isinstance(error.__context__, EOFError):
        output.end_line()
    output.error(failure, as_json="--json" in arguments)
    return failure.exit_code


def _failure(error: BaseException, doing: str) -> FoundationError | None:
    """Return an error in our form; None for a bug, which keeps its traceback."""
    if isinstance(error, FoundationError):
        return error
    if isinstance(error, KeyboardInterrupt) or interrupt.received():
        # What a child process of ours says when Ctrl-C ends it too is no other error.
        return failures.interrupted(doing)
    if isinstance(error, typer.Abort | EOFError):
        return failures.aborted(error, doing)
    if isinstance(error, click.ClickException):
        return failures.usage(error)
    from mlops_foundation.usecases.failures import explained  # noqa: PLC0415  only when something is wrong

    return explained(error)
