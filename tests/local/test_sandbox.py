"""Every way of the sandbox that this machine has keeps the same promises."""

import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from mlops_foundation.core.errors import LocalCloudError
from mlops_foundation.local.sandbox import (
    WITHOUT,
    Bubblewrap,
    RewrittenPaths,
    Running,
    Sandbox,
    UserNamespace,
    Workload,
    probe,
)

BWRAP = shutil.which("bwrap")
BEAT_S = 0.05
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def _available(scratch: Path) -> list[Sandbox]:
    found: list[Sandbox] = [RewrittenPaths()]
    if BWRAP:
        found.append(Bubblewrap(BWRAP))
    if sys.platform == "linux":
        found.append(UserNamespace("unshare"))
    return [sandbox for sandbox in found if sandbox.works(scratch)]


def _require(name: str, scratch: Path) -> Sandbox:
    """Return a way of the sandbox that works here; fail, or skip where this machine says that it has none.

    A machine without namespaces sets ``MLOPS_SANDBOX=paths`` to run jobs at all; one without bubblewrap has no such
    program. Anything else that does not work is a defect.
    """
    found = {sandbox.name: sandbox for sandbox in _available(scratch)}
    if name in found:
        return found[name]
    if os.environ.get(WITHOUT) == "paths" or sys.platform != "linux" or (name == "bubblewrap" and not BWRAP):
        pytest.skip(f"NOT SHOWN on this machine: what {name} promises")
    pytest.fail(f"{name} does not work on this machine; where that is meant to be so, set {WITHOUT}=paths")


@pytest.fixture(params=["bubblewrap", "unshare", "paths"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    return _require(request.param, tmp_path)


def _workload(root: Path, script: str, log: Path) -> Workload:
    return Workload(root, ("/bin/sh", "-c", script), PATH | {"GREETING": "from /opt/ml"}, log)


def _root(tmp_path: Path, name: str = "job") -> Path:
    root = tmp_path / name
    root.mkdir()
    return root


def test_command_writes_below_opt_ml_and_logs(sandbox: Sandbox, tmp_path: Path) -> None:
    root, log = _root(tmp_path), tmp_path / "log"
    run = sandbox.start(_workload(root, 'echo seen "$GREETING"; echo "$0" problem >&2; echo 7 > /opt/ml/answer', log))
    assert run.wait(10) == 0
    assert (root / "answer").read_text() == "7\n"
    assert "seen from " in log.read_text()
    assert "problem" in log.read_text()


def test_exit_code_is_the_commands(sandbox: Sandbox, tmp_path: Path) -> None:
    assert sandbox.start(_workload(_root(tmp_path), "exit 41", tmp_path / "log")).wait(10) == 41


def test_two_workloads_do_not_share_a_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("a", "b"):
        root = _root(tmp_path, name)
        sandbox.start(_workload(root, f"echo {name} > /opt/ml/name", tmp_path / "log")).wait(10)
    assert [(tmp_path / name / "name").read_text() for name in ("a", "b")] == ["a\n", "b\n"]


def test_nothing_of_our_environment_is_inherited(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the platform")
    log = tmp_path / "log"
    sandbox.start(_workload(_root(tmp_path), "env", log)).wait(10)
    assert "of the platform" not in log.read_text()


def test_timeout_ends_the_whole_tree(sandbox: Sandbox, tmp_path: Path) -> None:
    root = _root(tmp_path)
    beat = f"while true; do date +%s%N > /opt/ml/beat; sleep {BEAT_S}; done"
    run = sandbox.start(_workload(root, f"({beat}) & {beat}", tmp_path / "log"))
    with pytest.raises(TimeoutError):
        run.wait(0.5)
    assert not run.alive
    deadline, last = time.monotonic() + 10, "before"
    while last != (last := (root / "beat").read_text()):  # the kernel ends the processes one after the other
        assert time.monotonic() < deadline, "a part of the tree goes on"
        time.sleep(6 * BEAT_S)


def test_workload_outlives_the_thread_that_started_it(sandbox: Sandbox, tmp_path: Path) -> None:
    started: list[Running] = []
    root = _root(tmp_path)
    script = "until test -e /opt/ml/go; do sleep 0.05; done; echo went on > /opt/ml/done"
    workload = _workload(root, script, tmp_path / "log")
    thread = threading.Thread(target=lambda: started.append(sandbox.start(workload)))
    thread.start()
    thread.join()
    (root / "go").touch()
    assert started[0].wait(10) == 0
    assert (root / "done").read_text() == "went on\n"


def test_bubblewrap_hides_the_rest_of_the_machine(tmp_path: Path) -> None:
    bubblewrap = _require("bubblewrap", tmp_path)
    secret, runtime, log = tmp_path / "secret", _root(tmp_path, "runtime"), tmp_path / "log"
    secret.write_text("of another job")
    (runtime / "library").write_text("code")
    script = f"cat {secret}; cat {runtime}/library; touch {runtime}/x; touch /usr/x; grep -c : /proc/net/dev"
    workload = Workload(_root(tmp_path), ("/bin/sh", "-c", script), PATH, log, readable=[runtime], network=False)
    bubblewrap.start(workload).wait(10)
    seen = log.read_text()
    assert "of another job" not in seen
    assert "code" in seen
    assert seen.count("Read-only file system") == 2
    assert seen.splitlines()[-1] == "1", "only loopback is left of the network"


def test_paths_are_rewritten_in_scripts_and_arguments(tmp_path: Path) -> None:
    root = _root(tmp_path)
    (root / "run.sh").write_text("echo done > /opt/ml/result\n")
    workload = Workload(root, ("/bin/sh", "/opt/ml/run.sh"), PATH, tmp_path / "log")
    assert RewrittenPaths().start(workload).wait(10) == 0
    assert (root / "result").read_text() == "done\n"


def test_log_says_when_the_network_cannot_be_cut_off(tmp_path: Path) -> None:
    log = tmp_path / "log"
    workload = Workload(_root(tmp_path), ("/bin/sh", "-c", "echo ran"), PATH, log, network=False)
    assert RewrittenPaths().start(workload).wait(10) == 0
    assert "network isolation is not enforced" in log.read_text()
    assert "ran" in log.read_text()


def test_probe_takes_one_that_works(tmp_path: Path) -> None:
    assert probe(tmp_path).works(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing else is expected")
def test_without_any_sandbox_jobs_run_only_when_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that allows no namespaces; the error is the only thing its user reads."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalCloudError) as raised:
        probe(tmp_path)
    assert "MLOPS_SANDBOX=paths" in raised.value.problems[0].fix
    monkeypatch.setenv("MLOPS_SANDBOX", "paths")
    assert probe(tmp_path).name == "paths"
