"""What CloudFormation once did here though AWS does not: each of these was a success that did not happen."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from type_samples import allow, ref, trust

from mlops_foundation.local import process
from ports import free_port

pytestmark = pytest.mark.cloud

BOUNDARY = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": allow("s3:GetObject")}}


def template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


def deploy(cloudformation: Any, text: str, *, name: str = "truth", **more: Any) -> tuple[str, list[str]]:
    """Create a stack and return how it ended, with the reasons of what failed."""
    cloudformation.create_stack(StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"], **more)
    return ended(cloudformation, name)


def ended(cloudformation: Any, name: str) -> tuple[str, list[str]]:
    for _ in range(600):
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status.endswith(("COMPLETE", "FAILED")):
            events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            return status, [event.get("ResourceStatusReason", "") for event in events]
        time.sleep(0.05)
    raise AssertionError(status)


def test_a_role_has_its_boundary_and_its_path(cloud: Any, account: str) -> None:
    properties = {
        "RoleName": "bounded",
        "Path": "/mlops/churn/",
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "PermissionsBoundary": ref("Boundary"),
    }
    role = {"Type": "AWS::IAM::Role", "Properties": properties}
    status, reasons = deploy(cloud.client("cloudformation", account), template(Boundary=BOUNDARY, Role=role))
    assert status == "CREATE_COMPLETE", reasons
    made = cloud.client("iam", account).get_role(RoleName="bounded")["Role"]
    assert made["Arn"] == f"arn:aws:iam::{account}:role/mlops/churn/bounded"
    assert ":policy/truth-Boundary-" in made["PermissionsBoundary"]["PermissionsBoundaryArn"]


def test_a_role_without_its_boundary_is_refused_where_the_boundary_is_demanded(cloud: Any, account: str) -> None:
    """The condition ``iam:PermissionsBoundary`` held in stacks by a table of ours, and in direct calls never."""
    iam = cloud.client("iam", account)
    wanted = f"arn:aws:iam::{account}:policy/wall"
    iam.create_policy(PolicyName="wall", PolicyDocument=json.dumps(allow("s3:*")))
    iam.create_role(RoleName="maker", AssumeRolePolicyDocument=json.dumps(trust("cloudformation.amazonaws.com")))
    demanded = allow("iam:*", Condition={"StringEquals": {"iam:PermissionsBoundary": wanted}})
    iam.put_role_policy(RoleName="maker", PolicyName="rights", PolicyDocument=json.dumps(demanded))
    direct = cloud.client("iam", account, role="maker")
    document = json.dumps(trust("lambda.amazonaws.com"))
    with pytest.raises(ClientError, match="iam:CreateRole"):
        direct.create_role(RoleName="free", AssumeRolePolicyDocument=document)
    with pytest.raises(ClientError, match="iam:CreateRole"):
        direct.create_role(
            RoleName="free",
            AssumeRolePolicyDocument=document,
            PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess",
        )
    direct.create_role(RoleName="bound", AssumeRolePolicyDocument=document, PermissionsBoundary=wanted)
    direct.put_role_policy(RoleName="bound", PolicyName="p", PolicyDocument=json.dumps(allow("s3:*")))


def test_a_bucket_with_objects_stays_and_is_there_after_the_next_try(cloud: Any, account: str) -> None:
    client, s3 = cloud.client("cloudformation", account), cloud.client("s3", account)
    bucket = f"full-{account}"
    deploy(client, template(Bucket={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}))
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    client.delete_stack(StackName="truth")
    status, reasons = ended(client, "truth")
    assert status == "DELETE_FAILED"
    assert any("The bucket you tried to delete is not empty" in reason for reason in reasons)
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"x"
    s3.delete_object(Bucket=bucket, Key="kept")
    stack_id = client.describe_stacks(StackName="truth")["Stacks"][0]["StackId"]
    client.delete_stack(StackName="truth")
    assert ended(client, stack_id)[0] == "DELETE_COMPLETE"
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_a_deleted_bucket_is_not_back_after_a_restart(cloud: Any, tmp_path: Any) -> None:
    running = process.start(tmp_path, free_port())
    try:
        alone, account = type(cloud)(running), "100000000001"
        client = alone.client("cloudformation", account)
        deploy(client, template(Bucket={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "gone-after"}}))
        stack_id = client.describe_stacks(StackName="truth")["Stacks"][0]["StackId"]
        client.delete_stack(StackName="truth")
        assert ended(client, stack_id)[0] == "DELETE_COMPLETE"
        process.stop(tmp_path)
        again = type(cloud)(process.start(tmp_path, free_port()))
        assert again.client("s3", account).list_buckets()["Buckets"] == []
    finally:
        process.stop(tmp_path)


def test_a_policy_that_does_not_exist_does_not_attach(cloud: Any, account: str) -> None:
    properties = {
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "ManagedPolicyArns": [f"arn:aws:iam::{account}:policy/nobody-made-it"],
    }
    status, reasons = deploy(
        cloud.client("cloudformation", account), template(Role={"Type": "AWS::IAM::Role", "Properties": properties})
    )
    assert status == "ROLLBACK_COMPLETE"
    assert any("nobody-made-it" in reason and "NotFound" in reason for reason in reasons)
    assert not [
        each for each in cloud.client("iam", account).list_roles()["Roles"] if each["RoleName"].startswith("truth")
    ]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"Nonsense": 1}, "#: extraneous key [Nonsense] is not permitted"),
        ({"RetentionInDays": "soon"}, "#/RetentionInDays: expected type: Integer, found: String"),
        ({"RetentionInDays": 8}, "#/RetentionInDays: failed validation constraint for keyword [enum]"),
        ({"Arn": "arn:aws:logs:::x"}, "#: extraneous key [Arn] is not permitted"),
    ],
)
def test_what_no_log_group_has_is_refused(cloud: Any, account: str, properties: Any, said: str) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": properties}
    status, reasons = deploy(cloud.client("cloudformation", account), template(Group=group))
    assert status == "ROLLBACK_COMPLETE"
    assert any(said in reason and "Properties validation failed for resource Group" in reason for reason in reasons)


def test_scalars_are_taken_as_the_schema_has_them(cloud: Any, account: str) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/scalars", "RetentionInDays": "7"}}
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": "true", "QueueName": "scalars.fifo"}}
    status, reasons = deploy(cloud.client("cloudformation", account), template(Group=group, Queue=queue))
    assert status == "CREATE_COMPLETE", reasons
    (made,) = cloud.client("logs", account).describe_log_groups(logGroupNamePrefix="/scalars")["logGroups"]
    assert made["retentionInDays"] == 7


def test_a_vpc_has_its_attributes(cloud: Any, account: str) -> None:
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.5.0.0/16"}}
    names = ("CidrBlock", "DefaultSecurityGroup", "DefaultNetworkAcl", "VpcId")
    outputs = {name: {"Value": {"Fn::GetAtt": ["Vpc", name]}} for name in names}
    client = cloud.client("cloudformation", account)
    status, reasons = deploy(client, json.dumps({"Resources": {"Vpc": vpc}, "Outputs": outputs}))
    assert status == "CREATE_COMPLETE", reasons
    found = {
        out["OutputKey"]: out["OutputValue"]
        for out in client.describe_stacks(StackName="truth")["Stacks"][0]["Outputs"]
    }
    ec2 = cloud.client("ec2", account)
    assert found["CidrBlock"] == "10.5.0.0/16"
    (group,) = ec2.describe_security_groups(GroupIds=[found["DefaultSecurityGroup"]])["SecurityGroups"]
    assert (group["GroupName"], group["VpcId"]) == ("default", found["VpcId"])
    (acl,) = ec2.describe_network_acls(NetworkAclIds=[found["DefaultNetworkAcl"]])["NetworkAcls"]
    assert (acl["IsDefault"], acl["VpcId"]) == (True, found["VpcId"])


def test_a_template_in_s3_and_a_parameter_need_the_right_to_be_read(cloud: Any, account: str) -> None:
    iam, s3 = cloud.client("iam", account), cloud.client("s3", account)
    s3.create_bucket(Bucket=f"templates-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    cloud.client("ssm", account).put_parameter(Name="/secret/value", Type="String", Value="x")
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${Value}"}}}
    parameters = {"Value": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/secret/value"}}
    text = json.dumps({"Parameters": parameters, "Resources": {"Queue": queue}})
    s3.put_object(Bucket=f"templates-{account}", Key="t.json", Body=text.encode())
    url = f"{cloud.endpoint_url}/templates-{account}/t.json"
    iam.create_role(RoleName="person", AssumeRolePolicyDocument=json.dumps(trust("lambda.amazonaws.com")))

    def client(*actions: str) -> Any:
        iam.put_role_policy(
            RoleName="person", PolicyName="rights",
            PolicyDocument=json.dumps(allow(["cloudformation:*", "sqs:*", *actions])),  # type: ignore[arg-type]
        )  # fmt: skip
        return cloud.client("cloudformation", account, role="person")

    for operation in ("validate_template", "create_stack"):
        more = {"StackName": "truth"} if operation == "create_stack" else {}
        with pytest.raises(ClientError, match="s3:GetObject"):
            getattr(client(), operation)(TemplateURL=url, **more)
    with pytest.raises(ClientError, match="ssm:GetParameters"):
        client("s3:GetObject").create_stack(StackName="truth", TemplateURL=url)
    allowed = client("s3:GetObject", "ssm:GetParameters")
    allowed.create_stack(StackName="truth", TemplateURL=url)
    assert ended(allowed, "truth")[0] == "CREATE_COMPLETE"
