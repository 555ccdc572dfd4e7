"""What CloudFormation has to be allowed to do for the types that ministack provisions."""

from typing import Any

import pytest

from mlops_foundation.local.adapter.type_actions import TYPES, checks_for
from mlops_foundation.local.contract import Check, ServiceError

PLACE = ("eu-west-1", "222222222222", "mlops-network-dev", "Thing")


def checks(verb: str, resource_type: str, **properties: Any) -> list[Check]:
    return list(checks_for(verb, resource_type, properties, PLACE))


def actions(verb: str, resource_type: str, **properties: Any) -> list[str]:
    return [each.action for each in checks(verb, resource_type, **properties)]


def test_each_verb_has_its_actions_on_the_resource() -> None:
    for verb, action in (("create", "CreateLogGroup"), ("delete", "DeleteLogGroup")):
        (check,) = checks(verb, "AWS::Logs::LogGroup", LogGroupName="/mlops/x")
        assert check == Check(f"logs:{action}", "arn:aws:logs:eu-west-1:222222222222:log-group:/mlops/x")
    assert checks("update", "AWS::Logs::LogGroup", LogGroupName="/mlops/x") == []
    assert actions("update", "AWS::SSM::Parameter", Name="/a") == ["ssm:PutParameter"]


@pytest.mark.parametrize(
    ("resource_type", "properties", "arn"),
    [
        ("AWS::SSM::Parameter", {"Name": "/vpc/id"}, "arn:aws:ssm:eu-west-1:222222222222:parameter/vpc/id"),
        ("AWS::SSM::Parameter", {"Name": "plain"}, "arn:aws:ssm:eu-west-1:222222222222:parameter/plain"),
        ("AWS::S3::Bucket", {"BucketName": "b"}, "arn:aws:s3:::b"),
        ("AWS::S3::Bucket", {}, "arn:aws:s3:::mlops-network-dev-thing"),
        ("AWS::S3::BucketPolicy", {"Bucket": "b"}, "arn:aws:s3:::b"),
        ("AWS::IAM::Role", {"RoleName": "r", "Path": "/mlops/p/"}, "arn:aws:iam::222222222222:role/mlops/p/r"),
        ("AWS::IAM::Role", {}, "arn:aws:iam::222222222222:role/mlops-network-dev-Thing"),
        ("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "m"}, "arn:aws:iam::222222222222:policy/m"),
        ("AWS::IAM::Policy", {"Roles": ["unknown"]}, "arn:aws:iam::222222222222:role/unknown"),
        ("AWS::Events::Rule", {}, "arn:aws:events:eu-west-1:222222222222:rule/mlops-network-dev-Thing"),
        ("AWS::KMS::Alias", {"TargetKeyId": "k"}, "arn:aws:kms:eu-west-1:222222222222:key/k"),
        ("AWS::KMS::Alias", {"TargetKeyId": "arn:aws:kms:x:1:key/k"}, "arn:aws:kms:x:1:key/k"),
        ("AWS::KMS::Key", {}, "*"),
        ("AWS::Lambda::Permission", {}, "*"),
    ],
)
def test_the_resource_is_named_by_its_properties(resource_type: str, properties: dict[str, Any], arn: str) -> None:
    assert checks("create", resource_type, **properties)[0].resource == arn


def test_what_the_template_sets_needs_its_own_action_and_nothing_else_does() -> None:
    assert actions("create", "AWS::S3::Bucket", BucketName="b") == ["s3:CreateBucket"]
    both = {
        "BucketName": "b",
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": []},
    }
    assert set(actions("create", "AWS::S3::Bucket", **both)) == {
        "s3:CreateBucket",
        "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration",
    }
    assert set(actions("update", "AWS::S3::Bucket", **both)) == {
        "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration",
    }
    assert actions("delete", "AWS::S3::Bucket", **both) == ["s3:DeleteBucket"]


def test_two_properties_with_one_action_are_one_check() -> None:
    properties = {"EnableDnsHostnames": True, "EnableDnsSupport": True}
    assert actions("create", "AWS::EC2::VPC", **properties) == ["ec2:CreateVpc", "ec2:ModifyVpcAttribute"]


def test_a_role_that_is_handed_over_has_to_be_passable_to_that_service() -> None:
    role = "arn:aws:iam::222222222222:role/f"
    found = checks("create", "AWS::Lambda::Function", FunctionName="f", Role=role)
    assert found[-1] == Check("iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert "iam:PassRole" in actions("update", "AWS::Lambda::Function", FunctionName="f", Role=role)
    assert "iam:PassRole" not in actions("delete", "AWS::Lambda::Function", FunctionName="f", Role=role)


def test_roles_in_a_list_are_all_asked_for() -> None:
    targets = [{"Id": "1", "RoleArn": "arn:r1"}, {"Id": "2"}, {"Id": "3", "RoleArn": "arn:r3"}]
    found = checks("create", "AWS::Events::Rule", Name="r", Targets=targets)
    passed = [each.resource for each in found if each.action == "iam:PassRole"]
    assert passed == ["arn:r1", "arn:r3"]


def test_tags_and_the_boundary_are_condition_keys() -> None:
    tags = [{"Key": "sagemaker:project-name", "Value": "churn"}]
    found = checks("create", "AWS::IAM::Role", RoleName="r", PermissionsBoundary="arn:boundary", Tags=tags)
    assert [each.action for each in found] == ["iam:CreateRole", "iam:TagRole"]
    for each in found:
        assert each.context == {
            "iam:PermissionsBoundary": "arn:boundary",
            "aws:RequestTag/sagemaker:project-name": "churn",
            "aws:TagKeys": ["sagemaker:project-name"],
        }
    assert checks("delete", "AWS::IAM::Role", RoleName="r", Tags=tags)[0].context == {}


def test_taking_a_boundary_or_tags_away_needs_its_own_action() -> None:
    system = [{"Key": "aws:cloudformation:stack-name", "Value": "s"}]
    place = ("eu-west-1", "222222222222", "stack", "Role")
    bounded = {"RoleName": "r", "PermissionsBoundary": "arn:b", "Tags": [*system, {"Key": "a", "Value": "1"}]}
    found = checks_for("update", "AWS::IAM::Role", {"RoleName": "r", "Tags": system}, place, bounded)
    assert [check.action for check in found][1:] == ["iam:DeleteRolePermissionsBoundary", "iam:UntagRole"]
    same = checks_for("update", "AWS::IAM::Role", bounded, place, bounded)
    assert "iam:DeleteRolePermissionsBoundary" not in [check.action for check in same]


def test_cloudformations_own_tags_take_nobodys_permission() -> None:
    system = [{"Key": "aws:cloudformation:stack-name", "Value": "s"}]
    (check,) = checks("create", "AWS::IAM::Role", RoleName="r", Tags=system)
    assert (check.action, check.context) == ("iam:CreateRole", {})
    own = {"aws:cloudformation:stack-id": "s", "CostCenter": "4711"}
    assert checks("create", "AWS::SSM::Parameter", Name="/a", Tags=own)[0].context == {
        "aws:RequestTag/CostCenter": "4711",
        "aws:TagKeys": ["CostCenter"],
    }


def test_a_type_that_nobody_can_speak_for_is_refused_by_name() -> None:
    with pytest.raises(ServiceError, match="AWS::DynamoDB::Table is not supported") as raised:
        checks("create", "AWS::DynamoDB::Table", TableName="t")
    assert raised.value.code == "NotSupportedException"


@pytest.mark.parametrize("name", ["AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle"])
def test_what_calls_nothing_needs_nothing(name: str) -> None:
    assert checks("create", name) == []


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_custom_resource_needs_the_right_to_invoke_its_function(verb: str) -> None:
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:seed"
    (found,) = checks(verb, "Custom::Seed", ServiceToken=arn)
    assert (found.action, found.resource) == ("lambda:InvokeFunction", arn)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("verb", ["create", "delete"])
def test_no_type_is_made_or_removed_without_an_action(name: str, verb: str) -> None:
    found = actions(verb, name)
    assert found
    assert all(action.startswith(f"{TYPES[name].service}:") for action in found)
