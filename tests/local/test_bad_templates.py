"""Templates that no stack comes of: AWS's status and sentence, and nothing left behind."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from test_false_successes import deploy, ended, template
from type_samples import allow, trust

pytestmark = pytest.mark.cloud

QUEUE = {"Type": "AWS::SQS::Queue"}


def queue(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}, **more}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (template(A={**QUEUE, "DependsOn": "B"}, B={**QUEUE, "DependsOn": "A"}), "Circular dependency"),
        (template(**{f"Q{number}": QUEUE for number in range(501)}), "501"),
        (template(A={"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Nobody"}}}), "Nobody"),
        (template(A={"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Nope": "x"}}}), "Fn::Nope"),
        (template(A={**QUEUE, "Metadata": "x" * 51_200}), "51200"),
        ('{"Resources": {', "Template format error"),
        (json.dumps({"Resources": {}}), "At least one Resources member must be defined"),
    ],
)
def test_it_is_refused_before_there_is_a_stack(cloud: Any, account: str, body: str, said: str) -> None:
    client = cloud.client("cloudformation", account)
    with pytest.raises(ClientError, match=said) as raised:
        client.create_stack(StackName="bad", TemplateBody=body)
    assert raised.value.response["Error"]["Code"] == "ValidationError"
    assert client.describe_stacks()["Stacks"] == []


def test_a_template_in_s3_of_a_byte_too_much_is_refused(cloud: Any, account: str) -> None:
    s3 = cloud.client("s3", account)
    s3.create_bucket(Bucket=f"big-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    small = template(A={**QUEUE, "Metadata": {"x": ""}})
    body = small.replace('"x": ""', '"x": "' + "y" * (1_000_001 - len(small)) + '"')
    assert len(body) == 1_000_001
    s3.put_object(Bucket=f"big-{account}", Key="t", Body=body.encode())
    with pytest.raises(ClientError, match="1000000 bytes"):
        cloud.client("cloudformation", account).create_stack(
            StackName="big", TemplateURL=f"{cloud.endpoint_url}/big-{account}/t"
        )


def test_what_has_a_name_of_its_own_is_not_replaced_under_it(cloud: Any, account: str) -> None:
    client = cloud.client("cloudformation", account)
    named = {"QueueName": "named.fifo", "FifoQueue": True}
    alias = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/named"}}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": "named", "Path": "/a/", "AssumeRolePolicyDocument": trust("lambda.amazonaws.com")},
    }
    first = template(Q={"Type": "AWS::SQS::Queue", "Properties": named}, L=alias, Role=role)
    assert deploy(client, first)[0] == "CREATE_COMPLETE"
    client.update_stack(
        StackName="truth", TemplateBody=first.replace('"/a/"', '"/b/"'), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    status, reasons = ended(client, "truth")
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert any("cannot update a stack when a custom-named resource requires replacing" in each for each in reasons)
    made = cloud.client("iam", account).get_role(RoleName="named")["Role"]
    assert made["Path"] == "/a/"


def test_a_right_missing_on_the_third_of_five_leaves_nothing(cloud: Any, account: str) -> None:
    iam = cloud.client("iam", account)
    iam.create_role(RoleName="maker", AssumeRolePolicyDocument=json.dumps(trust("cloudformation.amazonaws.com")))
    rights = json.dumps(allow(["sqs:CreateQueue", "sqs:DeleteQueue"]))  # type: ignore[arg-type]
    iam.put_role_policy(RoleName="maker", PolicyName="rights", PolicyDocument=rights)
    five = template(
        A=queue("a"),
        B=queue("b", DependsOn="A"),
        C={"Type": "AWS::SNS::Topic", "DependsOn": "B"},
        D=queue("d", DependsOn="C"),
        E=queue("e", DependsOn="D"),
    )
    status, reasons = deploy(
        cloud.client("cloudformation", account), five, RoleARN=f"arn:aws:iam::{account}:role/maker"
    )
    assert status == "ROLLBACK_COMPLETE"
    assert any("not authorized to perform: sns:CreateTopic" in each for each in reasons)
    assert not cloud.client("sqs", account).list_queues().get("QueueUrls")


def test_the_second_stack_that_makes_a_name_fails_and_the_first_keeps_it(cloud: Any, account: str) -> None:
    client = cloud.client("cloudformation", account)
    group = template(Group={"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/one"}})
    assert deploy(client, group)[0] == "CREATE_COMPLETE"
    status, reasons = deploy(client, group, name="second")
    assert status == "ROLLBACK_COMPLETE"
    assert any("already exists" in each for each in reasons)
    assert len(cloud.client("logs", account).describe_log_groups(logGroupNamePrefix="/one")["logGroups"]) == 1


def test_a_stack_is_not_deleted_while_it_is_updated(cloud: Any, account: str) -> None:
    client = cloud.client("cloudformation", account)
    assert deploy(client, template(A=QUEUE))[0] == "CREATE_COMPLETE"
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    wait = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "5"},
    }
    client.update_stack(StackName="truth", TemplateBody=template(A=QUEUE, Handle=handle, Wait=wait))
    with pytest.raises(ClientError, match="UPDATE_IN_PROGRESS"):
        client.delete_stack(StackName="truth")
    assert ended(client, "truth")[0] == "UPDATE_ROLLBACK_COMPLETE"
