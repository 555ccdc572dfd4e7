"""Synthesize one CloudFormation template for each stage into ``templates/``, and what cdk-nag finds in them.

Findings do not stop the synthesis: the pipeline's Scan stage reads the report and stops there, before any deployment.
"""

import argparse
import sys
from pathlib import Path

import aws_cdk as cdk
import cdk_nag

from deploy.endpoint_stack import EndpointStack
from deploy.scan import REPORT
from deploy.settings import STAGES, Project, load_settings

ROOT = Path(__file__).parent


def synth(project: Project, outdir: Path) -> None:
    """Write ``<stage>.template.json`` for every stage, and the report of the AwsSolutions and NIST 800-53 rules."""
    # The CDK's own validation costs seconds and says less than cfn-lint, which the Scan stage runs.
    app = cdk.App(
        outdir=str(outdir), analytics_reporting=False, tree_metadata=False, builtin_cloud_formation_validation=False
    )
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app))
    for stage in STAGES:
        EndpointStack(app, stage, project, load_settings(ROOT / "config" / f"{stage}.yml"))
    try:
        app.synth()
    except RuntimeError:
        # jsii raises for findings as for everything else; only findings leave a report.
        if not (outdir / REPORT).exists():
            raise


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "templates", help="folder of the templates")
    try:
        synth(Project.from_environment(), parser.parse_args().out)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
