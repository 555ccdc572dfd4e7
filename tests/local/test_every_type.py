"""Every CloudFormation type that calls operations: made, each property changed, ended; and every right it needs.

The samples are data (``type_samples``); no type is named here.
"""

import copy
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import jmespath
import pytest
import samples
from type_samples import SAMPLES, Json, Sample, allow, trust

from mlops_foundation.local.resource_types import CALLED_TYPES
from mlops_foundation.local.resource_types.called import CalledType

BY_NAME = {each.type_name: each for each in CALLED_TYPES}
FINAL = ("COMPLETE", "FAILED")
UNCHANGED = {"AWS::IAM::Policy": {"PolicyName"}}


def test_every_type_has_a_sample_and_every_property_it_takes_is_aws_s() -> None:
    assert set(SAMPLES) == set(BY_NAME)
    for name, called in BY_NAME.items():
        read_only = {called.name.property} & called.schema.read_only if called.name else set()
        assert called.properties - read_only <= called.schema.properties - called.schema.read_only, name


class Stack:
    """One stack of a sample, as a test changes it."""

    def __init__(self, cloud: Any, account: str, type_name: str, role_arn: str = "") -> None:
        self.type_name = type_name
        self.sample: Sample = SAMPLES[type_name]
        self.properties: Json = copy.deepcopy(self.sample.properties)
        self._clients = lambda service: cloud.client(service, account)
        self._cloudformation = cloud.client("cloudformation", account)
        self._role = {"RoleARN": role_arn} if role_arn else {}
        self._may = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
        self._account = account

    def template(self, *, alone: bool = False, again: int = 0) -> str:
        resources = dict(self.sample.around)
        if not alone:
            it = {"Type": self.type_name, "Properties": self.properties, "DependsOn": list(resources)}
            resources["It"] = it
        resources[f"Try{again}"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        text = json.dumps({"Resources": resources})
        return text.replace("BUCKET", f"sample-{self._account}")

    def create(self, *, alone: bool = False) -> str:
        self._cloudformation.create_stack(
            StackName="sample", TemplateBody=self.template(alone=alone), OnFailure="ROLLBACK", **self._role, **self._may
        )
        return self._ended()

    def update(self, *, alone: bool = False, again: int = 0, **more: Any) -> str:
        body = self.template(alone=alone, again=again)
        self._cloudformation.update_stack(StackName="sample", TemplateBody=body, **self._may, **more)
        return self._ended()

    def delete(self) -> str:
        stack_id = self._cloudformation.describe_stacks(StackName="sample")["Stacks"][0]["StackId"]
        self._cloudformation.delete_stack(StackName="sample", **self._role)
        return self._ended(stack_id)

    def _ended(self, name: str = "sample") -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status = str(self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            if status.endswith(FINAL) and "CLEANUP" not in status:
                return status
            time.sleep(0.02)
        raise AssertionError(f"the stack stays {status}")

    def physical_id(self) -> str:
        described = self._cloudformation.describe_stack_resource(StackName="sample", LogicalResourceId="It")
        return str(described["StackResourceDetail"]["PhysicalResourceId"])

    def reasons(self) -> list[str]:
        events = self._cloudformation.describe_stack_events(StackName="sample")["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]

    def says(self, name: str) -> Any:
        """Return what the service says of a property, in the template's own words."""
        call, request, path = self.sample.says[name]
        service, operation = call.split()
        filled = json.loads(json.dumps(request).replace("{id}", self.physical_id()))
        return jmespath.search(path, getattr(self._clients(service), operation)(**filled))


@pytest.fixture
def layer(cloud: Any, account: str) -> Iterator[None]:
    """Put a layer where the sample of layers finds it."""
    s3 = cloud.client("s3", account)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("python/part.py", "x = 1\n")
    s3.create_bucket(Bucket=f"sample-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=f"sample-{account}", Key="layer.zip", Body=packed.getvalue())
    return


@pytest.mark.cloud
@pytest.mark.usefixtures("layer")
@pytest.mark.parametrize("type_name", sorted(SAMPLES))
def test_it_is_made_each_property_is_changed_and_it_ends(cloud: Any, account: str, type_name: str) -> None:
    stack = Stack(cloud, account, type_name)
    assert stack.create() == "CREATE_COMPLETE", stack.reasons()
    for name, value in stack.sample.changes.items():
        before = stack.physical_id()
        stack.properties[name] = value
        assert stack.update() == "UPDATE_COMPLETE", (name, stack.reasons())
        replaced = name in BY_NAME[type_name].resource_type().replaced_by
        assert (stack.physical_id() != before) is replaced, name
        if name in stack.sample.says and not replaced:
            said = stack.says(name)
            assert _plain(said) == _plain(value) or (isinstance(value, (dict, list)) and _refers(value)), (name, said)
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def _refers(value: object) -> bool:
    return '"Ref"' in json.dumps(value) or "Fn::" in json.dumps(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_plain(each) for each in value), key=json.dumps)
    return value


def test_what_is_no_property_of_any_type_is_named() -> None:
    for name, sample in SAMPLES.items():
        problems = BY_NAME[name].schema.problems({**sample.properties, "Nonsense": "x"})
        assert "#: extraneous key [Nonsense] is not permitted" in problems, name


@pytest.mark.cloud
def test_what_is_no_property_is_refused_and_nothing_is_made(cloud: Any, account: str) -> None:
    stack = Stack(cloud, account, "AWS::SQS::Queue")
    stack.properties["Nonsense"] = "x"
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert any("#: extraneous key [Nonsense] is not permitted" in reason for reason in stack.reasons())
    assert not cloud.client("sqs", account).list_queues().get("QueueUrls")


def permissions(called: CalledType) -> set[str]:
    """Return what AWS's own handlers of a type are allowed to do, by its schema."""
    handlers = called.schema.document.get("handlers", {})
    return {action for handler in handlers.values() for action in handler.get("permissions", ())}


SAMPLED = samples.shuffled(sorted(SAMPLES), "rights")[: len(SAMPLES) // 10]
"""The tenth of the types that each run looks at; ``make long`` looks at all."""


@pytest.mark.cloud
@pytest.mark.usefixtures("layer")
@pytest.mark.parametrize("type_name", SAMPLED)
def test_each_right_that_it_needs_is_found_by_its_absence(cloud: Any, account: str, type_name: str) -> None:
    find_rights(cloud, account, type_name)


@pytest.mark.long
@pytest.mark.cloud
@pytest.mark.usefixtures("layer")
@pytest.mark.parametrize("type_name", sorted(SAMPLES))
def test_each_right_of_every_type_is_found_by_its_absence(cloud: Any, account: str, type_name: str) -> None:
    find_rights(cloud, account, type_name)


def find_rights(cloud: Any, account: str, type_name: str) -> None:
    """A role begins with no right and gets the one that each failure names, until the resource is made and has gone."""
    iam = cloud.client("iam", account)
    role = iam.create_role(RoleName="maker", AssumeRolePolicyDocument=json.dumps(trust("cloudformation.amazonaws.com")))
    stack = Stack(cloud, account, type_name)
    assert stack.create(alone=True) == "CREATE_COMPLETE", stack.reasons()
    rights: list[str] = ["sts:GetCallerIdentity"]
    for alone in (False, True):
        for attempt in range(25):
            document = json.dumps(allow(rights))
            iam.put_role_policy(RoleName="maker", PolicyName="rights", PolicyDocument=document)
            before = len(stack.reasons())
            status = stack.update(alone=alone, again=attempt, RoleARN=role["Role"]["Arn"])
            reasons = stack.reasons()[: len(stack.reasons()) - before]
            missing = [found[1] for reason in reasons if (found := re.search(r"to perform: (\S+:\w+)", reason))]
            if not missing:
                break
            assert missing[-1] not in rights, reasons
            rights.append(missing[-1])
        assert status == "UPDATE_COMPLETE", stack.reasons()
        assert not reasons
    assert len(rights) > 1, "it is made and ended with no right"
    print(type_name, len(rights) - 1, *rights[1:])  # noqa: T201  shown by -s: the counts in the documentation
    unknown = set(rights[1:]) - permissions(BY_NAME[type_name])
    assert not unknown, f"AWS's handlers call no {sorted(unknown)}; they call {sorted(permissions(BY_NAME[type_name]))}"
