"""Custom resources: the function behind one is invoked with the stack's rights, and answers at its response URL."""

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError
from ministack.services.cloudformation import custom_resource

from mlops_foundation.core.clock import new_id
from mlops_foundation.local.contract import Json, ServiceError, StackCall
from mlops_foundation.local.resource_types.called import handler_message

_LONGEST_S: Final = 3600
"""How long CloudFormation waits when the template says nothing (``ServiceTimeout``)."""
_FAILED_CREATE: Final = "FAILED_CREATE_MARKER"


def ask(
    stack: StackCall,
    resource_type: str,
    request_type: str,
    properties: Json,
    physical_id: str | None = None,
    old: Mapping[str, Any] | None = None,
) -> tuple[str, Json]:
    """Send one request to the function and wait for its answer.

    Args:
        stack: Whose rights the function is invoked with.
        resource_type: As in the template.
        request_type: ``Create``, ``Update`` or ``Delete``.
        properties: Resolved properties; ``ServiceToken`` names the function.
        physical_id: Of what exists.
        old: The properties before an update.

    Returns:
        Physical id and attributes.

    Raises:
        ServiceError: When the function may not be invoked, says that it failed, or does not answer in time.
    """
    if request_type == "Delete" and physical_id in (None, "", _FAILED_CREATE):
        return "", {}
    token = new_id()
    request = {
        "RequestType": request_type,
        "RequestId": new_id(),
        "StackId": stack.stack_id,
        "ResponseURL": custom_resource._response_url(token),
        "ResourceType": resource_type,
        "LogicalResourceId": stack.logical_id,
        "ResourceProperties": custom_resource._normalise_resource_properties(properties),
    }
    if physical_id is not None:
        request["PhysicalResourceId"] = physical_id
    if old is not None:
        request["OldResourceProperties"] = custom_resource._normalise_resource_properties(old)
    answer = _answer(stack, properties, token, request)
    if answer.get("Status") == "FAILED":
        reason = answer.get("Reason", "the function gave no reason")
        raise ServiceError("GeneralServiceException", f"Received response status [FAILED] from custom resource. "
                           f"Message returned: {reason}")  # fmt: skip
    return str(answer.get("PhysicalResourceId") or physical_id or request["RequestId"]), answer.get("Data") or {}


def _answer(stack: StackCall, properties: Json, token: str, request: Json) -> Json:
    wait_s = _seconds(properties.get("ServiceTimeout"))
    answered = custom_resource.register_token(token)
    try:
        members = {"FunctionName": properties["ServiceToken"], "InvocationType": "Event"}
        stack.request("lambda", "invoke", {**members, "Payload": json.dumps(request)})
        answered.wait(wait_s)
    except ClientError as error:
        raise ServiceError(error.response["Error"]["Code"], handler_message(error, "lambda")) from error
    finally:
        with custom_resource._lock:
            entry = custom_resource._pending.pop(token, None)
    found: Json | None = entry and entry["result"]
    if found is None:
        function = str(properties["ServiceToken"]).rpartition(":")[2]
        raise ServiceError(
            "NotStabilized",
            f"CloudFormation did not receive a response from your Custom Resource within {wait_s} s. Please check your "
            f"logs for requestId [{request['RequestId']}]: log group /aws/lambda/{function}",
        )
    return found


def _seconds(timeout: object) -> int:
    try:
        return int(str(timeout))
    except ValueError:
        return _LONGEST_S
