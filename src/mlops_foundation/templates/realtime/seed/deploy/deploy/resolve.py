"""Decide, once for the whole execution, which version is deployed; later stages use only what is printed here.

    python -m deploy.resolve

prints the version's ARN. An execution that has nothing to do (no version is approved yet, or an event came twice) is
stopped with the reason, and nothing is printed.
"""

import os
import sys
from typing import Any

import boto3

LATEST = "latest"


def latest_approved(sagemaker: Any, group: str) -> str | None:
    """Return the ARN of the latest approved version of a group, or None."""
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    return found[0]["ModelPackageArn"] if found else None


def previous(codepipeline: Any, pipeline: str, execution_id: str) -> tuple[str, str] | None:
    """Return source commit and version of the newest other execution that runs or has succeeded, or None."""
    for page in codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline):
        for summary in page["pipelineExecutionSummaries"]:
            other = summary["pipelineExecutionId"]
            if other == execution_id or summary["status"] not in {"InProgress", "Succeeded"}:
                continue
            version = resolved_by(codepipeline, pipeline, other)
            if version:
                return summary["sourceRevisions"][0]["revisionId"], version
    return None


def resolved_by(codepipeline: Any, pipeline: str, execution_id: str) -> str | None:
    """Return the version that an execution's Synth action resolved, or None."""
    actions = codepipeline.list_action_executions(
        pipelineName=pipeline, filter={"pipelineExecutionId": execution_id}
    )["actionExecutionDetails"]
    for action in actions:
        version = action.get("output", {}).get("outputVariables", {}).get("MODEL_PACKAGE_ARN")
        if version:
            return version
    return None


def started_by_event(codepipeline: Any, pipeline: str, execution_id: str) -> bool:
    """Return whether an event started the execution; what a person starts is never taken for a duplicate."""
    found = codepipeline.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution_id)
    return found["pipelineExecution"].get("trigger", {}).get("triggerType") == "CloudWatchEvent"


def main() -> int:
    """Print the version, or stop the execution."""
    sagemaker, codepipeline = boto3.client("sagemaker"), boto3.client("codepipeline")
    group, pipeline = os.environ["MODEL_PACKAGE_GROUP_NAME"], os.environ["DEPLOY_PIPELINE_NAME"]
    execution_id, commit = os.environ["EXECUTION_ID"], os.environ["SOURCE_COMMIT"]
    requested = os.environ.get("REQUESTED_VERSION", LATEST)

    version = latest_approved(sagemaker, group) if requested == LATEST else requested
    if version is None:
        return _stop(codepipeline, pipeline, execution_id, f"No version of {group} is approved yet")
    status = sagemaker.describe_model_package(ModelPackageName=version)["ModelApprovalStatus"]
    if status != "Approved":
        print(f"{version} is {status}, and only an approved version is deployed", file=sys.stderr)
        return 1
    duplicate = previous(codepipeline, pipeline, execution_id) == (commit, version)
    if duplicate and started_by_event(codepipeline, pipeline, execution_id):
        return _stop(codepipeline, pipeline, execution_id, "This version and commit are already on their way")
    print(version)
    return 0


def _stop(codepipeline: Any, pipeline: str, execution_id: str, reason: str) -> int:
    print(reason, file=sys.stderr)
    codepipeline.stop_pipeline_execution(
        pipelineName=pipeline, pipelineExecutionId=execution_id, abandon=True, reason=reason
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
