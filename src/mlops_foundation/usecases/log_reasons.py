"""Why a build or a job failed: the one line that says it, and the few lines around it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LINES_MAX: Final = 10
"""Lines of a log that an error shows; the rest is read with ``mlops pipeline logs``."""
_BEFORE: Final = 6
_HEADLINE_MAX: Final = 300

_LONG_LIST: Final = re.compile(r"\[([^\[\]]{200,})\]")
_SHOWN: Final = 3

_RUNNING: Final = re.compile(r"^\[Container\] \S+ \S+ Running command ")
_ENDED: Final = re.compile(r"^\[Container\] \S+ \S+ Command did not exit successfully ")
_PHASE: Final = re.compile(r"^\[Container\] \S+ \S+ Phase context status code: (\w+) Message: (.*)")
_CHATTER: Final = re.compile(r"^\[Container\] ")
_TESTS_SUMMARY: Final = re.compile(r"^=+ short test summary info =+$")
_EXCEPTION: Final = r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit|Failure|Failed|Invalid)"
_REASONS: Final = (
    re.compile(r"^E\s+(\S.*)$"),  # pytest's own mark
    re.compile(rf"^\s*({_EXCEPTION}(?:: .*|))$"),  # the last line of a traceback
    re.compile(r"^(?:.*: )?(?:line \d+: )?(\S+: (?:command not found|No such file or directory|Permission denied))$"),
    re.compile(r"^\s*(?:\x1b\[[\d;]*m)?(?:error|fatal|ERROR|FATAL|Error)\b(?:\x1b\[[\d;]*m)?:? +(\S.*)$"),
)
"""How a line looks that says what went wrong, in the words of who raised it."""


@dataclass(frozen=True)
class Failure:
    """What a log says about why something failed.

    Attributes:
        reason: The first line that is an error; empty when there is none.
        excerpt: The lines around it, at most ``LINES_MAX``, without the reason; the last ones when there is none.
    """

    reason: str
    excerpt: tuple[str, ...]


def read(lines: Sequence[str]) -> Failure:
    """Find the reason in a log.

    A build's log is cut to what the failed command wrote: CodeBuild repeats the end of it when it tells of the phase.

    Args:
        lines: The whole log, oldest first.
    """
    phase = next((found for line in lines if (found := _PHASE.match(line))), None)
    own = [line for line in _command(lines) if line.strip() and not _CHATTER.match(line)]
    for number, line in enumerate(own):
        reason = _reason(line)
        if reason:
            return Failure(reason, _around(own, number))
    told = "" if phase is None or phase[1] == "COMMAND_EXECUTION_ERROR" else f"{phase[1]}: {phase[2]}"
    return Failure(told, tuple(own[-LINES_MAX:]))


def without_long_lists(text: str) -> str:
    """Return a reason with its long lists cut: AWS answers a wrong value with every right one, hundreds at times."""
    return _LONG_LIST.sub(_cut, text)


def _cut(found: re.Match[str]) -> str:
    items = [item.strip() for item in found[1].split(",")]
    return f"[{', '.join(items[:_SHOWN])}, and {len(items) - _SHOWN} more]" if len(items) > _SHOWN else found[0]


def _command(lines: Sequence[str]) -> Sequence[str]:
    """Return what the command wrote that failed; everything, where the log is not a build's."""
    ended = next((number for number, line in enumerate(lines) if _ENDED.match(line)), None)
    if ended is None:
        return lines
    started = [number for number in range(ended) if _RUNNING.match(lines[number])]
    return lines[started[-1] + 1 if started else 0 : ended]


def _reason(line: str) -> str:
    found = next((match for pattern in _REASONS if (match := pattern.match(line))), None)
    return found[1].strip()[:_HEADLINE_MAX] if found else ""


def _around(lines: Sequence[str], number: int) -> tuple[str, ...]:
    before = list(lines[max(0, number - _BEFORE) : number])
    after = list(lines[number + 1 :])
    summary = next((index for index, line in enumerate(after) if _TESTS_SUMMARY.match(line)), len(after))
    return tuple(before + after[: min(summary, LINES_MAX - len(before))])
