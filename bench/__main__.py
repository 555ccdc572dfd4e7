"""``python -m bench``: all figures of one run as a table, or as JSON."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import cloud, deploy, endpoint, pipeline, synth
from bench.measure import Figure, Machine, MeasurementError
from mlops_foundation.core import clock
from mlops_foundation.local.runtimes import Runtimes, cache_folder

_ROW = "{:<54} {:>10} {:<5} {:>10} {:<5} {:>7}   {}"


def figures(folder: Path) -> Iterator[Figure]:
    """Yield every figure, as soon as it is there."""
    yield from synth.figures(folder)
    yield from deploy.figures(folder)
    runtime = Runtimes(cache_folder(), dict(os.environ)).get(cloud.IMAGE, _say)
    with cloud.running(folder / "cloud") as running:
        yield from pipeline.figures(running, runtime, folder)
        yield from endpoint.figures(running, runtime, folder)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    machine, started = Machine(), clock.now()
    done = []
    if not as_json:
        print(_ROW.format("measured", "ours", "", "baseline", "", "ratio", "baseline is"), flush=True)
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
        for each in figures(Path(folder)):
            done.append(each)
            if not as_json:
                print(_line(each), flush=True)
    about = machine.as_dict()
    if as_json:
        found = {"date": started.date().isoformat(), "machine": about, "figures": [each.as_dict() for each in done]}
        print(json.dumps(found, indent=2))
        return
    print(f"{about['cores']} cores, {about['processor']}, Python {about['python']}; "
          f"{about['stolen_percent']} % of the machine's time went to other guests of its host")  # fmt: skip


def _line(each: Figure) -> str:
    ours, theirs = f"{each.value:.2f}", f"{each.baseline:.2f}"
    return _ROW.format(each.name, ours, each.unit, theirs, each.unit, f"{each.ratio:.2f}", each.baseline_name)


if __name__ == "__main__":
    try:
        main()
    except MeasurementError as error:
        sys.exit(f"nothing to compare: {error}")
