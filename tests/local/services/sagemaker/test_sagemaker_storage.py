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


def test_model_data_has_to_be_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_text("not packed")
    with pytest.raises(TransferError, match=r"not a tar\.gz"):
        unpack(archive, tmp_path / "model")
