"""What a deployment would change, by ``cdk diff``: templates are compared, nothing is made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from mlops_foundation.aws.deploy import run
from mlops_foundation.aws.stacks import Report
from mlops_foundation.core.errors import DeployError

_STACK: Final = re.compile(r"^Stack (?P<path>\S+) \((?P<name>[^)]+)\) \(aws://(?P<account>\d{12})/")
_RESOURCE: Final = re.compile(
    r"^\[(?P<sign>[-+~])\] (?P<kind>\w+::\S+) (?P<names>.*?)(?: (?P<effect>replace|may be replaced|destroy|orphan))?$"
)
_COUNT: Final = re.compile(r"Number of stacks with differences: (\d+)")
_KEEP_LINES: Final = 1_000_000
_SAME: Final = "There were no differences"
_WORDS: Final = {"+": "add", "-": "remove", "~": "change"}
_EFFECTS: Final = {"replace": "replaced", "may be replaced": "may be replaced", "orphan": "stays behind"}


@dataclass(frozen=True)
class Change:
    """One resource that a deployment would change.

    Attributes:
        action: ``add``, ``change`` or ``remove``.
        type: Its CloudFormation type.
        logical_id: Its name in the template.
        effect: ``replaced``, ``may be replaced``, ``stays behind`` (removed from the stack only), or empty.
    """

    action: str
    type: str
    logical_id: str
    effect: str = ""


@dataclass(frozen=True)
class StackDiff:
    """A stack against its deployed template.

    Attributes:
        account: Where it is.
        stack: Its CloudFormation name.
        differs: Whether anything is different, be it a description.
        changes: Its resources that would change.
    """

    account: str
    stack: str
    differs: bool
    changes: tuple[Change, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return {**vars(self), "changes": [vars(each) for each in self.changes]}


def diff(
    assembly: Path, patterns: Sequence[str], extra: Sequence[str], environment: Mapping[str, str], report: Report
) -> list[StackDiff]:
    """Compare stacks of an assembly with what is deployed.

    Args:
        assembly: Folder that ``mlops synth -o`` wrote.
        patterns: Stack selection, for example ``default-dev/*``.
        extra: Further arguments of ``cdk diff``, passed through.
        environment: AWS_* variables of who deploys.
        report: Takes each line of the CLI's output.

    Raises:
        DeployError: When the CLI fails, or says what cannot be understood.
    """
    # The method auto would make change sets, and an empty stack for each that is not there yet.
    arguments = ["diff", "--app", str(assembly), "--method=template", "--no-notices", "--no-version-reporting"]
    done = run([*arguments, *extra, *patterns], environment, report, _KEEP_LINES)
    found = list(parse(done.lines))
    count = next((int(each[1]) for line in done.lines if (each := _COUNT.search(line))), None)
    if done.exit_code or count != sum(each.differs for each in found):
        raise DeployError(
            "the cdk CLI could not compare the stacks" if done.exit_code else "cdk diff said what is not understood",
            where=f"cdk diff {' '.join(patterns)}",
            got="\n".join(done.lines[-5:]),
            expected=f"{count or 'the number of'} stacks with differences, each with its resources",
            fix="put the reason right; mlops synth -o DIR and cdk diff --app DIR show everything",
        )
    return found


def parse(lines: Sequence[str]) -> Iterator[StackDiff]:
    """Yield every stack that the CLI's answer is about."""
    starts = [index for index, line in enumerate(lines) if _STACK.match(line)]
    for start, end in pairwise([*starts, len(lines)]):
        head, said = _STACK.match(lines[start]), lines[start + 1 : end]
        if head:
            changes = tuple(_change(each) for line in said if (each := _RESOURCE.match(line)))
            yield StackDiff(head["account"], head["name"], _SAME not in said, changes)


def _change(found: re.Match[str]) -> Change:
    return Change(_WORDS[found["sign"]], found["kind"], found["names"].split()[-1], _EFFECTS.get(found["effect"], ""))
