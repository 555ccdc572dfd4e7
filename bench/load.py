"""A small load generator: a fixed number of requests over a fixed number of connections that stay open.

Every request is written whole before the clock starts, so that what it costs to make and sign one is not in the figure.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from bench.measure import MeasurementError

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass
class Load:
    """What was measured: one latency for each request, and the time that all took.

    Attributes:
        latencies_s: From writing a request to having read its answer.
        seconds: From the first request to the last answer, over all rounds.
    """

    latencies_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def quantile(self, share: float) -> float:
        """Return the latency that this share of the requests did not exceed, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return len(self.latencies_s) / self.seconds


async def send(connect: Connect, requests: Sequence[bytes], concurrency: int, timeout_s: float, into: Load) -> None:
    """Send all requests and add what was measured; an answer other than 200 ends the measurement.

    Args:
        connect: Opens a connection.
        requests: Whole HTTP/1.1 requests.
        concurrency: Connections; each has one request under way.
        timeout_s: For all of them.
        into: Takes the figures.
    """
    waiting = iter(requests)

    async def worker() -> None:
        reader, writer = await connect()
        with contextlib.closing(writer):
            for request in waiting:
                started = time.perf_counter()
                writer.write(request)
                status, body = await _answer(reader)
                into.latencies_s.append(time.perf_counter() - started)
                if status != HTTPStatus.OK:
                    raise MeasurementError(f"the server answered {status}: {body[:500]!r}")

    started = time.perf_counter()
    await asyncio.wait_for(asyncio.gather(*(worker() for _ in range(concurrency))), timeout_s)
    into.seconds += time.perf_counter() - started


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in head if line.startswith(b"content-length:")), None)
    if length is None:
        raise MeasurementError("the server did not say how long its answer is")
    return int(head[0].split()[1]), await reader.readexactly(length)
