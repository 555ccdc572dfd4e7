"""The locks that stand for images, and the environments built from them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_foundation.local import interpreters
from mlops_foundation.local.interpreters import Interpreter
from mlops_foundation.local.runtimes import (
    LOCKS,
    RuntimeBuildError,
    Runtimes,
    UnknownImageError,
    cache_folder,
    find,
    known,
    without_white_space,
)

OFFLINE = {"PATH": os.environ["PATH"], "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
SCIKIT_LEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


def test_image_uri_names_its_lock() -> None:
    assert find(SCIKIT_LEARN) == "sagemaker-scikit-learn-1.9-0-cpu-py3"


@pytest.mark.parametrize("image", [SCIKIT_LEARN.replace("1.9-0", "1.2-1"), "python:3.11", SCIKIT_LEARN + "@sha256:0"])
def test_unknown_image_is_refused_by_name_with_those_known(image: str) -> None:
    with pytest.raises(UnknownImageError) as caught:
        find(image)
    assert image in str(caught.value)
    assert "sagemaker-scikit-learn-1.9-0-cpu-py3" in str(caught.value)


@pytest.mark.parametrize("name", known())
def test_lock_holds_what_was_asked_for_with_hashes_and_no_address(name: str) -> None:
    lock = (LOCKS / f"{name}.lock").read_text()
    asked = re.findall(r"^[\w-]+==[\w.]+", (LOCKS / f"{name}.in").read_text(), re.MULTILINE)
    locked = re.findall(r"^([\w-]+==[\w.]+) \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert set(asked) <= set(locked)
    assert len(locked) == len(re.findall(r"^\w", lock, re.MULTILINE))
    assert "://" not in lock


@pytest.mark.cloud
def test_runtime_has_the_images_packages() -> None:
    runtime = Runtimes(cache_folder(), os.environ).get(SCIKIT_LEARN)
    code = "import sklearn, sagemaker_inference.transformer, sagemaker_training; print(sklearn.__version__)"
    done = subprocess.run([runtime.python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1.9.0\n"
    assert (runtime.folder / "bin" / "train").exists()


@pytest.mark.cloud
def test_a_new_runtime_is_compiled_but_for_the_packages_own_tests(tmp_path: Path) -> None:
    """A job cannot write there: what is not compiled costs each of them seconds."""
    packages = next(Runtimes(tmp_path, os.environ).get(SCIKIT_LEARN).folder.glob("lib/python*/site-packages"))
    assert list(packages.glob("sklearn/linear_model/__pycache__/_logistic.*.pyc"))
    assert not list(packages.glob("sklearn/linear_model/tests/__pycache__"))


def test_another_interpreter_is_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache made by one Python broke the other's install: they shared a folder."""
    folders = []
    for version in ("3.11.7", "3.11.2", "3.12.1"):
        python = Interpreter(Path(sys.executable), version)
        monkeypatch.setattr(interpreters, "choose", lambda wanted, python=python: python)
        said: list[str] = []
        with pytest.raises(RuntimeBuildError):
            Runtimes(tmp_path, OFFLINE).get(SCIKIT_LEARN, said.append)
        assert ("stands in" in said[0]) == (version == "3.12.1")
        folders.append({path.name for path in tmp_path.iterdir()})
    assert [len(found) for found in folders] == [1, 2, 3]


def test_an_environment_that_lost_its_interpreter_is_built_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeBuildError):
        Runtimes(tmp_path, OFFLINE).get(SCIKIT_LEARN)
    folder = next(tmp_path.iterdir()).with_suffix("")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(tmp_path / "removed")
    with pytest.raises(RuntimeBuildError):
        Runtimes(tmp_path, OFFLINE).get(SCIKIT_LEARN)


def test_a_home_with_a_space_is_reached_without_one(tmp_path: Path) -> None:
    """The SDK's training script wrote ``$SM_PYTHON_CMD`` without quotes: ``/home/my: No such file or directory``."""
    folder = tmp_path / "my home" / "runtimes"
    path = without_white_space(folder)
    assert " " not in str(path)
    (path / "made").touch()
    assert (folder / "made").exists()
    assert path.parent.stat().st_mode & 0o077 == 0
    assert without_white_space(tmp_path / "home") == tmp_path / "home"


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with pytest.raises(RuntimeBuildError):
        Runtimes(tmp_path, OFFLINE).get(SCIKIT_LEARN)
    name = next(tmp_path.iterdir()).stem
    (tmp_path / f".{name}-killed" / "bin").mkdir(parents=True)
    (tmp_path / ".another-killed").mkdir()
    with pytest.raises(RuntimeBuildError):
        Runtimes(tmp_path, OFFLINE).get(SCIKIT_LEARN)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.building", ".another-killed"}


def test_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(RuntimeBuildError, match="uv pip sync failed"):
        Runtimes(tmp_path / "cache", OFFLINE).get(SCIKIT_LEARN, said.append)
    assert said[0].startswith("building the runtime sagemaker-scikit-learn-1.9-0-cpu-py3")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".building"]
