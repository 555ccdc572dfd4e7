import os
import subprocess

import pytest

from mlops_foundation.core import node
from mlops_foundation.core.errors import SynthError


def test_the_packages_own_node_runs_without_any_on_the_machine() -> None:
    program = node.bin_folder() / "node"
    done = subprocess.run([program, "-p", "6 * 7"], env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "42"


def test_the_cdk_is_told_to_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_NODE", "somebody's")
    node.use()
    assert os.environ["JSII_NODE"] == str(node.bin_folder() / "node")


def test_without_it_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "find_spec", lambda name: None)
    with pytest.raises(SynthError, match="Node") as raised:
        node.bin_folder()
    assert raised.value.problems[0].fix == "make setup"
