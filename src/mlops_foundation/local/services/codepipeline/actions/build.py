"""Build and test actions: CodeBuild.

Source: "AWS CodeBuild build and test action reference".
"""

import json
import time

from mlops_foundation.local.contract import Json
from mlops_foundation.local.services.codepipeline.actions.base import ActionContext, ActionFailed, Outcome

_POLL_S = 0.1


def codebuild(context: ActionContext) -> Outcome:
    """Run a build with the input artifacts as sources and the output artifacts as targets."""
    build = context.invoke("codebuild", "StartPipelineBuild", _request(context))["build"]
    context.report({"externalExecutionId": build["id"], "logStreamARN": build["logs"].get("cloudWatchLogsArn")})
    while not build["buildComplete"]:
        if context.abandoned():
            return Outcome()
        time.sleep(_POLL_S)
        build = context.invoke("codebuild", "BatchGetBuilds", {"ids": [build["id"]]})["builds"][0]
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailed("JobFailed", f"Build terminated with state: {build['buildStatus']}{_reason(build)}")
    exported = {item["name"]: item["value"] for item in build["exportedEnvironmentVariables"]}
    return Outcome(variables=exported)


def _request(context: ActionContext) -> Json:
    primary = context.configuration.get("PrimarySource")
    inputs = sorted(context.inputs.items(), key=lambda item: item[0] != primary)
    key = context.encryption_key or f"arn:aws:kms:{context.scope.region}:{context.scope.account}:alias/aws/s3"
    return {
        "projectName": context.configuration["ProjectName"],
        "initiator": f"codepipeline/{context.pipeline}",
        "sources": [_located(name, place) for name, place in inputs],
        "outputs": [_located(name, place) for name, place in context.outputs.items()],
        "encryptionKey": key,
        "revision": context.source_revision,
        "environmentVariablesOverride": _variables(context.configuration.get("EnvironmentVariables", "[]")),
    }


def _located(name: str, place: Json) -> Json:
    return {"name": name, "location": f"arn:aws:s3:::{place['bucket']}/{place['key']}"}


def _variables(text: str) -> list[Json]:
    try:
        found = json.loads(text)
        return [{"type": "PLAINTEXT", **item, "name": item["name"], "value": item["value"]} for item in found]
    except (ValueError, TypeError, KeyError) as error:
        message = f"EnvironmentVariables is not a JSON list of variables: {text}"
        raise ActionFailed("ConfigurationError", message) from error


def _reason(build: Json) -> str:
    for phase in build["phases"]:
        for context in phase.get("contexts") or []:
            if phase.get("phaseStatus") != "SUCCEEDED" and context["message"]:
                where = f"Phase: {phase['phaseType']}, Code: {context['statusCode']}"
                return f". {where}, Message: {context['message']}"
    return ""
