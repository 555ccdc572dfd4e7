"""Status: everything at one look, what waits for whom, and what may not be seen named beside the rest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, PREPROD, PROD, WHEN, refused, workspace
from fake_pipelines import FAILED, WAITING, FakeCodePipeline, action, stage
from test_endpoints import FakeSageMaker as Endpoints

from mlops_foundation.cli import status as cli
from mlops_foundation.usecases import status


class FakeSageMaker(Endpoints):
    """A project with two versions, served by dev and prod."""

    refused: frozenset[str] = frozenset()

    def _check(self, operation: str) -> None:
        if operation in self.refused:
            raise refused("AccessDeniedException", f"not authorized to perform: sagemaker:{operation}")

    def list_projects(self, **_: Any) -> dict[str, Any]:
        self._check("ListProjects")
        found = {"ProjectName": "churn", "ProjectId": "p-1", "ProjectStatus": "CreateCompleted", "CreationTime": WHEN}
        return {"ProjectSummaryList": [found]}

    def get_paginator(self, name: str) -> "FakeSageMaker":
        assert name == "list_model_packages"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        self._check("ListModelPackages")
        found = [
            {"ModelPackageArn": f"a/{number}", "ModelPackageVersion": number, "ModelApprovalStatus": "Approved",
             "CreationTime": WHEN}
            for number in (5, 4, 3, 2)
        ]  # fmt: skip
        return [{"ModelPackageSummaryList": found}]


@pytest.fixture
def sagemaker() -> FakeSageMaker:
    return FakeSageMaker("churn-dev", "churn-prod")


def look(folder: Path, pipeline: FakeCodePipeline, sagemaker: FakeSageMaker) -> status.SetStatus:
    (found,) = status.look([workspace(folder, codepipeline=pipeline, sagemaker=sagemaker)], "")
    return found


def test_a_project_at_one_look(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    found = look(tmp_path, FakeCodePipeline(("InProgress", WAITING)), sagemaker).as_dict()
    (project,) = found["projects"]
    assert [each["version"] for each in project["versions"]] == [5, 4, 3]
    assert [each["status"] for each in project["endpoints"]] == ["InService", "Absent", "InService"]
    assert project["pipelines"]["deploy"]["todo"] == [
        {"waits": "version 2 waits for an approval before preprod", "command": "mlops pipeline approve churn preprod"}
    ]
    assert project["unseen"] == {}


def test_sets_stand_beside_each_other_each_with_its_own(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    """Finds what is asked of one set's clients for another, and one set whose refusal hides the rest."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    waits = workspace(tmp_path / "a", codepipeline=FakeCodePipeline(("InProgress", WAITING)), sagemaker=sagemaker)
    other = FakeSageMaker()
    other.refused = frozenset({"ListProjects"})
    second = workspace(tmp_path / "b", codepipeline=FakeCodePipeline(("Succeeded", [])), sagemaker=other)
    second = replace(second, set_plan=replace(second.set_plan, name="second"))
    third = workspace(tmp_path / "b", codepipeline=FakeCodePipeline(("Succeeded", [])), sagemaker=FakeSageMaker())
    third = replace(third, set_plan=replace(third.set_plan, name="third"))
    found = {each.name: each for each in status.look([waits, second, third], "")}
    assert list(found) == ["default", "second", "third"], "in the order of the configuration"
    assert "sagemaker:ListProjects" in found["second"].unseen
    assert found["second"].projects == ()
    pipelines = {name: found[name].projects[0].pipelines["deploy"].status for name in ("default", "third")}
    assert pipelines == {"default": "InProgress", "third": "Succeeded"}
    served = {name: [each.status for each in found[name].projects[0].endpoints] for name in ("default", "third")}
    assert served == {"default": ["InService", "Absent", "InService"], "third": ["Absent"] * 3}


def test_an_older_version_that_waits_further_on_is_not_forgotten(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    behind = stage("ApproveProd", "InProgress", action("Approve", "InProgress", token="t0"), execution="e1")
    found = look(tmp_path, FakeCodePipeline(("Failed", [*FAILED, behind])), sagemaker)
    assert status.todo("churn", "deploy", found.projects[0].pipelines["deploy"]) == [
        ("version 2 failed in Build", "mlops pipeline watch churn deploy"),
        ("version 1 waits for an approval before prod", "mlops pipeline approve churn prod"),
    ]


def test_a_rejected_version_waits_for_nobody(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    rejected = stage("ApproveProd", "Failed", action("Approve", "Failed", errorDetails={"message": "Rejected"}))
    found = look(tmp_path, FakeCodePipeline(("Failed", [rejected])), sagemaker).projects[0].pipelines["deploy"]
    assert found.rejected == "prod"
    assert status.todo("churn", "deploy", found) == []


def test_what_may_not_be_seen_is_named_and_the_rest_is_shown(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    sagemaker.refused = frozenset({"ListModelPackages"})
    sagemaker.refuse = refused("AccessDeniedException", "not authorized to perform: sagemaker:DescribeEndpoint")
    (project,) = look(tmp_path, FakeCodePipeline(("Succeeded", [])), sagemaker).projects
    assert set(project.unseen) == {"versions", "dev", "preprod", "prod"}
    assert "sagemaker:ListModelPackages" in project.unseen["versions"]
    assert project.pipelines["build"].status == "Succeeded"
    sagemaker.refused = frozenset({"ListProjects"})
    assert "sagemaker:ListProjects" in look(tmp_path, FakeCodePipeline(("", [])), sagemaker).unseen


def test_it_fits_80_columns_and_no_account_is_split(
    tmp_path: Path, sagemaker: FakeSageMaker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = stage("ApprovePreprod", "InProgress", action("Approve", "InProgress", token="t1"), execution="e1")
    held |= {"inboundExecution": {"pipelineExecutionId": "e2", "status": "InProgress"}}
    pipeline = FakeCodePipeline(("InProgress", [held]))
    pipeline.statuses = {"e1": "InProgress"}
    found = look(tmp_path, pipeline, sagemaker)
    monkeypatch.setattr(cli.output, "out", cli.output._console(stderr=False))
    cli._show_set(found)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert all(account in shown for account in (DEV, PREPROD, PROD))
    assert "behind version 1" in " ".join(shown.split())
    assert "mlops pipeline approve churn preprod\n" in shown
