"""CloudFormation stacks: create or update one, wait, and say the first reason when it fails."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from mlops_foundation.core.errors import Problem, StackFailed

_POLL_S = 0.1
_POLL_MAX_S = 5.0

Report = Callable[[str], None]
"""Takes one line on what is happening."""


@dataclass(frozen=True)
class StackState:
    """A stack as it is.

    Attributes:
        account: Account it is in.
        name: Stack name.
        status: CloudFormation's status, ``ABSENT`` when there is none.
        outputs: Outputs by key.
    """

    account: str
    name: str
    status: str
    outputs: Mapping[str, str]

    @property
    def busy(self) -> bool:
        """Whether CloudFormation works on it."""
        return self.status.endswith("IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def complete(self) -> bool:
        """Whether the stack is there and whole."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}


def describe(client: Any, account: str, name: str) -> StackState:  # noqa: ANN401  boto3 clients
    """Return the state of a stack."""
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return StackState(account, name, "ABSENT", {})
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    return StackState(account, name, found["StackStatus"], outputs)


def deploy(
    client: Any,  # noqa: ANN401  boto3 clients
    account: str,
    name: str,
    template: str,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> StackState:
    """Create or update a stack from a template and wait for it; nothing happens when nothing changed.

    Args:
        client: CloudFormation client in the account.
        account: For the answer and errors.
        name: Stack name.
        template: Template text, at most 51,200 characters.
        parameters: Parameter values.
        tags: Stack tags.

    Raises:
        StackFailed: With the first failed resource and its reason.
    """
    request = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    # A run that was killed may have left it on its way.
    state = wait(client, account, name)
    if state.status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}:
        client.delete_stack(StackName=name)
        wait(client, account, name)
        state = describe(client, account, name)
    try:
        if state.status in {"ABSENT", "DELETE_COMPLETE"}:
            client.create_stack(**request)
        else:
            client.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:
            return state
        raise StackFailed(error.response["Error"]["Message"], where=f"stack {name} in {account}") from error
    state = wait(client, account, name)
    if not state.complete:
        raise failure(client, state)
    return state


def wait(client: Any, account: str, name: str) -> StackState:  # noqa: ANN401  boto3 clients
    """Wait until nothing is in progress in a stack; under review, a stack waits for somebody."""
    pause_s = _POLL_S
    while (state := describe(client, account, name)).busy:
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _POLL_MAX_S)
    return state


def validation_errors(client: Any, name: str) -> list[str]:  # noqa: ANN401  boto3 clients
    """Return why CloudFormation refused the last operation of a stack before it began, one reason for each resource.

    The events of the stack say only "Validation failed with 2 error(s). Call DescribeEvents".
    """
    try:
        found = client.describe_events(StackName=name, Filters={"FailedEvents": True})["OperationEvents"]
    except ClientError:
        return []
    last = found[0].get("OperationId") if found else None
    reasons = [
        f"{each.get('LogicalResourceId', '')} ({each.get('ResourceType', '')}): {each['ValidationStatusReason']}"
        for each in found
        if each.get("OperationId") == last and each.get("ValidationStatusReason")
    ]
    return list(dict.fromkeys(reasons))


def innermost_failure(client: Any, name: str) -> tuple[str, str]:  # noqa: ANN401  boto3 clients
    """Return the stack in which something failed first, and what: a nested stack says it, not the one around it.

    Args:
        client: CloudFormation client in the account.
        name: Name or id of the outer stack.

    Returns:
        Id or name of the stack, and resource, type and reason; the reason is empty when nothing failed.
    """
    try:
        events = client.describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return name, ""
    first = _first_failed(events)
    if first is None:
        return name, ""
    inner = first.get("PhysicalResourceId", "")
    if first["ResourceType"] == "AWS::CloudFormation::Stack" and inner not in {"", first.get("StackId"), name}:
        stack, reason = innermost_failure(client, inner)
        if reason:
            return stack, reason
    return name, f"{first['LogicalResourceId']} ({first['ResourceType']}): {first.get('ResourceStatusReason', '')}"


def _first_failed(events: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """Return the first failure among the events of a stack, which are newest first; what was cancelled is none."""
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    return next((event for event in failed if "cancelled" not in event.get("ResourceStatusReason", "")), None)


def _problem(state: StackState, reason: str) -> Problem:
    return Problem(
        what=reason,
        where=f"stack {state.name} in account {state.account}",
        got=state.status,
        expected="names that are free and properties that CloudFormation takes",
        fix="put the reason right, then run the same command again",
    )


def failure(client: Any, state: StackState) -> StackFailed:  # noqa: ANN401  boto3 clients
    """Return the error for a stack that failed: its first failed resource and why."""
    events: Sequence[Mapping[str, str]] = client.describe_stack_events(StackName=state.name)["StackEvents"]
    problems = [_problem(state, each) for each in validation_errors(client, state.name)]
    if problems:
        return StackFailed(f"stack {state.name} was refused before anything was made", problems=problems)
    first = _first_failed(events)
    resource = f"{first['LogicalResourceId']} ({first['ResourceType']})" if first else "the stack"
    reason = first.get("ResourceStatusReason", "no reason given") if first else "no resource failed"
    return StackFailed(
        f"{resource} failed: {reason}",
        where=f"stack {state.name} in account {state.account}",
        got=state.status,
        expected="CREATE_COMPLETE or UPDATE_COMPLETE",
        fix="put the reason right, then run the same command again; it continues where it stopped",
    )
