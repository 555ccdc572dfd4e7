"""Progress where there is no terminal."""

import time

import pytest

from mlops_foundation.cli import output


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
