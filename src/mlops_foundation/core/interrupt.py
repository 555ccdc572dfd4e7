"""Ctrl-C and SIGTERM: the main thread leaves its work by ``KeyboardInterrupt``, and nothing that it started goes on.

Child processes that work for us are ended at once: a thread that reads from one would wait for it, and we for that
thread.
"""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_children: Final[set[subprocess.Popen[str]]] = set()
_received: list[int] = []


@contextmanager
def caught() -> Iterator[None]:
    """Turn the signals that end a program into ``KeyboardInterrupt`` in the main thread while the block runs."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    _received.clear()
    for number in _SIGNALS:
        # What was started to ignore a signal (nohup, a script's background job) goes on ignoring it.
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Let a short piece of work, such as clearing away, come to its end whatever signals arrive."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def received() -> int:
    """Return the signal that ended the work, 0 when none came."""
    return _received[0] if _received else 0


@contextmanager
def child(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a child process when a signal ends us, and when the block is left by an error."""
    _children.add(process)
    try:
        yield
    except BaseException:
        process.terminate()
        raise
    finally:
        _children.discard(process)


@contextmanager
def workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Return a pool of threads whose work is waited for, unless a signal ends us."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
        # Waits in the block's own thread, where a signal arrives.
        pool.shutdown()
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown()
        raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    # A terminal that closes says so more than once; only a person who insists interrupts what clears away.
    if _received and number != signal.SIGINT:
        return
    _received.append(number)
    for process in tuple(_children):
        process.terminate()
    raise KeyboardInterrupt
