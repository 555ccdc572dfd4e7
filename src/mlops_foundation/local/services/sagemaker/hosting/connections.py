"""HTTP/1.1 to a model server over its unix socket: kept open, reused, as little work per request as it takes."""

import asyncio
from collections import deque
from dataclasses import dataclass
from pathlib import Path


class ServerGoneError(Exception):
    """The model server closed the connection or is not there."""


@dataclass(frozen=True)
class Response:
    """What the model server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connections:
    """Open connections to one server; used from one event loop."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)
        self._idle: deque[_Connection] = deque()

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        """Send one request and return its answer.

        Raises:
            ServerGoneError: When the server is not there or went away while it answered.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._exchange(connection, message)
            except (OSError, asyncio.IncompleteReadError):
                connection[1].close()  # it timed out while idle: the server did not take the request
        try:
            return await self._exchange(await asyncio.open_unix_connection(self._socket), message)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ServerGoneError(str(error)) from error

    async def _exchange(self, connection: _Connection, message: bytes) -> Response:
        reader, writer = connection
        writer.write(message)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append(connection)
        return Response(status, headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body
