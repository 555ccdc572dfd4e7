"""The events of CodePipeline.

Source: "Monitoring CodePipeline events" in the CodePipeline user guide.
"""

from mlops_foundation.local.contract import Cloud, Json, Scope
from mlops_foundation.local.services.codepipeline.records import pipeline_arn


class Announcer:
    """Emits the state changes of executions, stages and actions."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def execution(self, scope: Scope, execution: Json, state: str) -> None:
        """Tell that an execution changed its state."""
        trigger = execution["trigger"]
        self._emit(
            scope,
            "Pipeline",
            {
                "pipeline": execution["pipelineName"],
                "execution-id": execution["pipelineExecutionId"],
                "execution-trigger": {
                    "trigger-type": trigger["triggerType"],
                    "trigger-detail": trigger["triggerDetail"],
                },
                "state": state,
                "version": execution["pipelineVersion"],
            },
        )

    def stage(self, scope: Scope, execution: Json, stage: str, state: str) -> None:
        """Tell that a stage changed its state."""
        self._emit(
            scope,
            "Stage",
            {
                "pipeline": execution["pipelineName"],
                "execution-id": execution["pipelineExecutionId"],
                "stage": stage,
                "state": state,
                "version": execution["pipelineVersion"],
            },
        )

    def action(self, scope: Scope, action: Json, state: str) -> None:
        """Tell that an action changed its state."""
        result = action["output"]["executionResult"]
        error = result.get("errorDetails", {})
        shown = {
            "external-execution-id": result.get("externalExecutionId"),
            "external-execution-summary": result.get("externalExecutionSummary") or error.get("message"),
            "error-code": error.get("code"),
        }
        kind = action["input"]["actionTypeId"]
        detail = {
            "pipeline": action["_pipeline"],
            "execution-id": action["pipelineExecutionId"],
            "action-execution-id": action["actionExecutionId"],
            "stage": action["stageName"],
            "action": action["actionName"],
            "state": state,
            "region": scope.region,
            "type": {key: kind[key] for key in ("owner", "provider", "category", "version")},
            "version": action["pipelineVersion"],
        }
        known = {key: value for key, value in shown.items() if value}
        self._emit(scope, "Action", {**detail, **({"execution-result": known} if known else {})})

    def _emit(self, scope: Scope, what: str, detail: Json) -> None:
        arn = pipeline_arn(scope, detail["pipeline"])
        kind = f"CodePipeline {what} Execution State Change"
        self._cloud.emit(scope, "aws.codepipeline", kind, detail, [arn])
