"""What each persona may do, on AWS and in Studio, and what it may not; and who takes its role.

Each decision is IAM's, about a session of a role with the statements that the stack gives it. A row that is allowed is
work that somebody has; a row that is refused is what the separation of duties and of projects rests on.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from policy_lab import (
    DEV,
    FOUR,
    PROD,
    PROJECT,
    REGION,
    Row,
    Statement,
    arn,
    assert_holds,
    assert_well_formed,
    context,
    plan,
    role,
    rows,
    written,
)

from iam_in_process import decision, install, make_role, new_name, session
from mlops_foundation.core.names import PROJECT_TAG
from mlops_foundation.local.contract import Principal

OTHER = "fraud"
OURS = {PROJECT_TAG: PROJECT}
OF_CHURN, OF_OTHER = ({f"aws:ResourceTag/{PROJECT_TAG}": name} for name in (PROJECT, OTHER))
MAKING, MAKING_OTHER = ({f"aws:RequestTag/{PROJECT_TAG}": name} for name in (PROJECT, OTHER))
Make = Callable[..., Principal]
BOUNDARY = f"arn:aws:iam::{DEV}:policy/mlops/mlops-project-boundary"
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
WAITING = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
APPROVED = {"sagemaker:ModelApprovalStatus": "Approved"}
NETWORK_KEY = f"arn:aws:kms:{REGION}:{DEV}:key/endpoint"


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Sessions of roles with these statements."""
    install(monkeypatch)

    def make(statements: list[Statement], account: str = DEV, **tags: str) -> Principal:
        return session(make_role(account, statements, name=new_name()), tags or OURS)

    return make


def persona(name: str, **sections: Any) -> list[Statement]:
    made = context("studio", **sections)
    from mlops_foundation.stacks.studio import personas

    return written(getattr(personas, name)(made))


# --- what several personas share --------------------------------------------------------------------------------------

THING = arn("sagemaker", "training-job/x")
BUILDING, DEPLOYING = arn("codepipeline", "churn_build_pipeline"), arn("codepipeline", "churn_deploy_pipeline")
PREPROD_STAGE, PROD_STAGE = f"{DEPLOYING}/ApprovePreprod/Approve", f"{DEPLOYING}/ApproveProd/Approve"
VERSION, GROUP = arn("sagemaker", "model-package/churn/1"), arn("sagemaker", "model-package-group/churn")
KEY = arn("kms", "key/1")
OWN_PARAMETER = arn("ssm", "parameter/mlops/projects/churn/bucket")

READING = [
    *rows("sagemaker BatchDescribeModelPackage DescribeTrainingJob ListTags QueryLineage", THING),
    *rows("sagemaker GetSearchSuggestions ListTrainingJobs Search", "*"),
    *rows("ssm GetParameter GetParameters GetParametersByPath", OWN_PARAMETER),
]
DELIVERY = [
    *rows("codepipeline GetPipeline GetPipelineExecution GetPipelineState ListActionExecutions", BUILDING, DEPLOYING),
    *rows("codepipeline ListPipelineExecutions ListTagsForResource", BUILDING, DEPLOYING),
    *rows("codepipeline ListPipelines", "*"),
    *rows("codebuild BatchGetBuilds BatchGetProjects ListBuildsForProject", arn("codebuild", "project/churn-build")),
]
GROUPS = [arn("logs", f"log-group:/aws/{kind}/churn") for kind in ("sagemaker", "codebuild")]
WATCHING = [
    *rows("logs DescribeLogStreams FilterLogEvents GetLogEvents", *GROUPS),
    *rows("cloudwatch GetMetricData GetMetricStatistics ListMetrics", "*"),
    *rows("logs DescribeLogGroups", "*"),
]
CODE = [
    *rows(
        "codecommit BatchGetPullRequests CreateBranch CreatePullRequest DeleteBranch GetBranch GitPull GitPush"
        " ListBranches ListPullRequests MergePullRequestByFastForward MergePullRequestBySquash"
        " PostCommentForPullRequest UpdatePullRequestStatus",
        arn("codecommit", "churn-build"),
        arn("codecommit", "churn-deploy"),
        when=OF_CHURN,
    ),
    *rows("codecommit ListRepositories", "*"),
]
JOBS = ("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job", "pipeline", "experiment")
RUNNING: list[Row] = [
    *rows(
        "sagemaker AddTags CreateExperiment CreateHyperParameterTuningJob CreatePipeline CreateProcessingJob"
        " CreateTrainingJob CreateTransformJob",
        *(arn("sagemaker", f"{kind}/x") for kind in JOBS),
        when=MAKING,
    ),
    *rows("iam PassRole", role("mlops/churn/churn-execution"), when=TO_SAGEMAKER),
    *rows("sagemaker CreateModelPackage", VERSION, GROUP, when=WAITING),
    *rows("sagemaker UpdateModelPackage", VERSION, GROUP),
    *rows("codepipeline RetryStageExecution StartPipelineExecution StopPipelineExecution", BUILDING),
    *rows("codepipeline RetryStageExecution", f"{BUILDING}/Build"),
    *rows(
        "sagemaker RetryPipelineExecution StartPipelineExecution StopPipelineExecution StopProcessingJob"
        " StopTrainingJob",
        *(arn("sagemaker", f"{kind}/x") for kind in ("pipeline", "processing-job", "training-job")),
        when=OF_CHURN,
    ),
    ("sagemaker:InvokeEndpoint", arn("sagemaker", "endpoint/churn-dev"), OF_CHURN),
]
DATA: list[Row] = [
    *rows("s3 GetBucketLocation ListBucket", f"arn:aws:s3:::churn-{DEV}"),
    *rows("s3 DeleteObject GetObject PutObject", f"arn:aws:s3:::churn-{DEV}/x/y"),
    *((f"kms:{action}", KEY, OF_CHURN) for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")),
]
NOT_OURS: list[Row] = [
    ("codecommit:GitPull", arn("codecommit", "churn-build"), {}),
    ("codecommit:GitPull", arn("codecommit", "churn"), OF_CHURN),
    ("codecommit:DeleteRepository", arn("codecommit", "churn-build"), OF_CHURN),
    ("sagemaker:CreateTrainingJob", THING, {}),
    ("sagemaker:CreateEndpoint", arn("sagemaker", "endpoint/x"), MAKING),
    ("sagemaker:StopTrainingJob", THING, {}),
    ("sagemaker:DescribeTrainingJob", arn("sagemaker", "training-job/x", PROD), {}),
    ("sagemaker:InvokeEndpoint", arn("sagemaker", "endpoint/churn-prod"), OF_CHURN),
    ("sagemaker:InvokeEndpoint", arn("sagemaker", "endpoint/churn-dev"), {}),
    *rows("sagemaker CreateModelPackage", VERSION),
    *rows("iam PassRole", role("mlops/churn/churn-execution")),
    *rows("iam PassRole", role("mlops/churn/churn-execution"), when={"iam:PassedToService": "lambda.amazonaws.com"}),
    *rows(
        "iam PassRole",
        role("mlops/fraud/fraud-execution"),
        role("mlops/churn/churn-build"),
        role("mlops/churn/churn-execution", PROD),
        when=TO_SAGEMAKER,
    ),
    *rows("s3 GetObject ListBucket", f"arn:aws:s3:::fraud-{DEV}", f"arn:aws:s3:::churn-{PROD}/x"),
    ("kms:Decrypt", KEY, {}),
    *rows("ssm GetParameter", arn("ssm", "parameter/mlops/endpoint/key-arn"), arn("ssm", "parameter/x")),
    *rows("logs GetLogEvents", arn("logs", "log-group:/aws/lambda/x")),
    *rows("iam CreateRole PutRolePolicy", role("mlops/churn/x")),
    *rows("sagemaker CreateProject", arn("sagemaker", "project/x")),
]
OTHERS: list[Row] = [
    ("codecommit:GitPull", arn("codecommit", "fraud-build"), OF_OTHER),
    ("sagemaker:DescribeTrainingJob", THING, OF_OTHER),
    ("kms:Decrypt", KEY, OF_OTHER),
    ("s3:GetObject", "*", OF_OTHER),
]


def deciding(*statuses: str) -> list[Row]:
    return [
        (f"sagemaker:{verb}ModelPackage", VERSION, {"sagemaker:ModelApprovalStatus": status})
        for status in statuses
        for verb in ("Create", "Update")
    ]


def approving(*stages: str) -> list[Row]:
    return [("codepipeline:PutApprovalResult", stage, {}) for stage in stages]


# --- personas ---------------------------------------------------------------------------------------------------------


def test_a_data_scientist_builds_and_decides_nothing(acting: Make) -> None:
    may_not = [*NOT_OURS, *rows("codepipeline StartPipelineExecution StopPipelineExecution", DEPLOYING)]
    may_not += [
        *rows("sagemaker UpdateModelPackage", VERSION, when=WAITING),
        ("sagemaker:CreateTrainingJob", THING, MAKING_OTHER),
    ]
    never = [*OTHERS, *deciding("Approved", "Rejected"), *approving(PREPROD_STAGE, PROD_STAGE, "*")]
    assert_holds(
        acting(persona("data_scientist")),
        [*READING, *DELIVERY, *WATCHING, *CODE, *RUNNING, *DATA],
        may_not,
        never,
    )


def test_a_lead_decides_on_versions_and_on_preprod_and_not_on_production(acting: Make) -> None:
    may = [*READING, *DELIVERY, *WATCHING, *CODE, *RUNNING, *DATA, *approving(PREPROD_STAGE)]
    may += rows("sagemaker UpdateModelPackage", VERSION, when=APPROVED)
    may += rows("sagemaker UpdateModelPackage", VERSION, when={"sagemaker:ModelApprovalStatus": "Rejected"})
    may += rows("codepipeline RetryStageExecution StartPipelineExecution StopPipelineExecution", DEPLOYING)
    may += rows("codepipeline RetryStageExecution", f"{DEPLOYING}/Prod")
    may_not = [*NOT_OURS, *rows("sagemaker CreateModelPackage", VERSION, when=APPROVED)]
    may_not += approving(f"{BUILDING}/ApprovePreprod/Approve")
    assert_holds(acting(persona("lead")), may, may_not, [*OTHERS, *approving(PROD_STAGE)])


def test_the_prod_approver_decides_on_production_alone(acting: Make) -> None:
    may = [*READING, *DELIVERY, *WATCHING, *approving(PROD_STAGE)]
    may_not = [*CODE[:-1], *RUNNING, *DATA, *NOT_OURS, *approving(arn("codepipeline", "x/ApproveProd/Approve"))]
    never = [*deciding("Approved", "Rejected"), *approving(PREPROD_STAGE)]
    assert_holds(acting(persona("approver_prod")), may, may_not, never)


def test_the_admin_makes_projects_and_touches_nothing_in_them(acting: Make) -> None:
    products = arn("catalog", "product/prod-1")
    may = [
        *rows(
            "sagemaker AddTags CreateProject DeleteProject DescribeProject UpdateProject", arn("sagemaker", "project/x")
        ),
        *rows("sagemaker ListProjects", "*"),
        *rows("servicecatalog DescribeProduct DescribeProductView DescribeProvisioningParameters", products),
        *rows("servicecatalog ListLaunchPaths ProvisionProduct", products),
        *rows("servicecatalog DescribeProvisionedProduct DescribeRecord ListRecordHistory SearchProducts", "*"),
        *rows("servicecatalog SearchProvisionedProducts TerminateProvisionedProduct UpdateProvisionedProduct", "*"),
        *rows("cloudformation DescribeStackEvents DescribeStacks", arn("cloudformation", "stack/SC-1/x")),
        *rows("ssm GetParameter GetParameters", OWN_PARAMETER),
    ]
    may_not = [*CODE[:-1], *RUNNING, *DATA, *NOT_OURS[:-1], *rows("sagemaker AddTags", THING)]
    may_not += rows("cloudformation DescribeStacks", arn("cloudformation", "stack/mlops-studio-dev/x"))
    may_not += rows("cloudformation DeleteStack", arn("cloudformation", "stack/SC-1/x"))
    never = [*deciding("Approved", "Rejected"), *approving(PREPROD_STAGE, PROD_STAGE)]
    # The parameter of the endpoints' key is the platform's, which the admin may read.
    may_not = [row for row in may_not if "endpoint/key-arn" not in row[1]]
    assert_holds(acting(persona("admin")), may, may_not, never)


BUCKET = f"arn:aws:s3:::c-{DEV}"


def test_the_auditor_reads_how_things_are_and_never_data_code_or_predictions(acting: Make) -> None:
    stack, key = arn("cloudformation", "stack/mlops-studio-dev/x"), arn("kms", "key/1")
    may = [
        *READING[:4], *DELIVERY,
        *rows("cloudformation DescribeStackEvents DescribeStackResources DescribeStacks GetTemplate", stack),
        *rows("iam GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies", role("x/y")),
        *rows("iam GetPolicy GetPolicyVersion", f"arn:aws:iam::{DEV}:policy/x"),
        *rows("kms DescribeKey GetKeyPolicy", key),
        *rows("s3 GetBucketPolicy GetBucketTagging GetBucketVersioning GetEncryptionConfiguration", BUCKET),
        *rows("ssm GetParameter", arn("ssm", "parameter/mlops/x")),
        *rows("cloudformation ListStacks", "*"), *rows("cloudtrail LookupEvents", "*"), *rows("iam ListRoles", "*"),
        *rows("kms ListKeys", "*"), *rows("s3 ListAllMyBuckets", "*"),
    ]  # fmt: skip
    may_not = [*WATCHING[:2], *RUNNING, *rows("s3 PutBucketPolicy", f"arn:aws:s3:::c-{DEV}")]
    may_not += rows("s3 GetBucketPolicy", f"arn:aws:s3:::c-{PROD}")
    may_not += rows("iam GetRole", role("x", PROD))
    never = [
        *rows("codecommit BatchGetCommits GetBlob GetFile GetFolder GitPull", arn("codecommit", "churn-build")),
        *rows("kms Decrypt", key),
        *rows("s3 GetObject GetObjectVersion", f"arn:aws:s3:::churn-{DEV}/x"),
        *rows("sagemaker CreatePresignedDomainUrl InvokeEndpoint InvokeEndpointAsync", arn("sagemaker", "x")),
        *deciding("Approved", "Rejected"), *approving(PREPROD_STAGE, PROD_STAGE),
    ]  # fmt: skip
    assert_holds(acting(persona("auditor")), may, may_not, never)


APP = arn("sagemaker", "app/d-1/ann/jupyterlab/default")
PROFILE = arn("sagemaker", "user-profile/d-1/ann")
ANN = {"sagemaker:DomainId": "d-1", "sagemaker:UserProfileName": "ann"}
OWNED = {**ANN, "sagemaker:OwnerUserProfileArn": PROFILE, "sagemaker:SpaceSharingType": "Private"}
STUDIO: list[Row] = [
    *((f"sagemaker:{verb}App", APP, ANN) for verb in ("Create", "Delete")),
    *((f"sagemaker:{verb}App", arn("sagemaker", "app/d-1/space/x"), OWNED) for verb in ("Create", "Delete")),
    *((f"sagemaker:{verb}Space", arn("sagemaker", "space/d-1/x"), OWNED) for verb in ("Create", "Delete", "Update")),
    *rows("logs CreateLogGroup CreateLogStream PutLogEvents", arn("logs", "log-group:/aws/sagemaker/studio")),
    *READING, *CODE, *WATCHING,
]  # fmt: skip
NOT_STUDIO: list[Row] = [
    ("sagemaker:CreateApp", arn("sagemaker", "app/d-1/bob/jupyterlab/default"), ANN),
    ("sagemaker:CreateApp", arn("sagemaker", "app/d-2/ann/jupyterlab/default"), ANN),
    ("sagemaker:CreateSpace", arn("sagemaker", "space/d-1/x"), {**OWNED, "sagemaker:SpaceSharingType": "Shared"}),
    (
        "sagemaker:DeleteSpace",
        arn("sagemaker", "space/d-1/x"),
        {**OWNED, "sagemaker:OwnerUserProfileArn": arn("sagemaker", "user-profile/d-1/bob")},
    ),
    ("sagemaker:CreateSpace", arn("sagemaker", "space/d-2/x"), OWNED),
    ("sagemaker:CreatePresignedDomainUrl", PROFILE, {}),
    *RUNNING, *DATA,
]  # fmt: skip


def test_studio_opens_what_is_ones_own_and_approves_nothing(acting: Make) -> None:
    versions = [*rows("sagemaker UpdateModelPackage", VERSION, GROUP)]
    never = [*OTHERS, *deciding("Approved", "Rejected"), *approving(PREPROD_STAGE, PROD_STAGE)]
    assert_holds(acting(persona("studio_execution")), STUDIO, [*NOT_STUDIO, *versions], never)


def test_a_lead_in_studio_decides_on_versions_and_on_no_stage(acting: Make) -> None:
    may = [*STUDIO, *rows("sagemaker UpdateModelPackage", VERSION, when=APPROVED)]
    may_not = [row for row in NOT_STUDIO if row[0] != "sagemaker:UpdateModelPackage"]
    assert_holds(acting(persona("studio_lead")), may, may_not, [*OTHERS, *approving(PREPROD_STAGE, PROD_STAGE)])


def test_a_profile_is_opened_by_whom_the_session_names(acting: Make) -> None:
    who = acting(persona("studio_execution"), **{"mlops:studio-user": "ann"})
    assert decision(who, "sagemaker:CreatePresignedDomainUrl", PROFILE) == "Allow"
    assert decision(who, "sagemaker:CreatePresignedDomainUrl", arn("sagemaker", "user-profile/d-1/bob")) != "Allow"


@pytest.mark.parametrize(
    "name", ["data_scientist", "lead", "approver_prod", "admin", "auditor", "studio_execution", "studio_lead"]
)
def test_statements_are_well_formed(name: str) -> None:
    assert_well_formed(persona(name, packages={"provider": "codeartifact"}))


@pytest.mark.parametrize("name", ["data_scientist", "lead", "studio_execution", "studio_lead"])
def test_who_works_installs_from_the_platforms_packages_where_there_are_some(acting: Make, name: str) -> None:
    names = plan(packages={"provider": "codeartifact"}).settings.packages
    repository = f"repository/{names.domain_name('mlops')}/{names.repository_name('mlops')}"
    row = ("codeartifact:ReadFromRepository", arn("codeartifact", repository))
    assert decision(acting(persona(name, packages={"provider": "codeartifact"})), *row) == "Allow"
    assert decision(acting(persona(name)), *row) != "Allow"


# --- sign-in ----------------------------------------------------------------------------------------------------------


def test_a_personas_role_trusts_its_root_and_who_is_listed_with_their_own_tags() -> None:
    context("studio")
    from aws_cdk import App, Stack
    from aws_cdk import aws_iam as iam

    from mlops_foundation.config.models import SignIn
    from mlops_foundation.stacks.studio.signin import administrator, trust

    people = {"lead": (role("Lead", PROD), role("Ann"), role("Bob", PROD)), "auditor": (role("Eve"),)}
    stack = Stack(App(), "S")
    made = iam.Role(stack, "R", assumed_by=administrator(DEV))
    trust(made, DEV, SignIn(principals=people), "lead")
    assert made.assume_role_policy is not None
    first, tags, *listed = stack.resolve(made.assume_role_policy.to_json())["Statement"]

    def narrowed_to(statement: Statement) -> tuple[str, Any]:
        account = next(each for each in FOUR.values() if each in json.dumps(statement["Principal"]))
        return account, statement["Condition"]["ArnLike"]["aws:PrincipalArn"]

    root = f"arn:aws:iam::{DEV}:root"
    assert (first["Action"], narrowed_to(first)) == ("sts:AssumeRole", (DEV, [root]))
    assert (tags["Action"], narrowed_to(tags)) == ("sts:TagSession", (DEV, [root]))
    named = [each["Sid"] for each in (tags, *listed)]
    assert named == ["AdministratorTags", *(f"{kind}{home}" for home in (DEV, PROD) for kind in ("People", "OwnTags"))]
    known = tags["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]
    assert set(known) == {"sagemaker:project-name", "sagemaker:project-id", "mlops:studio-user"}
    assert [(each["Action"], *narrowed_to(each)) for each in listed] == [
        (action, account, arns)
        for account, arns in ((DEV, [role("Ann")]), (PROD, [role("Lead", PROD), role("Bob", PROD)]))
        for action in ("sts:AssumeRole", "sts:TagSession")
    ]
    for each in listed[1::2]:
        assert each["Condition"]["ForAllValues:StringEquals"] == {"aws:TagKeys": known}
        own = {f"aws:RequestTag/{tag}": f"${{aws:PrincipalTag/{tag}}}" for tag in known}
        assert each["Condition"]["StringEqualsIfExists"] == own
    assert all(set(each["Condition"]) == {"ArnLike"} for each in listed[::2])
