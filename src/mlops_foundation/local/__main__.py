"""The process of the local cloud: ``python -m mlops_foundation.local --state-dir DIR --port N``."""

import argparse
import asyncio
import logging
import os
import shutil
import signal
from pathlib import Path
from typing import Final

from mlops_foundation.local import process, server
from mlops_foundation.local.store import RECORDS

_LOOK_EVERY_S: Final = 1.0


async def _end_without(record: Path, stop: asyncio.Event) -> None:
    """End the cloud when its folder, or the record that names it, is gone: nobody could find it, nor stop it, any more.

    The record is written by who starts the cloud, a moment after it; who starts it by hand writes none.
    """
    named = False
    while not stop.is_set():
        now = process.named_in(record) == os.getpid()
        if (named and not now) or not (record.parent / RECORDS).exists():
            logging.getLogger(__name__).warning("%s is gone, or names another cloud: this one ends", record)
            stop.set()
        named = named or now
        await asyncio.sleep(_LOOK_EVERY_S)


async def _serve(state_dir: Path, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with server.serving(server.build(state_dir, port), port):
        watching = asyncio.create_task(_end_without(process.record_file(state_dir), stop))
        await stop.wait()
        watching.cancel()
        removed = not any(path.exists() for path in (process.record_file(state_dir), state_dir / RECORDS))
    if removed:
        # Somebody has removed the folder; what was saved just now would bring a part of it back.
        shutil.rmtree(state_dir, ignore_errors=True)
    # Everything is saved. asyncio would join threads that still wait for a stack or a job: they must not hold us up.
    logging.shutdown()
    os._exit(0)


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_serve(arguments.state_dir.absolute(), arguments.port))


if __name__ == "__main__":
    main()
