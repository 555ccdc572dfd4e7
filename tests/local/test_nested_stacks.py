"""A nested stack goes the way of every stack: with the rights of the one around it, whole or not at all."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from test_cloudformation import make_role

pytestmark = pytest.mark.cloud

RIGHTS = [
    "cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:UpdateStack", "s3:GetObject",
    "ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:PutParameter",
]  # fmt: skip
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Text"}}}
INNER = {
    "Parameters": {"Text": {"Type": "String"}},
    "Resources": {
        "Kept": {
            **PARAMETER,
            "DeletionPolicy": "RetainExceptOnCreate",
            "Properties": {**PARAMETER["Properties"], "Name": "/nested/kept"},  # type: ignore[dict-item]
        },
        "Gone": {
            **PARAMETER,
            "DependsOn": "Kept",
            "Properties": {**PARAMETER["Properties"], "Name": "/nested/gone"},  # type: ignore[dict-item]
        },
    },
    "Outputs": {"Name": {"Value": {"Ref": "Gone"}}},
}


class Nesting:
    """A bucket with the inner template, a role, and the stack around it."""

    def __init__(self, cloud: Any, account: str, rights: list[str]) -> None:
        self.client: Callable[[str], Any] = lambda service: cloud.client(service, account)
        self.bucket = f"templates-{account}"
        if self.bucket not in {each["Name"] for each in self.client("s3").list_buckets()["Buckets"]}:
            location = {"LocationConstraint": "eu-west-1"}
            self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=location)
        self.client("s3").put_object(Bucket=self.bucket, Key="inner.json", Body=json.dumps(INNER).encode())
        self.role = make_role(self.client("iam"), "nesting", rights)

    def around(self, text: str, chosen: str = "yes") -> dict[str, Any]:
        url = {"Fn::Sub": f"https://s3.eu-west-1.${{AWS::URLSuffix}}/{self.bucket}/inner.json"}
        inner = {"TemplateURL": url, "Parameters": {"Text": text}}
        template = {
            "Parameters": {"Choice": {"Type": "String"}},
            "Rules": {
                "Known": {
                    "Assertions": [
                        {"Assert": {"Fn::Contains": [["yes", "no"], {"Ref": "Choice"}]}, "AssertDescription": "yes, no"}
                    ]
                }
            },
            "Conditions": {"Chosen": {"Fn::Equals": [{"Ref": "Choice"}, "yes"]}},
            "Resources": {
                "Always": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
                "Inner": {"Type": "AWS::CloudFormation::Stack", "Condition": "Chosen", "Properties": inner},
            },
            "Outputs": {"Name": {"Condition": "Chosen", "Value": {"Fn::GetAtt": ["Inner", "Outputs.Name"]}}},
        }
        return {
            "StackName": "outer",
            "TemplateBody": json.dumps(template),
            "RoleARN": self.role,
            "Parameters": [{"ParameterKey": "Choice", "ParameterValue": chosen}],
        }

    def deploy(self, verb: str, request: dict[str, Any]) -> str:
        """Create, update or delete the outer stack; return what failed first, or nothing."""
        cloudformation = self.client("cloudformation")
        getattr(cloudformation, f"{verb}_stack")(**request)
        waiting = {"StackName": "outer", "WaiterConfig": {"Delay": 1, "MaxAttempts": 60}}
        try:
            cloudformation.get_waiter(f"stack_{verb}_complete").wait(**waiting)
        except WaiterError:
            events = cloudformation.describe_stack_events(StackName="outer")["StackEvents"]
            return next(each["ResourceStatusReason"] for each in reversed(events) if "FAILED" in each["ResourceStatus"])
        return ""

    def values(self) -> dict[str, str]:
        found = self.client("ssm").get_parameters(Names=["/nested/kept", "/nested/gone"])["Parameters"]
        return {each["Name"]: each["Value"] for each in found}

    def nested(self) -> list[str]:
        listed = self.client("cloudformation").list_stacks()["StackSummaries"]
        alive = [each for each in listed if each["StackStatus"] != "DELETE_COMPLETE"]
        return [each["StackName"] for each in alive if each["StackName"].startswith("outer-Inner-")]


def test_a_nested_stack_is_made_changed_and_removed_and_keeps_what_has_to_stay(cloud: Any, account: str) -> None:
    made = Nesting(cloud, account, RIGHTS)
    assert made.deploy("create", made.around("first")) == ""
    assert made.values() == {"/nested/kept": "first", "/nested/gone": "first"}
    assert len(made.nested()) == 1
    outer = made.client("cloudformation").describe_stacks(StackName="outer")["Stacks"][0]
    assert outer["Outputs"][0]["OutputValue"] == "/nested/gone"
    assert made.deploy("update", made.around("second")) == ""
    assert made.values() == {"/nested/kept": "second", "/nested/gone": "second"}
    assert made.deploy("delete", {"StackName": "outer", "RoleARN": made.role}) == ""
    assert made.values() == {"/nested/kept": "second"}
    assert made.nested() == []


def test_a_choice_that_was_not_made_makes_nothing(cloud: Any, account: str) -> None:
    made = Nesting(cloud, account, RIGHTS)
    assert made.deploy("create", made.around("first", chosen="no")) == ""
    assert made.values() == {}


def test_a_choice_that_nobody_offers_is_refused(cloud: Any, account: str) -> None:
    made = Nesting(cloud, account, RIGHTS)
    cloudformation = made.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="yes, no"):
        cloudformation.create_stack(**made.around("first", chosen="other"))


@pytest.mark.parametrize("missing", ["ssm:PutParameter", "s3:GetObject", "cloudformation:CreateStack"])
def test_a_right_that_is_missing_inside_is_named_and_nothing_stays(cloud: Any, account: str, missing: str) -> None:
    made = Nesting(cloud, account, [each for each in RIGHTS if each != missing])
    assert missing in made.deploy("create", made.around("first"))
    assert made.values() == {}
    assert made.nested() == []
