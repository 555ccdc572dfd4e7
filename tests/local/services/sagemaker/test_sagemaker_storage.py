"""What a job copies from S3, by SageMaker's rules of prefixes."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mlops_foundation.local.services.sagemaker.jobs.storage import TransferError, download, unpack


class Bucket:
    """Enough of an S3 client to list and read."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def get_paginator(self, _operation: str) -> "Bucket":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803  as in boto3
        return [{"Contents": [{"Key": key} for key in self.keys if key.startswith(Prefix)]}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  as in boto3
        return {"Body": io.BytesIO(Key.encode())}


@pytest.mark.parametrize(
    ("uri", "files"),
    [
        ("s3://b/data/train", {"a.csv", "deep/b.csv", "training.csv"}),
        ("s3://b/data/train/", {"a.csv", "deep/b.csv"}),
        ("s3://b/data/train/a.csv", {"a.csv"}),
        ("s3://b/data/train/deep", {"b.csv"}),
    ],
)
def test_prefix_is_matched_as_text(tmp_path: Path, uri: str, files: set[str]) -> None:
    bucket = Bucket("data/train/", "data/train/a.csv", "data/train/deep/b.csv", "data/training.csv")
    download(bucket, uri, tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == files


def test_nothing_under_the_prefix_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="No S3 objects found under S3 URL 's3://b/none'"):
        download(Bucket("data/a.csv"), "s3://b/none", tmp_path)


def test_archive_may_not_leave_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../outside"), io.BytesIO())
    with pytest.raises(TransferError, match="outside"):
        unpack(archive, tmp_path / "model")
    assert not (tmp_path / "outside").exists()


def archive_of(folder: Path, *members: tuple[str, bytes, str]) -> Path:
    """Pack ``(name, type, link)`` into an archive; files hold one line."""
    path = folder / "model.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, 5 if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(b"line\n"))
    return path


FILE, LINK, HARD, FOLDER, DEVICE = (
    tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE
)  # fmt: skip


@pytest.mark.parametrize(
    "members",
    [
        [("link", LINK, "../..")],
        [("link", LINK, "/etc")],
        [("a", LINK, "b"), ("b", FOLDER, ""), ("b/c", LINK, ".."), ("b/c/d", LINK, "../..")],
        [("hard", HARD, "../secret")],
        [("/absolute", FILE, "")],
        [("device", DEVICE, "")],
    ],
)
def test_archive_may_not_lead_outside_by_any_kind_of_member(
    tmp_path: Path, members: list[tuple[str, bytes, str]]
) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(TransferError, match=r"the model data (would leave its folder|holds)"):
        unpack(archive_of(tmp_path, *members), tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.tar.gz", "secret"]


def test_a_file_does_not_follow_the_link_whose_name_it_has(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("kept", FILE, ""), ("name", LINK, "kept"), ("name", FILE, ""))
    unpack(archive, tmp_path / "model")
    assert not (tmp_path / "model" / "name").is_symlink()


def test_links_inside_and_modes_are_kept(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path, ("code", FOLDER, ""), ("code/run", FILE, ""), ("latest", LINK, "code/run"), ("same", HARD, "code/run")
    )
    unpack(archive, tmp_path / "model")
    for name in ("latest", "same", "code/run"):
        assert (tmp_path / "model" / name).read_text() == "line\n"


def test_an_archive_that_ends_early_is_told(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, ("a", FILE, ""))
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(TransferError, match=r"not a tar\.gz"):
        unpack(archive, tmp_path / "model")


def test_model_data_has_to_be_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_text("not packed")
    with pytest.raises(TransferError, match=r"not a tar\.gz"):
        unpack(archive, tmp_path / "model")
