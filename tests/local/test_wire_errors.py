"""Errors as every SDK reads them: written once, parsed back by botocore's own parsers."""

import asyncio
from typing import Any

import pytest
from botocore.parsers import create_parser

from mlops_foundation.local.contract import ServiceError
from mlops_foundation.local.wire_errors import protocol_of, refuse, write_error

MESSAGE = 'role "a" may not <do> this & that'


def parsed(protocol: str, status: int, headers: dict[str, str], body: bytes) -> Any:
    """Return what botocore makes of an answer."""
    lower = {name.lower(): value for name, value in headers.items()}
    return create_parser(protocol).parse({"status_code": status, "headers": lower, "body": body}, None)


@pytest.mark.parametrize(
    ("written", "read"),
    [("json", "json"), ("json", "rest-json"), ("query", "query"), ("ec2", "ec2"), ("rest-xml", "rest-xml")],
)
def test_code_and_sentence_arrive_in_every_protocol(written: Any, read: str) -> None:
    status, headers, body = write_error(ServiceError("AccessDenied", MESSAGE, 403), written)
    answer = parsed(read, status, headers, body)
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == ("AccessDenied", MESSAGE)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status == 403


def test_members_of_the_errors_shape_go_with_it() -> None:
    error = ServiceError("ModelError", "it failed", 424, {"OriginalStatusCode": 500})
    answer = parsed("rest-json", *write_error(error, "json"))
    assert answer["Error"]["Message"] == "it failed"
    assert b'"OriginalStatusCode": 500' in write_error(error, "json")[2]


def signed_for(service: str) -> dict[str, str]:
    return {"authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/20261121/eu-west-1/{service}/aws4_request, Signed"}


FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("headers", "query", "protocol"),
    [
        (signed_for("iam") | FORM, "", "query"),
        (signed_for("ec2") | FORM, "", "ec2"),
        (signed_for("s3"), "", "rest-xml"),
        (signed_for("route53") | {"content-type": "text/xml"}, "", "rest-xml"),
        ({}, "X-Amz-Credential=AKIA%2F20261121%2Feu-west-1%2Fs3%2Faws4_request", "rest-xml"),
        (signed_for("sagemaker"), "", "json"),
        ({}, "", "json"),
    ],
)
def test_an_error_is_in_the_protocol_of_its_request(headers: dict[str, str], query: str, protocol: str) -> None:
    assert protocol_of(headers, query) == protocol


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_the_endpoint_refuses_before_any_service_in_the_same_words(method: str) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"method": method, "headers": [(b"Authorization", signed_for("s3")["authorization"].encode())]}
    asyncio.run(refuse(ServiceError("Unreachable", MESSAGE, 403), scope, send))
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    if method == "HEAD":
        assert body["body"] == b""
    else:
        assert int(headers["content-length"]) == len(body["body"])
        assert parsed("rest-xml", start["status"], headers, body["body"])["Error"]["Code"] == "Unreachable"
