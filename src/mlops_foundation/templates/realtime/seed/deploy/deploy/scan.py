"""Read what cdk-nag found when the templates were synthesized: a finding that nobody answered stops the pipeline.

    python -m deploy.scan FOLDER

prints every finding, and the reason of each one that was acknowledged. Exit code 1 when one was not, or when there is no
report: what was not scanned is not deployed.
"""

import json
import sys
from pathlib import Path
from typing import Any

REPORT = "validation-report.json"


def findings(report: dict[str, Any], kind: str) -> list[str]:
    """Return one line for each finding: ``violations`` or ``suppressedViolations``."""
    return [
        f"{found['ruleName']} at {construct['constructPath']}: {found['description']}"
        for plugin in report["pluginReports"]
        for found in plugin.get(kind, [])
        for construct in found["violatingConstructs"]
    ]


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    path = Path(arguments[0]) / REPORT
    if not path.is_file():
        print(f"there is no {path}: the templates were not scanned", file=sys.stderr)
        return 1
    report = json.loads(path.read_text())
    if not report["pluginReports"]:
        print(f"{path} holds no rules' report: the templates were not scanned", file=sys.stderr)
        return 1
    open_findings = findings(report, "violations")
    print(f"cdk-nag: {len(open_findings)} open, {len(findings(report, 'suppressedViolations'))} acknowledged")
    for line in open_findings:
        print(line, file=sys.stderr)
    return 1 if open_findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
