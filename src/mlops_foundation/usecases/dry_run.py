"""What ``mlops deploy`` would change in each account, after the same checks; nothing is changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlops_foundation.aws import diff
from mlops_foundation.aws.diff import StackDiff
from mlops_foundation.core.interrupt import workers
from mlops_foundation.usecases.deploy import Report, assembly_folder, prepare, raise_first
from mlops_foundation.usecases.deploy_order import Run
from mlops_foundation.usecases.synth import current
from mlops_foundation.usecases.workspace import Workspace

_AT_ONCE: Final = 8


def dry_run(
    workspaces: Sequence[Workspace],
    config_file: Path,
    stages: Sequence[str],
    chosen: Sequence[str],
    extra: Sequence[str],
    report: Report,
) -> list[StackDiff]:
    """Compare the stacks of some sets with what is deployed, each as the platform engineer who would deploy it.

    Args:
        workspaces: The sets.
        config_file: ``mlops.yaml``.
        stages: Environments; all when empty.
        chosen: Stacks by name; all when empty.
        extra: Arguments of ``cdk diff``, passed through.
        report: Takes each line of the CLI.

    Returns:
        Every stack once, in the order of deployment.

    Raises:
        FoundationError: What a deployment would raise before it begins; or when the CLI cannot compare.
    """
    order = prepare(workspaces, stages, chosen)
    made = current(config_file, assembly_folder(config_file))

    def run(each: Run) -> list[StackDiff]:
        environment = each.workspace.sessions.environment(
            each.home, each.workspace.role_in(each.home, "platform-engineer")
        )
        return diff.diff(made.directory, each.patterns, extra, environment, report)

    with workers(_AT_ONCE) as pool:
        started = [pool.submit(run, each) for runs in order for each in runs]
    raise_first([each.exception() for each in started])
    # An owner of shared endpoints is deployed first, and is then looked at again with the others.
    return list({(found.account, found.stack): found for each in started for found in each.result()}.values())
