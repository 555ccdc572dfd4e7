"""Deploy a cloud assembly with the cdk CLI: one command for all accounts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_foundation.aws import cdk_cli
from mlops_foundation.aws.stacks import Report
from mlops_foundation.core.errors import StackFailed

_ERROR = re.compile(r"(?:❌|failed:|Error:|error:)")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PROGRESS = re.compile(r"^\S+ \| |✅|✨|Stack ARN:$|^arn:aws:cloudformation:|deploying\.\.\.|changeset\.\.\.")
"""What the CLI says of other stacks meanwhile, and of the failed one's steps."""
_KEEP_LINES = 400
_REASON_LINES = 10


@dataclass(frozen=True)
class CdkRun:
    """What one run of the CLI said and how it ended."""

    exit_code: int
    lines: Sequence[str]


def run(
    arguments: Sequence[str], environment: Mapping[str, str], report: Report, keep_lines: int = _KEEP_LINES
) -> CdkRun:
    """Run the cdk CLI and pass on every line it says.

    Args:
        arguments: After ``cdk``.
        environment: AWS_* variables of the caller.
        report: Takes each line.
        keep_lines: How many of the last lines are returned.
    """
    lines: list[str] = []
    with cdk_cli.running(arguments, environment) as process:
        for raw in process.stdout or ():
            line = _ANSI.sub("", raw).rstrip()
            if line:
                lines.append(line)
                del lines[:-keep_lines]
                report(line)
    return CdkRun(process.returncode, lines)


def deploy(
    assembly: Path,
    toolkit_stack: str,
    patterns: Sequence[str],
    extra: Sequence[str],
    environment: Mapping[str, str],
    report: Report,
) -> None:
    """Deploy stacks of an assembly.

    Args:
        assembly: Folder that ``mlops synth -o`` wrote.
        toolkit_stack: Name of the CDK bootstrap stack.
        patterns: Stack selection, for example ``default-dev/*``.
        extra: Further arguments of ``cdk deploy``, passed through.
        environment: AWS_* variables of who deploys.
        report: Takes each line of the CLI's output.

    Raises:
        StackFailed: With the CLI's own error lines.
    """
    arguments = [
        "deploy",
        "--app",
        str(assembly),
        f"--toolkit-stack-name={toolkit_stack}",
        "--require-approval=never",
        "--no-notices",
        "--no-version-reporting",
        "--progress=events",
        "--concurrency=4",
        "--asset-parallelism",
        *extra,
        *patterns,
    ]
    done = run(arguments, environment, report)
    if done.exit_code:
        what, *reason = _failure(done.lines)
        raise StackFailed(
            what,
            where=f"cdk deploy {' '.join(patterns)}",
            got="\n".join(reason[:_REASON_LINES]),
            expected="every stack CREATE_COMPLETE or UPDATE_COMPLETE",
            fix="put the reason right, then run mlops deploy again; stacks that are whole are left alone",
        )


def _failure(lines: Sequence[str]) -> list[str]:
    """Return what failed and why: the reasons stand below the first failure, each without a word that marks it."""
    start = next((index for index, line in enumerate(lines) if "❌" in line), None)
    if start is None:
        return [line.strip() for line in lines if _ERROR.search(line)] or [line.strip() for line in lines[-5:]]
    return [line.strip() for line in lines[start:] if not _PROGRESS.search(line)]
