"""The model registry: versions, approval, who may do what, and other accounts."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from workbench import IMAGE, Workbench, allow, document

pytestmark = pytest.mark.cloud
PROJECT = {"Key": "sagemaker:project-name", "Value": "churn"}


def inference(bench: Workbench, data: str = "") -> dict[str, Any]:
    container = {"Image": IMAGE, "ModelDataUrl": data or f"s3://{bench.bucket}/model.tar.gz"}
    return {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def register(bench: Workbench, role: str = "", **changes: Any) -> str:
    request = {"ModelPackageGroupName": "churn", "InferenceSpecification": inference(bench)} | changes
    return str(bench.client("sagemaker", role).create_model_package(**request)["ModelPackageArn"])


@pytest.fixture
def group(bench: Workbench) -> str:
    made = bench.sagemaker.create_model_package_group(ModelPackageGroupName="churn", Tags=[PROJECT])
    return str(made["ModelPackageGroupArn"])


def test_versions_count_up_and_wait_for_approval(bench: Workbench, group: str) -> None:
    first, second = register(bench), register(bench, CustomerMetadataProperties={"commit": "abc"})
    assert first == bench.arn("model-package/churn/1")
    assert group == bench.arn("model-package-group/churn")
    found = bench.sagemaker.describe_model_package(ModelPackageName=second)
    assert found["ModelPackageVersion"] == 2
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["ModelPackageStatus"] == "Completed"
    assert found["CustomerMetadataProperties"] == {"commit": "abc"}
    newest = bench.sagemaker.list_model_packages(ModelPackageGroupName="churn", SortOrder="Descending")
    assert [summary["ModelPackageVersion"] for summary in newest["ModelPackageSummaryList"]] == [2, 1]


def test_a_version_number_is_never_used_again(bench: Workbench, group: str) -> None:
    bench.sagemaker.delete_model_package(ModelPackageName=register(bench))
    assert register(bench).endswith("/churn/2")


def test_approval_is_an_event(bench: Workbench, group: str, events: Callable[[str], list[dict[str, Any]]]) -> None:
    arn = register(bench)
    bench.sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="metrics are fine"
    )
    first, last = events("SageMaker Model Package State Change")
    assert first["ModelApprovalStatus"] == "PendingManualApproval"
    assert last["ModelApprovalStatus"] == "Approved"
    assert last["ModelPackageArn"] == arn
    assert last["ModelPackageGroupName"] == "churn"
    assert last["ApprovalDescription"] == "metrics are fine"
    approved = bench.sagemaker.list_model_packages(ModelPackageGroupName="churn", ModelApprovalStatus="Approved")
    assert [summary["ModelPackageArn"] for summary in approved["ModelPackageSummaryList"]] == [arn]


def test_only_who_may_set_approved_does_by_update_or_by_create(bench: Workbench, group: str) -> None:
    denied = {
        "Effect": "Deny",
        "Action": ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
        "Resource": "*",
        "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
    }
    scientist = bench.make_person("scientist", allow("sagemaker:*ModelPackage*"), denied)
    arn = register(bench, scientist)
    sagemaker = bench.client("sagemaker", scientist)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    with pytest.raises(ClientError, match="UpdateModelPackage"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    with pytest.raises(ClientError, match="CreateModelPackage"):
        register(bench, scientist, ModelApprovalStatus="Approved")
    assert len(bench.sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]) == 1


def test_versions_are_reached_by_the_tags_of_their_group(bench: Workbench, group: str) -> None:
    arn = register(bench)
    for project in ("churn", "fraud"):
        own = {"StringEquals": {"aws:ResourceTag/sagemaker:project-name": project}}
        bench.make_person(project, allow("sagemaker:DescribeModelPackage", **own))
    assert bench.client("sagemaker", "churn").describe_model_package(ModelPackageName=arn)["ModelPackageArn"] == arn
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:DescribeModelPackage"):
        bench.client("sagemaker", "fraud").describe_model_package(ModelPackageName=arn)


def test_versions_take_no_tags(bench: Workbench, group: str) -> None:
    with pytest.raises(ClientError, match="Tags cannot be provided"):
        register(bench, Tags=[PROJECT])


def test_another_account_reads_a_version_when_both_sides_allow(bench: Workbench, group: str, cloud: Any) -> None:
    arn = register(bench)
    prod = Workbench(cloud, cloud.new_account())
    reader = prod.make_person("deploy", allow("sagemaker:DescribeModelPackage", arn.rsplit("/", 1)[0] + "/*"))
    with pytest.raises(ClientError, match="not authorized"):
        prod.client("sagemaker", reader).describe_model_package(ModelPackageName=arn)
    bench.sagemaker.put_model_package_group_policy(
        ModelPackageGroupName="churn",
        ResourcePolicy=document({
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{prod.account}:root"},
            "Action": "sagemaker:DescribeModelPackage",
            "Resource": bench.arn("model-package/churn/*"),
            "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{prod.account}:role/deploy"}},
        }),
    )  # fmt: skip
    assert prod.client("sagemaker", reader).describe_model_package(ModelPackageName=arn)["ModelPackageVersion"] == 1
    stranger = prod.make_person("stranger", allow("sagemaker:*"))
    with pytest.raises(ClientError, match="not authorized"):
        prod.client("sagemaker", stranger).describe_model_package(ModelPackageName=arn)


def test_errors_are_those_of_sagemaker(bench: Workbench, group: str) -> None:
    sagemaker, arn = bench.sagemaker, register(bench)
    other = document({"Effect": "Allow", "Principal": "*", "Action": "sagemaker:*", "Resource": "*"})
    group_name = {"ModelPackageGroupName": "churn"}
    for code, text, call in (
        ("ValidationException", "already exists", lambda: sagemaker.create_model_package_group(**group_name)),
        ("ValidationException", "does not exist", lambda: sagemaker.describe_model_package(ModelPackageName=arn + "0")),
        ("ValidationException", "does not exist", lambda: register(bench, ModelPackageGroupName="nobody")),
        ("ConflictException", "contains model packages", lambda: sagemaker.delete_model_package_group(**group_name)),
        ("ValidationException", "Cannot find", lambda: sagemaker.get_model_package_group_policy(**group_name)),
        ("ValidationException", "not a resource of", lambda: sagemaker.put_model_package_group_policy(
            ResourcePolicy=other, **group_name)),
        ("ValidationException", "for versioned", lambda: sagemaker.add_tags(ResourceArn=arn, Tags=[PROJECT])),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
        assert text in caught.value.response["Error"]["Message"]
