"""EventBridge: AWS service events in, and the targets that ministack does not deliver to."""

import json
from collections.abc import Sequence
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge

from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.local.contract import Json, Scope


def emit(scope: Scope, source: str, detail_type: str, detail: Json, resources: Sequence[str]) -> None:
    """Put an event of an AWS service on the default bus of an account and region."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": list(resources)}
    with request_scope(scope.account, scope.region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def deliver_to_services(cloud: Any) -> None:
    """Hand the events of a rule whose target is ours to that service."""
    invoke_target = eventbridge._invoke_target
    services = frozenset(service.namespace for service in cloud.services.values())

    def invoke(target: Json, event: Json, rule: Json, view: Any = None) -> None:
        if Arn.parse(target["Arn"]).service not in services:
            invoke_target(target, event, rule, view)
            return
        scope = Scope(AccountId(get_account_id()), Region(get_region()))
        cloud.deliver(scope, {**target, "RuleArn": rule["Arn"]}, _payload(target, event, rule, view))

    eventbridge._invoke_target = invoke


def deliver_to_other_accounts(_cloud: object) -> None:
    """Put an event on another account's bus in that account, and go on in the sender's own."""
    dispatch_to_bus = eventbridge._dispatch_to_event_bus

    def to_bus(spec: Any, event: Json, rule: Json, path: set[str], payload: str | None = None) -> None:
        with request_scope(spec.account_id, spec.region):
            dispatch_to_bus(spec, event, rule, path, payload)

    eventbridge._dispatch_to_event_bus = to_bus


def _payload(target: Json, event: Json, rule: Json, view: Any) -> Json:
    view = view or eventbridge._pattern_event_view(event)
    payload: Json = view.event_with_detail()
    if target.get("InputTransformer"):
        return {**payload, "input": eventbridge._apply_input_transformer(target["InputTransformer"], rule, view)}
    if target.get("Input"):
        return {**payload, "input": target["Input"]}
    return payload
