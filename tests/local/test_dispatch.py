"""From a request to an operation: what is asked before, who calls, what is refused, how it is answered."""

import asyncio
import datetime as dt
import json
from collections.abc import Mapping

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import (
    Call,
    Check,
    Json,
    Principal,
    Reply,
    Scope,
    Service,
    ServiceError,
    operation,
)
from mlops_foundation.local.dispatch import Dispatcher, checks, request_tags
from mlops_foundation.local.members import texts_at, without_system_tags
from mlops_foundation.local.operations import operation_table

DEV = AccountId("222222222222")
SCOPE = Scope(DEV, Region("eu-west-1"))


class Builds(Service):
    """A tiny CodeBuild, which offers four operations."""

    name = "codebuild"
    models = ("codebuild", "sagemaker-runtime")
    namespace = "codebuild"

    @operation(
        resource=lambda service, call, request: call.arn("codebuild", f"project/{request['name']}"),
        context=lambda service, call, request: {"codebuild:source": request["source"]["type"]},
        passes={"serviceRole": "codebuild.amazonaws.com", "secondarySources.auth.resource": "git.example"},
        more=lambda service, call, request: [Check("kms:Encrypt", request.get("encryptionKey", "none"))],
    )
    def create_project(self, call: Call, request: Json) -> Json:
        return {"project": {"name": request["name"], "created": dt.datetime(2024, 5, 6, tzinfo=dt.UTC)}}

    @operation(action="codebuild:ListAll")
    async def list_projects(self, call: Call, request: Json) -> Json:
        await asyncio.sleep(0)
        return {"projects": [call.account, call.region]}

    @operation()
    def delete_project(self, call: Call, request: Json) -> Json:
        if request["name"] == "busy":
            raise ServiceError("InvalidInputException", "it is busy", 409)
        return {"surprise": 1} if request["name"] == "wrong" else {}

    @operation()
    def invoke_endpoint(self, call: Call, request: Json) -> Reply:
        return Reply(request["Body"][::-1], {"Content-Type": request["Accept"]}, 207)

    def batch_get_builds(self, call: Call, request: Json) -> Json:
        raise AssertionError("it carries no declaration, so nobody may call it")


class FakeCloud:
    """Writes down what is asked; refuses the actions of ``denied``."""

    def __init__(self, *denied: str) -> None:
        self.denied = denied
        self.asked: list[Check] = []

    def store(self, service: str) -> None:
        return None

    def authorize(self, principal: Principal, check: Check, *, region: Region) -> None:
        self.asked.append(check)
        if check.action in self.denied:
            raise ServiceError("AccessDeniedException", f"{principal.arn} may not {check.action}")


def service(*denied: str) -> tuple[FakeCloud, Builds, Dispatcher]:
    cloud = FakeCloud(*denied)
    made = Builds(cloud)  # type: ignore[arg-type]
    return cloud, made, Dispatcher(cloud, made)  # type: ignore[arg-type]


def call(cloud: FakeCloud) -> Call:
    return Call(cloud, iam.root_of(DEV), SCOPE)  # type: ignore[arg-type]


def answer(
    dispatcher: Dispatcher, name: str, request: Json, key: str = DEV, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], Json]:
    """Send a request signed as a client does; ministack's check of the signature is not part of this."""
    signed = AWSRequest("POST", "http://localhost:4566/", {"X-Amz-Target": f"CodeBuild_20161006.{name}"}, data="{}")
    SigV4Auth(Credentials(key, "test"), "codebuild", "eu-west-1").add_auth(signed)
    lower = {**{key.lower(): value for key, value in signed.headers.items()}, **(headers or {})}
    status, sent, body = asyncio.run(dispatcher.handle("POST", "/", lower, json.dumps(request).encode(), {}))
    return status, sent, json.loads(body or b"{}")


PROJECT: Json = {
    "name": "churn",
    "source": {"type": "CODEPIPELINE"},
    "artifacts": {"type": "CODEPIPELINE"},
    "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
    "serviceRole": "arn:aws:iam::222222222222:role/build",
}


@pytest.mark.parametrize("name", ["BatchGetBuilds", "StartBuild", "Records", "TagsOf"])
def test_what_is_not_declared_is_not_offered(name: str) -> None:
    with pytest.raises(ServiceError, match=f"codebuild:{name} is not supported by the local cloud") as raised:
        service()[2].offered(name)
    assert raised.value.code == "NotSupportedException"
    assert raised.value.message.endswith("it offers CreateProject, DeleteProject, InvokeEndpoint, ListProjects")


def test_a_service_whose_operation_aws_does_not_have_is_found_before_it_takes_a_request() -> None:
    class Misspelt(Builds):
        @operation()
        def create_projects(self, call: Call, request: Json) -> Json:
            return {}

    with pytest.raises(TypeError, match="Misspelt offers create_projects, which botocore's codebuild and"):
        operation_table(Misspelt)


def test_a_call_asks_for_its_action_what_it_declares_more_and_each_role_it_hands_over() -> None:
    cloud, builds, dispatcher = service()
    auths = [{"auth": {"resource": "arn:one"}}, {"auth": {}}, {}, {"auth": {"resource": "arn:two"}}]
    request = {**PROJECT, "encryptionKey": "arn:key", "secondarySources": auths}
    assert list(checks(builds, dispatcher.offered("CreateProject"), call(cloud), request)) == [
        Check(
            "codebuild:CreateProject",
            "arn:aws:codebuild:eu-west-1:222222222222:project/churn",
            {"codebuild:source": "CODEPIPELINE"},
        ),
        Check("kms:Encrypt", "arn:key"),
        Check("iam:PassRole", PROJECT["serviceRole"], {"iam:PassedToService": "codebuild.amazonaws.com"}),
        Check("iam:PassRole", "arn:one", {"iam:PassedToService": "git.example"}),
        Check("iam:PassRole", "arn:two", {"iam:PassedToService": "git.example"}),
    ]


def test_an_operation_may_be_under_another_action_and_without_a_resource() -> None:
    cloud, builds, dispatcher = service()
    assert list(checks(builds, dispatcher.offered("ListProjects"), call(cloud), {})) == [
        Check("codebuild:ListAll", "*")
    ]


@pytest.mark.parametrize(
    "tags",
    [
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}]},
        {"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]},
        {"tags": {"a": "1", "b": ""}},
    ],
)
def test_tags_of_a_request_are_condition_keys_however_they_are_spelled(tags: Json) -> None:
    assert request_tags(tags) == {"aws:RequestTag/a": "1", "aws:RequestTag/b": "", "aws:TagKeys": ["a", "b"]}


def test_tags_that_are_removed_are_tag_keys_only() -> None:
    assert request_tags({"TagKeys": ["a"]}) == {"aws:TagKeys": ["a"]}
    assert request_tags({"tagKeys": ["a"], "tags": {"b": "1"}})["aws:TagKeys"] == ["b", "a"]


def test_without_tags_there_are_no_condition_keys() -> None:
    assert request_tags({"Tags": None}) == {}
    assert request_tags({"name": "x"}) == {}


def test_an_allowed_call_is_answered_in_the_services_protocol() -> None:
    cloud, _, dispatcher = service()
    status, headers, body = answer(dispatcher, "CreateProject", PROJECT)
    assert (status, headers["Content-Type"]) == (200, "application/x-amz-json-1.1")
    assert body == {"project": {"name": "churn", "created": 1714953600.0}}
    assert [each.action for each in cloud.asked] == ["codebuild:CreateProject", "kms:Encrypt", "iam:PassRole"]


@pytest.mark.parametrize("denied", ["codebuild:CreateProject", "kms:Encrypt", "iam:PassRole"])
def test_one_refusal_is_enough(denied: str) -> None:
    _, _, dispatcher = service(denied)
    status, headers, body = answer(dispatcher, "CreateProject", PROJECT)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "AccessDeniedException")
    assert body == {
        "__type": "AccessDeniedException",
        "message": f"arn:aws:iam::222222222222:root may not {denied}",
    }


def test_an_operation_that_awaits_is_asked_for_as_well() -> None:
    _, _, dispatcher = service("codebuild:ListAll")
    assert answer(dispatcher, "ListProjects", {})[2]["__type"] == "AccessDeniedException"


def test_the_caller_is_who_signed_in_the_region_that_was_signed_for() -> None:
    _, _, dispatcher = service()
    assert answer(dispatcher, "ListProjects", {})[2] == {"projects": [DEV, "eu-west-1"]}


def test_who_did_not_sign_or_signed_with_an_unknown_key_is_nobody() -> None:
    cloud, _, dispatcher = service()
    for key, headers in (("AKIAUNKNOWNUNKNOWN12", {}), (DEV, {"authorization": ""})):  # pragma: allowlist secret
        status, _, body = answer(dispatcher, "ListProjects", {}, key, headers)
        assert (status, body["__type"]) == (403, "UnrecognizedClientException")
    assert cloud.asked == []


@pytest.mark.parametrize("name", ["BatchGetBuilds", "StartBuild", "NoSuchOperation"])
def test_an_operation_that_is_not_offered_is_refused_loudly(name: str) -> None:
    cloud, _, dispatcher = service()
    status, _, body = answer(dispatcher, name, {"ids": ["a"], "projectName": "p"})
    assert (status, body["__type"]) == (400, "NotSupportedException")
    assert name in body["message"]
    assert cloud.asked == []


def test_a_request_outside_the_model_asks_nobody_and_runs_nothing() -> None:
    cloud, _, dispatcher = service()
    assert answer(dispatcher, "CreateProject", {"name": "x"})[2]["__type"] == "ValidationException"
    assert cloud.asked == []


def test_an_error_of_the_service_goes_to_the_client_as_it_is() -> None:
    _, _, dispatcher = service()
    status, _, body = answer(dispatcher, "DeleteProject", {"name": "busy"})
    assert (status, body) == (409, {"__type": "InvalidInputException", "message": "it is busy"})


def test_a_bug_is_an_internal_failure_whose_traceback_is_logged_and_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    _, _, dispatcher = service()
    status, _, body = answer(dispatcher, "DeleteProject", {"name": "wrong"})
    assert (status, body["__type"]) == (500, "InternalFailure")
    assert "surprise" not in body["message"]
    assert "CodeBuild_20161006.DeleteProject failed" in caplog.text
    assert "surprise" in caplog.text


def test_a_reply_is_sent_as_it_is() -> None:
    _, _, dispatcher = service()
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={DEV}/20240506/eu-west-1/sagemaker/aws4_request"}
    headers = {**signed, "accept": "text/plain"}
    sent = asyncio.run(dispatcher.handle("POST", "/endpoints/churn-dev/invocations", headers, b"abc", {}))
    assert sent == (207, {"Content-Type": "text/plain"}, b"cba")


def test_in_process_the_same_is_asked() -> None:
    cloud, _, dispatcher = service("iam:PassRole")
    with pytest.raises(ServiceError, match="iam:PassRole"):
        dispatcher.invoke("CreateProject", call(cloud), PROJECT)
    assert dispatcher.invoke("ListProjects", call(cloud), {}) == {"projects": [DEV, "eu-west-1"]}


class Endpoints(Service):
    """A tiny SageMaker runtime, whose declarations and handlers look at what they are given."""

    name = "endpoints"
    models = ("sagemaker-runtime", "sagemaker")
    namespace = "sagemaker"

    @operation(
        resource=lambda service, call, request: call.arn(service.name, request["EndpointName"]),
        context=lambda service, call, request: {f"{service.name}:caller": call.principal.arn},
        more=lambda service, call, request: [Check(f"{service.name}:More", call.account)],
    )
    def invoke_endpoint_async(self, call: Call, request: Json) -> Json:
        return {"InferenceId": f"{self.name} {call.cloud is self.cloud} {request['EndpointName']}"}

    @operation()
    async def list_endpoints(self, call: Call, request: Json) -> Json:
        await asyncio.sleep(0)
        return {"Endpoints": [], "NextToken": f"{self.name} {call.cloud is self.cloud}"}

    @operation(name="LookInside")
    def look_inside(self, call: Call, request: Json) -> Json:
        return {"seen": request["what"]}

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud


def endpoints() -> tuple[FakeCloud, Endpoints, Dispatcher]:
    cloud = FakeCloud()
    made = Endpoints(cloud)
    return cloud, made, Dispatcher(cloud, made)  # type: ignore[arg-type]


SIGNED = {"authorization": f"AWS4-HMAC-SHA256 Credential={DEV}/20240506/eu-west-1/sagemaker/aws4_request"}
PATH = "/endpoints/churn-dev/async-invocations"


def test_declarations_and_handlers_get_the_service_the_cloud_and_who_calls() -> None:
    cloud, _, dispatcher = endpoints()
    headers = {**SIGNED, "x-amzn-sagemaker-inputlocation": "s3://b/k"}
    status, sent, body = asyncio.run(dispatcher.handle("POST", PATH, headers, b"", {}))
    assert (status, sent) == (200, {"Content-Type": "application/x-amz-json-1.1"})
    assert json.loads(body) == {"InferenceId": "endpoints True churn-dev"}
    assert cloud.asked == [
        Check(
            "sagemaker:InvokeEndpointAsync",
            f"arn:aws:endpoints:eu-west-1:{DEV}:churn-dev",
            {"endpoints:caller": f"arn:aws:iam::{DEV}:root"},
        ),
        Check("endpoints:More", DEV),
    ]


def test_an_operation_that_awaits_gets_them_as_well() -> None:
    _, _, dispatcher = endpoints()
    headers = {**SIGNED, "x-amz-target": "SageMaker.ListEndpoints"}
    status, sent, body = asyncio.run(dispatcher.handle("POST", "/", headers, b"{}", {}))
    assert (status, sent["Content-Type"]) == (200, "application/x-amz-json-1.1")
    assert json.loads(body)["NextToken"] == "endpoints True"


def test_what_is_no_operation_of_the_api_is_called_in_process_only() -> None:
    cloud, made, dispatcher = endpoints()
    assert dispatcher.invoke("LookInside", call(cloud), {"what": 1}) == {"seen": 1}
    assert [each.action for each in cloud.asked] == ["sagemaker:LookInside"]
    with pytest.raises(ServiceError) as raised:
        Dispatcher(cloud, made).offered("look_inside")  # type: ignore[arg-type]
    assert raised.value.message.endswith("it offers InvokeEndpointAsync, ListEndpoints")


def test_in_process_a_request_outside_the_model_runs_nothing() -> None:
    cloud, _, dispatcher = service()
    with pytest.raises(ServiceError) as raised:
        dispatcher.invoke("CreateProject", call(cloud), {"name": "x"})
    assert raised.value.code == "ValidationException"
    assert cloud.asked == []


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}])
def test_who_does_not_sign_at_all_is_told_as_aws_tells_it(headers: dict[str, str]) -> None:
    _, _, dispatcher = endpoints()
    status, _, body = asyncio.run(dispatcher.handle("POST", PATH, headers, b"", {}))
    assert status == 403
    assert json.loads(body)["message"] == "The security token included in the request is invalid."


def test_a_path_that_is_nobodys_is_named_with_its_method() -> None:
    _, _, dispatcher = endpoints()
    status, _, body = asyncio.run(dispatcher.handle("DELETE", "/nothing", SIGNED, b"", {}))
    assert status == 400
    assert "sagemaker:DELETE /nothing is not supported" in json.loads(body)["message"]


def test_only_texts_are_read_at_a_path() -> None:
    value = {"a": [{"b": "x"}, {"b": 1}, {"b": ""}, {"b": ["y", {"c": "z"}]}, {}, "a"]}
    assert list(texts_at(value, "a.b")) == ["x", "y"]
    assert list(texts_at({"b": {"c": 1}}, "b")) == []


@pytest.mark.parametrize(
    ("tags", "own"),
    [
        ({"aws:x": "1", "a": "2"}, {"a": "2"}),
        ([{"Key": "aws:x", "Value": "1"}, {"Key": "a", "Value": "2"}], [{"Key": "a", "Value": "2"}]),
    ],
)
def test_tags_that_aws_sets_are_left_out_in_their_own_shape(tags: object, own: object) -> None:
    assert without_system_tags({"Name": "n", "Tags": tags}) == {"Name": "n", "Tags": own}


def test_properties_without_tags_stay_as_they_are() -> None:
    assert without_system_tags({"Name": "n"}) == {"Name": "n"}


class Tokens(Service):
    """A tiny CodeArtifact, whose requests stand in the query."""

    name = "tokens"
    models = ("codeartifact",)
    namespace = "codeartifact"

    @operation()
    def get_authorization_token(self, call: Call, request: Json) -> Json:
        return {"authorizationToken": f"{request['domain']} for {call.principal.arn}"}


def token(headers: dict[str, str]) -> tuple[int, Json]:
    cloud = FakeCloud()
    dispatcher = Dispatcher(cloud, Tokens(cloud))  # type: ignore[arg-type]
    query = {"domain": ["mlops"]}
    status, _, body = asyncio.run(dispatcher.handle("POST", "/v1/authorization-token", headers, b"", query))
    return status, json.loads(body)


def test_what_stands_in_the_query_is_part_of_the_request() -> None:
    assert token(SIGNED) == (200, {"authorizationToken": f"mlops for arn:aws:iam::{DEV}:root"})


def test_a_session_calls_with_its_own_token_and_with_no_other() -> None:
    who = iam.start_session(f"arn:aws:iam::{DEV}:role/person", "test", "nobody")
    signed = {"authorization": SIGNED["authorization"].replace(DEV, who.credentials.access_key_id)}
    status, said = token({**signed, "x-amz-security-token": str(who.credentials.session_token)})
    assert (status, said) == (200, {"authorizationToken": f"mlops for {who.arn}"})
    status, said = token({**signed, "x-amz-security-token": "another"})
    assert (status, said["__type"]) == (403, "UnrecognizedClientException")
