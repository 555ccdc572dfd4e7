"""A demo touches its own folder and no other, and leaves what somebody wanted to keep."""

import json
import subprocess
from pathlib import Path

import pytest

from mlops_foundation.core.errors import ConfigError, FoundationError, LocalCloudError
from mlops_foundation.usecases.demo import Demo
from mlops_foundation.usecases.demo_folder import MARKER, DemoFolder
from mlops_foundation.usecases.init import Answers, write_config


@pytest.fixture
def folder(tmp_path: Path) -> DemoFolder:
    return DemoFolder(tmp_path / "demo")


def left_running(folder: DemoFolder, *, keep: bool = True, process: int = 0) -> None:
    """Leave what a demo that has ended leaves, with some state of its cloud."""
    folder.take(keep=keep, force=False)
    marker = json.loads((folder.path / MARKER).read_text())
    (folder.path / MARKER).write_text(json.dumps({**marker, "process": process}))
    folder.state_dir.mkdir()
    (folder.state_dir / "records.sqlite").touch()


def test_an_ended_demo_leaves_nothing(folder: DemoFolder) -> None:
    left_running(folder, keep=False)
    (folder.path / ".mlops-assembly").mkdir()
    folder.remove()
    assert not folder.path.exists()


@pytest.mark.parametrize("name", ["mlops.yaml", "notes.txt", ".mlops"])
@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_somebody_is_never_touched(folder: DemoFolder, name: str, *, force: bool) -> None:
    folder.path.mkdir()
    (folder.path / name).mkdir() if name == ".mlops" else (folder.path / name).write_text("mine")
    before = sorted(folder.path.rglob("*"))

    class Quiet:
        def line(self, text: str) -> None: ...

        def pipeline(self, state: object) -> None: ...

    running = Demo(folder, 0, Quiet(), force=force)
    with pytest.raises(ConfigError) as raised:
        next(running.run())
    running.stop()
    assert "not the demo's own" in raised.value.what
    assert "--folder" in raised.value.problems[0].fix
    assert sorted(folder.path.rglob("*")) == before


def test_what_was_kept_is_replaced_only_by_force(folder: DemoFolder) -> None:
    left_running(folder)
    with pytest.raises(ConfigError) as raised:
        folder.take(keep=False, force=False)
    (problem,) = raised.value.problems
    assert problem.got == "a local cloud that is stopped"
    for way in ("mlops endpoint list", "mlops local reset --yes", "mlops demo --force"):
        assert way in problem.fix
    assert (folder.state_dir / "records.sqlite").exists()
    folder.take(keep=False, force=True)
    assert not folder.state_dir.exists()


def test_a_demo_that_was_killed_is_cleared_away(folder: DemoFolder) -> None:
    left_running(folder, keep=False)
    folder.take(keep=False, force=False)
    assert not folder.state_dir.exists()


def test_a_changed_configuration_is_work_of_somebody(folder: DemoFolder) -> None:
    left_running(folder, keep=False)
    folder.config_file.write_text(folder.config_file.read_text() + "# mine\n")
    with pytest.raises(ConfigError):
        folder.take(keep=False, force=False)


def test_a_demo_under_way_is_not_ended_by_another(folder: DemoFolder) -> None:
    with subprocess.Popen(["bash", "-c", "exec -a mlops sleep 60"]) as other:
        try:
            left_running(folder, keep=False, process=other.pid)
            with pytest.raises(LocalCloudError, match="under way"):
                folder.take(keep=False, force=True)
        finally:
            other.kill()
    assert folder.state_dir.exists()


def test_files_that_somebody_put_beside_it_stay(folder: DemoFolder) -> None:
    left_running(folder, keep=False)
    (folder.path / "churn-build").mkdir()
    folder.remove()
    assert [each.name for each in folder.path.iterdir()] == ["churn-build"]
    with pytest.raises(FoundationError):
        folder.take(keep=False, force=False)


def test_a_file_is_no_folder(folder: DemoFolder) -> None:
    folder.path.write_text("")
    with pytest.raises(ConfigError):
        folder.take(keep=False, force=True)


def test_a_platform_of_its_own_there_is_not_taken_for_a_demo(folder: DemoFolder) -> None:
    folder.path.mkdir()
    write_config(folder.config_file, Answers())
    with pytest.raises(ConfigError):
        folder.take(keep=True, force=True)
    assert folder.config_file.exists()


def test_the_folder_that_somebody_stands_in_is_emptied_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal of ``.`` failed, and hid why the demo had."""
    monkeypatch.chdir(tmp_path)
    folder = DemoFolder(Path())
    left_running(folder, keep=False)
    folder.remove()
    assert list(tmp_path.iterdir()) == []
