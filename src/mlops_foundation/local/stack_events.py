"""What went wrong in a CloudFormation stack, told by its events; for the services that deploy stacks."""

from typing import Any

_BEGINS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")


def first_failure(cloudformation: Any, stack_id: str) -> str:  # noqa: ANN401  a boto3 client
    """Return the first failed resource of a stack's last operation, its type and the reason; empty when none failed."""
    failure = ""
    for event in cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]:
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
            failure = f"{event['LogicalResourceId']} ({event.get('ResourceType', '')}): {reason}"
        if failure and event["PhysicalResourceId"] == stack_id and event["ResourceStatus"] in _BEGINS:
            break
    return failure
