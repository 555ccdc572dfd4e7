"""Whether the bootstrap of each account is the one that the configuration needs, by its deployed templates.

A stack that is added, or that needs more rights, after the bootstrap would fail in the middle of a deployment. The
comparison is by what CloudFormation may do, not by how it is packed: an account that an earlier version bootstrapped
with one policy for each stack is right as long as that allows the same.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from mlops_foundation.aws import stacks
from mlops_foundation.constructs.bootstrap import policies_template, toolkit_template
from mlops_foundation.core.errors import DeployError, Problem
from mlops_foundation.core.interrupt import workers
from mlops_foundation.plan.foundations import Foundation
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.workspace import Workspace

Template = Mapping[str, Any]
Right = tuple[str, str, str]
"""Action, resource, and the condition as JSON."""

_POLICY: Final = "AWS::IAM::ManagedPolicy"
_EXECUTION_ROLE: Final = "CloudFormationExecutionRole"
_AT_ONCE: Final = 8
_SHOWN: Final = 8


@dataclass(frozen=True)
class Lacks:
    """What a bootstrap lacks.

    Attributes:
        actions: What CloudFormation may not do on resources where it has to, by the policy statement that allows it.
        resources: Logical ids of the other resources and parameters that are not as they should be.
    """

    actions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    resources: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.actions or self.resources)

    def __str__(self) -> str:
        parts = [f"{sid}: {_some(actions)}" for sid, actions in self.actions.items()]
        text = f"CloudFormation lacks {'; '.join(parts)}" if parts else ""
        if not self.resources:
            return text
        return f"{text}{'; and ' if text else ''}{', '.join(self.resources)} differ from the configuration's"


def compare(deployed: tuple[Template, Template], wanted: tuple[Template, Template]) -> Lacks:
    """Compare the templates of the policies and of the toolkit with those that are wanted.

    Args:
        deployed: Both templates as an account has them.
        wanted: Both templates of the configuration.
    """
    held = set(_rights(*deployed))
    wide = [right for right in held if "*" in right[0] or "*" in right[1] or not right[2]]
    actions: dict[str, list[str]] = {}
    for sid, right in _wanted_rights(wanted[0]):
        if right not in held and not any(_covers(each, right) for each in wide):
            actions.setdefault(sid, []).append(right[0])
    actions = {sid: list(dict.fromkeys(missing)) for sid, missing in actions.items()}
    return Lacks(actions, [*_differing(deployed[0], wanted[0]), *_differing(deployed[1], wanted[1])])


def lacks(workspace: Workspace, foundation: Foundation) -> Lacks | None:
    """Return what the bootstrap of an account lacks; None when there is none, or none that is whole.

    Raises:
        FoundationError: When the account cannot be looked at.
    """
    client = workspace.sessions.client("cloudformation", foundation.account)
    names, set_plan = workspace.set_plan.names, workspace.set_plan
    with aws_errors(f"bootstrap of account {foundation.account}"):
        for name in (names.toolkit_stack, names.bootstrap_policies_stack):
            if not stacks.describe(client, foundation.account, name).complete:
                return None
        deployed = (
            template(client, names.bootstrap_policies_stack),
            template(client, names.toolkit_stack),
        )
    wanted = (
        policies_template(workspace.plan, set_plan, foundation),
        toolkit_template(set_plan, foundation),
    )
    return compare(deployed, wanted)


def require(workspaces: Sequence[Workspace]) -> None:
    """Let nothing be deployed that the bootstrap of an account does not allow.

    Args:
        workspaces: The sets; all their accounts are looked at.

    Raises:
        DeployError: With every account that is not bootstrapped, or not for what is configured now.
    """
    places = [(each, foundation) for each in workspaces for foundation in each.set_plan.foundations]
    with workers(_AT_ONCE) as pool:
        found = list(pool.map(lambda place: lacks(*place), places))
    problems = [problem for place, lack in zip(places, found, strict=True) if (problem := _problem(*place, lack))]
    if problems:
        what = "the bootstrap is older than the configuration" if any(found) else "accounts are not bootstrapped"
        raise DeployError(f"{what}; nothing was changed", problems=problems)


def _problem(workspace: Workspace, foundation: Foundation, lack: Lacks | None) -> Problem | None:
    if lack is not None and not lack:
        return None
    names = workspace.set_plan.names
    return Problem(
        what="the account is not bootstrapped" if lack is None else "the bootstrap is older than the configuration",
        where=f"{'+'.join(foundation.environments)} {foundation.account}",
        got=str(lack) if lack else f"no complete stack {names.bootstrap_policies_stack} or {names.toolkit_stack}",
        expected="what the stacks of this configuration need",
        fix=command(workspace),
    )


def command(workspace: Workspace) -> str:
    """Return the command that puts the bootstrap of a set right."""
    target = "" if workspace.target == "local" else f" --target {workspace.target}"
    only = f" --set {workspace.set_plan.name}" if len(workspace.plan.sets) > 1 else ""
    return f"mlops bootstrap{target}{only}"


def template(client: Any, stack: str) -> dict[str, Any]:  # noqa: ANN401  boto3 clients
    """Return the deployed template of a stack; boto3 reads JSON, and leaves YAML as it is."""
    body = client.get_template(StackName=stack)["TemplateBody"]
    found: dict[str, Any] = yaml.safe_load(body) if isinstance(body, str) else json.loads(json.dumps(body))
    return found


def is_execution_policy(resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource of the policies' template holds what CloudFormation may do."""
    return resource.get("Type") == _POLICY


def _rights(policies: Template, toolkit: Template) -> Iterator[Right]:
    """Yield what the deployed policies allow, of those that the toolkit gives to CloudFormation's role."""
    attached = toolkit["Resources"].get(_EXECUTION_ROLE, {}).get("Properties", {}).get("ManagedPolicyArns", [])
    for resource in policies["Resources"].values():
        if is_execution_policy(resource) and any(
            arn.endswith(f":policy{resource['Properties']['Path']}{resource['Properties']['ManagedPolicyName']}")
            for arn in attached
        ):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                yield from _single(statement)


def _wanted_rights(policies: Template) -> Iterator[tuple[str, Right]]:
    for resource in policies["Resources"].values():
        if is_execution_policy(resource):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                for right in _single(statement):
                    yield statement["Sid"], right


def _single(statement: Mapping[str, Any]) -> Iterator[Right]:
    condition = statement.get("Condition")
    text = json.dumps(condition, sort_keys=True) if condition else ""
    for action in statement["Action"]:
        for resource in statement["Resource"]:
            yield action, resource, text


def _covers(held: Right, wanted: Right) -> bool:
    return (
        held[2] in {"", wanted[2]}
        and fnmatch.fnmatchcase(wanted[0], held[0])
        and fnmatch.fnmatchcase(wanted[1], held[1])
    )


def _differing(deployed: Template, wanted: Template) -> list[str]:
    """Return the parameters and resources that are not as wanted, but for CloudFormation's policies."""
    found = [
        name
        for name, parameter in wanted.get("Parameters", {}).items()
        if deployed.get("Parameters", {}).get(name, {}).get("Default") != parameter.get("Default")
    ]
    return found + [
        name
        for name, resource in wanted["Resources"].items()
        if not is_execution_policy(resource)
        and _comparable(deployed["Resources"].get(name, {})) != _comparable(resource)
    ]


def _comparable(resource: Mapping[str, Any]) -> str:
    properties = {key: value for key, value in resource.get("Properties", {}).items() if key != "ManagedPolicyArns"}
    kept = {key: value for key, value in resource.items() if key != "Metadata"} | {"Properties": properties}
    # A date that YAML has read, as in a policy's version, is text again.
    return json.dumps(kept, sort_keys=True, default=str)


def _some(actions: Sequence[str]) -> str:
    rest = len(actions) - _SHOWN
    return ", ".join(actions[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
