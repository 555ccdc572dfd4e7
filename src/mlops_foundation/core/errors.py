"""The one root of the errors a user can cause, and the exit code of each kind.

``cli/app.py`` catches :class:`FoundationError` once and prints it; anything else is a bug and keeps its traceback.
The local cloud's wire errors (``ServiceError`` in ``local/contract.py``) are a root of their own.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in the words of the person who has to put it right.

    Attributes:
        what: What is wrong, one sentence without a full stop.
        where: File and line, stack, step or resource.
        got: The value that was found, empty when there was none.
        expected: What is allowed there.
        fix: What to do, a command where there is one.
    """

    what: str
    where: str = ""
    got: str = ""
    expected: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the fields for ``--json`` output, in their documented order."""
        return {"what": self.what, "where": self.where, "got": self.got, "expected": self.expected, "fix": self.fix}


class FoundationError(Exception):
    """An error that the user can put right.

    Args:
        what: What is wrong.
        where: Where it is.
        got: The value found.
        expected: What is allowed.
        fix: What to do about it.
        problems: All problems at once, when there are several; they replace the single one.
    """

    code: ClassVar[str] = "Error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        where: str = "",
        got: str = "",
        expected: str = "",
        fix: str = "",
        *,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(what, where, got, expected, fix),)

    def at(self, where: str) -> Self:
        """Return the same error, with the place of every problem that has none."""
        self.problems = tuple(each if each.where else replace(each, where=where) for each in self.problems)
        return self

    def as_dicts(self) -> list[dict[str, str]]:
        """Return every problem as ``{code, what, where, got, expected, fix}``."""
        return [{"code": self.code, **problem.as_dict()} for problem in self.problems]


class ConfigError(FoundationError):
    """``mlops.yaml`` or a command line value cannot be used."""

    code = "ConfigError"
    exit_code = 2


class NotFound(ConfigError):  # noqa: N818  reads as what it says
    """What was named does not exist."""

    code = "NotFound"


class UsageError(FoundationError):
    """The command line cannot be understood: a command, an option or an argument."""

    code = "UsageError"
    exit_code = 2


class Aborted(FoundationError):  # noqa: N818  reads as what happened
    """The person answered no, or there was nobody to answer."""

    code = "Aborted"
    exit_code = 1


class PlanError(FoundationError):
    """The configuration is well formed but what it asks for cannot be built."""

    code = "PlanError"
    exit_code = 3


class PluginError(FoundationError):
    """A stack, template or service folder does not keep its contract."""

    code = "PluginError"
    exit_code = 4


class SynthError(FoundationError):
    """The CDK app could not be synthesized."""

    code = "SynthError"
    exit_code = 5


class DeployError(FoundationError):
    """A deployment did not reach its end."""

    code = "DeployError"
    exit_code = 6


class AccessDenied(DeployError):  # noqa: N818  the name AWS uses
    """AWS, or the local cloud in its place, refused the caller."""

    code = "AccessDenied"


class StackFailed(DeployError):  # noqa: N818  reads as the state it reports
    """A CloudFormation stack failed; carries the first failed resource event and its reason."""

    code = "StackFailed"


class LocalCloudError(FoundationError):
    """The local cloud cannot start, stop or answer."""

    code = "LocalCloudError"
    exit_code = 7


class UserCodeError(FoundationError):
    """The project's own code failed; carries its own traceback and the place of the log."""

    code = "UserCodeError"
    exit_code = 8


class MachineError(FoundationError):
    """This machine refused: a file, a folder, the disk, a connection."""

    code = "MachineError"
    exit_code = 9


class Interrupted(FoundationError):  # noqa: N818  reads as what happened
    """Somebody ended the command: says what was stopped and what is left.

    Args:
        what: What was stopped, and what is left of it.
        fix: How to go on.
        by: The signal, for the exit code: 128 and its number, as shells say it.
    """

    code = "Interrupted"
    exit_code = 128 + signal.SIGINT

    def __init__(self, what: str, fix: str = "", by: int = signal.SIGINT) -> None:
        super().__init__(what, fix=fix)
        self.exit_code = 128 + by  # type: ignore[misc]
