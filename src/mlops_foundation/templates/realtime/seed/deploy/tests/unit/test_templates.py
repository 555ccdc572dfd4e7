"""The synthesized templates keep what the project relies on. They are made by ``python app.py``."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.scan import REPORT, findings, main
from deploy.settings import STAGES

TEMPLATES = Path(__file__).parents[2] / "templates"


def resources(stage: str, kind: str) -> list[dict[str, Any]]:
    path = TEMPLATES / f"{stage}.template.json"
    assert path.is_file(), "run python app.py first"
    template = json.loads(path.read_text())
    return [found["Properties"] for found in template["Resources"].values() if found["Type"] == kind]


@pytest.mark.parametrize("stage", STAGES)
def test_serves_the_version_it_is_given(stage: str) -> None:
    (model,) = resources(stage, "AWS::SageMaker::Model")
    assert model["PrimaryContainer"] == {"ModelPackageName": {"Ref": "ModelPackageArn"}}
    assert model["EnableNetworkIsolation"] is True
    assert model["VpcConfig"]["Subnets"]


@pytest.mark.parametrize("stage", STAGES)
def test_only_the_endpoint_carries_a_name(stage: str) -> None:
    (endpoint,) = resources(stage, "AWS::SageMaker::Endpoint")
    assert endpoint["EndpointName"].endswith(f"-{stage}")
    assert "ModelName" not in resources(stage, "AWS::SageMaker::Model")[0]
    assert "EndpointConfigName" not in resources(stage, "AWS::SageMaker::EndpointConfig")[0]


@pytest.mark.parametrize("stage", STAGES)
def test_every_role_is_bounded(stage: str) -> None:
    roles = resources(stage, "AWS::IAM::Role")
    assert len(roles) == 2
    assert all(role["PermissionsBoundary"] and role["Path"] != "/" for role in roles)


def test_the_scan_blocks_what_nobody_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads((TEMPLATES / REPORT).read_text())
    assert findings(report, "violations") == []
    answered = report["pluginReports"][0]["suppressedViolations"]
    assert answered
    report["pluginReports"][0]["violations"] = answered[:1]
    (tmp_path / REPORT).write_text(json.dumps(report))
    assert main([str(tmp_path)]) == 1
    assert answered[0]["ruleName"] in capsys.readouterr().err


def test_what_was_not_scanned_is_not_deployed(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
    (tmp_path / REPORT).write_text('{"pluginReports": []}')
    assert main([str(tmp_path)]) == 1
