"""The load generator counts what it is told to count: a benchmark that measures wrongly is worse than none."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import bench.load
    import bench.measure

    yield bench
    for name in [name for name in sys.modules if name.split(".")[0] == "bench"]:
        del sys.modules[name]


class Server:
    """Answers every request after a pause; knows how many were under way at once."""

    def __init__(self, status: int = 200, pause_s: float = 0.0) -> None:
        self.status, self.pause_s = status, pause_s
        self.tasks: set[asyncio.Task[None]] = set()
        self.connections = self.answered = self.most = self._now = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.split(b"Content-Length: ")[1].split()[0]))
                self._now += 1
                self.most = max(self.most, self._now)
                await asyncio.sleep(self.pause_s)
                self._now -= 1
                self.answered += 1
                writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 2\r\n\r\nok".encode())


def measure(load: Any, server: Server, count: int, concurrency: int, timeout_s: float = 10) -> Any:
    found = load.Load()

    async def work() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        requests = [b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"] * count
        try:
            await load.send(lambda: asyncio.open_connection("127.0.0.1", port), requests, concurrency, timeout_s, found)
        finally:
            listening.close()
            for task in server.tasks:
                task.cancel()
            await asyncio.gather(*server.tasks, return_exceptions=True)

    asyncio.run(work())
    return found


def test_every_request_is_sent_once_over_connections_that_stay_open(bench: Any) -> None:
    server = Server()
    found = measure(bench.load, server, 50, 4)
    assert (server.answered, server.connections, len(found.latencies_s)) == (50, 4, 50)


def test_as_many_are_under_way_as_there_are_connections_and_their_time_is_seen(bench: Any) -> None:
    server = Server(pause_s=0.02)
    found = measure(bench.load, server, 16, 8)
    assert server.most == 8
    assert min(found.latencies_s) >= 0.02
    assert 0.04 <= found.seconds < 0.3
    assert found.per_second == pytest.approx(16 / found.seconds)


def test_an_answer_that_is_an_error_ends_the_measurement(bench: Any) -> None:
    with pytest.raises(bench.measure.MeasurementError, match="answered 500: b'ok'"):
        measure(bench.load, Server(500), 1, 1)


def test_a_server_that_hangs_ends_the_measurement(bench: Any) -> None:
    with pytest.raises(TimeoutError):
        measure(bench.load, Server(pause_s=5), 1, 1, timeout_s=0.1)


def test_quantiles_are_of_the_ordered_latencies(bench: Any) -> None:
    found = bench.load.Load([n / 1000 for n in range(100, 0, -1)], 2.0)
    assert found.quantile(0.5) == pytest.approx(51)
    assert found.quantile(0.99) == pytest.approx(100)
    assert found.per_second == 50


def test_a_ratio_is_ours_over_the_baselines(bench: Any) -> None:
    figure = bench.measure.Figure("synth", 3.0, "trivial", 2.0, "s")
    assert figure.as_dict()["ratio"] == 1.5


def test_works_are_warmed_up_and_then_run_in_turn(bench: Any) -> None:
    order: list[str] = []
    bench.measure.median_seconds(2, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b", "a", "b", "a", "b"]
