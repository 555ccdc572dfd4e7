"""A definition's expressions, without any cloud."""

import json
from typing import Any

import pytest

from mlops_foundation.local import wire
from mlops_foundation.local.contract import ServiceError
from mlops_foundation.local.services.sagemaker.pipelines.cache import duration_s
from mlops_foundation.local.services.sagemaker.pipelines.definition import Definition, dependencies
from mlops_foundation.local.services.sagemaker.pipelines.expressions import Evaluator, ExpressionError, coerce

TRAIN = {
    "TrainingJobName": "t",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
    "FinalMetricDataList": [{"MetricName": "loss", "Value": 0.25}, {"MetricName": "auc", "Value": 0.75}],
}
SCORE = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": {"S3Uri": "s3://b/run/"}}]}}


@pytest.fixture
def evaluator() -> Evaluator:
    files = {"s3://b/run/report.json": {"metrics": {"accuracy": {"value": 0.9}}, "folds": [{"a b": 1}]}}
    made = Evaluator({"N": 3, "Name": "x"}, {"PipelineExecutionId": "abc"}, files.__getitem__)
    made.finished({"Name": "Train"}, TRAIN)
    report = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}
    made.finished({"Name": "Score", "PropertyFiles": [report]}, SCORE)
    return made


def json_get(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Score.PropertyFiles.Report"}, "Path": path}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Get": "Parameters.N"}, 3),
        ({"Get": "Execution.PipelineExecutionId"}, "abc"),
        ({"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}, "s3://b/model.tar.gz"),
        ({"Get": "Steps.Train.FinalMetricDataList['auc'].Value"}, 0.75),
        ({"Get": "Steps.Train.FinalMetricDataList[0].Value"}, 0.25),
        ({"Get": "Steps.Score.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}, "s3://b/run/"),
        ({"Std:Join": {"On": "-", "Values": ["a", {"Get": "Parameters.N"}, True]}}, "a-3-true"),
        (json_get("metrics.accuracy.value"), 0.9),
        (json_get("folds[0]['a b']"), 1),
        ([{"k": {"Get": "Parameters.Name"}}], [{"k": "x"}]),
    ],
)
def test_expression_has_its_value(evaluator: Evaluator, expression: Any, value: Any) -> None:
    assert evaluator.resolve(expression) == value


@pytest.mark.parametrize(
    "expression", [{"Get": "Steps.Train.Nothing"}, {"Get": "Execution.Owner"}, json_get("metrics.loss.value")]
)
def test_expression_without_a_value_is_named(evaluator: Evaluator, expression: Any) -> None:
    with pytest.raises(ExpressionError, match=r"Nothing|Owner|loss"):
        evaluator.resolve(expression)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Type": "GreaterThanOrEqualTo", "LeftValue": {"Get": "Parameters.N"}, "RightValue": 3}, True),
        ({"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.N"}, "RightValue": 3}, False),
        ({"Type": "In", "QueryValue": {"Get": "Parameters.Name"}, "Values": ["x", "y"]}, True),
        ({"Type": "Not", "Expression": {"Type": "Equals", "LeftValue": 1, "RightValue": 1}}, False),
        ({"Type": "Or", "Conditions": [{"Type": "LessThan", "LeftValue": 1, "RightValue": 0},
                                       {"Type": "LessThanOrEqualTo", "LeftValue": 0, "RightValue": 0}]}, True),
    ],
)  # fmt: skip
def test_condition(evaluator: Evaluator, condition: Any, holds: bool) -> None:
    assert evaluator.holds(condition) is holds


def test_values_that_cannot_be_compared_are_an_error(evaluator: Evaluator) -> None:
    with pytest.raises(ExpressionError, match="cannot compare 3 with 'x'"):
        evaluator.holds({"Type": "LessThan", "LeftValue": {"Get": "Parameters.N"}, "RightValue": "x"})


def test_numbers_become_text_where_the_operation_wants_text() -> None:
    shape = wire.operation_model("sagemaker", "CreateTrainingJob").input_shape
    given = {"HyperParameters": {"c": 1.5, "fast": True}, "ResourceConfig": {"InstanceCount": "1"}}
    expected = {"HyperParameters": {"c": "1.5", "fast": "true"}, "ResourceConfig": {"InstanceCount": 1}}
    assert coerce(shape, given) == expected


def test_step_depends_on_what_it_reads_but_not_on_its_branches() -> None:
    inner = {"Name": "Inner", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Steps.Late.X"}}}
    condition = {
        "Name": "Check",
        "Type": "Condition",
        "DependsOn": ["First"],
        "Arguments": {"Conditions": [{"LeftValue": json_get("a")}], "IfSteps": [inner], "ElseSteps": []},
    }
    assert dependencies(condition) == {"First", "Score"}
    assert dependencies(inner) == {"Late"}


def definition(*steps: dict[str, Any]) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


def fail(message: Any) -> dict[str, Any]:
    return {"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": message}}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("{", "Invalid JSON"),
        (definition(), "at least one step"),
        (definition(fail({"Get": "Parameters.P"})), "undefined parameter"),
        (definition(fail("x"), fail("y")), "unique"),
    ],
)
def test_definition_that_cannot_run_is_refused(definition: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        Definition.parse(definition)


@pytest.mark.parametrize(("text", "seconds"), [("P30D", 2_592_000), ("PT1H30M", 5400), ("P1DT1S", 86_401), ("x", 0)])
def test_iso_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds
