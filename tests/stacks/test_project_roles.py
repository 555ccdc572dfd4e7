"""What the machine roles of a project may do in its own project, within the boundary, and nowhere else.

The roles are those of the product's template; each decision is IAM's, with the boundary of the stack ``targets``.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from policy_lab import (
    DEV,
    FOUR,
    PROD,
    PROJECT,
    Role,
    Row,
    Statement,
    arn,
    assert_well_formed,
    context,
    product,
    roles,
    rows,
    written,
)

from iam_in_process import decision, install, make_role, new_name, session
from mlops_foundation.core.names import PROJECT_TAG
from mlops_foundation.local.contract import Principal

DEPLOY_ROLES = [f"arn:aws:iam::{FOUR[stage]}:role/mlops/mlops-project-deploy-action" for stage in ("dev", "prod")]
TEST_ROLES = [f"arn:aws:iam::{FOUR[stage]}:role/mlops/churn/churn-test-{stage}" for stage in ("dev", "preprod", "prod")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The resources of a project, by logical id."""
    return product(tmp_path_factory.mktemp("product"))


@pytest.fixture(scope="module")
def boundary() -> list[Statement]:
    made = context("targets")
    from mlops_foundation.stacks.targets.boundary import project_boundary

    return written(project_boundary(made))


@pytest.fixture
def acting(
    project: Mapping[str, Any], boundary: list[Statement], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Principal]:
    """Sessions of the project's roles, within the boundary."""
    install(monkeypatch)
    found = roles(project)

    def make(kind: str) -> Principal:
        name = new_name()
        return session(make_role(DEV, found[kind].statements, name=name, boundary=boundary), found[kind].tags)

    return make


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def keys_of(statement: Statement) -> dict[str, Any]:
    """Return values of a request that meet a statement's conditions."""
    met = {}
    for operator, wanted in statement.get("Condition", {}).items():
        assert operator in {"StringEquals", "StringLike", "Bool"}, operator
        for key, values in wanted.items():
            met[key] = as_list(values)[0].replace("*", "x")
    return met


def granted(role: Role) -> Iterator[Row]:
    for statement in role.statements:
        assert statement["Effect"] == "Allow"
        for action, resource in itertools.product(as_list(statement["Action"]), as_list(statement["Resource"])):
            yield (
                action.replace("*", "X"),
                resource if resource == "*" else resource.replace("*", "x"),
                keys_of(statement),
            )


WAITING, APPROVED = ({"sagemaker:ModelApprovalStatus": each} for each in ("PendingManualApproval", "Approved"))
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
KINDS = ["execution", "build", "build-pipeline", "deploy-build", "deploy-test", "deploy-pipeline", "events"]


def test_a_project_has_these_roles_and_no_other(project: Mapping[str, Any]) -> None:
    assert sorted(roles(project)) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_statements_are_well_formed(project: Mapping[str, Any], kind: str) -> None:
    assert_well_formed(roles(project)[kind].statements)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_a_role_is_given_is_within_the_boundary(
    project: Mapping[str, Any], acting: Callable[[str], Principal], kind: str
) -> None:
    """A boundary that lacks one right stops every project there, at the first run of what needs it."""
    rows = list(granted(roles(project)[kind]))
    assert rows
    who = acting(kind)
    assert [row for row in rows if decision(who, *row) != "Allow"] == []


SERVICES = {
    "execution": "sagemaker",
    "build-pipeline": "codepipeline",
    "deploy-pipeline": "codepipeline",
    "events": "events",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_is_one_services_bounded_and_marked_as_the_projects(project: Mapping[str, Any], kind: str) -> None:
    found = roles(project)[kind]
    service = f"{SERVICES.get(kind, 'codebuild')}.amazonaws.com"
    only = {"StringEquals": {"aws:SourceAccount": DEV}}
    actions = {"sts:AssumeRole"} | ({"sts:SetSourceIdentity"} if kind == "execution" else set())
    assert {each["Action"] for each in found.trust} == actions
    for each in found.trust:
        assert (each["Effect"], each["Principal"], each["Condition"]) == ("Allow", {"Service": service}, only)
    assert found.properties["PermissionsBoundary"] == f"arn:aws:iam::{DEV}:policy/mlops/mlops-project-boundary"
    assert (found.properties["Path"], found.properties["RoleName"]) == (f"/mlops/{PROJECT}/", f"{PROJECT}-{kind}")
    assert found.tags[PROJECT_TAG] == PROJECT
    assert "ManagedPolicyArns" not in found.properties


DATA, PIPELINE = f"arn:aws:s3:::churn-{DEV}", f"arn:aws:s3:::churn-pipeline-{DEV}"
VERSION, GROUP = arn("sagemaker", "model-package/churn/1"), arn("sagemaker", "model-package-group/churn")
KEY, PIPELINE_KEY = arn("kms", "key/StorageArtifactKey56D3CE8F"), arn("kms", "key/StoragePipelineKey453B8FBC")
EXECUTION = f"arn:aws:iam::{DEV}:role/mlops/churn/churn-execution"
ARTIFACTS = [
    *rows("s3 GetObject GetObjectVersion PutObject AbortMultipartUpload", f"{PIPELINE}/x/y"),
    *rows("s3 ListBucket GetBucketLocation GetBucketVersioning", PIPELINE),
    *rows("kms Decrypt DescribeKey GenerateDataKey", PIPELINE_KEY),
]
OBJECTS = [
    *rows("s3 GetObject GetObjectVersion PutObject AbortMultipartUpload DeleteObject", f"{DATA}/x/y"),
    *rows("s3 ListBucket GetBucketLocation GetBucketVersioning", DATA),
    *rows("kms Decrypt DescribeKey GenerateDataKey", KEY),
]
NETWORK = [
    *rows(
        "ec2 CreateNetworkInterface DeleteNetworkInterface",
        *(arn("ec2", each) for each in ("network-interface/eni-1", "subnet/s", "security-group/g")),
    ),
    *rows("ec2 CreateNetworkInterfacePermission", arn("ec2", "network-interface/eni-1")),
    *rows("ec2 DescribeDhcpOptions DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs", "*"),
]
LOGS = rows("logs CreateLogStream PutLogEvents", arn("logs", "log-group:/aws/codebuild/churn-build"))
DEPLOYING = arn("codepipeline", "churn_deploy_pipeline")
SOURCE = "codecommit CancelUploadArchive GetBranch GetCommit GetRepository GetUploadArchiveStatus UploadArchive"
STARTING = "codebuild StartBuild BatchGetBuilds StopBuild"
MAY: dict[str, list[Row]] = {
    "execution": [
        *rows("sagemaker CreateProcessingJob DescribeProcessingJob StopProcessingJob AddTags ListTags",
              arn("sagemaker", "processing-job/churn-x")),
        *rows("sagemaker CreateTrainingJob DescribeTrainingJob StopTrainingJob",
              arn("sagemaker", "training-job/churn-x")),
        *rows("sagemaker CreateModelPackage", VERSION, GROUP, when=WAITING),
        *rows("sagemaker DescribeModelPackage", VERSION), *rows("sagemaker DescribeModelPackageGroup", GROUP),
        *rows("iam PassRole", EXECUTION, when=TO_SAGEMAKER),
        *rows("kms CreateGrant", KEY, when={"kms:GrantIsForAWSResource": "true"}),
        *rows("logs CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents",
              arn("logs", "log-group:/aws/sagemaker/TrainingJobs")),
        *rows("cloudwatch PutMetricData", "*", when={"cloudwatch:namespace": "/aws/sagemaker/x"}),
        *rows("ecr BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer",
              arn("ecr", "repository/sagemaker-scikit-learn", "141502667606"), arn("ecr", "repository/churn-x")),
        *rows("ecr GetAuthorizationToken", "*"),
        *OBJECTS, *NETWORK,
    ],
    "build": [
        *rows("sagemaker AddTags CreatePipeline DescribePipeline DescribePipelineExecution ListPipelineExecutionSteps"
              " ListTags StartPipelineExecution StopPipelineExecution UpdatePipeline",
              arn("sagemaker", "pipeline/churn-training")),
        *rows("sagemaker DescribeModelPackage", VERSION),
        *rows("sagemaker DescribeTrainingJob", arn("sagemaker", "training-job/churn-x")),
        *rows("sagemaker DescribeProcessingJob", arn("sagemaker", "processing-job/churn-x")),
        *rows("iam PassRole", EXECUTION, when=TO_SAGEMAKER),
        *LOGS, *ARTIFACTS, *OBJECTS, *NETWORK,
    ],
    "build-pipeline": [
        *ARTIFACTS, *rows(SOURCE, arn("codecommit", "churn-build")),
        *rows(STARTING, arn("codebuild", "project/churn-build")),
    ],
    "deploy-pipeline": [
        *ARTIFACTS, *rows(SOURCE, arn("codecommit", "churn-deploy")), *rows("sts AssumeRole", *DEPLOY_ROLES),
        *rows(STARTING, *(arn("codebuild", f"project/churn-{each}") for each in ("synth", "scan", "test"))),
    ],
    "deploy-build": [
        *rows("sagemaker DescribeModelPackage", VERSION), *rows("sagemaker ListModelPackages", "*"),
        *rows("codepipeline GetPipelineExecution ListActionExecutions ListPipelineExecutions StopPipelineExecution",
              DEPLOYING),
        *LOGS, *ARTIFACTS, *NETWORK,
    ],
    "deploy-test": [*rows("sts AssumeRole", *TEST_ROLES), *LOGS, *ARTIFACTS, *NETWORK],
    "events": rows("codepipeline StartPipelineExecution", arn("codepipeline", "churn_build_pipeline"), DEPLOYING),
}  # fmt: skip
DECIDING = [
    *rows("sagemaker CreateModelPackage UpdateModelPackage", VERSION, when=APPROVED),
    *rows("codepipeline PutApprovalResult", f"{DEPLOYING}/ApproveProd/Approve"),
]
NOT_THEIRS = [
    *DECIDING,
    *rows("s3 GetObject PutObject", f"arn:aws:s3:::fraud-{DEV}/x", f"arn:aws:s3:::churn-{PROD}/x"),
    *rows("kms Decrypt", arn("kms", "key/other")),
    *rows("sagemaker DescribeModelPackage", arn("sagemaker", "model-package/fraud/1")),
    *rows("sagemaker CreateTrainingJob", arn("sagemaker", "training-job/fraud-x")),
    *rows("codecommit GetBranch UploadArchive", arn("codecommit", "fraud-build")),
    *rows("codebuild StartBuild", arn("codebuild", "project/fraud-build")),
    *rows("codepipeline StartPipelineExecution", arn("codepipeline", "fraud_deploy_pipeline")),
    *rows("sts AssumeRole", f"arn:aws:iam::{DEV}:role/mlops/fraud/fraud-test-dev", f"arn:aws:iam::{DEV}:role/admin"),
    *rows("iam PassRole", f"arn:aws:iam::{DEV}:role/mlops/fraud/fraud-execution", when=TO_SAGEMAKER),
    *rows("iam PassRole", EXECUTION, when={"iam:PassedToService": "codebuild.amazonaws.com"}),
    *rows("iam PassRole", EXECUTION),
    *rows("iam CreateRole", f"arn:aws:iam::{DEV}:role/mlops/churn/churn-x"),
    *rows("ecr BatchGetImage", arn("ecr", "repository/other")),
    *rows("cloudwatch PutMetricData", "*", when={"cloudwatch:namespace": "Other"}),
    *rows("kms CreateGrant", KEY),
    *rows("logs PutLogEvents", arn("logs", "log-group:/aws/codebuild/fraud-build")),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_does_its_work_and_none_of_others(acting: Callable[[str], Principal], kind: str) -> None:
    who = acting(kind)
    assert [row for row in MAY[kind] if decision(who, *row) != "Allow"] == []
    assert [row for row in NOT_THEIRS if decision(who, *row) == "Allow"] == []
    own = {(action, resource) for action, resource, _ in MAY[kind]}
    of_others = [row for other in KINDS for row in MAY[other] if row[:2] not in own]
    assert [row for row in of_others if decision(who, *row) == "Allow"] == []
