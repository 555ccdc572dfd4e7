"""What goes over the wire, against botocore: its serializer writes the requests and its parser reads the answers."""

import datetime as dt
import json
import re
from typing import Any

import boto3
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from mlops_foundation.local import wire
from mlops_foundation.local.contract import ServiceError

WHEN = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
SAGEMAKER = ("sagemaker", "sagemaker-runtime")


def sent(service: str, operation: str, **members: Any) -> tuple[wire.Route, dict[str, str], bytes]:
    """Return the route, headers and body of a request as botocore writes it."""
    model = wire.operation_model(service, operation)
    request = create_serializer(model.service_model.metadata["protocol"]).serialize_to_request(members, model)
    headers = {name.lower(): value for name, value in request["headers"].items()}
    services = SAGEMAKER if service in SAGEMAKER else (service,)
    found = wire.route(services, request["method"], request["url_path"], headers.get("x-amz-target", ""))
    assert found is not None
    body = request["body"]
    return found, headers, body if isinstance(body, bytes) else str(body).encode()


def read(service: str, operation: str, **members: Any) -> dict[str, Any]:
    return wire.read_request(*sent(service, operation, **members))


def answered(service: str, operation: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return what botocore's parser makes of our answer."""
    model = wire.operation_model(service, operation)
    answer = {"status_code": 200, "headers": {}, "body": wire.write_response(model, response)}
    parsed = create_parser(model.service_model.metadata["protocol"]).parse(answer, model.output_shape)
    del parsed["ResponseMetadata"]
    return dict(parsed)


def problems(service: str, operation: str, request: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as raised:
        wire.validate(wire.operation_model(service, operation).input_shape, request)
    assert (raised.value.code, raised.value.status) == ("ValidationException", 400)
    return raised.value.message


def test_a_json_request_is_found_by_its_target() -> None:
    found, _, _ = sent("codebuild", "BatchGetBuilds", ids=["a"])
    assert found.operation.name == "BatchGetBuilds"


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "/", "CodeBuild_20161006.Nothing"),
        ("POST", "/", "CodePipeline_20150709.ListPipelines"),
        ("POST", "/", ""),
        ("GET", "/endpoints/churn-dev/invocations", ""),
    ],
)
def test_what_no_model_has_is_no_route(method: str, path: str, target: str) -> None:
    assert wire.route(("codebuild",), method, path, target) is None
    assert wire.route(SAGEMAKER, method, path, target) is None


def test_a_rest_request_is_found_by_its_path_whose_values_are_unquoted() -> None:
    found = wire.route(SAGEMAKER, "POST", "/endpoints/churn%2Ddev/invocations", "")
    assert found is not None
    assert (found.operation.name, found.path_values) == ("InvokeEndpoint", {"EndpointName": "churn-dev"})


def test_a_rest_request_takes_path_headers_and_the_body_as_it_is() -> None:
    body = bytes(range(256))
    found = read(
        "sagemaker-runtime", "InvokeEndpoint", EndpointName="churn-dev", ContentType="text/csv", Accept="*/*", Body=body
    )
    assert found == {"EndpointName": "churn-dev", "ContentType": "text/csv", "Accept": "*/*", "Body": body}


def test_a_json_request_keeps_nested_values() -> None:
    request = {
        "ModelPackageGroupName": "churn",
        "Tags": [{"Key": "CostCenter", "Value": "4711"}, {"Key": "empty", "Value": ""}],
    }
    assert read("sagemaker", "CreateModelPackageGroup", **request) == request


@given(content=st.binary(max_size=200))
def test_a_blob_arrives_as_it_was_sent(content: bytes) -> None:
    put = {"filePath": "a", "fileContent": content}
    request = {"repositoryName": "r", "branchName": "main", "putFiles": [put]}
    assert read("codecommit", "CreateCommit", **request)["putFiles"] == [put]


def test_a_timestamp_arrives_as_a_time_with_its_zone() -> None:
    found = read("sagemaker", "ListModelPackages", CreationTimeAfter=WHEN)
    assert found == {"CreationTimeAfter": WHEN}


@pytest.mark.parametrize("text", [1714979289, 1714979289.0, "2024-05-06T07:08:09Z", "2024-05-06T09:08:09+02:00"])
def test_every_spelling_of_a_timestamp_is_the_same_time(text: Any) -> None:
    found, headers, _ = sent("sagemaker", "ListModelPackages")
    request = wire.read_request(found, headers, json.dumps({"CreationTimeAfter": text}).encode())
    assert request["CreationTimeAfter"] == WHEN


def test_members_that_the_model_does_not_know_and_null_are_left_out() -> None:
    found, headers, _ = sent("codebuild", "BatchGetBuilds", ids=["a"])
    body = json.dumps({"ids": ["a"], "newer": {"x": 1}}).encode()
    assert wire.read_request(found, headers, body) == {"ids": ["a"]}
    found, headers, _ = sent("codebuild", "ListProjects")
    assert wire.read_request(found, headers, b'{"sortBy": null}') == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b'["a"]', "not a JSON object"),
        (b'{"repositoryName": "r", "branchName": "b", "putFiles": [{"filePath": "a", "fileContent": "%"}]}', "base64"),
        (b'{"repositoryName": "r", "branchName": "b", "putFiles": [{"filePath": "a", "fileContent": 1}]}', "base64"),
    ],
)
def test_a_body_outside_the_protocol_is_a_serialization_error(body: bytes, said: str) -> None:
    found, headers, _ = sent("codecommit", "CreateCommit", repositoryName="r", branchName="b")
    with pytest.raises(ServiceError, match=said) as raised:
        wire.read_request(found, headers, body)
    assert raised.value.code == "SerializationException"


def test_a_wrong_timestamp_is_a_serialization_error() -> None:
    found, headers, _ = sent("sagemaker", "ListModelPackages")
    with pytest.raises(ServiceError, match="'yesterday' is not a timestamp") as raised:
        wire.read_request(found, headers, b'{"CreationTimeAfter": "yesterday"}')
    assert raised.value.code == "SerializationException"


# --- validation: the sentences that AWS says --------------------------------------------------------------------------


def test_a_missing_member() -> None:
    assert problems("codebuild", "BatchGetBuilds", {}) == (
        "1 validation error detected: Value null at 'ids' failed to satisfy constraint: Member must not be null"
    )


def test_a_value_outside_its_enum() -> None:
    said = problems("sagemaker", "UpdateModelPackage", {"ModelPackageArn": "arn", "ModelApprovalStatus": "Yes"})
    assert (
        "Value 'Yes' at 'modelApprovalStatus' failed to satisfy constraint: Member must satisfy enum value set: ["
        in said
    )
    assert "PendingManualApproval" in said


def test_a_value_outside_its_pattern() -> None:
    said = problems("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "with space"})
    assert said.endswith(
        "Value 'with space' at 'modelPackageGroupName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


@pytest.mark.parametrize(
    ("name", "limit"), [("", "greater than or equal to 1"), ("a" * 101, "less than or equal to 100")]
)
def test_a_text_outside_its_length(name: str, limit: str) -> None:
    said = problems("codecommit", "CreateRepository", {"repositoryName": name})
    assert f"Value at 'repositoryName' failed to satisfy constraint: Member must have length {limit}" in said


def test_a_number_outside_its_range() -> None:
    said = problems("sagemaker", "ListModelPackages", {"MaxResults": 101})
    assert said.endswith("'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100")


def test_a_list_outside_its_length() -> None:
    said = problems("codebuild", "BatchGetBuilds", {"ids": []})
    assert said.endswith(
        "Value at 'ids' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )


def test_all_problems_at_once_each_with_its_path() -> None:
    request = {
        "ModelPackageGroupName": "churn",
        "InferenceSpecification": {"Containers": [{"Image": "i"}, {"ModelDataUrl": 1}]},
        "Tags": [{"Key": "a"}],
    }
    said = problems("sagemaker", "CreateModelPackage", request)
    assert said.startswith("2 validation errors detected: ")
    assert re.findall(r"at '([^']+)'", said) == [
        "inferenceSpecification.containers.2.member.modelDataUrl",
        "tags.1.member.value",
    ]


@pytest.mark.parametrize("value", [True, 1.5, "10"])
def test_a_number_is_no_boolean_fraction_or_text(value: Any) -> None:
    said = problems("sagemaker", "ListModelPackages", {"MaxResults": value})
    assert said.endswith("Value at 'maxResults' failed to satisfy constraint: Member must be a integer")


def test_keys_and_values_of_a_map_are_checked() -> None:
    said = problems(
        "sagemaker",
        "CreateModelPackage",
        {"CustomerMetadataProperties": {"": "x", "k" * 129: "x", "good": 1}},
    )
    assert said.startswith("3 validation errors")
    assert "'customerMetadataProperties.' failed to satisfy constraint: Member must have length greater" in said
    assert f"'customerMetadataProperties.{'k' * 129}'" in said
    assert "'customerMetadataProperties.good' failed to satisfy constraint: Member must be a string" in said


def test_a_pattern_that_python_does_not_know_lets_everything_through() -> None:
    shape = wire.operation_model("sagemaker", "CreateModelPackageGroup").input_shape
    wire.validate(shape, {"ModelPackageGroupName": "churn", "ModelPackageGroupDescription": "größer ✓"})


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_read_back_by_botocore() -> None:
    response = {
        "ModelPackageSummaryList": [
            {
                "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:222222222222:model-package/churn/1",
                "ModelPackageVersion": 1,
                "CreationTime": WHEN,
                "ModelPackageStatus": "Completed",
                "ModelPackageDescription": None,
            }
        ],
        "NextToken": None,
    }
    parsed = answered("sagemaker", "ListModelPackages", response)
    (summary,) = parsed.pop("ModelPackageSummaryList")
    assert parsed == {}
    assert summary.pop("CreationTime") == WHEN
    assert summary == {
        "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:222222222222:model-package/churn/1",
        "ModelPackageVersion": 1,
        "ModelPackageStatus": "Completed",
    }


@given(content=st.binary(max_size=200))
def test_a_blob_is_answered_as_it_is(content: bytes) -> None:
    assert answered("codecommit", "GetBlob", {"content": content}) == {"content": content}


def test_a_member_that_the_model_does_not_have_is_our_own_bug() -> None:
    model = wire.operation_model("codebuild", "BatchGetBuilds")
    with pytest.raises(ValueError, match=r"BatchGetBuilds answers members that its model has not: \['build'\]"):
        wire.write_response(model, {"build": []})


def test_an_operation_without_output_answers_nothing() -> None:
    assert wire.write_response(wire.operation_model("sagemaker", "DeleteModelPackageGroup"), {}) == b""


def test_a_model_is_read_once() -> None:
    assert wire.service_model("codebuild") is wire.service_model("codebuild")
    assert (
        wire.service_model("codebuild").service_id
        == boto3.client("codebuild", "eu-west-1").meta.service_model.service_id
    )
