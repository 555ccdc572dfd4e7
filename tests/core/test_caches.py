"""Caches follow the XDG base directory specification."""

from pathlib import Path

import pytest

from mlops_foundation.core import caches


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caches.cache_folder("runtimes") == tmp_path / "mlops-foundation" / "runtimes"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert caches.user_caches() == tmp_path / ".cache"
