"""The most that a role of a project may do, whoever writes its policy: what passes the boundary and what never does.

Each decision is IAM's, about a role that may do everything (``*`` on ``*``) but for the boundary of the stack
``targets``. A right that projects need and the boundary loses stops them; one that it gains, everybody has.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from policy_lab import (
    DEV,
    PREPROD,
    PROD,
    PROJECT,
    REGION,
    Row,
    Statement,
    arn,
    assert_well_formed,
    context,
    foundation,
    of_rights,
    plan,
    role,
    written,
)

from iam_in_process import decision, install, make_role, new_name, session
from mlops_foundation.core.names import PROJECT_TAGS
from mlops_foundation.local.contract import Principal

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
FOREIGN = "9" * 12
NAME, ID = PROJECT_TAGS


@pytest.fixture(scope="module")
def boundaries() -> Mapping[str, list[Statement]]:
    """The boundary of each account."""
    from mlops_foundation.stacks.targets.boundary import project_boundary

    private = context("targets", packages={"provider": "codeartifact"})
    return {
        "dev": written(project_boundary(context("targets"))),
        "dev with packages": written(project_boundary(private)),
        "prod": written(project_boundary(context("targets", PROD))),
    }


@pytest.fixture
def limited(boundaries: Mapping[str, list[Statement]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sessions of roles that may do everything within the boundary of an account."""
    install(monkeypatch)

    def make(account: str, tags: Mapping[str, str], kind: str) -> Principal:
        name = new_name()
        arn = make_role(account, [EVERYTHING], name=name, path=f"/mlops/{PROJECT}/", boundary=boundaries[kind])
        return session(arn, tags)

    return make


OURS = {NAME: PROJECT}


def of_s3(account: str) -> list[Row]:
    bucket = f"arn:aws:s3:::churn-pipeline-{account}"
    objects = ("GetObject", "GetObjectVersion", "PutObject", "PutObjectTagging", "DeleteObject", "AbortMultipartUpload")
    return [
        *((f"s3:{action}", f"{bucket}/a/b", {}) for action in objects),
        *((f"s3:{action}", bucket, {}) for action in ("ListBucket", "GetBucketLocation", "GetBucketVersioning")),
    ]


def of_kms(account: str) -> list[Row]:
    actions = ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    return [(f"kms:{action}", arn("kms", "key/1", account), {}) for action in actions]


SAGEMAKER = [
    "AddTags",
    "BatchDescribeModelPackage",
    "BatchPutMetrics",
    "CreateProcessingJob",
    "CreateModelPackage",
    "CreatePipeline",
    "DeleteModel",
    "DescribeModelPackage",
    "InvokeEndpoint",
    "InvokeEndpointAsync",
    "ListTags",
    "RetryPipelineExecution",
    "Search",
    "StartPipelineExecution",
    "StopTrainingJob",
    "UpdateArtifact",
    "UpdateExperiment",
    "UpdatePipeline",
    "UpdateTrial",
    "UpdateTrialComponent",
]
INTERFACES = [
    "CreateNetworkInterface",
    "CreateNetworkInterfacePermission",
    "DeleteNetworkInterface",
    "DeleteNetworkInterfacePermission",
    "DescribeDhcpOptions",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
]
IMAGES = ["BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer"]
LOGS = ["CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "GetLogEvents", "PutLogEvents"]
DELIVERY = [
    "codebuild:BatchGetBuilds",
    "codebuild:StartBuild",
    "codebuild:StopBuild",
    "codecommit:CancelUploadArchive",
    "codecommit:GetBranch",
    "codecommit:GitPull",
    "codecommit:UploadArchive",
    "codepipeline:GetPipelineExecution",
    "codepipeline:ListActionExecutions",
    "codepipeline:StartPipelineExecution",
    "codepipeline:StopPipelineExecution",
]
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
TO_CODEBUILD = {"iam:PassedToService": "codebuild.amazonaws.com"}

ALLOWED: list[Row] = [
    *(row for account in (DEV, PREPROD, PROD) for row in (*of_s3(account), *of_kms(account))),
    *((f"ssm:{action}", arn("ssm", "parameter/vpc/id"), {}) for action in ("GetParameter", "GetParametersByPath")),
    ("ssm:GetParameters", arn("ssm", "parameter/mlops/projects/churn/bucket"), {}),
    *(
        (f"sagemaker:{action}", arn("sagemaker", "model-package/churn/1", account), {})
        for account in (DEV, PREPROD, PROD)
        for action in SAGEMAKER
    ),
    ("sagemaker:CreateModelPackage", arn("sagemaker", "x"), {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}),
    ("sagemaker:ListModelPackages", "*", {}),
    ("sagemaker:Search", "*", {}),
    *((f"ecr:{action}", arn("ecr", "repository/x", "141502667606"), {}) for action in IMAGES),
    ("ecr:GetAuthorizationToken", "*", {}),
    *((f"ec2:{action}", "*", {}) for action in INTERFACES),
    ("cloudwatch:PutMetricData", "*", {}),
    *(
        (f"logs:{action}", arn("logs", f"log-group:/aws/{kind}/churn"), {})
        for kind in ("sagemaker", "codebuild")
        for action in LOGS
    ),
    *((action, arn(action.partition(":")[0], "churn"), {}) for action in DELIVERY),
    *(
        (f"sts:{action}", role("mlops/churn/churn-test-prod", account), {})
        for account in (DEV, PREPROD, PROD)
        for action in ("AssumeRole", "TagSession")
    ),
    ("iam:PassRole", role("mlops/churn/churn-execution"), TO_SAGEMAKER),
    ("iam:PassRole", role("mlops/churn/churn-build"), TO_CODEBUILD),
    ("iam:GetRole", role("mlops/churn/churn-execution"), {}),
]
REFUSED: list[Row] = [
    # of other accounts, and of what is no project's
    *of_s3(FOREIGN)[:1],
    *of_kms(FOREIGN)[:1],
    ("kms:Decrypt", arn("kms", "key/1", DEV, "us-east-1"), {}),
    ("s3:GetObject", "arn:aws:s3:::loot/x", {}),
    ("s3:PutObject", f"arn:aws:s3:::churn-{DEV}-more/x", {}),
    ("s3:PutBucketPolicy", f"arn:aws:s3:::churn-{DEV}", {}),
    ("s3:DeleteBucket", f"arn:aws:s3:::churn-{DEV}", {}),
    ("kms:ScheduleKeyDeletion", arn("kms", "key/1"), {}),
    ("kms:PutKeyPolicy", arn("kms", "key/1"), {}),
    ("ssm:PutParameter", arn("ssm", "parameter/mlops/x"), {}),
    ("ssm:GetParameter", arn("ssm", "parameter/other/x"), {}),
    ("ssm:GetParameter", arn("ssm", "parameter/mlops/x", PROD), {}),
    ("sagemaker:CreateEndpoint", arn("sagemaker", "endpoint/churn-dev", FOREIGN), {}),
    ("sagemaker:CreateEndpoint", arn("sagemaker", "endpoint/churn-dev", DEV, "us-east-1"), {}),
    ("sagemaker:DeleteEndpoint", arn("sagemaker", "endpoint/churn-dev"), {}),
    ("sagemaker:DeleteModelPackage", arn("sagemaker", "model-package/churn/1"), {}),
    ("sagemaker:UpdateModelPackage", arn("sagemaker", "model-package/churn/1"), {}),
    ("sagemaker:DeleteDomain", arn("sagemaker", "domain/d-1"), {}),
    ("sagemaker:CreateModelPackage", "*", {}),
    ("ecr:PutImage", arn("ecr", "repository/x"), {}),
    ("ecr:BatchGetImage", arn("ecr", "repository/x", DEV, "us-east-1"), {}),
    ("ec2:RunInstances", "*", {}),
    ("ec2:AuthorizeSecurityGroupIngress", "*", {}),
    ("logs:DeleteLogGroup", arn("logs", "log-group:/aws/codebuild/churn"), {}),
    ("logs:PutLogEvents", arn("logs", "log-group:/aws/lambda/x"), {}),
    ("logs:PutLogEvents", arn("logs", "log-group:/aws/codebuild/churn", PROD), {}),
    ("codebuild:UpdateProject", arn("codebuild", "project/churn-build"), {}),
    ("codebuild:StartBuild", arn("codebuild", "project/churn-build", PROD), {}),
    ("codecommit:GitPush", arn("codecommit", "churn-build"), {}),
    ("codepipeline:PutApprovalResult", arn("codepipeline", "churn_deploy_pipeline/ApproveProd/x"), {}),
    ("codepipeline:UpdatePipeline", arn("codepipeline", "churn_deploy_pipeline"), {}),
    # roles: nobody's but projects', to nobody but the two services, and never made or changed
    ("sts:AssumeRole", role("admin"), {}),
    ("sts:AssumeRole", role(f"{REGION}-datascience-admin-{DEV}"), {}),
    ("iam:PassRole", role("mlops/churn/churn-execution"), {}),
    ("iam:PassRole", role("mlops/churn/churn-execution"), {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("iam:PassRole", role("admin"), TO_SAGEMAKER),
    ("iam:PassRole", role("mlops/churn/churn-endpoint-prod", PROD), TO_SAGEMAKER),
    ("iam:GetRole", role("admin"), {}),
    ("iam:CreateRole", role("mlops/churn/churn-more"), {}),
    ("iam:PutRolePolicy", role("mlops/churn/churn-execution"), {}),
    ("iam:DeleteRolePermissionsBoundary", role("mlops/churn/churn-execution"), {}),
    ("iam:CreatePolicyVersion", f"arn:aws:iam::{DEV}:policy/mlops/mlops-project-boundary", {}),
    ("servicecatalog:ProvisionProduct", "*", {}),
    ("codeartifact:ReadFromRepository", arn("codeartifact", "repository/mlops-packages/mlops-packages"), {}),
    # never, though the action is within the boundary: deciding, other projects, whose a thing is
    ("sagemaker:CreateModelPackage", arn("sagemaker", "x"), {"sagemaker:ModelApprovalStatus": "Approved"}),
    ("s3:GetObject", f"arn:aws:s3:::fraud-{DEV}/x", {f"aws:ResourceTag/{NAME}": "fraud"}),
    ("kms:Decrypt", arn("kms", "key/1"), {f"aws:ResourceTag/{NAME}": "fraud"}),
    ("sagemaker:AddTags", arn("sagemaker", "model/m"), {f"aws:RequestTag/{NAME}": "fraud"}),
    ("sagemaker:CreateTrainingJob", arn("sagemaker", "training-job/m"), {f"aws:RequestTag/{NAME}": "fraud"}),
]


@pytest.mark.parametrize("kind", ["dev", "dev with packages", "prod"])
def test_statements_are_well_formed(boundaries: Mapping[str, list[Statement]], kind: str) -> None:
    assert_well_formed(boundaries[kind])


def test_what_projects_need_passes(limited: Any) -> None:
    who = limited(DEV, OURS, "dev")
    assert [row for row in ALLOWED if decision(who, *row) != "Allow"] == []


def test_what_no_project_may_do_does_not(limited: Any) -> None:
    who = limited(DEV, OURS, "dev")
    assert [row for row in REFUSED if decision(who, *row) == "Allow"] == []


def test_in_prod_what_is_of_prod_passes_and_what_is_of_its_own_account_only(limited: Any) -> None:
    who = limited(PROD, OURS, "prod")
    passing = [
        *of_s3(PROD), *of_kms(PROD), *of_s3(DEV), *of_kms(DEV),
        ("sagemaker:DescribeModelPackage", arn("sagemaker", "model-package/churn/1"), {}),
        ("logs:PutLogEvents", arn("logs", "log-group:/aws/sagemaker/x", PROD), {}),
        ("ssm:GetParameter", arn("ssm", "parameter/vpc/id", PROD), {}),
    ]  # fmt: skip
    assert [row for row in passing if decision(who, *row) != "Allow"] == []
    refused = [
        ("logs:PutLogEvents", arn("logs", "log-group:/aws/sagemaker/x"), {}),
        ("iam:PassRole", role("mlops/churn/churn-execution"), TO_SAGEMAKER),
        *of_s3(FOREIGN),
    ]
    assert [row for row in refused if decision(who, *row) == "Allow"] == []


@pytest.mark.parametrize("action", ["CreateModelPackage", "UpdateModelPackage"])
def test_approving_is_denied_and_not_only_left_out(limited: Any, action: str) -> None:
    """A boundary that only leaves it out would be passed by a policy of the model group."""
    who = limited(DEV, OURS, "dev")
    for status, decided in (("Approved", "Deny"), ("PendingManualApproval", None)):
        found = decision(who, f"sagemaker:{action}", arn("sagemaker", "x"), {"sagemaker:ModelApprovalStatus": status})
        assert (found == "Deny") is (decided == "Deny"), (action, status)


@pytest.mark.parametrize(
    "action", ["sagemaker:DeleteTags", "codecommit:UntagResource", "codepipeline:UntagResource", "iam:UntagRole"]
)
@pytest.mark.parametrize("tag", PROJECT_TAGS)
def test_whose_a_thing_is_cannot_be_taken_from_it(limited: Any, action: str, tag: str) -> None:
    who = limited(DEV, OURS, "dev")
    thing = arn(action.partition(":")[0], "x")
    assert decision(who, action, thing, {"aws:TagKeys": [tag]}) == "Deny"
    assert decision(who, action, thing, {"aws:TagKeys": ["other", tag]}) == "Deny"
    assert decision(who, action, thing, {"aws:TagKeys": ["other"]}) != "Deny"


def test_another_projects_things_are_denied_for_every_action(limited: Any) -> None:
    who = limited(DEV, OURS, "dev")
    for key in (f"aws:ResourceTag/{NAME}", f"aws:RequestTag/{NAME}"):
        for action in ("sagemaker:StopTrainingJob", "ec2:RunInstances", "kms:Decrypt"):
            assert decision(who, action, "*", {key: "fraud"}) == "Deny", (action, key)
            assert decision(who, action, "*", {key: PROJECT}) != "Deny", (action, key)
            assert decision(who, action, "*", {}) != "Deny"


def test_who_has_no_project_is_not_denied_what_has_one(limited: Any) -> None:
    who = limited(DEV, {}, "dev")
    for key in (f"aws:ResourceTag/{NAME}", f"aws:RequestTag/{NAME}"):
        assert decision(who, "kms:Decrypt", arn("kms", "key/1"), {key: "fraud"}) == "Allow"


def test_the_platforms_packages_are_read_where_there_are_some(limited: Any) -> None:
    who = limited(DEV, OURS, "dev with packages")
    names = plan(packages={"provider": "codeartifact"}).settings.packages
    domain, repository = names.domain_name("mlops"), names.repository_name("mlops")
    whole = arn("codeartifact", f"repository/{domain}/{repository}")
    to_codeartifact = {"sts:AWSServiceName": "codeartifact.amazonaws.com"}
    passing: list[Row] = [
        ("codeartifact:GetAuthorizationToken", arn("codeartifact", f"domain/{domain}"), {}),
        ("codeartifact:GetRepositoryEndpoint", whole, {}),
        ("codeartifact:ReadFromRepository", whole, {}),
        ("sts:GetServiceBearerToken", "*", to_codeartifact),
    ]
    assert [row for row in passing if decision(who, *row) != "Allow"] == []
    refused: list[Row] = [
        ("codeartifact:PublishPackageVersion", whole, {}),
        ("codeartifact:ReadFromRepository", arn("codeartifact", f"repository/{domain}/other"), {}),
        ("codeartifact:GetAuthorizationToken", arn("codeartifact", "domain/other"), {}),
        ("sts:GetServiceBearerToken", "*", {"sts:AWSServiceName": "ecr-public.amazonaws.com"}),
        ("sts:GetServiceBearerToken", "*", {}),
    ]
    assert [row for row in refused if decision(who, *row) == "Allow"] == []


def test_the_rights_of_templates_become_statements_as_they_are() -> None:
    """A Deny that became an Allow, or a condition that was lost, would open what a template closes."""
    made = context("targets")
    from mlops_foundation.constructs.policies import granted
    from mlops_foundation.plan.rights import right

    rights = [
        right("One", ["s3:GetObject"], ["arn:aws:s3:::x/*"]),
        right("Two", ["iam:PassRole"], ["*"], {"StringEquals": {"iam:PassedToService": "x"}}),
        right("Three", ["kms:PutKeyPolicy"], ["*"], {"Null": {"aws:x": "true"}}, deny=True),
    ]
    found = {each["Sid"]: each for each in written(granted({"a": rights}))}
    for wanted in of_rights(rights):
        got = found[wanted["Sid"]]
        assert got["Effect"] == wanted["Effect"]
        assert got.get("Condition", {}) == wanted["Condition"]
        assert [got["Action"], got["Resource"]] == [wanted["Action"][0], wanted["Resource"][0]]
    assert foundation(plan(), DEV).account == made.account


def test_who_is_narrowed_is_of_the_account_and_one_of_those_named() -> None:
    context("targets")
    from aws_cdk import App, Stack
    from aws_cdk import aws_iam as iam

    from mlops_foundation.constructs.policies import keep_who_works, narrowed

    stack = Stack(App(), "S")
    made = iam.Role(stack, "R", assumed_by=narrowed(PROD, ["arn:one", "arn:two"]))
    keep_who_works(made, DEV)
    assert made.assume_role_policy is not None
    trust, keeping = stack.resolve(made.assume_role_policy.to_json())["Statement"]
    assert PROD in str(trust["Principal"])
    assert trust["Condition"] == {"ArnLike": {"aws:PrincipalArn": ["arn:one", "arn:two"]}}
    assert keeping == {
        "Effect": "Allow",
        "Action": "sts:SetSourceIdentity",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": DEV}},
    }
