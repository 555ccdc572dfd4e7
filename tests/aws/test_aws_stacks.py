"""Stacks by a client that plays CloudFormation: what is asked of it, what is waited for, what a failure says."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_foundation.aws import stacks
from mlops_foundation.core.errors import StackFailed

ACCOUNT = "222222222222"


def refusal(message: str, operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, operation)


class FakeCloudFormation:
    """Goes from status to status, one at each look; ``statuses`` is what a change leads to."""

    def __init__(self, status: str = "", *statuses: str, events: list[dict[str, str]] | None = None) -> None:
        self.status = status
        self.statuses = list(statuses)
        self.events = events or []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuse = ""
        self.refusals: list[dict[str, str]] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.statuses and self.status.endswith("IN_PROGRESS"):
            self.status = self.statuses.pop(0)
        if not self.status:
            raise refusal(f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": "Arn", "OutputValue": "arn:x"}]
        return {"Stacks": [{"StackStatus": self.status, "Outputs": outputs}]}

    def _change(self, operation: str, request: dict[str, Any], status: str) -> None:
        self.asked.append((operation, request))
        if self.refuse:
            raise refusal(self.refuse, operation)
        self.status = status

    def create_stack(self, **request: Any) -> None:
        self._change("CreateStack", request, "CREATE_IN_PROGRESS")

    def update_stack(self, **request: Any) -> None:
        self._change("UpdateStack", request, "UPDATE_IN_PROGRESS")

    def delete_stack(self, **request: Any) -> None:
        self.asked.append(("DeleteStack", request))
        self.status = ""

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"StackEvents": self.events}

    def describe_events(self, StackName: str, Filters: dict[str, bool]) -> dict[str, Any]:  # noqa: N803
        assert Filters == {"FailedEvents": True}
        return {"OperationEvents": self.refusals}

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_POLL_S", 0.0)


def deploy(client: FakeCloudFormation) -> stacks.StackState:
    return stacks.deploy(client, ACCOUNT, "mlops-toolkit", "{}", {"Qualifier": "mlops"}, {"CostCenter": "4711"})


def test_what_is_not_there_is_created_and_waited_for() -> None:
    client = FakeCloudFormation("", "CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    state = deploy(client)
    assert client.asked == [
        (
            "CreateStack",
            {
                "StackName": "mlops-toolkit",
                "TemplateBody": "{}",
                "Parameters": [{"ParameterKey": "Qualifier", "ParameterValue": "mlops"}],
                "Tags": [{"Key": "CostCenter", "Value": "4711"}],
                "Capabilities": ["CAPABILITY_NAMED_IAM"],
            },
        )
    ]
    assert state == stacks.StackState(ACCOUNT, "mlops-toolkit", "CREATE_COMPLETE", {"Arn": "arn:x"})
    assert state.complete


def test_what_is_there_is_updated() -> None:
    client = FakeCloudFormation("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert deploy(client).status == "UPDATE_COMPLETE"
    assert client.operations == ["UpdateStack"]


def test_nothing_happens_when_nothing_changed() -> None:
    client = FakeCloudFormation("UPDATE_COMPLETE")
    client.refuse = "No updates are to be performed."
    assert deploy(client).status == "UPDATE_COMPLETE"


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"])
def test_what_can_never_be_updated_is_made_anew(status: str) -> None:
    client = FakeCloudFormation(status, *([status] if status == "REVIEW_IN_PROGRESS" else []), "CREATE_COMPLETE")
    assert deploy(client).complete
    assert client.operations == ["DeleteStack", "CreateStack"]


def test_a_refused_change_is_an_error_with_awss_words() -> None:
    client = FakeCloudFormation("CREATE_COMPLETE")
    client.refuse = "Template format error: unsupported structure."
    with pytest.raises(StackFailed, match="Template format error") as raised:
        deploy(client)
    assert raised.value.problems[0].where == "stack mlops-toolkit in 222222222222"


def event(name: str, status: str, reason: str = "") -> dict[str, str]:
    made = {"LogicalResourceId": name, "ResourceType": "AWS::S3::Bucket", "ResourceStatus": status}
    return made | ({"ResourceStatusReason": reason} if reason else {})


def test_a_failure_is_told_by_the_first_resource_that_failed_for_a_reason_of_its_own() -> None:
    newest_first = [
        event("Other", "DELETE_COMPLETE"),
        event("Later", "CREATE_FAILED", "also wrong"),
        event("Bucket", "CREATE_FAILED", "churn-1 already exists"),
        event("Beside", "CREATE_FAILED", "Resource creation cancelled"),
        event("Bucket", "CREATE_IN_PROGRESS"),
    ]
    client = FakeCloudFormation("", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", events=newest_first)
    with pytest.raises(StackFailed) as raised:
        deploy(client)
    problem = raised.value.problems[0]
    assert problem.what == "Bucket (AWS::S3::Bucket) failed: churn-1 already exists"
    assert problem.got == "ROLLBACK_COMPLETE"
    assert problem.where == "stack mlops-toolkit in account 222222222222"


def test_a_failure_without_a_failed_resource_says_so() -> None:
    client = FakeCloudFormation("", "ROLLBACK_COMPLETE")
    with pytest.raises(StackFailed, match="the stack failed: no resource failed"):
        deploy(client)


def test_what_cloudformation_refuses_before_it_begins_is_told_by_each_resource_and_only_for_the_last_operation() -> (
    None
):
    """The events of the stack say "Validation failed with 2 error(s). Call DescribeEvents" and nothing else."""
    client = FakeCloudFormation("", "ROLLBACK_COMPLETE")
    taken = {"ResourceType": "AWS::S3::Bucket", "ValidationStatusReason": "the name is taken"}
    client.refusals = [
        {"OperationId": "2", "LogicalResourceId": "Data", **taken},
        {"OperationId": "2", "LogicalResourceId": "Models", **taken},
        {"OperationId": "1", "LogicalResourceId": "Old", **taken},
    ]
    with pytest.raises(StackFailed) as raised:
        deploy(client)
    assert [problem.what for problem in raised.value.problems] == [
        "Data (AWS::S3::Bucket): the name is taken",
        "Models (AWS::S3::Bucket): the name is taken",
    ]


def test_pauses_grow_and_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(stacks, "_POLL_S", 1.0)
    monkeypatch.setattr(stacks.time, "sleep", pauses.append)
    stacks.wait(FakeCloudFormation("A_IN_PROGRESS", *["A_IN_PROGRESS"] * 8, "CREATE_COMPLETE"), ACCOUNT, "s")
    assert pauses == sorted(pauses)
    assert pauses[0] == 1.0
    assert pauses[-1] == 5.0


class Denied(FakeCloudFormation):
    """A client whose caller may not look."""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        raise refusal(f"not authorized to describe {StackName}")


def test_a_stack_that_is_absent_is_a_state_and_another_refusal_an_error() -> None:
    assert stacks.describe(FakeCloudFormation(), ACCOUNT, "s").status == "ABSENT"
    with pytest.raises(ClientError, match="not authorized"):
        stacks.describe(Denied(), ACCOUNT, "s")


def test_a_stack_on_its_way_is_waited_for_before_it_is_changed() -> None:
    client = FakeCloudFormation("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_COMPLETE")
    state = stacks.deploy(client, ACCOUNT, "s", "{}", {}, {})
    assert (client.operations, state.status) == (["UpdateStack"], "UPDATE_COMPLETE")
