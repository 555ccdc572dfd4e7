"""Stacks that were under way when the local cloud was killed: they end as failed, and never stay under way."""

from typing import Final

from ministack.core.responses import request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from mlops_foundation.local.contract import Json

_ENDS_AS: Final = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
}
_REASON: Final = "the local cloud was stopped while this was under way"


def end_stacks_under_way(_cloud: object) -> None:
    """Let stacks that a kill left under way be failed once their records are read again."""
    load = cloudformation.load_persisted_state

    def load_and_end(state: Json) -> None:
        load(state)
        for account, region, name in list(cloudformation._stacks._data):
            with request_scope(account, region):
                _end(cloudformation._stacks[name], name)

    cloudformation.load_persisted_state = load_and_end


def _end(stack: Json, name: str) -> None:
    status = _ENDS_AS.get(stack.get("StackStatus", ""))
    if status is None:
        return
    stack["StackStatus"] = status
    stack["StackStatusReason"] = _REASON
    stack_id = stack["StackId"]
    stacks._add_event(stack_id, name, name, "AWS::CloudFormation::Stack", status, _REASON, stack_id)
