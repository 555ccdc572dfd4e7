"""The platform that a folder belongs to: the nearest folder above with ``mlops.yaml``, as git finds a repository.

Folders above are searched only as far as they belong to who works there: a file that somebody else has put into a
shared folder such as ``/tmp`` says nothing about us.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CONFIG_NAME: Final = "mlops.yaml"
STATE_NAME: Final = ".mlops"


def config_above(start: Path) -> Path | None:
    """Return the configuration of the platform that a folder belongs to, or None.

    Args:
        start: The folder, where the file may be too.
    """
    return next((folder / CONFIG_NAME for folder in _own(start) if (folder / CONFIG_NAME).is_file()), None)


def default_config() -> Path:
    """Return the configuration to use when none is named: the platform's, else the one that this folder may get."""
    return _near(config_above(Path.cwd()) or Path.cwd() / CONFIG_NAME)


def default_state() -> Path:
    """Return where the local cloud's state is when it is not said: beside the configuration, else the nearest above."""
    here = Path.cwd()
    config = config_above(here)
    if config is not None:
        return _near(config.parent / STATE_NAME)
    above = (folder for folder in _own(here) if (folder / STATE_NAME / "process.json").is_file())
    return _near(next(above, here) / STATE_NAME)


def _own(start: Path) -> Iterator[Path]:
    """Yield a folder and those above it, up to the first that belongs to somebody else."""
    start = start.absolute()
    owners = {start.stat().st_uid, os.getuid()}
    for folder in (start, *start.parents):
        # A sticky folder is shared: anybody may put a file there.
        if folder != start and (folder.stat().st_uid not in owners or folder.stat().st_mode & 0o1000):
            return
        yield folder


def _near(path: Path) -> Path:
    """Return a path as a person at this place would write it."""
    return Path(os.path.relpath(path))
