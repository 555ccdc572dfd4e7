"""Manual approvals: an action that waits until somebody with the right to decide has decided.

Source: "Manual approval action reference"; an approval that nobody answers fails after seven days.
"""

import threading
from dataclasses import dataclass

from mlops_foundation.local.services.codepipeline.actions.base import ActionContext, ActionFailed, Outcome

TIMEOUT_S = 7 * 24 * 3600


@dataclass(frozen=True)
class Decision:
    """What was decided."""

    approved: bool
    summary: str
    by: str


class Approvals:
    """The approvals that wait in this process."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._decisions: dict[str, Decision] = {}
        self._woken: set[str] = set()

    def wait(self, context: ActionContext) -> Outcome:
        """Wait for the decision on an action, or until it is abandoned."""
        key = context.action_id
        with self._lock:
            in_time = self._lock.wait_for(lambda: key in self._decisions or key in self._woken, TIMEOUT_S)
            self._woken.discard(key)
            decision = self._decisions.pop(key, None)
        if not in_time:
            raise ActionFailed("JobFailed", "Nobody approved or rejected within seven days")
        if decision is None:
            return Outcome()
        if not decision.approved:
            raise ActionFailed("JobFailed", f"Rejected by {decision.by}. {decision.summary}".strip())
        return Outcome(summary=f"Approved by {decision.by}. {decision.summary}".strip())

    def decide(self, action_id: str, decision: Decision) -> None:
        """Let an action go on."""
        with self._lock:
            self._decisions[action_id] = decision
            self._lock.notify_all()

    def wake(self, action_id: str) -> None:
        """Let an action end without a decision: it was abandoned."""
        with self._lock:
            self._woken.add(action_id)
            self._lock.notify_all()
