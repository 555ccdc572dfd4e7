"""Commands work from where the work is: the platform is found upwards, and only where it can be trusted."""

from pathlib import Path

import pytest

from mlops_foundation.core.platform_folder import config_above, default_config, default_state


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    (tmp_path / "mlops.yaml").touch()
    (tmp_path / "churn-build" / "pipeline").mkdir(parents=True)
    (tmp_path / "churn-build" / ".git").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("below", "config", "state"),
    [
        (".", "mlops.yaml", ".mlops"),
        ("churn-build", "../mlops.yaml", "../.mlops"),
        ("churn-build/pipeline", "../../mlops.yaml", "../../.mlops"),
        ("churn-build/.git", "../../mlops.yaml", "../../.mlops"),
    ],
)
def test_the_platform_is_found_from_any_folder_below(
    platform: Path, below: str, config: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(platform / below)
    assert (default_config(), default_state()) == (Path(config), Path(state))


def test_the_nearest_platform_counts(platform: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (platform / "churn-build" / "mlops.yaml").touch()
    # State is looked for beside the configuration, whatever lies nearer.
    (platform / "churn-build" / "pipeline" / ".mlops").mkdir()
    (platform / "churn-build" / "pipeline" / ".mlops" / "process.json").touch()
    monkeypatch.chdir(platform / "churn-build" / "pipeline")
    assert (default_config(), default_state()) == (Path("../mlops.yaml"), Path("../.mlops"))


def test_without_a_platform_it_is_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (default_config(), default_state()) == (Path("mlops.yaml"), Path(".mlops"))


def test_a_cloud_that_was_started_without_a_configuration_is_found_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".mlops").mkdir()
    (tmp_path / ".mlops" / "process.json").touch()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert default_state() == Path("../.mlops")


def test_a_folder_that_everybody_may_write_to_is_not_searched(platform: Path) -> None:
    platform.chmod(0o1777)
    assert config_above(platform / "churn-build") is None
    assert config_above(platform) == platform / "mlops.yaml"
