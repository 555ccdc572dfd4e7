"""What of a container's log becomes the failure reason."""

import pytest

from mlops_foundation.local.services.sagemaker.jobs.run import last_exception, was_killed

OWN = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f()\nmodule.OwnError: no rows\n'
FLAT = 'Traceback (most recent call last):\nFile "a.py", line 1, in <module>\nraise KeyError("x")\nKeyError: \'x\'\n'
WRAPPER = (
    'Command failed. Traceback: Traceback (most recent call last):\n  File "driver.py", line 9, in run\n'
    "subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 1.\n"
)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("starting\n" + OWN, "module.OwnError: no rows"),
        (FLAT, "KeyError: 'x'"),
        (OWN + "and then\n" + WRAPPER + "bye\n", "module.OwnError: no rows"),
        (WRAPPER, "subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 1."),
        (OWN + FLAT, "KeyError: 'x'"),
        ("first\nKilled\n\n", "Killed"),
        ("", ""),
    ],
)
def test_the_users_exception_is_the_reason(log: str, reason: str) -> None:
    assert last_exception(log) == reason


@pytest.mark.parametrize(
    ("code", "log", "killed"),
    [
        (-9, "", True),
        (137, "", True),
        (1, "subprocess.CalledProcessError: Command 'x' died with <Signals.SIGKILL: 9>.\n", True),
        (137, "train.sh: line 3:    12 Killed                  python train.py\n", True),
        (1, "train.sh: line 3:    12 Killed                  python train.py\n", True),
        (1, OWN, False),
        (0, "Killed\n", False),
        (-15, "", False),
    ],
)
def test_what_was_killed_from_outside_is_known(code: int, log: str, killed: bool) -> None:
    assert was_killed(code, log) == killed
