"""The shell of a build, by itself."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_foundation.local import process
from mlops_foundation.local.services.codebuild.shell import BuildShell, DeadlinePassed

SOON = 30.0


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[BuildShell]:
    (tmp_path / "scratch").mkdir()
    with (tmp_path / "log").open("ab", buffering=0) as log:
        made = BuildShell("sh", tmp_path / "scratch", tmp_path, {"PATH": "/usr/bin:/bin"}, log)
        yield made
        made.close()


def run(shell: BuildShell, command: str, within_s: float = SOON) -> int:
    return shell.run(command, time.monotonic() + within_s)


def test_status_and_state_from_command_to_command(shell: BuildShell, tmp_path: Path) -> None:
    assert run(shell, "A=1; cd scratch; false") == 1
    assert run(shell, 'test "$A" = 1 && test "$(basename "$PWD")" = scratch && echo out') == 0
    assert (tmp_path / "log").read_text() == "out\n"


def test_a_command_cannot_read_the_commands_that_follow(shell: BuildShell) -> None:
    assert run(shell, "cat > read; test ! -s read") == 0
    assert run(shell, "true") == 0


def test_after_an_exit_a_new_shell_has_the_exported_state(shell: BuildShell) -> None:
    assert run(shell, "export A='two words'; B=1; cd scratch") == 0
    assert run(shell, "exit 9") == 9
    assert run(shell, 'test "$A" = "two words" && test -z "$B" && test "$(basename "$PWD")" = scratch') == 0


def test_a_failure_under_set_e_ends_the_shell_with_its_status(shell: BuildShell) -> None:
    assert run(shell, "set -e") == 0
    assert run(shell, "false; true") == 1


def test_values_of_variables(shell: BuildShell) -> None:
    run(shell, "A='a\nb'; export B=\"it's\"")
    assert shell.values(["A", "B", "NONE"]) == {"A": "a\nb", "B": "it's", "NONE": ""}


def test_the_deadline_kills_the_command_and_what_it_started(shell: BuildShell, tmp_path: Path) -> None:
    with pytest.raises(DeadlinePassed):
        run(shell, "sh -c 'echo $$ > pid; exec sleep 60' & sleep 60", within_s=2)
    started = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while process.alive(started):
        assert time.monotonic() < deadline, "what the command started goes on"
        time.sleep(0.05)


def test_killing_ends_the_command_and_every_later_one(shell: BuildShell) -> None:
    threading.Timer(0.3, shell.kill).start()
    started = time.monotonic()
    assert run(shell, "sleep 60") != 0
    assert run(shell, "sleep 60") != 0
    assert time.monotonic() - started < 10
