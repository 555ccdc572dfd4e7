"""``mlops synth`` of the example configuration against a CDK app with one stack and one bucket."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure, median_seconds, run
from mlops_foundation.usecases.init import Answers, write_config

RUNS = 3
TRIVIAL = """
import sys
from mlops_foundation.core import node
node.use()
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
app = cdk.App(outdir=sys.argv[1])
s3.Bucket(cdk.Stack(app, "Trivial"), "Bucket")
app.synth()
"""
MLOPS = "from mlops_foundation.cli.app import main; main()"


def figures(folder: Path) -> Iterator[Figure]:
    """Yield the figure; every run is a process of its own, as a person would start it."""
    write_config(folder / "mlops.yaml", Answers())

    def ours() -> None:
        run([sys.executable, "-c", MLOPS, "synth", "-o", "ours"], folder)

    def trivial() -> None:
        run([sys.executable, "-c", TRIVIAL, "trivial"], folder)

    mine, baseline = median_seconds(RUNS, ours, trivial)
    yield Figure("synth of four accounts, with products and bootstrap", mine, "CDK app with one bucket", baseline, "s")
