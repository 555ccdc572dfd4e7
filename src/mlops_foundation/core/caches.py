"""Where the user's caches are: what can be made again, shared by all clouds and configurations of a user."""

import os
from pathlib import Path


def user_caches() -> Path:
    """Return the folder of the user's caches, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def cache_folder(*parts: str) -> Path:
    """Return the product's own folder there, or one below it; it may not exist yet."""
    return user_caches().joinpath("mlops-foundation", *parts)
