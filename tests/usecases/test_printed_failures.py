"""What a person reads when a build has failed: the reason once and first, a few lines, and where the rest is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_aws import WHEN, workspace
from fake_pipelines import BUILD, COMMIT, FakeCodeBuild, FakeCodePipeline, FakeLogs, FakeSageMaker, action, stage
from test_log_reasons import BUILDSPEC, TESTS, TRAINING
from test_training import job, run, step

from mlops_foundation.cli import output
from mlops_foundation.cli.app import run as mlops
from mlops_foundation.usecases import workspace as opening

FAILED = [
    stage("Source", "Succeeded", action("Source", "Succeeded")),
    stage("Build", "Failed", action("Build", "Failed", externalExecutionId=BUILD, errorDetails={"message": "FAILED"})),
]
RAN = {"pipelineExecutionId": "e2", "stageName": "Build", "actionName": "Build", "status": "Failed",
       "startTime": WHEN, "lastUpdateTime": WHEN}  # fmt: skip


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run ``mlops pipeline watch`` on a build that failed, and return what is printed."""

    def watch(build_log: str, training_log: str = "") -> str:
        failed = step("Train", "Failed", FailureReason="AlgorithmError", EndTime=WHEN, **job("TrainingJob", "t-1"))
        trained = [run("r", WHEN - WHEN, COMMIT)] if training_log else []
        pipeline = FakeCodePipeline(("Failed", FAILED))
        pipeline.ran = [RAN]
        made = workspace(
            tmp_path,
            codepipeline=pipeline,
            codebuild=FakeCodeBuild(),
            logs=FakeLogs(*build_log.splitlines(), **{"t-1/algo-1": training_log.splitlines()}),
            sagemaker=FakeSageMaker(*trained, steps={"r": [failed]}),
        )
        monkeypatch.setattr(opening, "open_workspace", lambda **_: made)
        monkeypatch.setattr(output, "out", output._console(stderr=False))
        monkeypatch.setattr(output, "err", output._console(stderr=True))
        assert mlops(["pipeline", "watch", "churn", "build"]) == 8
        shown = capsys.readouterr()
        return shown.out + shown.err

    return watch


CASES: list[tuple[tuple[str, ...], str, str]] = [
    (("error: Train: AlgorithmError", TRAINING), "in Train: ValueError: no such column: age", "--job Train"),
    ((TESTS,), ": AssertionError: arithmetic", "--stage Build"),
    ((BUILDSPEC,), ": YAML_FILE_ERROR: expected ',' or ']', but got ':' at line 5, column 21", "--stage Build"),
]


@pytest.mark.parametrize(("logs", "reason", "rest"), CASES, ids=["training script", "seed test", "buildspec"])
def test_the_reason_is_printed_once_and_first_with_few_lines_and_the_way_to_the_rest(
    printed: Any, logs: tuple[str, ...], reason: str, rest: str
) -> None:
    shown = printed(*logs)
    after = shown.partition("UserCodeError: ")[2].splitlines()
    assert after[0].startswith("Build/Build failed")
    assert after[0].endswith(reason)
    own = reason.partition(": ")[2]
    assert list(_telling(shown.splitlines(), own)) == [f"UserCodeError: {after[0]}"]
    assert len(after) <= 1 + 1 + 10 + 1 + 1  # headline, where, log, expected, fix
    assert after[-1].endswith(f"mlops pipeline logs churn build --execution e2 {rest}")


def _telling(lines: list[str], reason: str) -> Iterator[str]:
    """Yield the lines that say the reason; a line of the source that holds the same words does not say it."""
    return (line for line in lines if reason in line and "raise " not in line and not line.startswith(">"))
