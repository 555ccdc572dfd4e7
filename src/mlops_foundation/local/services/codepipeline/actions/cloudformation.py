"""Deploy actions: CloudFormation.

Source: "AWS CloudFormation deploy action reference".
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops_foundation.local.contract import Json
from mlops_foundation.local.services.codepipeline.actions.base import ActionContext, ActionFailed, Outcome
from mlops_foundation.local.stack_events import first_failure

_POLL_S = 0.1
_BROKEN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")
_NOTHING = ("No updates are to be performed", "didn't contain changes", "no changes")


def cloudformation(context: ActionContext) -> Outcome:
    """Do what ActionMode says, with the stack's own role."""
    return _MODES[context.configuration["ActionMode"]](context)


def _create_update(context: ActionContext) -> Outcome:
    stack = _describe(context)
    if stack is None:
        return _create(context)
    if stack["StackStatus"] in _BROKEN:
        name = context.configuration["StackName"]
        raise ActionFailed("JobFailed", f"Stack [{name}] is in {stack['StackStatus']} and cannot be updated")
    try:
        context.client("cloudformation").update_stack(**_request(context))
    except ClientError as error:
        if not _nothing_to_do(str(error)):
            raise
        return _finish(context, stack)
    return _wait(context, stack["StackId"])


def _create(context: ActionContext) -> Outcome:
    made = context.client("cloudformation").create_stack(**_request(context))
    return _wait(context, made["StackId"])


def _replace_on_failure(context: ActionContext) -> Outcome:
    stack = _describe(context)
    if stack is not None and stack["StackStatus"] in _BROKEN:
        _delete_only(context)
    return _create_update(context)


def _delete_only(context: ActionContext) -> Outcome:
    stack = _describe(context)
    if stack is None:
        return Outcome(summary="The stack does not exist")
    role = context.configuration.get("RoleArn")
    context.client("cloudformation").delete_stack(StackName=stack["StackId"], **({"RoleARN": role} if role else {}))
    return _wait(context, stack["StackId"], gone="DELETE_COMPLETE")


def _change_set_replace(context: ActionContext) -> Outcome:
    client, name = context.client("cloudformation"), context.configuration["StackName"]
    change_set = context.configuration["ChangeSetName"]
    stack = _describe(context)
    exists = stack is not None and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
    if stack is not None:
        client.delete_change_set(StackName=name, ChangeSetName=change_set)
    kind = "UPDATE" if exists else "CREATE"
    client.create_change_set(ChangeSetName=change_set, ChangeSetType=kind, **_request(context))
    while True:
        described = client.describe_change_set(StackName=name, ChangeSetName=change_set)
        if described["Status"] == "CREATE_COMPLETE":
            return Outcome(summary=f"Change set {change_set} was created.")
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            if _nothing_to_do(reason):
                return Outcome(summary="No updates are to be performed.")
            raise ActionFailed("JobFailed", f"Change set {change_set} of stack [{name}] failed: {reason}")
        time.sleep(_POLL_S)


def _change_set_execute(context: ActionContext) -> Outcome:
    client, name = context.client("cloudformation"), context.configuration["StackName"]
    change_set = context.configuration["ChangeSetName"]
    described = client.describe_change_set(StackName=name, ChangeSetName=change_set)
    if described["Status"] == "FAILED" and _nothing_to_do(described.get("StatusReason", "")):
        client.delete_change_set(StackName=name, ChangeSetName=change_set)
        return Outcome(summary="No updates are to be performed.")
    client.execute_change_set(StackName=name, ChangeSetName=change_set)
    return _wait(context, described["StackId"])


_MODES: Mapping[str, Callable[[ActionContext], Outcome]] = {
    "CREATE_UPDATE": _create_update,
    "REPLACE_ON_FAILURE": _replace_on_failure,
    "DELETE_ONLY": _delete_only,
    "CHANGE_SET_REPLACE": _change_set_replace,
    "CHANGE_SET_EXECUTE": _change_set_execute,
}


def _nothing_to_do(text: str) -> bool:
    return any(phrase.lower() in text.lower() for phrase in _NOTHING)


def _describe(context: ActionContext) -> Json | None:
    try:
        name = context.configuration["StackName"]
        stack = context.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else dict(stack)


def _request(context: ActionContext) -> Json:
    """Return what CreateStack, UpdateStack and CreateChangeSet have in common."""
    configuration = context.configuration
    template = context.read_file(configuration["TemplatePath"], "TemplatePath")
    settings: Json = {}
    if "TemplateConfiguration" in configuration:
        text = context.read_file(configuration["TemplateConfiguration"], "TemplateConfiguration")
        settings = _json(text, "TemplateConfiguration")
        if settings.keys() - {"Parameters", "Tags"}:
            raise ActionFailed("ConfigurationError", "TemplateConfiguration: only Parameters and Tags are supported")
    overrides = _json(configuration.get("ParameterOverrides", "{}"), "ParameterOverrides")
    parameters = settings.get("Parameters", {}) | {key: _value(context, item) for key, item in overrides.items()}
    return {
        "StackName": configuration["StackName"],
        "TemplateBody": template,
        "RoleARN": configuration["RoleArn"],
        "Capabilities": configuration.get("Capabilities", "").replace(",", " ").split(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": str(item)} for key, item in parameters.items()],
        "Tags": [{"Key": key, "Value": str(item)} for key, item in settings.get("Tags", {}).items()],
    }


def _json(text: str, where: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ActionFailed("ConfigurationError", f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ActionFailed("ConfigurationError", f"{where} is not a JSON object")
    return value


def _value(context: ActionContext, item: Any) -> str:  # noqa: ANN401  JSON
    """Return a parameter's value; ``Fn::GetParam`` takes it from a JSON file of an input artifact."""
    if not isinstance(item, dict):
        return str(item)
    if item.keys() == {"Fn::GetParam"}:
        artifact, path, key = item["Fn::GetParam"]
        found = _json(context.read_file(f"{artifact}::{path}", "Fn::GetParam"), path)
        if key not in found:
            raise ActionFailed("ConfigurationError", f"Fn::GetParam: {artifact}::{path} has no key {key}")
        return str(found[key])
    if item.keys() == {"Fn::GetArtifactAtt"}:
        artifact, attribute = item["Fn::GetArtifactAtt"]
        place = context.inputs.get(artifact, {})
        values = {"BucketName": place.get("bucket"), "ObjectKey": place.get("key")}
        if values.get(attribute):
            return str(values[attribute])
    raise ActionFailed("ConfigurationError", f"ParameterOverrides: {json.dumps(item)} is not supported")


def _wait(context: ActionContext, stack_id: str, gone: str = "") -> Outcome:
    client = context.client("cloudformation")
    context.report({"externalExecutionId": stack_id})
    while True:
        stack = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        status = stack["StackStatus"]
        if not status.endswith("IN_PROGRESS") or context.abandoned():
            break
        time.sleep(_POLL_S)
    if status == gone:
        return Outcome(summary="Stack was deleted.")
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE") and not context.abandoned():
        reason = first_failure(client, stack_id)
        raise ActionFailed("JobFailed", f"Stack [{stack['StackName']}] is in {status}. {reason}")
    return _finish(context, stack)


def _finish(context: ActionContext, stack: Json) -> Outcome:
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    file = context.configuration.get("OutputFileName")
    for place in context.outputs.values():
        context.write_file(place, file or "CreateStackOutput.json", json.dumps(outputs))
    return Outcome(variables=outputs, summary=f"Stack {stack['StackName']} is in {stack['StackStatus']}.")
