"""Bring the pipeline up to date, run it, follow it to its end: what a build does.

    python -m pipeline.run --test

runs the project's tests first, in the same process: importing the SDK takes longer than most of them. Ends with code 0
when a version was registered; otherwise with 1 and the reason.
"""

import argparse
import json
import logging
import sys
import time
import warnings

import boto3
import pytest

from pipeline.settings import Parameters, Project, SettingsError, load_parameters, load_project

POLL_S = 1.0
ENDED = {"Succeeded", "Failed", "Stopped"}


class RunFailed(Exception):
    """The execution did not succeed; the message is the reason of the step that failed first."""


def deploy(project: Project, parameters: Parameters, boto_session: boto3.Session) -> None:
    """Create or update the pipeline from the definition in this repository."""
    from pipeline.definition import TrainingPipeline  # takes seconds: only after the settings are known to be good
    from pipeline.session import ProjectSession

    session = ProjectSession(project, boto_session)
    pipeline = TrainingPipeline(project, parameters, session).build()
    tags = [{"Key": key, "Value": value} for key, value in project.tags.items()]
    pipeline.upsert(role_arn=project.role_arn, description=f"commit {project.commit}", tags=tags)


def run(project: Project, sagemaker) -> list[dict]:
    """Start an execution and follow it; return its steps.

    Raises:
        RunFailed: When it does not succeed.
    """
    started = sagemaker.start_pipeline_execution(
        PipelineName=project.pipeline, PipelineExecutionDescription=f"commit {project.commit}"
    )
    arn = started["PipelineExecutionArn"]
    print(f"execution {arn}", flush=True)
    seen: dict[str, str] = {}
    while True:
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = _steps(sagemaker, arn)
        for step in steps:
            if seen.get(step["StepName"]) != step["StepStatus"]:
                seen[step["StepName"]] = step["StepStatus"]
                print(f"  {step['StepName']:<14} {step['StepStatus']:<10} {_job(step)}", flush=True)
        if found["PipelineExecutionStatus"] in ENDED:
            break
        time.sleep(POLL_S)
    if found["PipelineExecutionStatus"] != "Succeeded":
        raise RunFailed(_reason(found, steps))
    return steps


def _steps(sagemaker, arn: str) -> list[dict]:
    """Return the steps that have started, oldest first."""
    found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100)
    return sorted(found["PipelineExecutionSteps"], key=lambda step: step["StartTime"])


def _job(step: dict) -> str:
    """Return the name of a step's job, under which its log is found."""
    for kind in ("ProcessingJob", "TrainingJob"):
        if found := step.get("Metadata", {}).get(kind):
            return f"/aws/sagemaker/{kind}s {found['Arn'].rsplit('/', 1)[1]}"
    return ""


def _reason(execution: dict, steps: list[dict]) -> str:
    failed = next((step for step in steps if step["StepStatus"] == "Failed"), None)
    if failed is None:
        return execution.get("FailureReason") or f"the execution was {execution['PipelineExecutionStatus'].lower()}"
    log = _job(failed)
    return f"{failed['StepName']}: {failed.get('FailureReason', 'no reason given')}" + (f"\n  log: {log}" if log else "")


def report(steps: list[dict], sagemaker, s3) -> None:
    """Print the metrics and the version that was registered."""
    arn = next(step["Metadata"]["RegisterModel"]["Arn"] for step in steps if "RegisterModel" in step.get("Metadata", {}))
    version = sagemaker.describe_model_package(ModelPackageName=arn)
    bucket, _, key = version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].removeprefix("s3://").partition("/")
    metrics = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["binary_classification_metrics"]
    for name, metric in metrics.items():
        if "value" in metric:
            print(f"  {name:<14} {metric['value']:.4f}")
    print(f"registered {arn} ({version['ModelApprovalStatus']})")


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", action="store_true", help="only when the project's tests pass")
    if parser.parse_args().test and pytest.main(["--quiet"]) != pytest.ExitCode.OK:
        return 1
    warnings.simplefilter("ignore")  # the SDK warns that it only records requests, which is what we want of it,
    logging.disable(logging.WARNING)  # and tells of every client it makes
    try:
        project, parameters = load_project(), load_parameters()
        boto_session = boto3.Session(region_name=project.region)
        deploy(project, parameters, boto_session)
        steps = run(project, boto_session.client("sagemaker"))
        report(steps, boto_session.client("sagemaker"), boto_session.client("s3"))
    except (SettingsError, RunFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
