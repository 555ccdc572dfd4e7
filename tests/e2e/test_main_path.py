"""The main job: from nothing to production, and on from there with git, as a data scientist works."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_foundation.local import process
from mlops_foundation.usecases import endpoints, models, pipelines

from .conftest import Platform, last

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
PROJECT = "churn"


def test_what_the_readme_makes_serves_the_approved_version_in_all_stages(platform: Platform) -> None:
    assert platform.served() == [("InService", "1")] * 3


def test_from_outside_with_boto3_only(platform: Platform) -> None:
    script = ROOT / "examples" / "verify_production.py"
    done = subprocess.run(
        [sys.executable, str(script), str(platform.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all checks passed" in done.stdout


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
    builds = platform.client("codebuild")
    newest = builds.list_builds_for_project(projectName=f"{PROJECT}-synth")["ids"][0]
    deadline = time.monotonic() + 60
    while not (build := builds.batch_get_builds(ids=[newest])["builds"][0])["buildComplete"]:
        assert time.monotonic() < deadline, "the build goes on after its execution was stopped"
        time.sleep(0.2)
    place = build["logs"]
    events = platform.client("logs").get_log_events(
        logGroupName=place["groupName"], logStreamName=place["streamName"], startFromHead=True
    )["events"]
    log = "".join(each["message"] for each in events)
    assert (build["buildStatus"], "already on their way" in log, "passed in" in log) == ("SUCCEEDED", True, False), log


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


# --- the deploy app is not the seed's any more: nothing after these counts on it -----------------------------------


def test_a_commit_deploys_the_approved_version_anew_and_waits_before_preprod(
    platform: Platform, tmp_path: Path
) -> None:
    checkout = platform.clone(tmp_path / "churn-deploy", "churn-deploy")
    checkout.replace("config/dev.yml", "ml.m5.large", "ml.m5.xlarge")
    state = checkout.push("A larger instance", "deploy")
    assert (state.status, state.waiting and state.waiting.name) == ("InProgress", "ApprovePreprod")
    sagemaker = platform.client("sagemaker")
    instances = {}
    for stage in ("dev", "preprod"):
        client = platform.client("sagemaker", stage)
        name = client.describe_endpoint(EndpointName=f"churn-{stage}")["EndpointConfigName"]
        (variant,) = client.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
        instances[stage] = variant["InstanceType"]
    assert instances == {"dev": "ml.m5.xlarge", "preprod": "ml.m5.large"}
    assert platform.served() == [("InService", "1")] * 3
    approved = sagemaker.list_model_packages(ModelPackageGroupName=PROJECT, ModelApprovalStatus="Approved")
    assert [each["ModelPackageVersion"] for each in approved["ModelPackageSummaryList"]] == [1]
    reject = {"approve": False, "summary": "enough", "persona": "lead"}
    pipelines.put_approval(platform.workspace, PROJECT, "preprod", **reject)  # type: ignore[arg-type]


def test_a_finding_of_the_scan_stops_the_pipeline_before_any_stage(platform: Platform, tmp_path: Path) -> None:
    before = (
        platform.client("cloudformation").describe_stacks(StackName="churn-dev")["Stacks"][0].get("LastUpdatedTime")
    )
    checkout = platform.clone(tmp_path / "churn-deploy", "churn-deploy")
    app = "deploy/endpoint_stack.py"
    checkout.replace(app, "from aws_cdk import aws_iam as iam\n", "from aws_cdk import aws_iam as iam, aws_s3 as s3\n")
    checkout.replace(
        app,
        "        role = self._endpoint_role()\n",
        '        s3.Bucket(self, "Open")\n        role = self._endpoint_role()\n',
    )
    (checkout.folder / "tests/unit/test_templates.py").unlink()  # who is in a hurry takes away what objects first
    state = checkout.push("A bucket that is open", "deploy")
    assert state.status == "Failed"
    assert state.failed is not None
    assert state.failed[0].name == "Scan"
    log = platform.mlops("pipeline", "logs", PROJECT, "deploy", "--stage", "Scan").stdout
    assert "AwsSolutions-S10" in log
    after = platform.client("cloudformation").describe_stacks(StackName="churn-dev")["Stacks"][0].get("LastUpdatedTime")
    assert after == before
    assert platform.served() == [("InService", "1")] * 3
