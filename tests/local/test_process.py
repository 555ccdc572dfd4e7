"""The process of the local cloud: one for each state folder, on the port that was asked for, and never without it."""

import shutil
import time
from pathlib import Path

import pytest

from mlops_foundation.core.errors import LocalCloudError
from mlops_foundation.local import process
from mlops_foundation.usecases import local
from ports import free_port

pytestmark = pytest.mark.cloud


def ended(running: process.Running, timeout_s: float = 30) -> bool:
    deadline = time.monotonic() + timeout_s
    while process.alive(running.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not process.alive(running.pid)


def test_a_cloud_whose_folder_is_removed_ends_and_brings_nothing_back(tmp_path: Path) -> None:
    running = process.start(tmp_path / "state", free_port())
    try:
        shutil.rmtree(running.state_dir)
        assert ended(running)
        assert not running.state_dir.exists()
        assert not local.status(running.state_dir).running
    finally:
        if process.alive(running.pid):
            process._children[running.pid].kill()


def test_another_port_is_refused_while_it_runs(tmp_path: Path) -> None:
    running = process.start(tmp_path / "state", free_port())
    try:
        with pytest.raises(LocalCloudError) as raised:
            local.start(running.state_dir, running.port + 1)
        (problem,) = raised.value.problems
        assert str(running.port) in problem.got
        assert "mlops local stop" in problem.fix
        assert local.start(running.state_dir).pid == running.pid
        assert local.start(running.state_dir, running.port).pid == running.pid
    finally:
        # Without its record it ends, and what it holds stays.
        process.record_file(running.state_dir).unlink()
        assert ended(running)
        assert (running.state_dir / "records.sqlite").exists()
