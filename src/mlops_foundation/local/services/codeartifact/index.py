"""The index of Python packages that a repository serves: the simple API, with CodeArtifact's tokens as passwords.

Plain HTTP, like the rest of the local cloud: pip and uv count localhost as a secure origin.

Source: "Configure and use pip with CodeArtifact" in the CodeArtifact user guide; "Simple repository API" in the Python
packaging user guide.
"""

import asyncio
import base64
import binascii
import html
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.clock import now
from mlops_foundation.local.contract import Check, Cloud, Json, Principal, Scope, ServiceError, Store
from mlops_foundation.local.services.codeartifact.records import (
    TOKEN,
    digest,
    reaches_pypi,
    repository_arn,
    repository_of,
)
from mlops_foundation.local.services.codeartifact.upstream import Link, Upstream, UpstreamError

log = logging.getLogger(__name__)

ROUTE: Final = re.compile(
    r"/d/(?P<domain>[a-z0-9-]+)-(?P<owner>\d{12})/(?P<region>[a-z0-9-]+)/pypi/(?P<repository>[\w.-]+)/simple/"
    r"(?P<package>[A-Za-z0-9._-]+)/(?:(?P<version>[^/]+)/(?P<filename>[^/]+))?"
)
_CHUNK_BYTES: Final = 1 << 18
_DOWNLOADS: Final = 8
_USER: Final = "aws"

Send = Callable[[Any], Awaitable[None]]


class HttpError(Exception):
    """An answer that is no success; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class PackageIndex:
    """The ASGI application below ``/d/``.

    Args:
        cloud: Who may read.
        records: Repositories and tokens.
        upstream: Where packages really come from.
    """

    def __init__(self, cloud: Cloud, records: Store, upstream: Upstream) -> None:
        self._cloud = cloud
        self._records = records
        self._upstream = upstream
        # Threads of its own: a package manager asks for dozens of files at a time, and the cloud has others to serve.
        self._threads = ThreadPoolExecutor(_DOWNLOADS, "package")

    def close(self) -> None:
        """Let no further download begin."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Json, receive: object, send: Send) -> None:
        """Answer one request."""
        del receive
        try:
            await self._answer(scope, send)
        except HttpError as error:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            if error.status == 401:  # noqa: PLR2004  the status that asks for a password
                headers.append((b"www-authenticate", b'Basic realm="CodeArtifact"'))
            await send({"type": "http.response.start", "status": error.status, "headers": headers})
            await send({"type": "http.response.body", "body": f"{error.message}\n".encode()})

    async def _answer(self, scope: Json, send: Send) -> None:
        match = ROUTE.fullmatch(scope["path"])
        if match is None:
            raise HttpError(404, "not an address of a package index")
        if scope["method"] not in {"GET", "HEAD"}:
            raise HttpError(405, "packages can only be read here")
        headers = {key.decode().lower(): value.decode() for key, value in scope["headers"]}
        place = Scope(AccountId(match["owner"]), Region(match["region"]))
        try:
            await self._run(self._let_in, headers.get("authorization", ""), place, match)
            package = re.sub(r"[-_.]+", "-", match["package"]).lower()
            links = await self._run(self._upstream.links, package)
        except UpstreamError as error:
            log.warning("the package index of this machine: %s", error)
            raise HttpError(502, str(error)) from error
        body = scope["method"] == "GET"
        if match["filename"] is None:
            await _page(package, links, send, body=body)
        elif match["filename"] in links:
            await self._file(links[match["filename"]], send, body=body)
        else:
            raise HttpError(404, f"{package} has no file {match['filename']}")

    def _let_in(self, authorization: str, place: Scope, match: re.Match[str]) -> None:
        principal = self._principal(authorization, match["domain"], place)
        arn = repository_arn(place, match["domain"], match["repository"])
        try:
            self._cloud.admit_call(principal, "codeartifact.repositories")
            record = repository_of(self._records, place, match["domain"], match["repository"])
            check = Check("codeartifact:ReadFromRepository", arn)
            self._cloud.authorize(principal, check, region=place.region)
        except ServiceError as error:
            raise HttpError(404 if error.status == 404 else 403, error.message) from error  # noqa: PLR2004
        if not reaches_pypi(self._records, place, record):
            raise HttpError(404, f"{match['repository']} holds no packages: it has no external connection")

    def _principal(self, authorization: str, domain: str, place: Scope) -> Principal:
        kind, _, value = authorization.partition(" ")
        if kind.lower() != "basic":
            raise HttpError(401, "Sign in as user aws with a token of GetAuthorizationToken")
        try:
            user, _, token = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise HttpError(400, "The authorization header is not base64") from error
        record = self._records.get(place, TOKEN, digest(token)) if user == _USER else None
        if record is None or record["domain"] != domain or record["expires"] < now().timestamp():
            raise HttpError(401, "The token is unknown, expired or of another domain")
        principal = self._cloud.principal_for(record["access_key_id"])
        if principal is None:
            raise HttpError(401, "The session that the token was made with has ended")
        return principal

    async def _file(self, link: Link, send: Send, *, body: bool) -> None:
        kept = self._upstream.file(link)
        chunks = _read(kept) if kept else self._upstream.fetch(link)
        headers = [(b"content-type", b"application/octet-stream")]
        if kept:
            headers.append((b"content-length", str(kept.stat().st_size).encode()))
        if not body:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        try:
            first = await self._run(next, chunks, b"")
        except UpstreamError as error:
            raise HttpError(502, str(error)) from error
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in self._each(chunks):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _each(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        while chunk := await self._run(next, chunks, b""):
            yield chunk

    async def _run(self, work: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401  what work returns
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


async def _page(package: str, links: dict[str, Link], send: Send, *, body: bool) -> None:
    if not links:
        raise HttpError(404, f"there is no package {package}")
    anchors = "".join(_anchor(link) for link in links.values())
    name = html.escape(package)
    text = f"<!DOCTYPE html><html><head><title>Links for {name}</title></head><body>{anchors}</body></html>"
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(text.encode())).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode() if body else b""})


def _anchor(link: Link) -> str:
    fragment = f"#sha256={link.sha256}" if link.sha256 else ""
    said = "".join(f' {name}="{html.escape(value)}"' for name, value in link.attributes.items())
    target = f"{quote(link.version)}/{quote(link.filename)}{fragment}"
    return f'<a href="{html.escape(target)}"{said}>{html.escape(link.filename)}</a><br>\n'


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
