"""One action from its start to its end: roles, variables, artifacts, what it leaves in the records."""

import threading
from collections.abc import Mapping
from functools import partial

from botocore.exceptions import ClientError

from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Cloud, Json, Principal, Scope, ServiceError, Store
from mlops_foundation.local.services.codepipeline import records as rec
from mlops_foundation.local.services.codepipeline import variables
from mlops_foundation.local.services.codepipeline.actions import build, cloudformation, source
from mlops_foundation.local.services.codepipeline.actions.approval import Approvals
from mlops_foundation.local.services.codepipeline.actions.base import ActionContext, ActionFailed, Outcome, Run, failed
from mlops_foundation.local.services.codepipeline.events import Announcer
from mlops_foundation.local.services.codepipeline.records import ACTION, EXECUTION

CODEPIPELINE = "codepipeline.amazonaws.com"


class Runner:
    """Runs actions.

    Args:
        cloud: The local cloud.
        records: Of the service.
        announce: Tells the world.
    """

    def __init__(self, cloud: Cloud, records: Store, announce: Announcer) -> None:
        self._cloud = cloud
        self._records = records
        self._announce = announce
        self._lock = threading.RLock()
        self.approvals = Approvals()
        self._providers: Mapping[str, Run] = {
            "CodeCommit": source.codecommit,
            "S3": source.s3,
            "CodeBuild": build.codebuild,
            "CloudFormation": cloudformation.cloudformation,
            "Manual": self.approvals.wait,
        }

    def run(self, scope: Scope, execution_id: str, stage: str, action: Json) -> str:
        """Run one action; return why it failed, empty when it succeeded or was abandoned."""
        execution = self._records.get(scope, EXECUTION, execution_id)
        if execution is None:
            return ""
        record = self._open(scope, execution, stage, action)
        try:
            context = self._context(scope, execution, action, record)
            outcome = self._providers[action["actionTypeId"]["provider"]](context)
        except (ClientError, ServiceError) as error:
            failure = failed(error)
            return self.finish_failed(scope, record, failure.code, failure.message)
        except ActionFailed as error:
            return self.finish_failed(scope, record, error.code, error.message)
        except variables.UnresolvedVariable as error:
            return self.finish_failed(scope, record, "ConfigurationError", str(error))
        except Exception as error:
            self.finish_failed(scope, record, "InternalError", f"{type(error).__name__}: {error}")
            raise
        self._finish(context, execution, action, outcome)
        return ""

    def _open(self, scope: Scope, execution: Json, stage: str, action: Json) -> Json:
        """Return the record of the action: a new one, or that of an approval that waited over a restart."""
        for record in rec.actions_of_execution(self._records, scope, execution["pipelineExecutionId"]):
            same = (record["stageName"], record["actionName"]) == (stage, action["name"])
            if same and record["status"] == "InProgress":
                return record
        record = rec.new_action(execution, stage, action)
        self._records.put(scope, ACTION, record["actionExecutionId"], record)
        self._announce.action(scope, record, "STARTED")
        return record

    def _context(self, scope: Scope, execution: Json, action: Json, record: Json) -> ActionContext:
        declaration, key = execution["_declaration"], record["actionExecutionId"]
        known, given = self._known(execution), action.get("configuration", {})
        configuration = {name: variables.resolve(text, known) for name, text in given.items()}
        self._note(scope, key, lambda found: found["input"].update(resolvedConfiguration=configuration))
        outputs = [item["name"] for item in action.get("outputArtifacts", [])]
        store = rec.store_of(declaration, scope.region)
        return ActionContext(
            cloud=self._cloud,
            scope=scope,
            pipeline=declaration["name"],
            action_id=key,
            principal=self._principal(scope, execution, action),
            configuration=configuration,
            inputs=_inputs(execution, action),
            outputs={name: rec.new_location(declaration, scope.region, name) for name in outputs},
            encryption_key=store.get("encryptionKey", {}).get("id", ""),
            revision=execution["_revisions"].get(action["name"], {}).get("revisionValue", ""),
            source_revision=next((item["revisionId"] for item in execution["_sourceRevisions"]), ""),
            report=partial(self._report, scope, key),
            abandoned=partial(self._abandoned, scope, key),
        )

    def _principal(self, scope: Scope, execution: Json, action: Json) -> Principal:
        declaration, session = execution["_declaration"], execution["pipelineExecutionId"]
        arn = rec.pipeline_arn(scope, declaration["name"])
        own = self._cloud.assume_service_role(
            declaration["roleArn"], CODEPIPELINE, session, source_arn=arn, region=scope.region
        )
        role = action.get("roleArn", declaration["roleArn"])
        if role == declaration["roleArn"]:
            return own
        return self._cloud.assume_role(own, role, session, region=scope.region)

    @staticmethod
    def _known(execution: Json) -> variables.Namespaces:
        given = {item["name"]: item["resolvedValue"] for item in execution["variables"]}
        return {
            **execution["_namespaces"],
            variables.PIPELINE: given,
            variables.EXECUTION: {"PipelineExecutionId": execution["pipelineExecutionId"]},
        }

    def _report(self, scope: Scope, key: str, result: Json) -> None:
        known = {name: value for name, value in result.items() if value}
        self._note(scope, key, lambda record: record["output"]["executionResult"].update(known))

    def _abandoned(self, scope: Scope, key: str) -> bool:
        record = self._records.get(scope, ACTION, key)
        return record is None or record["status"] != "InProgress"

    def _note(self, scope: Scope, key: str, change: rec.Change) -> None:
        """Change an action's record, unless its pipeline has been deleted meanwhile."""
        with self._lock:
            if self._records.get(scope, ACTION, key) is not None:
                self._records.change(scope, ACTION, key, change)

    def _finish(self, context: ActionContext, execution: Json, action: Json, outcome: Outcome) -> None:
        with self._lock:
            if context.abandoned():
                return

            def succeed(found: Json) -> None:
                found.update(status="Succeeded", lastUpdateTime=now().timestamp())
                output = found["output"]
                output["outputVariables"] = dict(outcome.variables)
                output["outputArtifacts"] = [{"name": name, "s3location": at} for name, at in context.outputs.items()]
                if outcome.summary:
                    output["executionResult"]["externalExecutionSummary"] = outcome.summary

            done = self._records.change(context.scope, ACTION, context.action_id, succeed)
            self._remember(context, execution, action, outcome)
            self._announce.action(context.scope, done, "SUCCEEDED")

    def _remember(self, context: ActionContext, execution: Json, action: Json, outcome: Outcome) -> None:
        """Keep in the execution what later actions need: artifacts, variables, revisions."""
        stage = execution["_declaration"]["stages"][execution["_stage"]]["name"]
        revision = {name: value for name, value in outcome.revision.items() if value}

        def remember(found: Json) -> None:
            found["_succeeded"].setdefault(stage, []).append(action["name"])
            found["_artifacts"].update(context.outputs)
            if "namespace" in action:
                found["_namespaces"][action["namespace"]] = dict(outcome.variables)
            if revision:
                found["_sourceRevisions"].append({"actionName": action["name"], **revision})
                made = {**revision, "created": now().timestamp()}
                found["artifactRevisions"] += [{"name": name, **made} for name in context.outputs]

        self._records.change(context.scope, EXECUTION, execution["pipelineExecutionId"], remember)

    def finish_failed(self, scope: Scope, record: Json, code: str, message: str) -> str:
        """Record the failure of an action and return its message; empty when its outcome is no longer wanted."""
        with self._lock:
            key = record["actionExecutionId"]
            if self._abandoned(scope, key):
                return ""

            def fail(found: Json) -> None:
                found.update(status="Failed", lastUpdateTime=now().timestamp())
                found["output"]["executionResult"]["errorDetails"] = {"code": code, "message": message[:5000]}

            self._announce.action(scope, self._records.change(scope, ACTION, key, fail), "FAILED")
            return message

    def abandon(self, scope: Scope, record: Json) -> None:
        """End an action whose outcome is no longer wanted; what it started goes on by itself."""
        with self._lock:
            key = record["actionExecutionId"]
            stamp = now().timestamp()
            abandoned = self._records.change(
                scope, ACTION, key, lambda item: item.update(status="Abandoned", lastUpdateTime=stamp)
            )
            self.approvals.wake(key)
            self._announce.action(scope, abandoned, "ABANDONED")


def _inputs(execution: Json, action: Json) -> dict[str, Json]:
    """Return where the input artifacts of an action are, in order."""
    places = execution["_artifacts"]
    names = [item["name"] for item in action.get("inputArtifacts", [])]
    for name in names:
        if name not in places:
            raise ActionFailed("JobFailed", f"The input artifact {name} was not made")
    return {name: places[name] for name in names}
