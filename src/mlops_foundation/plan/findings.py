"""What a check says about one thing in one account: the same for every check, for people and for ``--json``."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from mlops_foundation.core.errors import PlanError, Problem

Status = Literal["ok", "warning", "missing", "unknown"]
"""``missing`` is wrong; ``unknown`` could not be looked at, so it is not right either."""

_GREEN: Final = frozenset({"ok", "warning"})


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What was checked, for example ``dns`` or ``service``.
        stage: The environments that the account serves, joined by ``+``.
        account: Account id.
        status: How it is.
        what: One sentence without a full stop.
        got: The value that was found.
        expected: What is wanted there.
        fix: What to do, empty when nothing is to be done.
    """

    check: str
    stage: str
    account: str
    status: Status
    what: str
    got: str = ""
    expected: str = ""
    fix: str = ""

    @property
    def green(self) -> bool:
        """Whether nothing has to be done."""
        return self.status in _GREEN

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``, in their documented order."""
        return dict(vars(self))

    def problem(self) -> Problem:
        """Return it as a problem of an error."""
        return Problem(self.what, f"{self.stage} {self.account}", self.got, self.expected, self.fix)


def require_green(what: str, findings: Iterable[Finding]) -> None:
    """Let nothing pass that is wrong or could not be looked at.

    Args:
        what: The error's sentence.
        findings: What was found.

    Raises:
        PlanError: With every finding that is not green.
    """
    problems = [each.problem() for each in findings if not each.green]
    if problems:
        raise PlanError(what, problems=problems)
