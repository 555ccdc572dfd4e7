"""CloudFormation acts with the rights of its role, and of nobody else."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from mlops_foundation.aws import stacks
from mlops_foundation.core.errors import StackFailed

pytestmark = pytest.mark.cloud

TEMPLATE = {
    "Resources": {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                            "Action": "kms:*",
                            "Resource": "*",
                        }
                    ],
                }
            },
        },
        "Value": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/test/value", "Type": "String", "Value": {"Fn::GetAtt": ["Key", "Arn"]}},
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
    }
}
ALL = ["kms:CreateKey", "kms:ScheduleKeyDeletion", "ssm:PutParameter", "ssm:DeleteParameter", "ec2:AllocateAddress",
       "ec2:DescribeAddresses", "ec2:ReleaseAddress"]  # fmt: skip


def make_role(iam: Any, name: str, actions: list[str], service: str = "cloudformation.amazonaws.com") -> str:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    policy = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
    return str(made["Role"]["Arn"])


def deploy(cloudformation: Any, role_arn: str, name: str = "stack") -> str:
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(TEMPLATE), RoleARN=role_arn)
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    except WaiterError:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return next(event["ResourceStatusReason"] for event in reversed(events) if "FAILED" in event["ResourceStatus"])
    return "CREATE_COMPLETE"


def test_role_that_may_do_everything_creates_and_deletes(cloud: Any, account: str) -> None:
    role = make_role(cloud.client("iam", account), "deployer", ALL)
    cloudformation = cloud.client("cloudformation", account)
    assert deploy(cloudformation, role) == "CREATE_COMPLETE"
    value = cloud.client("ssm", account).get_parameter(Name="/test/value")["Parameter"]["Value"]
    assert value.startswith(f"arn:aws:kms:eu-west-1:{account}:key/")
    assert len(cloud.client("ec2", account).describe_addresses()["Addresses"]) == 1
    cloudformation.delete_stack(StackName="stack")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})
    assert not cloud.client("ec2", account).describe_addresses()["Addresses"]


@pytest.mark.parametrize("missing", ["kms:CreateKey", "ssm:PutParameter", "ec2:AllocateAddress"])
def test_missing_action_fails_the_stack_and_is_named(cloud: Any, account: str, missing: str) -> None:
    actions = [action for action in ALL if action != missing]
    role = make_role(cloud.client("iam", account), "deployer", actions)
    reason = deploy(cloud.client("cloudformation", account), role)
    assert missing in reason
    assert "deployer" in reason


def test_role_that_does_not_trust_cloudformation_is_refused(cloud: Any, account: str) -> None:
    role = make_role(cloud.client("iam", account), "deployer", ALL, service="lambda.amazonaws.com")
    with pytest.raises(ClientError, match="trust policy"):
        deploy(cloud.client("cloudformation", account), role)


def test_caller_needs_pass_role(cloud: Any, account: str) -> None:
    iam = cloud.client("iam", account)
    role = make_role(iam, "deployer", ALL)
    make_role(iam, "person", ["cloudformation:*"])
    with pytest.raises(ClientError, match="iam:PassRole"):
        deploy(cloud.client("cloudformation", account, role="person"), role)


def test_a_type_that_nobody_makes_here_is_refused_before_anything_is_made(cloud: Any, account: str) -> None:
    """Macros and the like passed as a placeholder once, and a template with them was a success."""
    client = cloud.client("cloudformation", account)
    for name in ("AWS::DynamoDB::Table", "AWS::CloudFormation::Macro"):
        template = json.dumps({"Resources": {"It": {"Type": name, "Properties": {}}}})
        with pytest.raises(ClientError, match=rf"Unrecognized resource types: \[{name}\]"):
            client.create_stack(StackName="unknown", TemplateBody=template)
        with pytest.raises(ClientError, match="Unrecognized resource types"):
            client.validate_template(TemplateBody=template)


def test_a_bucket_has_the_tags_of_its_template(cloud: Any, account: str) -> None:
    client, s3 = cloud.client("cloudformation", account), cloud.client("s3", account)
    name = f"tagged-{account}"

    def template(value: str) -> str:
        properties = {"BucketName": name, "Tags": [{"Key": "sagemaker:project-name", "Value": value}]}
        return json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}})

    for value, act in (("churn", "create"), ("fraud", "update")):
        getattr(client, f"{act}_stack")(StackName="tagged", TemplateBody=template(value))
        client.get_waiter(f"stack_{act}_complete").wait(StackName="tagged", WaiterConfig={"Delay": 1})
        assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "sagemaker:project-name", "Value": value}]


def test_the_reasons_of_a_refused_stack_are_told_and_not_whom_to_call(cloud: Any, account: str) -> None:
    cloud.client("s3", account).create_bucket(
        Bucket=f"there-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"there-{account}"}}
    with pytest.raises(StackFailed, match="refused before anything was made") as raised:
        stacks.deploy(
            cloud.client("cloudformation", account), account, "late", json.dumps({"Resources": {"B": bucket}}), {}, {}
        )
    (problem,) = raised.value.problems
    assert problem.what.startswith("B (AWS::S3::Bucket): ")
    assert f"there-{account}" in problem.what
