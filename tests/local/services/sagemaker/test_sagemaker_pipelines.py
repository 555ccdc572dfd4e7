"""Pipelines on the real local cloud: order, values, branches, caching, failure, stopping, and the role's rights."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from workbench import IMAGE, Workbench, allow, processing_input, processing_output, until

pytestmark = pytest.mark.cloud

SCORE = """
import json, sys
print("scoring", sys.argv[1])
with open("/opt/ml/processing/report/report.json", "w") as out:
    json.dump({"metrics": {"accuracy": {"value": float(sys.argv[1])}}}, out)
"""
CHECK = """
import json, pathlib
seen = json.loads(pathlib.Path("/opt/ml/processing/report/report.json").read_text())
print("seen", seen["metrics"]["accuracy"]["value"])
"""


class Pipelines:
    """Makes pipelines of processing steps in one account, run by a role that may make jobs and pass itself."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.sagemaker = bench, bench.sagemaker
        self.role = self.make_role("pipeline", ["sagemaker:CreateProcessingJob", "sagemaker:StopProcessingJob"])
        self.score = bench.put("code/score.py", SCORE)
        self.check = bench.put("code/check.py", CHECK)

    def make_role(self, name: str, actions: list[str]) -> str:
        bench = self.bench
        arn = f"arn:aws:iam::{bench.account}:role/{name}"
        return bench.make_role(
            name,
            allow(["s3:GetObject", "s3:PutObject", "s3:ListBucket", "logs:*"]),
            allow("iam:PassRole", arn),
            *([allow(actions)] if actions else []),
        )

    def step(self, name: str, code: str, **changes: Any) -> dict[str, Any]:
        path = "/opt/ml/processing/input/code"
        arguments = {
            "RoleArn": self.role,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", f"{path}/{code.rsplit('/', 1)[1]}"],
                "ContainerArguments": [{"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Accuracy"}]}}],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
            "ProcessingInputs": [processing_input("code", code, path)],
        }
        return {"Name": name, "Type": "Processing", "Arguments": arguments | changes}

    def definition(self, threshold: float = 0.9, **changes: Any) -> dict[str, Any]:
        bucket = f"s3://{self.bench.bucket}/runs"
        report: Any = {"Std:Join": {"On": "/", "Values": [bucket, {"Get": "Execution.PipelineExecutionId"}]}}
        outputs = {"Outputs": [processing_output("report", report, "/opt/ml/processing/report")]}
        score = self.step("Score", self.score, ProcessingOutputConfig=outputs)
        score["PropertyFiles"] = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]
        uri = {"Get": "Steps.Score.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}
        check = self.step("Check", self.check)
        check["Arguments"]["ProcessingInputs"].append(processing_input("report", uri, "/opt/ml/processing/report"))
        accuracy = {"PropertyFile": {"Get": "Steps.Score.PropertyFiles.Report"}, "Path": "metrics.accuracy.value"}
        message = {"Std:Join": {"On": " ", "Values": ["accuracy below", {"Get": "Parameters.Threshold"}]}}
        branch = {
            "Name": "GoodEnough",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {
                        "Type": "GreaterThanOrEqualTo",
                        "LeftValue": {"Std:JsonGet": accuracy},
                        "RightValue": {"Get": "Parameters.Threshold"},
                    }
                ],
                "IfSteps": [check],
                "ElseSteps": [{"Name": "TooLow", "Type": "Fail", "Arguments": {"ErrorMessage": message}}],
            },
        }
        parameters = [
            {"Name": "Accuracy", "Type": "Float", "DefaultValue": 0.95},
            {"Name": "Threshold", "Type": "Float", "DefaultValue": threshold},
            {"Name": "Mode", "Type": "String", "DefaultValue": "full", "EnumValues": ["full", "quick"]},
        ]
        return {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": [score, branch]} | changes

    def create(self, definition: dict[str, Any], name: str = "churn-training", role: str = "") -> str:
        text = json.dumps(definition)
        made = self.sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=text, RoleArn=role or self.role, ClientRequestToken="t" * 32
        )
        return str(made["PipelineArn"])

    def run(self, name: str = "churn-training", **parameters: str) -> Any:
        return self.bench.wait_for_execution(self.start(name, **parameters))

    def start(self, name: str = "churn-training", **parameters: str) -> str:
        given = [{"Name": key, "Value": value} for key, value in parameters.items()]
        started = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
        return str(started["PipelineExecutionArn"])

    def steps(self, execution: Any) -> dict[str, Any]:
        found = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=execution["PipelineExecutionArn"], SortOrder="Ascending"
        )
        return {step["StepName"]: step for step in found["PipelineExecutionSteps"]}


@pytest.fixture
def pipelines(bench: Workbench) -> Pipelines:
    return Pipelines(bench)


def test_steps_run_in_order_with_each_others_values(
    pipelines: Pipelines, events: Callable[[str], list[dict[str, Any]]]
) -> None:
    arn = pipelines.create(pipelines.definition())
    done = pipelines.run(Accuracy="0.97")
    assert done["PipelineExecutionStatus"] == "Succeeded", done
    steps = pipelines.steps(done)
    assert list(steps) == ["Score", "GoodEnough", "Check"]
    assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}
    assert steps["GoodEnough"]["Metadata"]["Condition"]["Outcome"] == "True"
    job = steps["Check"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[1]
    execution = done["PipelineExecutionArn"].rsplit("/", 1)[1]
    assert job.startswith(f"pipelines-{execution}-Check-")
    assert "seen 0.97" in pipelines.bench.logs("/aws/sagemaker/ProcessingJobs", job)
    assert pipelines.sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=done["PipelineExecutionArn"]
    )["PipelineParameters"] == [
        {"Name": "Accuracy", "Value": "0.97"},
        {"Name": "Threshold", "Value": "0.9"},
        {"Name": "Mode", "Value": "full"},
    ]
    seen = events("SageMaker Model Building Pipeline Execution Status Change")
    assert [event["currentPipelineExecutionStatus"] for event in seen] == ["Executing", "Succeeded"]
    assert seen[-1]["pipelineArn"] == arn


def test_the_other_branch_fails_with_its_message(pipelines: Pipelines) -> None:
    pipelines.create(pipelines.definition())
    done = pipelines.run(Accuracy="0.5")
    assert done["PipelineExecutionStatus"] == "Failed"
    assert done["FailureReason"].endswith("TooLow: accuracy below 0.9")
    assert list(pipelines.steps(done)) == ["Score", "GoodEnough", "TooLow"]


def test_failing_script_is_the_executions_reason(pipelines: Pipelines) -> None:
    pipelines.score = pipelines.bench.put("code/broken.py", "raise ValueError('no rows left')")
    pipelines.create(pipelines.definition())
    done = pipelines.run()
    assert "Score: AlgorithmError: ValueError: no rows left" in done["FailureReason"]
    assert list(pipelines.steps(done)) == ["Score"]


@pytest.mark.parametrize("missing", ["sagemaker:CreateProcessingJob", "iam:PassRole"])
def test_role_needs_its_own_rights_for_each_step(pipelines: Pipelines, missing: str) -> None:
    if missing == "iam:PassRole":
        role = pipelines.bench.make_role("limited", allow("sagemaker:*"), allow("s3:*"))
    else:
        role = pipelines.make_role("limited", [])
    pipelines.create(pipelines.definition(), role=role)
    done = pipelines.run()
    assert "Failed to invoke sagemaker:CreateProcessingJob" in done["FailureReason"]
    assert missing in done["FailureReason"]


def test_custom_prefix_names_the_jobs(pipelines: Pipelines) -> None:
    step = pipelines.step("Score", pipelines.check, ProcessingJobName="churn-score")
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["true"]
    pipelines.create(pipelines.definition(Steps=[step]))
    done = pipelines.run()
    name = pipelines.steps(done)["Score"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[1]
    execution = done["PipelineExecutionArn"].rsplit("/", 1)[1]
    assert name.startswith(f"churn-score-{execution}-")
    assert name.endswith("-0")


def test_cached_step_is_not_run_again_until_its_arguments_change(pipelines: Pipelines) -> None:
    definition = pipelines.definition()
    definition["Steps"][0]["CacheConfig"] = {"Enabled": True, "ExpireAfter": "P30D"}
    pipelines.create(definition)
    first = pipelines.run()
    again = pipelines.steps(pipelines.run())["Score"]
    assert again["CacheHitResult"]["SourcePipelineExecutionArn"] == first["PipelineExecutionArn"]
    assert "CacheHitResult" not in pipelines.steps(pipelines.run(Accuracy="0.99"))["Score"]


def test_stopped_execution_stops_its_job(pipelines: Pipelines) -> None:
    pipelines.score = pipelines.bench.put("code/slow.py", "import time\ntime.sleep(600)")
    pipelines.create(pipelines.definition())
    arn = pipelines.start()
    execution = {"PipelineExecutionArn": arn}
    running = until(lambda: pipelines.steps(execution), lambda steps: "Metadata" in steps.get("Score", {}))
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    done = pipelines.bench.wait_for_execution(arn)
    assert done["PipelineExecutionStatus"] == "Stopped"
    assert {name: step["StepStatus"] for name, step in pipelines.steps(done).items()} == {"Score": "Stopped"}
    job = running["Score"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[1]
    stopped = pipelines.sagemaker.describe_processing_job(ProcessingJobName=job)
    assert stopped["ProcessingJobStatus"] == "Stopped"


def test_update_changes_the_next_execution_only(pipelines: Pipelines) -> None:
    pipelines.create(pipelines.definition(threshold=0.99))
    failed = pipelines.run()
    pipelines.sagemaker.update_pipeline(
        PipelineName="churn-training", PipelineDefinition=json.dumps(pipelines.definition(threshold=0.5))
    )
    assert failed["PipelineExecutionStatus"] == "Failed"
    assert pipelines.run()["PipelineExecutionStatus"] == "Succeeded"
    ran = pipelines.sagemaker.describe_pipeline_definition_for_execution(
        PipelineExecutionArn=failed["PipelineExecutionArn"]
    )
    assert '"DefaultValue": 0.99' in ran["PipelineDefinition"]


def test_errors_are_those_of_sagemaker(pipelines: Pipelines) -> None:
    definition = pipelines.definition()
    pipelines.create(definition)
    unknown = {"Name": "T", "Type": "Tuning", "Arguments": {}}
    lost = {"Name": "L", "Type": "Fail", "DependsOn": ["Nobody"], "Arguments": {"ErrorMessage": "x"}}
    nothing = pipelines.bench.arn("pipeline/churn-training/execution/aaaaaaaaaaaa")
    describe = pipelines.sagemaker.describe_pipeline
    for code, text, call in (
        ("ValidationException", "already exists", lambda: pipelines.create(definition)),
        ("ValidationException", "not defined", lambda: pipelines.start(Depth="3")),
        ("ValidationException", "is no Float", lambda: pipelines.start(Accuracy="high")),
        ("ValidationException", "not one of", lambda: pipelines.start(Mode="slow")),
        ("ValidationException", "Unable to parse", lambda: pipelines.create({"Version": "1"}, "other")),
        ("ValidationException", "Nobody", lambda: pipelines.create(pipelines.definition(Steps=[lost]), "other")),
        ("NotSupportedException", "Tuning", lambda: pipelines.create(pipelines.definition(Steps=[unknown]), "other")),
        ("ResourceNotFound", "does not exist", lambda: describe(PipelineName="other")),
        ("ResourceNotFound", "does not exist", lambda: pipelines.bench.wait_for_execution(nothing)),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
        assert text in caught.value.response["Error"]["Message"]
