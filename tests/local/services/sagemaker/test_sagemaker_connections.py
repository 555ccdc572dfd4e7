"""What a model server's answer may be like on the wire, and what is no answer."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mlops_foundation.local.services.sagemaker.hosting.connections import Connections, Response, ServerGoneError

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\n1,2"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n1,\r\n1\r\n2\r\n0\r\n\r\n"


def talk(folder: Path, answers: list[list[bytes]], ask: Callable[[Connections], Awaitable[None]]) -> int:
    """Serve answers in pieces, one list a request; an empty one closes. Return how many connections were opened."""
    opened = 0
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while left:
            try:
                await reader.readuntil(b"\r\n\r\nrow")
            except asyncio.IncompleteReadError:
                break
            for piece in left.pop(0) or [b""]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
                if not piece:
                    break
            else:
                continue
            break
        writer.close()

    async def run() -> None:
        server = await asyncio.start_unix_server(serve, folder / "http")
        async with server:
            connections = Connections(folder / "http")
            await ask(connections)
            connections.close()
            await asyncio.sleep(0)

    asyncio.run(run())
    return opened


async def invoke(connections: Connections) -> Response:
    return await connections.request("POST", "/invocations", {"Accept": "text/csv"}, b"row")


@pytest.mark.parametrize(
    "answer",
    [[WHOLE], [CHUNKED], [WHOLE[:9], WHOLE[9:40], WHOLE[40:]], [CHUNKED[:60], CHUNKED[60:]]],
    ids=["whole", "chunked", "in pieces", "chunked in pieces"],
)
def test_an_answer_is_read_however_it_comes_and_the_connection_used_again(tmp_path: Path, answer: list[bytes]) -> None:
    async def ask(connections: Connections) -> None:
        for _ in range(3):
            response = await invoke(connections)
            assert (response.status, response.body) == (200, b"1,2")

    assert talk(tmp_path, [answer] * 3, ask) == 1


def test_headers_are_found_in_lower_case_and_an_empty_body_is_one(tmp_path: Path) -> None:
    async def ask(connections: Connections) -> None:
        response = await invoke(connections)
        assert (response.status, response.headers["x-reason"], response.body) == (204, "none", b"")

    talk(tmp_path, [[b"HTTP/1.1 204 No Content\r\nX-Reason: none\r\n\r\n"]], ask)


def test_a_server_that_closes_after_its_answer_gets_a_new_connection(tmp_path: Path) -> None:
    closing = WHOLE.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")

    async def ask(connections: Connections) -> None:
        assert (await invoke(connections)).body == (await invoke(connections)).body == b"1,2"

    assert talk(tmp_path, [[closing], [closing]], ask) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [([], "closed before"), ([WHOLE[:30], b""], "closed before"), ([b"SSH-2.0-server\r\n\r\n"], "no HTTP")],
    ids=["nothing", "a part", "no HTTP"],
)
def test_what_is_no_whole_answer_is_a_server_that_is_gone(tmp_path: Path, answer: list[bytes], reason: str) -> None:
    async def ask(connections: Connections) -> None:
        with pytest.raises(ServerGoneError, match=reason):
            await invoke(connections)

    talk(tmp_path, [answer], ask)


def test_what_is_idle_is_closed_and_a_later_request_opens_anew(tmp_path: Path) -> None:
    async def ask(connections: Connections) -> None:
        await invoke(connections)
        connections.close()
        await asyncio.sleep(0)
        await invoke(connections)

    assert talk(tmp_path, [[WHOLE], [WHOLE]], ask) == 2


def test_no_server_is_a_server_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ServerGoneError):
        asyncio.run(invoke(Connections(tmp_path / "nobody")))
