"""Nested stacks: ``AWS::CloudFormation::Stack`` as a stack of its own, made with the rights of the one around it.

ministack makes a nested stack's resources inside the outer one's turn: without asking for rights, deleting what has to
stay, and leaving behind what was made when one of them fails. Here the nested stack goes the way of every stack.

Source: "AWS::CloudFormation::Stack" in the CloudFormation template reference.
"""

import time
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_foundation.core.clock import new_token
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import Json, Provisioned, ResourceType, ServiceError, StackCall, not_supported
from mlops_foundation.local.stack_events import first_failure
from mlops_foundation.local.stack_templates import place_of, read

_POLL_S: Final = 0.1
_NAME_MAX: Final = 128
_KNOWN: Final = frozenset({"TemplateURL", "Parameters", "Tags"})


def _create(stack: StackCall, properties: Json) -> Provisioned:
    name = stack.physical_name(_NAME_MAX, new_token(12).upper())
    stack_id = stack.client("cloudformation").create_stack(StackName=name, **_request(stack, properties))["StackId"]
    made = _wait(stack, stack_id)
    if made["StackStatus"] != "CREATE_COMPLETE":
        reason = first_failure(_observer(stack), stack_id) or made.get("StackStatusReason", "")
        _delete(stack, stack_id, properties)
        raise ServiceError(
            "GeneralServiceException", f"Embedded stack {stack_id} was not successfully created: {reason}"
        )
    return _provisioned(made)


def _update(stack: StackCall, stack_id: str, old: Json, new: Json) -> Provisioned:
    del old
    try:
        stack.client("cloudformation").update_stack(StackName=stack_id, **_request(stack, new))
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
    made = _wait(stack, stack_id)
    if made["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        reason = first_failure(_observer(stack), stack_id)
        raise ServiceError(
            "GeneralServiceException", f"Embedded stack {stack_id} was not successfully updated: {reason}"
        )
    return _provisioned(made)


def _delete(stack: StackCall, stack_id: str, properties: Json) -> None:
    del properties
    stack.client("cloudformation").delete_stack(StackName=stack_id)
    gone = _wait(stack, stack_id)
    if gone["StackStatus"] != "DELETE_COMPLETE":
        reason = first_failure(_observer(stack), stack_id)
        raise ServiceError("GeneralServiceException", f"Embedded stack {stack_id} was not deleted: {reason}")


def _request(stack: StackCall, properties: Json) -> Json:
    """Return the request of the nested stack; its template is read with the rights of the stack around it."""
    unknown = sorted(set(properties) - _KNOWN)
    if unknown:
        raise not_supported(f"{', '.join(unknown)} of AWS::CloudFormation::Stack")
    url = properties["TemplateURL"]
    read(stack.client("s3"), url)
    bucket, key = place_of(url)
    around = _observer(stack).describe_stacks(StackName=stack.stack_id)["Stacks"][0]
    given = properties.get("Parameters", {})
    return {
        "TemplateURL": f"{stack.call.cloud.endpoint_url}/{bucket}/{key}",
        "Parameters": [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in given.items()],
        "Tags": properties.get("Tags", []),
        "Capabilities": around.get("Capabilities", []),
    }


def _observer(stack: StackCall) -> Any:
    """Return CloudFormation's own view of its stacks, for which nobody needs a right."""
    call = stack.call
    return call.cloud.client(iam.root_of(call.scope.account), "cloudformation", call.region)


def _wait(stack: StackCall, stack_id: str) -> Json:
    observer = _observer(stack)
    while True:
        found: Json = observer.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            return found
        time.sleep(_POLL_S)


def _provisioned(made: Json) -> Provisioned:
    outputs = {f"Outputs.{each['OutputKey']}": each["OutputValue"] for each in made.get("Outputs", [])}
    return Provisioned(made["StackId"], outputs)


TYPES: Final = {"AWS::CloudFormation::Stack": ResourceType(_create, _delete, _update)}
