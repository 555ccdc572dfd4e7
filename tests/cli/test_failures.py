"""What goes wrong around a command: one form in text and JSON, an exit code, and no traceback but a bug's."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from jsii.errors import JSIIError

from mlops_foundation.cli import output
from mlops_foundation.cli.app import run
from mlops_foundation.core.errors import FoundationError, Interrupted, MachineError
from mlops_foundation.usecases import plan
from mlops_foundation.usecases.calls import aws_errors
from mlops_foundation.usecases.failures import explained
from mlops_foundation.usecases.init import Answers, write_config

PROGRAM = "from mlops_foundation.cli.app import main; main()"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("MLOPS_TARGET", "MLOPS_STATE_DIR", "MLOPS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(output, "out", output._console(stderr=False))
    monkeypatch.setattr(output, "err", output._console(stderr=True))
    write_config(tmp_path / "mlops.yaml", Answers())
    return tmp_path


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``mlops plan`` fail in its use case."""

    def fail(config: Path) -> Any:
        raise error

    monkeypatch.setattr(plan, "load_and_plan", fail)


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (["plna"], "there is no command plna", "did you mean: mlops plan"),
        (["local", "strt"], "there is no command strt", "did you mean: mlops local start"),
        (["local", "xyz"], "there is no command xyz", "mlops local --help"),
        (["plan", "--cots"], "there is no option --cots", "did you mean: --cost"),
        (["project", "describe"], "the argument NAME is missing", "for example: mlops project describe churn"),
        (["project", "create", "churn"], "the option --cost-center is missing", "for example: mlops project create"),
        (["local", "start", "--port", "80"], "--port cannot be used: ", "for example: mlops local start"),
        (["plan", "--target", "aws"], "there is no option --target", "mlops plan --help"),
        (["plan", "extra"], "got unexpected extra argument(s) (extra)", "for example: mlops plan"),
        (["config", "check", "-x", "--config"], "there is no option -x", "mlops config check --help"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_one_error(
    arguments: list[str], what: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"UsageError: {what}" in said.err
    assert fix in said.err
    # Where --json itself is the next argument, it would be taken as a value.
    assert run(["--json", *arguments] if arguments[0] == "plna" else [*arguments, "--json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert list(error) == ["code", "what", "where", "got", "expected", "fix"]
    assert error["code"] == "UsageError"


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local"]) == 2
    said = capsys.readouterr()
    assert "start" in said.out + said.err
    assert "Error" not in said.out + said.err


def denied(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "ListThings")


@pytest.mark.parametrize(
    ("error", "code", "exit_code", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "rows.csv"), "MachineError", 9, "rows.csv"),
        (PermissionError(13, "Permission denied", "mlops.yaml"), "MachineError", 9, "ask who owns it"),
        (OSError(30, "Read-only file system", "/x"), "MachineError", 9, "can be written"),
        (OSError(28, "No space left on device"), "MachineError", 9, "free some space"),
        (ConnectionResetError(104, "Connection reset by peer"), "MachineError", 9, "mlops local status"),
        (JSIIError("EACCES: permission denied, mkdir '/x'\n at y"), "SynthError", 5, "EACCES: permission denied"),
        (NoCredentialsError(), "AccessDenied", 6, "mlops config credentials"),
        (
            EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com/"),
            "MachineError",
            9,
            "HTTPS_PROXY",
        ),
        (EndpointConnectionError(endpoint_url="http://localhost:4566/"), "LocalCloudError", 7, "mlops local status"),
        (denied("ExpiredToken"), "AccessDenied", 6, "sign in again"),
        (denied("UnrecognizedClientException"), "AccessDenied", 6, "sign in again"),
        (denied("AccessDeniedException", "you may not"), "AccessDenied", 6, "you may not"),
        (denied("ThrottlingException", "slow"), "DeployError", 6, "wait a moment"),
    ],
)
def test_an_error_of_others_is_explained(
    error: Exception,
    code: str,
    exit_code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(monkeypatch, error)
    assert run(["plan"]) == exit_code
    shown = capsys.readouterr()
    assert f"{code}: " in shown.err
    assert said in " ".join(shown.err.split())
    assert shown.out == ""
    assert run(["plan", "--json"]) == exit_code
    (found,) = json.loads(capsys.readouterr().out)["errors"]
    assert found["code"] == code


@pytest.mark.parametrize("error", [ValueError("a bug"), RuntimeError("a bug"), denied("ValidationException")])
def test_a_bug_keeps_its_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, error)
    with pytest.raises(type(error)) as raised:
        run(["plan"])
    assert raised.value is error
    assert any(entry.name == "fail" for entry in raised.traceback)


def test_the_same_is_said_where_a_use_case_knows_what_it_worked_on() -> None:
    with pytest.raises(FoundationError) as raised, aws_errors("project churn"):
        raise denied("ExpiredTokenException")
    assert raised.value.as_dicts()[0]["where"] == "project churn"
    assert "sign in again" in raised.value.problems[0].fix
    assert explained(ValueError()) is None


def test_a_folder_that_cannot_be_made_is_one_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").touch()
    assert run(["init", "--yes", "-c", "file/team/mlops.yaml"]) == MachineError.exit_code
    assert "file" in capsys.readouterr().err


def test_an_output_directory_that_cannot_be_made_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["synth", "-o", "/proc/x"]) == 5
    assert "/proc/x" in capsys.readouterr().err


# --- no, nobody, and Ctrl-C -------------------------------------------------------------------------------------------


def test_a_no_and_nobody_to_answer_change_nothing(folder: Path) -> None:
    (folder / ".mlops").mkdir()
    no = subprocess.run(command("local", "reset"), cwd=folder, input="n\n", capture_output=True, text=True, check=False)
    assert (no.returncode, no.stdout.strip()) == (1, "")
    assert "Aborted: nothing was changed: the answer was no" in no.stderr
    nobody = subprocess.run(
        command("local", "reset"), cwd=folder, input="", capture_output=True, text=True, check=False
    )
    assert nobody.returncode == 1
    assert "--yes" in nobody.stderr
    assert (folder / ".mlops").is_dir()


def test_interrupted_work_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Interrupted) as raised, output.progress("deploying", left=("the rest goes on", "do it again")):
        raise KeyboardInterrupt
    assert raised.value.exit_code == 130
    assert raised.value.problems[0].what == "stopped: deploying; the rest goes on"
    assert raised.value.problems[0].fix == "do it again"
    failing(monkeypatch, raised.value)
    assert run(["plan"]) == 130
    assert "the rest goes on" in capsys.readouterr().err
    failing(monkeypatch, KeyboardInterrupt())
    assert run(["plan", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["errors"][0]["what"] == "stopped: mlops plan"


def test_ctrl_c_at_a_question_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # typer turns it into this.
    asked = typer.Abort()
    asked.__context__ = KeyboardInterrupt()
    failing(monkeypatch, asked)
    assert run(["plan"]) == 130


HEARD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""
"""A script's background job, or nohup, starts its programs, and so these tests, with both ignored."""


def command(*arguments: str, program: str = PROGRAM) -> list[str]:
    return [sys.executable, "-c", HEARD + program, *arguments]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_threads_and_child_processes_at_once(folder: Path, number: int, code: int) -> None:
    program = """
import subprocess, sys
from pathlib import Path
from mlops_foundation.core import interrupt
from mlops_foundation.usecases import plan

def work(config):
    def wait(name):
        with subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE, text=True) as process, interrupt.child(process):
            Path(name).write_text(str(process.pid))
            process.stdout.read()
    def hang():
        import time
        time.sleep(60)
    with interrupt.workers(2) as pool:
        for each in (pool.submit(wait, "child"), pool.submit(hang), pool.submit(wait, "never")):
            each.result()

plan.load_and_plan = work
from mlops_foundation.cli.app import main
main()
"""
    with subprocess.Popen(command("plan", program=program), cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: (folder / "child").exists() and (folder / "child").read_text() != "")
        began = time.monotonic()
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == code, said
    assert time.monotonic() - began < 10
    assert "Interrupted: stopped: mlops plan" in said
    assert "Traceback" not in said
    assert not (folder / "never").exists(), "what waited for a thread does not begin"
    child = int((folder / "child").read_text())
    until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2])


def test_a_terminal_that_closes_does_not_stop_the_clearing_away(folder: Path) -> None:
    program = """
import signal, time
from pathlib import Path
from mlops_foundation.core import interrupt
with interrupt.caught():
    try:
        signal.raise_signal(signal.SIGHUP)
    except KeyboardInterrupt:
        signal.raise_signal(signal.SIGHUP)
        with interrupt.held():
            signal.raise_signal(signal.SIGINT)
            Path("cleared").touch()
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            Path("insisted").touch()
"""
    subprocess.run(command(program=program), cwd=folder, check=True)
    assert (folder / "cleared").exists()
    assert (folder / "insisted").exists()


def test_who_reads_only_the_beginning_ends_the_command_quietly(folder: Path) -> None:
    closed = "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1); " + PROGRAM
    done = subprocess.run(command("plan", program=closed), cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


def until(happened: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)
