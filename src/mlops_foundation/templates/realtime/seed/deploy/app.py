"""Synthesize one CloudFormation template for each stage into ``templates/``.

Run by the pipeline's Synth stage, and again with ``--check`` by its Scan stage: what is scanned is what is deployed.
"""

import argparse
import json
import sys
from pathlib import Path

import aws_cdk as cdk
import cdk_nag

from deploy.endpoint_stack import EndpointStack
from deploy.settings import STAGES, Project, load_settings

ROOT = Path(__file__).parent


def synth(project: Project, outdir: Path, *, check: bool) -> None:
    """Write ``<stage>.template.json`` for every stage; with ``check``, run the AwsSolutions rules over them."""
    # The CDK's own validation costs seconds and says less than cfn-lint, which the Scan stage runs.
    app = cdk.App(
        outdir=str(outdir), analytics_reporting=False, tree_metadata=False, builtin_cloud_formation_validation=False
    )
    if check:
        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    for stage in STAGES:
        EndpointStack(app, stage, project, load_settings(ROOT / "config" / f"{stage}.yml"))
    app.synth()


def main() -> int:
    """Synthesize, and say what the rules found when they ran."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "templates", help="folder of the templates")
    parser.add_argument("--check", action="store_true", help="run cdk-nag; findings make the exit code 1")
    arguments = parser.parse_args()
    try:
        synth(Project.from_environment(), arguments.out, check=arguments.check)
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    report = arguments.out / "validation-report.json"
    if arguments.check and report.exists():
        failed = [found for found in json.loads(report.read_text())["pluginReports"] if found["conclusion"] != "success"]
        print(json.dumps(failed, indent=1) if failed else "cdk-nag: no findings")
        return 1 if failed else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
