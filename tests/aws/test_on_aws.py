"""The main path on real accounts: run it by hand, with profiles for the accounts of a configuration.

    MLOPS_AWS_CONFIG=mlops.yaml pytest -m aws tests/aws/test_on_aws.py

It bootstraps and deploys the platform, creates a project, waits for its first version, and deletes the project. What
only AWS can show is here: that CloudFormation, IAM and SageMaker themselves take our templates and policies.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.aws,
    pytest.mark.skipif("MLOPS_AWS_CONFIG" not in os.environ, reason="set MLOPS_AWS_CONFIG to a mlops.yaml"),
]
PROJECT = "mlops-check"


def mlops(*arguments: str) -> str:
    config = Path(os.environ["MLOPS_AWS_CONFIG"]).absolute()
    command = [str(Path(sys.executable).with_name("mlops")), *arguments, "--target", "aws", "--config", str(config)]
    done = subprocess.run([*command, "--json"], cwd=config.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_platform_deploys_and_a_project_registers_a_version() -> None:
    for command in ("bootstrap", "deploy"):
        stacks = json.loads(mlops(command))
        assert {each["status"] for each in stacks} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    mlops("project", "create", PROJECT, "--cost-center", "0000")
    try:
        state = json.loads(mlops("pipeline", "watch", PROJECT, "build"))
        assert state["status"] == "Succeeded"
        (version,) = json.loads(mlops("model", "list", PROJECT))
        assert version["status"] == "PendingManualApproval"
    finally:
        mlops("project", "delete", PROJECT, "--yes")
