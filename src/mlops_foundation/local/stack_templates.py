"""Where the template of a stack is: an address in S3, read with the rights of who makes the stack."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com")


def place_of(url: str) -> tuple[str, str]:
    """Return bucket and key of an S3 address, path style or virtual-hosted."""
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    match = _VIRTUAL_HOST.fullmatch(parts.netloc)
    if match:
        return match["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def read(s3: Any, url: str) -> str:  # noqa: ANN401  a boto3 client
    """Return the text of a template, read with the rights of the client."""
    bucket, key = place_of(url)
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")
