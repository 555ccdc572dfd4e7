"""Git's smart HTTP protocol in front of the bare repositories, with CodeCommit's sign-in and rights.

``git upload-pack`` and ``git receive-pack`` do the work as child processes; bodies stream through. A push is read up
to the end of its list of references first, so that every reference is authorized before git sees a byte.

Source: git's Documentation/gitprotocol-http and gitprotocol-pack.
"""

import asyncio
import base64
import binascii
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mlops_foundation.local.contract import Check, Cloud, Json, Principal, Scope, ServiceError, Store
from mlops_foundation.local.git_login import GitLogin
from mlops_foundation.local.services.codecommit.repositories import (
    REPOSITORY,
    announce,
    open_repository,
    repository_arn,
)
from mlops_foundation.local.services.codecommit.repository import NO_COMMIT, GitRepository, git_environment

Receive = Callable[..., Awaitable[Any]]
Send = Callable[..., Awaitable[Any]]
Command = tuple[str, str, str]
"""Reference, old commit, new commit."""
ROUTE = re.compile(r"/v1/repos/(?P<name>[\w.-]+)/(?P<endpoint>info/refs|git-upload-pack|git-receive-pack)")
SERVICES = {"git-upload-pack": "upload-pack", "git-receive-pack": "receive-pack"}
ACTIONS = {"upload-pack": "codecommit:GitPull", "receive-pack": "codecommit:GitPush"}
CHUNK = 65536
FLUSH = b"0000"
PREFIX_BYTES = 4


class HttpError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Visit:
    """One signed-in request for one repository."""

    principal: Principal
    scope: Scope
    record: Json
    program: str
    protocol: str

    @property
    def arn(self) -> str:
        """ARN of the repository."""
        return repository_arn(self.scope, self.record["repositoryName"])


class GitHttp:
    """The ASGI application below ``/v1/repos/``."""

    def __init__(self, cloud: Cloud, records: Store) -> None:
        self._cloud = cloud
        self._records = records

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._answer(scope, receive, send)
        except HttpError as error:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            if error.status == 401:  # noqa: PLR2004  the status that asks for a password
                headers.append((b"www-authenticate", b'Basic realm="CodeCommit"'))
            await send({"type": "http.response.start", "status": error.status, "headers": headers})
            await send({"type": "http.response.body", "body": f"{error.message}\n".encode()})

    async def _answer(self, scope: Json, receive: Receive, send: Send) -> None:
        headers = {key.decode().lower(): value.decode() for key, value in scope["headers"]}
        match = ROUTE.fullmatch(scope["path"])
        if match is None:
            raise HttpError(404, "not a git address")
        advertise = match["endpoint"] == "info/refs"
        asked = scope["query_string"].decode().removeprefix("service=") if advertise else match["endpoint"]
        if asked not in SERVICES:
            raise HttpError(403, "only git's smart HTTP protocol is served")
        program = SERVICES[asked]
        visit = await asyncio.to_thread(self._sign_in, match["name"], program, headers)
        await asyncio.to_thread(self._authorize, visit, None)
        repository = open_repository(self._cloud, visit.scope, match["name"])
        if advertise:
            await _advertise(repository, visit, send)
            return
        body = _body(receive, gzipped=headers.get("content-encoding") == "gzip")
        if program == "upload-pack":
            await _run(repository, visit, body, send)
        else:
            await self._push(repository, visit, body, send)

    async def _push(self, repository: GitRepository, visit: Visit, body: AsyncIterator[bytes], send: Send) -> None:
        head, commands = await _read_commands(body)
        for reference, _, _ in commands:
            await asyncio.to_thread(self._authorize, visit, reference)

        def finish() -> None:
            self._after_push(repository, visit, commands)

        await _run(repository, visit, _joined(head, body), send, finish)

    def _after_push(self, repository: GitRepository, visit: Visit, commands: list[Command]) -> None:
        now_at = repository.references()
        for reference, old, new in commands:
            if now_at.get(reference, NO_COMMIT) != new:
                continue  # git refused this one
            if reference.startswith("refs/heads/") and new != NO_COMMIT and repository.default_branch() is None:
                repository.set_default_branch(reference.removeprefix("refs/heads/"))
            announce(self._cloud, visit.principal, visit.scope, visit.record, (reference, old, new))

    def _sign_in(self, name: str, program: str, headers: dict[str, str]) -> Visit:
        login = _login(headers.get("authorization", ""))
        if login is None or not login.fresh():
            raise HttpError(403, "The password is not a signature, or it is older than 15 minutes")
        principal = self._cloud.principal_for(login.access_key_id, login.session_token)
        if principal is None:
            raise HttpError(403, "The security token included in the request is invalid")
        host = headers.get("host", "").split(":")[0]
        secret = principal.credentials.secret_access_key
        for scope in self._records.scopes():
            record = self._records.get(scope, REPOSITORY, name)
            signed = login.signed_by(secret, host=host, path=f"/v1/repos/{name}", region=scope.region)
            if scope.account == principal.account and signed:
                if record is None:
                    raise HttpError(404, f"The repository {name} does not exist in {scope.region}")
                return Visit(principal, scope, record, program, headers.get("git-protocol", ""))
        raise HttpError(403, "The signature is not that of this repository's address and region")

    def _authorize(self, visit: Visit, reference: str | None) -> None:
        context = {"codecommit:References": reference} if reference else {}
        check = Check(ACTIONS[visit.program], visit.arn, context)
        try:
            self._cloud.admit_call(visit.principal, "git-codecommit")
            self._cloud.authorize(visit.principal, check, region=visit.scope.region)
        except ServiceError as error:
            raise HttpError(403, error.message) from error


def _login(authorization: str) -> GitLogin | None:
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        raise HttpError(401, "Sign in with the password of a CodeCommit credential helper")
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise HttpError(400, "The authorization header is not base64") from error
    return GitLogin.parse(username, password)


async def _body(receive: Receive, *, gzipped: bool) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(31) if gzipped else None
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        chunk = message.get("body", b"")
        yield inflate.decompress(chunk) if inflate else chunk


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


async def _read_commands(body: AsyncIterator[bytes]) -> tuple[bytes, list[Command]]:
    """Read a push up to the flush packet that ends its commands; return those bytes and the commands."""
    head, position = b"", 0
    commands: list[Command] = []
    async for chunk in body:
        head += chunk
        while len(head) >= position + PREFIX_BYTES:
            prefix = head[position : position + PREFIX_BYTES]
            if prefix == FLUSH:
                return head, commands
            size = _packet_size(prefix)
            if len(head) < position + size:
                break
            line = head[position + PREFIX_BYTES : position + size].split(b"\0")[0].decode("utf-8", "replace").strip()
            position += size
            if not line.startswith(("shallow ", "push-cert")):
                old, new, reference = line.split(" ", 2)
                commands.append((reference, old, new))
    raise HttpError(400, "The push ends before its list of references does")


def _packet_size(prefix: bytes) -> int:
    try:
        size = int(prefix, 16)
    except ValueError as error:
        raise HttpError(400, "Not a git packet") from error
    if size <= PREFIX_BYTES:
        raise HttpError(400, "Not a git packet")
    return size


def _start(service: str, suffix: str) -> Json:
    headers = [
        (b"content-type", f"application/x-git-{service}-{suffix}".encode()),
        (b"cache-control", b"no-cache, max-age=0, must-revalidate"),
    ]
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def _process(repository: GitRepository, visit: Visit, *extra: str) -> asyncio.subprocess.Process:
    environment = git_environment({"GIT_PROTOCOL": visit.protocol} if visit.protocol else None)
    return await asyncio.create_subprocess_exec(
        "git",
        visit.program,
        "--stateless-rpc",
        *extra,
        str(repository.folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )


async def _advertise(repository: GitRepository, visit: Visit, send: Send) -> None:
    process = await _process(repository, visit, "--http-backend-info-refs")
    found, _ = await process.communicate()
    banner = f"# service=git-{visit.program}\n"
    await send(_start(visit.program, "advertisement"))
    await send({"type": "http.response.body", "body": f"{len(banner) + 4:04x}{banner}0000".encode() + found})


async def _run(
    repository: GitRepository,
    visit: Visit,
    body: AsyncIterator[bytes],
    send: Send,
    finish: Callable[[], None] | None = None,
) -> None:
    """Stream a request through git; ``finish`` is called before the client sees the end of the answer."""
    process = await _process(repository, visit)
    feeding = asyncio.create_task(_feed(process, body))
    try:
        await send(_start(visit.program, "result"))
        stdout = process.stdout
        while stdout and (chunk := await stdout.read(CHUNK)):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await feeding
        await process.wait()
        if finish:
            await asyncio.to_thread(finish)
        await send({"type": "http.response.body", "body": b""})
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _feed(process: asyncio.subprocess.Process, body: AsyncIterator[bytes]) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    try:
        async for chunk in body:
            stdin.write(chunk)
            await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # git has read what it needs, or has given up and says why on its output
    finally:
        stdin.close()
