"""The main job: from nothing to production, and on from there with git, as a data scientist works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_foundation.local import process
from mlops_foundation.usecases import endpoints, models, pipelines

from .conftest import Platform, last

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
PROJECT = "churn"


def test_the_demo_goes_all_the_way(platform: Platform) -> None:
    told = platform.told
    assert told.steps[-1] == "invoke prod with unseen rows"
    assert [(stage, status) for stage, status, _ in told.served] == [
        ("dev", "InService"), ("preprod", "InService"), ("prod", "InService"),
    ]  # fmt: skip
    probabilities = [answer["probability"] for answer in told.answers]
    assert len(probabilities) == len(set(probabilities)) == 5, "an answer of its own for each row"
    assert 0 < min(probabilities) < 0.5 < max(probabilities) < 1
    assert told.metrics["accuracy"] > 0.9


def test_from_outside_with_boto3_only(platform: Platform) -> None:
    script = ROOT / "examples" / "verify_production.py"
    done = subprocess.run(
        [sys.executable, str(script), str(platform.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all checks passed" in done.stdout


def test_a_pushed_hyperparameter_makes_a_version_with_its_own_metrics(platform: Platform, tmp_path: Path) -> None:
    first = models.describe(platform.workspace, PROJECT, "1", "data-scientist")
    checkout = platform.clone(tmp_path / "churn-build")
    checkout.replace("parameters.yml", "c: 1.0", "c: 0.01")
    state = checkout.push("Regularize strongly")
    assert state.status == "Succeeded"
    newest = models.describe(platform.workspace, PROJECT, "latest", "data-scientist")
    assert newest.version > first.version
    assert newest.status == "PendingManualApproval"
    assert newest.metrics["accuracy"] != first.metrics["accuracy"]
    assert newest.details["commit"] == checkout.git("rev-parse", "HEAD").strip()


def test_a_training_script_that_raises_says_so_and_changes_nothing(platform: Platform, tmp_path: Path) -> None:
    before = models.list_versions(platform.workspace, PROJECT, "data-scientist")
    production = platform.served()
    checkout = platform.clone(tmp_path / "churn-build")
    checkout.start_over()
    checkout.replace(
        "src/train.py", "    save(model,", '    raise RuntimeError("the labels are shuffled")\n    save(model,'
    )
    state = checkout.push("Break training")
    assert state.status == "Failed"
    watched = platform.mlops("pipeline", "watch", PROJECT, "build")
    assert watched.returncode == 8
    assert "the labels are shuffled" in watched.stderr
    assert models.list_versions(platform.workspace, PROJECT, "data-scientist") == before
    assert platform.served() == production


def test_a_broken_buildspec_is_one_clear_error(platform: Platform, tmp_path: Path) -> None:
    checkout = platform.clone(tmp_path / "churn-build")
    checkout.start_over()
    (checkout.folder / "buildspec.yml").write_text("version: 0.2\nphases:\n  build:\n   - commands: [\n")
    state = checkout.push("Break the buildspec")
    assert state.status == "Failed"
    assert state.failed is not None
    assert "YAML_FILE_ERROR" in state.failed[1].summary


def test_a_second_event_for_the_same_version_does_nothing(platform: Platform) -> None:
    before = pipelines.executions(platform.workspace, PROJECT, "deploy", "lead")
    models.decide(platform.workspace, PROJECT, "1", "Approved", "again", "lead")
    state = last(pipelines.watch(platform.workspace, PROJECT, "deploy", "lead", before))
    assert (state.status, "already on their way" in state.reason) == ("Stopped", True)


def test_approving_what_does_not_exist(platform: Platform) -> None:
    done = platform.mlops("model", "approve", PROJECT, "99", "--json")
    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert set(error) == {"code", "what", "where", "got", "expected", "fix"}
    assert error["got"] == "99"


def test_endpoints_answer_again_after_a_restart(platform: Platform) -> None:
    running = platform.running
    process.stop(platform.state_dir)
    process.start(platform.state_dir, running.port)
    platform.wait_until_served()
    role = platform.workspace.project(PROJECT).test_role("prod")
    body = (",".join(["1"] * 30)).encode()
    answer = endpoints.invoke(platform.workspace, PROJECT, "prod", body, "text/csv", "application/json", role)
    assert len(json.loads(answer)["predictions"]) == 1
