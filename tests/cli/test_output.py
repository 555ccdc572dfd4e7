"""Progress where there is no terminal."""

import io
import re
import time

import pytest
from rich.console import Console

from mlops_foundation.cli import output
from mlops_foundation.core.errors import FoundationError


def test_long_work_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("deploying", every_s=0.02) as shown:
        shown.update("Mlops-dev-Network: deploying")
        time.sleep(0.2)
    said = capsys.readouterr()
    assert said.out == ""
    assert "deploying  0 s  Mlops-dev-Network: deploying\n" in said.err


def test_short_work_and_json_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("deploying") as shown:
        shown.update("done at once")
    with output.progress("deploying", quiet=True, every_s=0.01) as shown:
        shown.update("for programs")
        time.sleep(0.05)
    assert capsys.readouterr().err == ""


def terminal(monkeypatch: pytest.MonkeyPatch, width: int, height: int) -> tuple[Console, Console]:
    """Let both outputs be one terminal that is written to a buffer; return the consoles."""
    screen = io.StringIO()
    consoles = [
        Console(file=screen, width=width, height=height, force_terminal=True, color_system=None) for _ in range(2)
    ]
    monkeypatch.setattr(output, "out", consoles[0])
    monkeypatch.setattr(output, "err", consoles[1])
    return consoles[0], consoles[1]


def test_steps_and_the_live_line_share_one_console(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = terminal(monkeypatch, 80, 24)
    with output.progress("demo") as shown:
        shown.update("bootstrap")
        output.step("start", "answers", 1.0)
        output.note("a note")
        drawn = out.file.getvalue()  # type: ignore[attr-defined]
    # Each line goes where the live line was, which is drawn again below it.
    for text in ("answers", "a note"):
        before, after = drawn.split(text)
        assert "\x1b[2K" in before
        assert "demo  0 s" in after


def test_a_picture_is_never_higher_than_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = terminal(monkeypatch, 40, 12)
    root = output.branch(None, "churn_deploy_pipeline")
    for number in range(40):
        mark = "✓" if number < 20 else "●" if number == 20 else "·"
        output.branch(root, f"{mark} Stage{number}", "a summary that is longer than the screen is wide")
    shown = output.Progress("watching")
    shown.update("a line that some program has said and that is much longer than the screen is wide")
    shown.picture(root)
    with out.capture() as captured:
        out.print(shown)
    lines = captured.get().splitlines()
    assert len(lines) < 12
    assert max(map(len, lines)) <= 40
    assert any("● Stage20" in line for line in lines)
    assert any("lines above" in line for line in lines)
    assert "churn_deploy_pipeline" in lines[1]


def test_what_others_wrote_does_not_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may only push could rename, clear or scroll the terminal of the lead who watches the build."""
    hostile = "\x1b[32mok\x1b[0m \x1b[2J\x1b]0;owned\x07 \x9b2J\rend"
    out, err = terminal(monkeypatch, 80, 24)
    output.say(hostile)
    output.note(hostile)
    output.done(hostile)
    output.step("t", hostile, 1.0)
    output.table(("a", "b"), [("1", hostile)], title=hostile)
    output.tree(output.branch(None, hostile, hostile))
    output.error(FoundationError(hostile, where=hostile, got=f"{hostile}\n{hostile}"), as_json=False)
    out.print(output.Progress(hostile))
    for console in (out, err):
        drawn = console.file.getvalue()  # type: ignore[attr-defined]
        assert "ok [2J]0;owned 2Jend" in drawn
        # What is left are the colors and lines of our own.
        assert not re.search(r"\x1b(?!\[[\d;]*m)|\x07|\x9b|\r", drawn)
