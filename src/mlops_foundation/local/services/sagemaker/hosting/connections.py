"""HTTP/1.1 to a model server over its unix socket: kept open, reused, as little work per request as it takes."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Final

import httptools

_READ_BYTES: Final = 65_536
_CUT_SHORT: Final = "the connection was closed before the answer was whole"


class ServerGoneError(Exception):
    """The model server closed the connection, is not there or does not speak HTTP."""


class Response:
    """What the model server answered; its parser fills it in.

    Attributes:
        status: HTTP status.
        headers: With names in lower case.
        complete: Whether all of it is there.
        keeps_open: Whether the server takes a further request on this connection.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.keeps_open = False

    @property
    def body(self) -> bytes:
        """Return the body."""
        return bytes(self._body)

    def feed(self, received: bytes) -> None:
        """Take what came; nothing says that the server has closed the connection.

        Raises:
            EOFError: When it closed the connection.
            ServerGoneError: When what came is no HTTP.
        """
        if not received:
            raise EOFError(_CUT_SHORT)
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserError as error:
            message = f"the answer is no HTTP: {error}"
            raise ServerGoneError(message) from error

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body += part

    def on_message_complete(self) -> None:
        """Know that it is all there; the parser forgets the rest after this."""
        self.status, self.keeps_open = self._parser.get_status_code(), self._parser.should_keep_alive()
        self.complete = True


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connections:
    """Open connections to one server; used from one event loop."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)
        self._idle: deque[_Connection] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        """Close what is idle; of any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_idle)

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        """Send one request and return its answer.

        Raises:
            ServerGoneError: When the server is not there or went away while it answered.
        """
        self._loop = asyncio.get_running_loop()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._exchange(connection, message)
            except (OSError, EOFError):
                continue  # it timed out while idle: the server did not take the request
        try:
            return await self._exchange(await asyncio.open_unix_connection(self._socket), message)
        except (OSError, EOFError) as error:
            raise ServerGoneError(str(error)) from error

    async def _exchange(self, connection: _Connection, message: bytes) -> Response:
        reader, writer = connection
        response = Response()
        try:
            writer.write(message)
            while not response.complete:
                response.feed(await reader.read(_READ_BYTES))
        except BaseException:
            writer.close()
            raise
        if response.keeps_open:
            self._idle.append(connection)
        else:
            writer.close()
        return response
