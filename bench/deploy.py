"""Four sets of accounts brought up by one command, against one set: bootstrap and deploy, from an empty local cloud."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.cloud import free_port
from bench.measure import Figure, median_seconds, run
from mlops_foundation.local import process

RUNS = 2
SETS = 4
MLOPS = "from mlops_foundation.cli.app import main; main()"


def figures(folder: Path) -> Iterator[Figure]:
    """Yield the figure; every run begins with an empty cloud, and without an assembly."""
    four, one = median_seconds(RUNS, _bring_up(folder / "four", SETS), _bring_up(folder / "one", 1))
    yield Figure(f"bootstrap and deploy of {SETS} sets at once", four, "one set", one, "s")


def _bring_up(folder: Path, count: int) -> Callable[[], None]:
    def work() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "mlops.yaml").write_text(json.dumps(_config(count)), encoding="utf-8")
        process.start(folder / ".mlops", free_port())
        try:
            for command in ("bootstrap", "deploy"):
                run([sys.executable, "-c", MLOPS, command], folder)
        finally:
            process.stop(folder / ".mlops")

    return work


def _config(count: int) -> dict[str, object]:
    sets = [
        {
            "name": f"team-{index}",
            "prefix": f"team{index}",
            "accounts": {
                "governance": "1" * 12,
                **{
                    stage: f"{index}{str(digit) * 11}"
                    for digit, stage in enumerate(("dev", "preprod", "prod"), start=2)
                },
            },
        }
        for index in range(count)
    ]
    return {"region": "eu-west-1", "sets": sets, "tags": {"CostCenter": "0"}}
