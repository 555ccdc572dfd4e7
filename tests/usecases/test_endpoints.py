"""Endpoints: the version that is really served, and asking it."""

import io
from pathlib import Path
from typing import Any

import pytest
from fake_aws import DEV, PREPROD, PROD, WHEN, refused, workspace
from fake_pipelines import FakeLogs

from mlops_foundation.core.errors import AccessDenied, ConfigError
from mlops_foundation.usecases import endpoints

PACKAGE = f"arn:aws:sagemaker:eu-west-1:{DEV}:model-package/churn/3"


class FakeSageMaker:
    """Endpoints of the given names, all with version 3."""

    def __init__(self, *names: str, refuse: Exception | None = None) -> None:
        self.names = names
        self.refuse = refuse

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        if self.refuse:
            raise self.refuse
        if EndpointName not in self.names:
            raise refused("ValidationException", f'Could not find endpoint "{EndpointName}".')
        return {"EndpointConfigName": "config-7", "EndpointStatus": "InService", "LastModifiedTime": WHEN}

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N803
        assert EndpointConfigName == "config-7"
        variant = {"ModelName": "model-7", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
        return {"ProductionVariants": [variant]}

    def describe_model(self, ModelName: str) -> dict[str, Any]:  # noqa: N803
        assert ModelName == "model-7"
        return {"PrimaryContainer": {"ModelPackageName": PACKAGE}}

    def describe_project(self, ProjectName: str) -> dict[str, Any]:  # noqa: N803
        if ProjectName != "churn":
            raise refused("ValidationException", f"Project {ProjectName} does not exist")
        return {}

    def list_projects(self, **_: Any) -> dict[str, Any]:
        return {"ProjectSummaryList": [{"ProjectName": "churn"}]}


class FakeRuntime:
    """Echoes what it is asked."""

    def __init__(self, refuse: Exception | None = None) -> None:
        self.refuse = refuse

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        if self.refuse:
            raise self.refuse
        assert request == {
            "EndpointName": "churn-prod",
            "Body": b"1,2",
            "ContentType": "text/csv",
            "Accept": "application/json",
        }
        return {"Body": io.BytesIO("größer".encode())}


def test_every_stage_is_shown_with_what_it_serves_or_that_it_is_absent(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker("churn-dev", "churn-prod"))
    dev, preprod, prod = endpoints.list_endpoints(made, "churn")
    assert (dev.account, preprod.account, prod.account) == (DEV, PREPROD, PROD)
    assert dev == endpoints.Endpoint("dev", DEV, "churn-dev", "InService", PACKAGE, "2 x ml.m5.large", WHEN.isoformat())
    assert preprod == endpoints.Endpoint("preprod", PREPROD, "churn-preprod", "Absent")


def test_it_is_read_in_the_stages_own_account_as_the_role_that_was_asked_for(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker("churn-prod"))
    endpoints.describe(made, "churn", "prod", "churn-test-prod")
    assert made.sessions.asked == [("sagemaker", PROD, "churn-test-prod")]  # type: ignore[attr-defined]


def test_who_may_not_look_is_told_so_and_not_that_it_is_absent(tmp_path: Path) -> None:
    denied = FakeSageMaker(
        refuse=refused("AccessDeniedException", "not authorized to perform: sagemaker:DescribeEndpoint")
    )
    with pytest.raises(AccessDenied, match="DescribeEndpoint") as raised:
        endpoints.list_endpoints(workspace(tmp_path, sagemaker=denied), "churn")
    assert raised.value.problems[0].where == f"endpoint churn-dev in {DEV}"


def test_an_answer_is_the_endpoints_text(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker_runtime=FakeRuntime())
    assert endpoints.invoke(made, "churn", "prod", b"1,2", "text/csv", "application/json", "") == "größer"


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (refused("AccessDeniedException", "not authorized to perform: sagemaker:InvokeEndpoint"), AccessDenied),
        (refused("ValidationError", "Endpoint churn-prod of account 4 does not exist."), ConfigError),
    ],
)
def test_an_endpoint_that_does_not_answer_says_why(tmp_path: Path, refusal: Exception, error: type[Exception]) -> None:
    made = workspace(tmp_path, sagemaker_runtime=FakeRuntime(refusal), sagemaker=FakeSageMaker())
    with pytest.raises(error, match=r"InvokeEndpoint|churn-prod"):
        endpoints.invoke(made, "churn", "prod", b"1,2", "text/csv", "application/json", "")


@pytest.mark.parametrize("stage", ["dev", "preprod", "prod"])
def test_stages_are_known_by_name(stage: str) -> None:
    assert endpoints.check_stage(stage) == stage


@pytest.mark.parametrize("stage", ["production", "Prod", "governance", ""])
def test_an_unknown_stage_is_an_error_with_those_there_are(stage: str) -> None:
    with pytest.raises(ConfigError, match="there is no stage") as raised:
        endpoints.check_stage(stage)
    assert raised.value.problems[0].expected == "one of dev, preprod, prod"


def test_endpoints_of_an_unknown_project_are_an_error_and_not_absent(tmp_path: Path) -> None:
    missing = refused("ValidationError", "Endpoint nosuch-prod of account 4 not found.", "InvokeEndpoint")
    made = workspace(tmp_path, sagemaker=FakeSageMaker(), sagemaker_runtime=FakeRuntime(missing))
    for ask in (
        lambda: endpoints.list_endpoints(made, "nosuch"),
        lambda: endpoints.invoke(made, "nosuch", "prod", b"1", "text/csv", "text/csv", ""),
        lambda: list(endpoints.logs(made, "nosuch", "prod", "")),
    ):
        with pytest.raises(ConfigError, match="there is no project nosuch") as raised:
            ask()
        assert raised.value.problems[0].expected == "one of churn"
    assert [each.status for each in endpoints.list_endpoints(made, "churn")] == ["Absent"] * 3


def test_endpoints_that_a_deleted_project_left_are_still_shown(tmp_path: Path) -> None:
    made = workspace(tmp_path, sagemaker=FakeSageMaker("gone-prod"))
    assert endpoints.list_endpoints(made, "gone")[2].status == "InService"


def test_a_log_of_an_endpoint_is_cut_to_its_end_and_of_none_is_an_error(tmp_path: Path) -> None:
    logs = FakeLogs()
    logs.streams = {("/aws/sagemaker/Endpoints/churn-prod", "AllTraffic/i-1"): ["1", "2", "3"]}
    made = workspace(tmp_path, sagemaker=FakeSageMaker("churn-prod"), logs=logs)
    assert list(endpoints.logs(made, "churn", "prod", "", lines=2)) == ["2", "3"]
    assert list(endpoints.logs(made, "churn", "prod", "")) == ["1", "2", "3"]
    with pytest.raises(ConfigError, match="dev has no endpoint churn-dev"):
        list(endpoints.logs(made, "churn", "dev", ""))


def test_a_log_that_is_followed_goes_on_with_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_POLL_S", 0.0)
    logs = FakeLogs()
    place = ("/aws/sagemaker/Endpoints/churn-prod", "AllTraffic/i-1")
    logs.streams = {place: ["1"]}
    made = workspace(tmp_path, sagemaker=FakeSageMaker("churn-prod"), logs=logs)
    lines = endpoints.logs(made, "churn", "prod", "", follow=True)
    assert next(lines) == "1"
    logs.streams[place].append("2")
    assert next(lines) == "2"
