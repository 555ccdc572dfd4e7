"""A kind of job is one record: operations, pipeline steps and what happens to interrupted jobs follow from it."""

from typing import Any

import pytest

from mlops_foundation.local import wire
from mlops_foundation.local.operations import operation_table
from mlops_foundation.local.services.sagemaker import SageMaker
from mlops_foundation.local.services.sagemaker.jobs import JOB_KINDS
from mlops_foundation.local.services.sagemaker.pipelines.definition import STEP_TYPES

KINDS = pytest.mark.parametrize("kind", JOB_KINDS, ids=lambda kind: kind.prefix)


@KINDS
def test_its_four_operations_are_offered(kind: Any) -> None:
    offered = operation_table(SageMaker).keys()
    assert offered >= {f"{verb}{kind.prefix}" for verb in ("Create", "Describe", "Stop")} | {f"List{kind.prefix}s"}


@KINDS
def test_a_pipeline_has_steps_of_it_whose_metadata_name_the_job(kind: Any) -> None:
    assert kind.step in STEP_TYPES
    steps = wire.service_model("sagemaker").shape_for("PipelineExecutionStepMetadata")
    assert kind.prefix in steps.members  # type: ignore[attr-defined]


def test_no_two_kinds_share_a_name() -> None:
    for part in ("prefix", "path", "step", "log_group", "event", "run"):
        assert len({getattr(kind, part) for kind in JOB_KINDS}) == len(JOB_KINDS) > 1
