"""Rejecting what a stage serves: who does it is told what it does not do, and what would."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, WHEN, refused, workspace
from test_endpoints import PACKAGE
from test_endpoints import FakeSageMaker as Endpoints

from mlops_foundation.usecases import rejection
from mlops_foundation.usecases.pipeline_state import Decision


class FakeSageMaker(Endpoints):
    """Versions 3, which the endpoints serve, and 2."""

    other = "Approved"

    def get_paginator(self, name: str) -> "FakeSageMaker":
        assert name == "list_model_packages"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        statuses = {3: "Approved", 2: self.other}
        found = [
            {"ModelPackageArn": f"{PACKAGE[:-1]}{number}", "ModelPackageVersion": number,
             "ModelApprovalStatus": statuses[number], "CreationTime": WHEN}
            for number in statuses
        ]  # fmt: skip
        return [{"ModelPackageSummaryList": found}]


@pytest.mark.parametrize(
    ("names", "who"), [(["churn-prod"], "prod serves"), (["churn-dev", "churn-prod"], "dev and prod serve")]
)
@pytest.mark.parametrize(
    ("other", "command"), [("Approved", "mlops model approve churn 2"), ("Rejected", "mlops model list churn")]
)
def test_the_stages_that_serve_it_are_named_and_what_to_do(
    tmp_path: Path, names: list[str], who: str, other: str, command: str
) -> None:
    sagemaker = FakeSageMaker(*names)
    sagemaker.other = other
    first, second = rejection.warnings(workspace(tmp_path, sagemaker=sagemaker), "churn", "3", "lead")
    assert first == f"{who} version 3, and will go on serving it"
    assert second.endswith(command)


def test_what_no_stage_serves_is_rejected_without_a_word(tmp_path: Path) -> None:
    assert rejection.warnings(workspace(tmp_path, sagemaker=FakeSageMaker("churn-prod")), "churn", "2", "lead") == []
    assert rejection.warnings(workspace(tmp_path, sagemaker=FakeSageMaker()), "churn", "3", "lead") == []


def test_a_stage_that_cannot_be_seen_is_not_taken_for_one_that_serves_nothing(tmp_path: Path) -> None:
    denied = refused("AccessDeniedException", "not authorized to perform: sagemaker:DescribeEndpoint")
    told = rejection.warnings(workspace(tmp_path, sagemaker=FakeSageMaker(refuse=denied)), "churn", "3", "lead")
    assert [line.partition(":")[0] for line in told] == [
        f"what {stage} serves could not be seen" for stage in ("dev", "preprod", "prod")
    ]
    assert DEV in PACKAGE


def test_who_rejects_an_execution_is_told_the_stages_that_go_on_serving_its_version(tmp_path: Path) -> None:
    """Finds a rejection before prod after which somebody believes that dev and preprod went back."""
    made = workspace(tmp_path, sagemaker=FakeSageMaker("churn-dev", "churn-preprod"))
    rejected = Decision("e2", "version 3", "prod", approved=False)
    first, second = rejection.of_execution(made, "churn", rejected)
    assert first == "dev and preprod serve version 3, and will go on serving it"
    assert second.endswith("mlops pipeline start churn deploy --version N")
    assert rejection.of_execution(made, "churn", replace(rejected, subject="version 13")) == []
    assert rejection.of_execution(made, "churn", replace(rejected, subject="")) == []
