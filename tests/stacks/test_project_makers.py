"""What the roles that make and deploy projects may do, and what of the platform they may not touch.

Each decision is IAM's, about a session of a role with the statements that the stack gives it. A row that is allowed is
work that somebody has; a row that is refused is what the separation of duties and of projects rests on.
"""

from collections.abc import Callable

import pytest
from policy_lab import (
    DEV,
    PROD,
    PROJECT,
    REGION,
    Row,
    Statement,
    arn,
    assert_holds,
    assert_well_formed,
    context,
    role,
    rows,
    written,
)

from called_operations import BY_NAME, checks
from called_operations import install as record
from iam_in_process import ask, decision, install, make_role, new_name, session
from mlops_foundation.core.arns import AccountId
from mlops_foundation.core.names import PROJECT_TAG
from mlops_foundation.local.adapter.iam import role_named
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


THING = arn("sagemaker", "training-job/x")
BUILDING, DEPLOYING = arn("codepipeline", "churn_build_pipeline"), arn("codepipeline", "churn_deploy_pipeline")
VERSION, GROUP = arn("sagemaker", "model-package/churn/1"), arn("sagemaker", "model-package-group/churn")
KEY = arn("kms", "key/1")
OWN_PARAMETER = arn("ssm", "parameter/mlops/projects/churn/bucket")


# --- the roles that make and deploy projects --------------------------------------------------------------------------

BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
TO_BUILD = {"iam:PassedToService": "codebuild.amazonaws.com"}
LAUNCHING: list[Row] = [
    *rows(
        "cloudformation CreateStack DeleteStack DescribeStackEvents DescribeStacks GetTemplateSummary SetStackPolicy"
        " TagResource UpdateStack",
        arn("cloudformation", "stack/SC-1/x"),
    ),
    *rows("cloudformation GetTemplateSummary ValidateTemplate", "*"),
    *rows("s3 GetObject GetObjectVersion", f"arn:aws:s3:::cdk-mlops-assets-{DEV}-{REGION}/seed.zip"),
    ("s3:GetObject", "arn:aws:s3:::sc-of-aws/x", {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}),
    *rows(
        "codecommit CreateCommit CreateRepository DeleteRepository GetRepository ListTagsForResource TagResource"
        " UntagResource UpdateRepositoryDescription",
        arn("codecommit", "churn-build"), arn("codecommit", "churn-deploy"),
    ),
    *rows(
        "codebuild BatchGetProjects CreateProject DeleteProject UpdateProject",
        *(arn("codebuild", f"project/churn-{name}") for name in ("build", "synth", "scan", "test")),
    ),
    *rows(
        "codepipeline CreatePipeline DeletePipeline GetPipeline GetPipelineState ListTagsForResource TagResource"
        " UntagResource UpdatePipeline",
        BUILDING, DEPLOYING,
    ),
    *rows(
        "sagemaker AddTags CreateModelPackageGroup DeleteModelPackageGroup DeleteModelPackageGroupPolicy"
        " DescribeModelPackageGroup GetModelPackageGroupPolicy ListTags PutModelPackageGroupPolicy",
        GROUP,
    ),
    *rows(
        "iam CreateRole DeleteRolePolicy PutRolePermissionsBoundary PutRolePolicy",
        role("mlops/churn/churn-x"),
        when=BOUNDED,
    ),
    *rows(
        "iam DeleteRole GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies TagRole UntagRole"
        " UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
        role("mlops/churn/churn-x"),
    ),
    *(
        ("iam:PassRole", role("mlops/churn/churn-x"), {"iam:PassedToService": f"{service}.amazonaws.com"})
        for service in ("codebuild", "codepipeline", "events")
    ),
    ("kms:CreateKey", "*", MAKING),
    *rows("kms Decrypt Encrypt GenerateDataKey DescribeKey PutKeyPolicy ScheduleKeyDeletion", KEY),
    *rows("ssm PutParameter DeleteParameter AddTagsToResource RemoveTagsFromResource GetParameters", OWN_PARAMETER),
    *rows("ssm GetParameter GetParameters", arn("ssm", "parameter/vpc/id")),
    *rows("logs DescribeLogGroups", "*"),
]  # fmt: skip
NOT_LAUNCHING: list[Row] = [
    *rows("cloudformation CreateStack", arn("cloudformation", "stack/mlops-studio-dev/x")),
    *rows("s3 GetObject", "arn:aws:s3:::churn-data/x", f"arn:aws:s3:::cdk-mlops-assets-{PROD}-{REGION}/x"),
    *rows("s3 PutObject", f"arn:aws:s3:::cdk-mlops-assets-{DEV}-{REGION}/x"),
    *rows("s3 CreateBucket", "arn:aws:s3:::anything"),
    *rows("codecommit CreateRepository", arn("codecommit", "platform")),
    *rows("codebuild CreateProject", arn("codebuild", "project/churn")),
    *rows("codepipeline CreatePipeline", arn("codepipeline", "churn")),
    ("iam:CreateRole", role("mlops/churn/churn-x"), {}),
    ("iam:CreateRole", role("mlops/churn/churn-x"), {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/x"}),
    ("iam:CreateRole", role("admin"), BOUNDED),
    ("iam:DeleteRole", role("mlops/mlops-project-launch"), {}),
    ("iam:PassRole", role("mlops/churn/churn-x"), {}),
    ("iam:PassRole", role("mlops/churn/churn-x"), {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("iam:PassRole", role("admin"), TO_BUILD),
    *rows("iam DeleteRolePermissionsBoundary AttachRolePolicy", role("mlops/churn/churn-x")),
    ("kms:CreateKey", "*", {}),
    *rows("ssm PutParameter", arn("ssm", "parameter/mlops/endpoint/key-arn"), arn("ssm", "parameter/vpc/id")),
    *rows("sagemaker CreateModelPackage UpdateModelPackage", VERSION),
    *rows("logs DeleteLogGroup", arn("logs", "log-group:/mlops/x")),
]
CHANGING_KEYS = (
    "kms CreateAlias DeleteAlias DisableKeyRotation EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion TagResource"
    " UntagResource UpdateKeyDescription"
)


def launch_role() -> list[Statement]:
    made = context("catalog")
    from mlops_foundation.stacks.catalog.launch import launch_policies

    return [each for statements in launch_policies(made).values() for each in written(statements)]


def test_the_launch_role_makes_projects_and_nothing_of_the_platform(acting: Make) -> None:
    who = acting(launch_role(), other="x")
    own = rows(CHANGING_KEYS, KEY, when={"kms:ResourceAliases": ["alias/churn"]})
    platform = [
        row
        for alias in ("alias/mlops-endpoint", "alias/cdk-mlops-assets-key")
        for row in rows(CHANGING_KEYS, KEY, when={"kms:ResourceAliases": [alias]})
    ]
    assert_holds(who, [*LAUNCHING, *own], NOT_LAUNCHING, platform)


DOCUMENT = {"Version": "2012-10-17", "Statement": []}
MADE = {
    "AWS::IAM::Role": {"RoleName": "churn-x", "Path": "/mlops/churn/", "PermissionsBoundary": BOUNDARY,
                       "AssumeRolePolicyDocument": DOCUMENT,
                       "Policies": [{"PolicyName": "p", "PolicyDocument": DOCUMENT}]},
    "AWS::S3::Bucket": {"BucketName": f"churn-{DEV}", "VersioningConfiguration": {"Status": "Enabled"},
                        "BucketEncryption": {"ServerSideEncryptionConfiguration": []},
                        "PublicAccessBlockConfiguration": {}, "OwnershipControls": {"Rules": []},
                        "LifecycleConfiguration": {"Rules": []}},
    "AWS::S3::BucketPolicy": {"Bucket": f"churn-{DEV}", "PolicyDocument": DOCUMENT},
    "AWS::SSM::Parameter": {"Name": "/mlops/projects/churn/bucket", "Type": "String", "Value": "x"},
    "AWS::Logs::LogGroup": {"LogGroupName": "/aws/codebuild/churn-build", "RetentionInDays": 7, "KmsKeyId": KEY},
    "AWS::Events::Rule": {"Name": "churn-build-push", "EventPattern": {"source": ["x"]},
                          "Targets": [{"Id": "1", "Arn": arn("codepipeline", "churn-build")}]},
    "AWS::KMS::Key": {"EnableKeyRotation": True, "KeyPolicy": DOCUMENT},
}  # fmt: skip


def test_statements_are_well_formed() -> None:
    made = context("targets")
    from mlops_foundation.stacks.catalog.launch import launch_policies
    from mlops_foundation.stacks.targets.policies import deploy_action, deploy_execution

    for policy in launch_policies(context("catalog")).values():
        assert_well_formed(written(policy))
    assert_well_formed(written(deploy_action(made, execution_role_arn="arn:x")))
    assert_well_formed(written(deploy_execution(made, boundary_arn=BOUNDARY, key_arn=NETWORK_KEY)))


def bounded_role() -> None:
    """Let the role be there that a project's template makes, with its boundary, as after CreateRole."""
    if role_named(AccountId(DEV), "churn-x") is None:
        make_role(DEV, [], name="churn-x", path="/mlops/churn/")
    ask(DEV, "PutRolePermissionsBoundary", RoleName="churn-x", PermissionsBoundary=BOUNDARY)


@pytest.mark.parametrize("verb", ["create", "delete"])
@pytest.mark.parametrize("name", MADE)
def test_the_launch_role_may_all_that_cloudformation_calls_for_a_project(
    monkeypatch: pytest.MonkeyPatch, acting: Make, name: str, verb: str
) -> None:
    has_tags = BY_NAME[name].schema.tags
    pairs = {"list": [{"Key": PROJECT_TAG, "Value": PROJECT}], "map": {PROJECT_TAG: PROJECT}}
    tags = {has_tags[0]: pairs[has_tags[1]]} if has_tags else {}
    who = acting(launch_role(), other="x")
    if name == "AWS::IAM::Role":
        bounded_role()
    record(monkeypatch)
    asked = checks(verb, name, {**MADE[name], **tags}, DEV, REGION, str(next(iter(MADE[name].values()))))
    assert asked
    for each in asked:
        resource = KEY if each.action.startswith("kms:") and verb == "delete" else each.resource
        assert decision(who, each.action, resource, each.context) == "Allow", each


STAGE_STACK = arn("cloudformation", "stack/churn-dev/x")
STAGE_ROLES = [role(f"mlops/churn/churn-{kind}-dev") for kind in ("endpoint", "test")]
SERVED = [arn("sagemaker", f"{kind}/churn-dev") for kind in ("model", "endpoint-config", "endpoint")]
ARTIFACTS = f"arn:aws:s3:::churn-pipeline-{DEV}"


def test_a_deploy_pipeline_deploys_a_projects_stack_and_hands_over_one_role(acting: Make) -> None:
    made = context("targets")
    from mlops_foundation.stacks.targets.policies import deploy_action

    execution = role("mlops/mlops-project-deploy-cfn")
    through_s3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    may: list[Row] = [
        *rows(
            "cloudformation CreateChangeSet CreateStack DeleteChangeSet DeleteStack DescribeChangeSet"
            " DescribeStackEvents DescribeStackResources DescribeStacks ExecuteChangeSet GetTemplate SetStackPolicy"
            " TagResource UntagResource UpdateStack",
            STAGE_STACK,
        ),
        *rows("cloudformation ValidateTemplate", "*"),
        ("iam:PassRole", execution, {"iam:PassedToService": "cloudformation.amazonaws.com"}),
        *rows("s3 GetObject GetObjectVersion PutObject", f"{ARTIFACTS}/x"),
        *rows("s3 GetBucketLocation GetBucketVersioning ListBucket", ARTIFACTS),
        *((f"kms:{action}", KEY, through_s3) for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")),
    ]
    may_not: list[Row] = [
        *rows("cloudformation UpdateStack", arn("cloudformation", "stack/mlops-studio-prod/x")),
        *rows("cloudformation UpdateStack", arn("cloudformation", "stack/churn-dev/x", PROD)),
        *rows("iam PassRole", execution),
        ("iam:PassRole", execution, {"iam:PassedToService": "lambda.amazonaws.com"}),
        ("iam:PassRole", role("admin"), {"iam:PassedToService": "cloudformation.amazonaws.com"}),
        *rows("s3 GetObject", f"arn:aws:s3:::churn-{DEV}/x", f"arn:aws:s3:::churn-pipeline-{PROD}/x"),
        *rows("s3 DeleteObject", f"{ARTIFACTS}/x"),
        ("kms:Decrypt", KEY, {}),
        ("kms:Decrypt", KEY, {"kms:ViaService": f"sagemaker.{REGION}.amazonaws.com"}),
        ("kms:Decrypt", arn("kms", "key/1", PROD), through_s3),
    ]
    assert_holds(acting(written(deploy_action(made, execution_role_arn=execution)), other="x"), may, may_not, [])


def test_cloudformation_deploys_an_endpoint_with_bounded_roles_and_the_one_key(acting: Make) -> None:
    made = context("targets")
    from mlops_foundation.stacks.targets.policies import deploy_execution

    may: list[Row] = [
        *rows(
            "sagemaker AddTags CreateEndpoint CreateEndpointConfig CreateModel DeleteEndpoint DeleteEndpointConfig"
            " DeleteModel DeleteTags DescribeEndpoint DescribeEndpointConfig DescribeModel ListTags UpdateEndpoint"
            " UpdateEndpointWeightsAndCapacities",
            *SERVED,
        ),
        *rows("sagemaker CreateModel DescribeModelPackage", VERSION),
        *rows("kms Decrypt DescribeKey GenerateDataKey", NETWORK_KEY),
        ("kms:CreateGrant", NETWORK_KEY, {"kms:GrantIsForAWSResource": "true"}),
        *rows(
            "iam AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary"
            " PutRolePolicy",
            *STAGE_ROLES,
            when=BOUNDED,
        ),
        *rows(
            "iam DeleteRole GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies ListRoleTags TagRole"
            " UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
            *STAGE_ROLES,
        ),
        ("iam:PassRole", STAGE_ROLES[0], TO_SAGEMAKER),
        *rows("ssm GetParameter GetParameters", arn("ssm", "parameter/vpc/id")),
        *rows("ssm GetParameter GetParameters", arn("ssm", "parameter/mlops/endpoint/key-arn")),
    ]
    may_not: list[Row] = [
        *rows("sagemaker CreateEndpoint", arn("sagemaker", "endpoint/x", PROD)),
        *rows("sagemaker CreateTrainingJob", THING),
        *rows("sagemaker UpdateModelPackage", VERSION),
        *rows("kms Decrypt", KEY),
        ("kms:CreateGrant", NETWORK_KEY, {}),
        ("iam:CreateRole", STAGE_ROLES[0], {}),
        ("iam:CreateRole", STAGE_ROLES[0], {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/x"}),
        ("iam:CreateRole", role("mlops/churn/churn-endpoint-prod"), BOUNDED),
        ("iam:CreateRole", role("mlops/churn/churn-execution"), BOUNDED),
        ("iam:PassRole", STAGE_ROLES[1], TO_SAGEMAKER),
        ("iam:PassRole", STAGE_ROLES[0], {}),
        ("iam:PassRole", STAGE_ROLES[0], {"iam:PassedToService": "lambda.amazonaws.com"}),
        *rows("ssm GetParameter", arn("ssm", "parameter/x")),
    ]
    statements = written(deploy_execution(made, boundary_arn=BOUNDARY, key_arn=NETWORK_KEY))
    assert_holds(acting(statements, other="x"), may, may_not, [])
