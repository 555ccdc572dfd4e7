"""Prepare the accounts, once: scoped policies first, then the CDK toolkit that uses them."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mlops_foundation.aws import stacks
from mlops_foundation.core.interrupt import workers
from mlops_foundation.usecases import bootstrap_state, preflight
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.deploy import Deployed, assembly_folder, raise_first
from mlops_foundation.usecases.synth import Bootstrap, Synthesized, current
from mlops_foundation.usecases.workspace import Workspace

Report = Callable[[str], None]
_AT_ONCE: Final = 8


def bootstrap(workspaces: Sequence[Workspace], config_file: Path, report: Report) -> list[Deployed]:
    """Prepare every account of some sets, all at once, each as its own administrator.

    It can be run again: what is there and unchanged stays as it is.

    Raises:
        PlanError: When something is in the way in any account; nothing is changed then.
        DeployError: With what failed in each account; the others are finished.
        StackFailed: With the first resource that failed, when it is one account's.
    """
    preflight.require(workspaces)
    made = current(config_file, assembly_folder(config_file))
    work = [
        (workspace, each)
        for workspace in workspaces
        for each in made.bootstrap
        if each.set_name == workspace.set_plan.name
    ]
    with workers(_AT_ONCE) as pool:
        started = [pool.submit(_account, workspace, made, each, report) for workspace, each in work]
    raise_first([each.exception() for each in started])
    return [done for each in started for done in each.result()]


def _account(workspace: Workspace, made: Synthesized, each: Bootstrap, report: Report) -> list[Deployed]:
    policies = json.loads((made.directory / each.policies_template).read_text(encoding="utf-8"))
    toolkit = json.loads((made.directory / each.toolkit_template).read_text(encoding="utf-8"))
    with aws_errors(f"bootstrap of {each.account}"):
        kept = _still_attached(workspace.sessions.client("cloudformation", each.account), each, policies)
    with_kept = {**policies, "Resources": {**policies["Resources"], **kept}}
    steps = [(each.policies_stack, with_kept), (each.toolkit_stack, toolkit)]
    if kept:
        steps.append((each.policies_stack, policies))
    done = {name: _deploy(workspace, each, name, template, report) for name, template in steps}
    return list(done.values())


def _still_attached(client: Any, each: Bootstrap, policies: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Return the policies of an earlier bootstrap that are wanted no more.

    CloudFormation's role still has them: IAM deletes no policy that is attached, and until the role has the new ones it
    must not be without. So they stay until the toolkit has been updated.
    """
    if stacks.describe(client, each.account, each.policies_stack).status in {"ABSENT", "DELETE_COMPLETE"}:
        return {}
    deployed = bootstrap_state.template(client, each.policies_stack)["Resources"]
    return {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in deployed.items()
        if bootstrap_state.is_execution_policy(resource) and name not in policies["Resources"]
    }


def _deploy(workspace: Workspace, each: Bootstrap, name: str, template: Mapping[str, Any], report: Report) -> Deployed:
    client = workspace.sessions.client("cloudformation", each.account)
    tags = workspace.config.tags_of(workspace.account_set, workspace.set_plan.foundation_in(each.account).name)
    environment = "+".join(each.environments)
    report(f"{each.set_name} {environment} ({each.account}): {name}")
    started = time.monotonic()
    with aws_errors(f"bootstrap of {each.account}"):
        state = stacks.deploy(client, each.account, name, json.dumps(template, separators=(",", ":")), {}, tags)
    seconds = time.monotonic() - started
    return Deployed(each.set_name, environment, each.account, name, state.status, seconds, outputs=state.outputs)
