"""What passes an endpoint and what does not: sample requests, decided by the policy in the template."""

from pathlib import Path

import pytest
from network_lab import FOREIGN, FOUR, Template, networks, of_type

from endpoint_policies import Request, passes

DEV, PREPROD, PROD = FOUR["dev"], FOUR["preprod"], FOUR["prod"]
IMAGES = "141502667606"
NOBODY = "0" * 12
"""Stands for AWS's own services, whose account no condition can name."""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    return networks(tmp_path_factory.mktemp("policies"), {})


S3 = "arn:aws:s3:::"
OWN = [
    Request("s3", DEV, DEV, "s3:GetObject", f"{S3}churn-{DEV}/model.tar.gz"),
    Request("sagemaker.api", DEV, DEV, "sagemaker:CreateTrainingJob"),
    Request("sts", DEV, PROD, "sts:AssumeRole", f"arn:aws:iam::{PROD}:role/mlops/churn/churn-test-prod"),
    Request("sagemaker.api", PROD, PROD, "sagemaker:DescribeEndpoint"),
    Request("sagemaker.runtime", PREPROD, PREPROD, "sagemaker:InvokeEndpoint"),
    Request("cloudformation", PROD, PROD, "cloudformation:DescribeStacks"),
    Request("kms", DEV, DEV, "kms:Decrypt", f"arn:aws:kms:eu-west-1:{DEV}:key/1"),
]
AWS = [
    Request("s3", NOBODY, NOBODY, "s3:GetObject", f"{S3}prod-eu-west-1-starport-layer-bucket/x"),
    Request("s3", NOBODY, NOBODY, "s3:GetObject", f"{S3}assets-438097961670-eu-west-1/x"),
    Request("s3", NOBODY, NOBODY, "s3:PutObject", f"{S3}cloudformation-custom-resource-response-euwest1/x"),
    Request("ecr.api", DEV, IMAGES, "ecr:BatchGetImage", f"arn:aws:ecr:eu-west-1:{IMAGES}:repository/x"),
    Request("ecr.dkr", DEV, IMAGES, "ecr:GetDownloadUrlForLayer", f"arn:aws:ecr:eu-west-1:{IMAGES}:repository/x"),
    Request("ecr.api", DEV, DEV, "ecr:GetAuthorizationToken"),
]  # fmt: skip
REFUSED = [
    # a role of a foreign account, on our resource and on its own
    Request("s3", FOREIGN, DEV, "s3:GetObject", f"{S3}churn-{DEV}/model.tar.gz"),
    Request("s3", FOREIGN, FOREIGN, "s3:PutObject", f"{S3}loot/model.tar.gz"),
    Request("sts", FOREIGN, FOREIGN, "sts:AssumeRole", f"arn:aws:iam::{FOREIGN}:role/x"),
    Request("ecr.api", FOREIGN, IMAGES, "ecr:BatchGetImage", f"arn:aws:ecr:eu-west-1:{IMAGES}:repository/x"),
    # our role on what is not ours
    Request("s3", DEV, FOREIGN, "s3:PutObject", f"{S3}loot/model.tar.gz"),
    Request("s3", DEV, FOREIGN, "s3:GetObject", f"{S3}loot/model.tar.gz"),
    Request("sts", DEV, FOREIGN, "sts:AssumeRole", f"arn:aws:iam::{FOREIGN}:role/x"),
    Request("secretsmanager", DEV, FOREIGN, "secretsmanager:GetSecretValue"),
    Request("ecr.api", DEV, FOREIGN, "ecr:PutImage", f"arn:aws:ecr:eu-west-1:{FOREIGN}:repository/x"),
    Request("ecr.api", DEV, IMAGES, "ecr:PutImage", f"arn:aws:ecr:eu-west-1:{IMAGES}:repository/x"),
    # AWS's buckets of another region, or written instead of read
    Request("s3", NOBODY, NOBODY, "s3:GetObject", f"{S3}prod-us-east-1-starport-layer-bucket/x"),
    Request("s3", NOBODY, NOBODY, "s3:PutObject", f"{S3}prod-eu-west-1-starport-layer-bucket/x"),
    Request("s3", NOBODY, NOBODY, "s3:GetObject", f"{S3}cloudformation-custom-resource-response-useast1/x"),
    # governance has no workloads
    Request("sagemaker.api", FOUR["governance"], DEV, "sagemaker:CreateTrainingJob"),
    # what no workload does
    Request("kms", DEV, DEV, "kms:ScheduleKeyDeletion"),
    Request("cloudformation", DEV, DEV, "cloudformation:DeleteStack"),
]


@pytest.mark.parametrize("request_", [*OWN, *AWS], ids=str)
def test_what_passes_from_dev(templates: dict[str, Template], request_: Request) -> None:
    assert passes(templates["dev"], request_)


@pytest.mark.parametrize("request_", REFUSED, ids=str)
def test_what_is_held_back_in_dev(templates: dict[str, Template], request_: Request) -> None:
    assert not passes(templates["dev"], request_)


def test_prod_reads_models_of_dev_and_nothing_of_dev_passes_in_prod(templates: dict[str, Template]) -> None:
    prod = templates["prod"]
    assert passes(prod, Request("s3", PROD, DEV, "s3:GetObject", f"{S3}churn-{DEV}/model.tar.gz"))
    assert passes(prod, Request("kms", PROD, DEV, "kms:Decrypt", f"arn:aws:kms:eu-west-1:{DEV}:key/1"))
    assert not passes(prod, Request("s3", DEV, DEV, "s3:GetObject", f"{S3}churn-{DEV}/model.tar.gz"))
    assert not passes(prod, Request("s3", PROD, PREPROD, "s3:GetObject", f"{S3}churn-{PREPROD}/x"))
    assert not passes(prod, Request("sts", PROD, PREPROD, "sts:AssumeRole"))


def test_a_region_without_codeartifact_names_no_bucket_of_it(tmp_path: Path) -> None:
    template = networks(tmp_path, {}, region="us-west-1")["dev"]
    (policy,) = [
        each["PolicyDocument"]
        for each in of_type(template, "AWS::EC2::VPCEndpoint").values()
        if each["VpcEndpointType"] == "Gateway"
    ]
    assert [each["Sid"] for each in policy["Statement"]] == ["OwnAccounts", "ImageLayers", "StackAnswers"]
