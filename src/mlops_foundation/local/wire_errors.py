"""The one writer of errors that go to clients: a code and a sentence in the words of the protocol that was spoken.

Source: the error parsers of botocore (``botocore/parsers.py``), which every SDK agrees with.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

from mlops_foundation.core import clock
from mlops_foundation.local.contract import ServiceError

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
Protocol = Literal["json", "query", "ec2", "rest-xml"]

_SIGNED_FOR: Final = re.compile(r"\d{8}(?:/|%2F)[\w-]+(?:/|%2F)([\w-]+)(?:/|%2F)aws4_request")
_FORM: Final = "application/x-www-form-urlencoded"
_REST_XML: Final = frozenset({"s3", "route53", "cloudfront"})
"""What is signed for by services that answer in XML without a form; all others that take no form answer in JSON."""
_XML: Final[Mapping[Protocol, str]] = {
    "query": "<ErrorResponse><Error>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>",
    "ec2": "<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>",
    "rest-xml": "<Error>{error}<RequestId>{request_id}</RequestId></Error>",
}


def protocol_of(headers: Mapping[str, str], query_string: str = "") -> Protocol:
    """Return the protocol that a request was sent in.

    Args:
        headers: With names in lower case.
        query_string: As it came; a presigned request says there what it was signed for.
    """
    match = _SIGNED_FOR.search(headers.get("authorization", "")) or _SIGNED_FOR.search(query_string)
    service = match.group(1) if match else ""
    if headers.get("content-type", "").startswith(_FORM):
        return "ec2" if service == "ec2" else "query"
    return "rest-xml" if service in _REST_XML else "json"


def write_error(error: ServiceError, protocol: Protocol) -> Answer:
    """Return an error as the SDKs of all languages understand it.

    Args:
        error: What is wrong; its further members are written in JSON only, where shapes of ours have any.
        protocol: What the request was sent in.
    """
    request_id = clock.new_id()
    headers = {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id}
    if protocol == "json":
        # AWS spells the sentence's name in both ways; a shape with members of its own has it in capitals.
        message = {"message": error.message} | ({"Message": error.message} if error.members else {})
        body = json.dumps({"__type": error.code, **message, **error.members})
        return error.status, {"Content-Type": "application/x-amz-json-1.1", **headers}, body.encode()
    side = "Sender" if error.status < 500 else "Receiver"  # noqa: PLR2004  server errors
    inner = f"<Type>{side}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    body = _XML[protocol].format(error=inner, request_id=request_id)
    return error.status, {"Content-Type": "text/xml", **headers}, body.encode()


async def refuse(error: ServiceError, scope: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    """Answer a request with an error of the endpoint itself, before any service has it.

    Args:
        error: What is wrong.
        scope: ASGI's, of the request.
        send: ASGI's.
    """
    sent = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    protocol = protocol_of(sent, scope.get("query_string", b"").decode("latin-1"))
    status, headers, body = write_error(error, protocol)
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*pairs, length]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
