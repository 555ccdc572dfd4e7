"""An error of the endpoint itself, before any service has the request: in the words of the protocol it was sent in."""

import json
from typing import Any
from xml.sax.saxutils import escape

from mlops_foundation.local.contract import ServiceError


async def refuse(error: ServiceError, scope: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    """Answer a request with an error that every SDK understands.

    Args:
        error: What is wrong.
        scope: ASGI's, of the request.
        send: ASGI's.
    """
    headers = {name.lower(): value for name, value in scope["headers"]}
    query = headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")
    if query or b"/s3/" in headers.get(b"authorization", b"") or b"%2Fs3%2F" in scope.get("query_string", b""):
        code, message = escape(error.code), escape(error.message)
        inner = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        kind, body = b"text/xml", (f"<ErrorResponse>{inner}</ErrorResponse>" if query else inner).encode()
    else:
        kind = b"application/json"
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
    answered = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", error.code.encode()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": answered})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
