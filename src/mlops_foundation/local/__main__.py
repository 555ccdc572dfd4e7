"""The process of the local cloud: ``python -m mlops_foundation.local --state-dir DIR --port N``."""

import argparse
import asyncio
import logging
import os
import signal
from pathlib import Path

from mlops_foundation.local import server


async def _serve(state_dir: Path, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with server.serving(server.build(state_dir, port), port):
        await stop.wait()
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
