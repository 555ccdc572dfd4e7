"""What the seed's stage Synth does, by its own commands: with a version, and when the execution has been stopped."""

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

BUILDSPEC = files("mlops_foundation.templates.realtime") / "seed" / "deploy" / "buildspec.yml"
PYTHON = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  "-m deploy.resolve") echo "$VERSION" ;;
  app.py) mkdir templates && echo '{}' > templates/dev.template.json ;;
esac
"""


@pytest.mark.parametrize(
    ("version", "calls"),
    [
        ("arn:aws:sagemaker:eu-west-1:222222222222:model-package/churn/3",
         ["-m deploy.resolve", "app.py", "-m pytest --quiet tests/unit"]),
        ("", ["-m deploy.resolve"]),
    ],
    ids=["a version", "stopped"],
)  # fmt: skip
def test_nothing_is_synthesized_for_an_execution_that_has_been_stopped(
    tmp_path: Path, version: str, calls: list[str]
) -> None:
    """Finds a build that synthesizes and tests without a version, for nobody; and one that ends red without reason."""
    spec = yaml.safe_load(BUILDSPEC.read_text(encoding="utf-8"))
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python").write_text(PYTHON)
    (tools / "python").chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "CALLS": str(tmp_path / "calls"), "VERSION": version}
    script = "\n".join(["set -e", *spec["phases"]["build"]["commands"]])
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "calls").read_text().splitlines() == calls
    made = tmp_path / spec["artifacts"]["base-directory"]
    assert list(made.glob(spec["artifacts"]["files"][0])), "CodeBuild fails a build whose artifact matches nothing"
