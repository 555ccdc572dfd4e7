"""How executions move: stages that let in one execution at a time, actions in groups, stop, retry, restart.

All decisions are taken under one lock and written to the records at once; the actions run outside of it, on threads
of their own. What an execution looks like in between is only in the records, so a restart goes on from them.

Source: "How pipeline executions work" (SUPERSEDED and QUEUED modes, stage locking), "Retry a failed stage".
"""

import threading
from collections.abc import Iterable
from functools import partial
from typing import Final

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Cloud, Json, Scope, Store
from mlops_foundation.local.services.codepipeline import records as rec
from mlops_foundation.local.services.codepipeline.declaration import actions_of
from mlops_foundation.local.services.codepipeline.events import Announcer
from mlops_foundation.local.services.codepipeline.records import EXECUTION, PIPELINE
from mlops_foundation.local.services.codepipeline.runner import Runner

RESTARTED: Final = "The local cloud was stopped while this action ran; retry the stage to run it again"


class Engine:
    """Moves the executions of all pipelines.

    Args:
        cloud: The local cloud.
        records: Of the service.
    """

    def __init__(self, cloud: Cloud, records: Store) -> None:
        self._cloud = cloud
        self._records = records
        self._lock = threading.RLock()
        self.announce = Announcer(cloud)
        self.runner = Runner(cloud, records, self.announce)

    # --- what the service asks for

    def start(self, scope: Scope, execution: Json) -> None:
        """Take in a new execution: it goes to the first stage, or waits for it."""
        with self._lock:
            self._records.put(scope, EXECUTION, execution["pipelineExecutionId"], execution)
            self.announce.execution(scope, execution, "STARTED")
            self._admit(scope, execution["pipelineName"], 0)

    def fail_at_start(self, scope: Scope, execution: Json, reason: str) -> None:
        """Keep an execution that cannot begin."""
        failed = {**execution, "status": "Failed", "statusSummary": reason, "_waiting": False}
        self._records.put(scope, EXECUTION, execution["pipelineExecutionId"], failed)
        self.announce.execution(scope, failed, "FAILED")

    def admit_all(self, scope: Scope, pipeline: str) -> None:
        """Let waiting executions in wherever they may: after a transition was enabled."""
        with self._lock:
            record = self._records.get(scope, PIPELINE, pipeline)
            for index in range(len(record["declaration"]["stages"]) if record else 0):
                self._admit(scope, pipeline, index)

    def stop(self, scope: Scope, execution: Json, reason: str, *, abandon: bool) -> None:
        """Stop an execution, at once or after its running actions have ended."""
        with self._lock:
            trigger = {"stopTrigger": {"reason": reason}} if reason else {}
            execution = self._change(scope, execution, status="Stopping", **trigger)
            self.announce.execution(scope, execution, "STOPPING")
            if abandon or execution["_waiting"]:
                self._abandon_actions(scope, execution)
                self._close(scope, execution, "Stopped")

    def cancel(self, scope: Scope, pipeline: str) -> None:
        """Cancel what is under way: the pipeline's definition has changed."""
        with self._lock:
            for execution in rec.executions_of(self._records, scope, pipeline):
                if execution["status"] in rec.OPEN:
                    self._abandon_actions(scope, execution)
                    self._close(scope, execution, "Cancelled")

    def retry(self, scope: Scope, execution: Json, stage: str, *, everything: bool) -> None:
        """Run a failed stage again: its failed actions, or all of them."""
        with self._lock:
            succeeded = {} if everything else {stage: execution["_succeeded"].get(stage, [])}
            kept = {name: done for name, done in execution["_succeeded"].items() if name != stage} | succeeded
            execution = self._change(scope, execution, status="InProgress", statusSummary=None, _succeeded=kept)
            self.announce.execution(scope, execution, "RESUMED")
            self._run_stage(scope, execution, "RESUMED")

    def resume(self, scope: Scope) -> None:
        """Go on after a restart: waiting approvals wait again; what was running has failed."""
        with self._lock:
            for execution in self._records.all(scope, EXECUTION):
                if execution["status"] in rec.OPEN and not execution["_waiting"]:
                    self._resume(scope, execution)
            for pipeline in self._records.all(scope, PIPELINE):
                self.admit_all(scope, pipeline["declaration"]["name"])

    def _resume(self, scope: Scope, execution: Json) -> None:
        open_actions = [
            action
            for action in rec.actions_of_execution(self._records, scope, execution["pipelineExecutionId"])
            if action["status"] == "InProgress"
        ]
        lost = [action for action in open_actions if not action["_token"]]
        for action in lost:
            self.runner.finish_failed(scope, action, "JobFailed", RESTARTED)
        if lost:
            self._abandon_actions(scope, execution)
            self._fail(scope, execution, RESTARTED)
        else:
            self._cloud.spawn(_thread(execution), partial(self._work, scope, execution))

    # --- stages

    def _admit(self, scope: Scope, pipeline: str, index: int) -> None:
        """Let the next waiting execution into a stage, when the stage is free and its transition open."""
        record = self._records.get(scope, PIPELINE, pipeline)
        if record is None:
            return
        here = [item for item in rec.executions_of(self._records, scope, pipeline) if item["_stage"] == index]
        here = [item for item in here if item["status"] in rec.OPEN]
        waiting = sorted((item for item in here if item["_waiting"]), key=lambda item: item["_started"])
        if not waiting:
            return
        if waiting[-1]["executionMode"] == "SUPERSEDED":
            for older in waiting[:-1]:
                self._supersede(scope, older, waiting[-1])
            waiting = waiting[-1:]
        stage = waiting[0]["_declaration"]["stages"][index]["name"]
        locked = any(not item["_waiting"] for item in here)
        if not locked and record["transitions"].get(stage, {"enabled": True})["enabled"]:
            self._enter(scope, waiting[0], stage)

    def _supersede(self, scope: Scope, older: Json, newer: Json) -> None:
        summary = f"Superseded by {newer['pipelineExecutionId']}"
        older = self._change(scope, older, status="Superseded", statusSummary=summary, _waiting=False)
        self.announce.execution(scope, older, "SUPERSEDED")

    def _enter(self, scope: Scope, execution: Json, stage: str) -> None:
        entered = execution["pipelineExecutionId"]
        self._records.change(
            scope, PIPELINE, execution["pipelineName"], lambda record: record["entered"].__setitem__(stage, entered)
        )
        self._run_stage(scope, execution, "STARTED")

    def _run_stage(self, scope: Scope, execution: Json, state: str) -> None:
        stage = _stage(execution)["name"]
        stages = {**execution["_stages"], stage: "InProgress"}
        execution = self._change(scope, execution, _waiting=False, _stages=stages)
        self.announce.stage(scope, execution, stage, state)
        self._cloud.spawn(_thread(execution), partial(self._work, scope, execution))

    def _work(self, scope: Scope, execution: Json) -> None:
        """Run the groups of a stage one after the other, then settle how the stage went."""
        failure = ""
        for _, actions in actions_of(_stage(execution)):
            failure = self._run_group(scope, execution, actions)
            if failure or not self._goes_on(scope, execution):
                break
        with self._lock:
            now_at = self._records.get(scope, EXECUTION, execution["pipelineExecutionId"])
            if now_at is None or now_at["status"] not in rec.OPEN:
                return
            if failure:
                self._fail(scope, now_at, failure)
            elif now_at["status"] == "Stopping":
                self._close(scope, now_at, "Stopped")
            else:
                self._pass(scope, now_at)

    def _goes_on(self, scope: Scope, execution: Json) -> bool:
        now_at = self._records.get(scope, EXECUTION, execution["pipelineExecutionId"])
        return now_at is not None and now_at["status"] == "InProgress"

    def _run_group(self, scope: Scope, execution: Json, actions: Iterable[Json]) -> str:
        """Run actions at the same time; return the first failure's message, empty when all went well."""
        stage = _stage(execution)["name"]
        done = execution["_succeeded"].get(stage, [])
        wanted = [action for action in actions if action["name"] not in done]
        failures: dict[str, str] = {}
        ended = threading.Semaphore(0)

        def run(action: Json) -> None:
            try:
                failures[action["name"]] = "An internal error of the local cloud; see its log"
                failures[action["name"]] = self.runner.run(scope, execution["pipelineExecutionId"], stage, action)
            finally:
                ended.release()

        for action in wanted:
            self._cloud.spawn(f"{_thread(execution)}-{action['name']}", partial(run, action))
        for _ in wanted:
            ended.acquire()
        return next((f"{stage}/{name}: {failures[name]}" for name in failures if failures[name]), "")

    def _pass(self, scope: Scope, execution: Json) -> None:
        stage, index = _stage(execution)["name"], execution["_stage"]
        stages = {**execution["_stages"], stage: "Succeeded"}
        last = index + 1 == len(execution["_declaration"]["stages"])
        execution = self._change(scope, execution, _stages=stages)
        self.announce.stage(scope, execution, stage, "SUCCEEDED")
        if last:
            execution = self._change(scope, execution, status="Succeeded")
            self.announce.execution(scope, execution, "SUCCEEDED")
        else:
            self._change(scope, execution, _stage=index + 1, _waiting=True)
            self._admit(scope, execution["pipelineName"], index + 1)
        self._admit(scope, execution["pipelineName"], index)

    def _fail(self, scope: Scope, execution: Json, reason: str) -> None:
        stage = _stage(execution)["name"]
        stages = {**execution["_stages"], stage: "Failed"}
        execution = self._change(scope, execution, status="Failed", statusSummary=reason, _stages=stages)
        self.announce.stage(scope, execution, stage, "FAILED")
        self.announce.execution(scope, execution, "FAILED")
        self._admit(scope, execution["pipelineName"], execution["_stage"])

    def _close(self, scope: Scope, execution: Json, status: str) -> None:
        """End an execution that was stopped or cancelled, and free its stage."""
        stage = _stage(execution)["name"]
        stages = dict(execution["_stages"])
        if stages.get(stage) == "InProgress":
            stages[stage] = status
        execution = self._change(scope, execution, status=status, _stages=stages, _waiting=False)
        state = {"Stopped": "STOPPED", "Cancelled": "CANCELED"}[status]
        if stage in stages:
            self.announce.stage(scope, execution, stage, state)
        self.announce.execution(scope, execution, state)
        self._admit(scope, execution["pipelineName"], execution["_stage"])

    def _abandon_actions(self, scope: Scope, execution: Json) -> None:
        for action in rec.actions_of_execution(self._records, scope, execution["pipelineExecutionId"]):
            if action["status"] == "InProgress":
                self.runner.abandon(scope, action)

    def _change(self, scope: Scope, execution: Json, **changes: object) -> Json:
        def change(record: Json) -> None:
            record.update(changes, _updated=now().timestamp())
            for key in [key for key, value in changes.items() if value is None]:
                del record[key]

        return self._records.change(scope, EXECUTION, execution["pipelineExecutionId"], change)


def _stage(execution: Json) -> Json:
    return dict(execution["_declaration"]["stages"][execution["_stage"]])


def _thread(execution: Json) -> str:
    return f"codepipeline-{execution['pipelineName']}-{execution['pipelineExecutionId'][:8]}"
