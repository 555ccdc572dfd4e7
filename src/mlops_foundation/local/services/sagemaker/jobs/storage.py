"""What a job reads from S3 and writes to it, with its role's own client, so that its permissions decide."""

import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

S3Client = Any
_DENIED: Final = {"AccessDenied", "AccessDeniedException", "403", "KMS.AccessDeniedException"}


class TransferError(Exception):
    """S3 refused or lacks what a job needs; the message names the action and the place."""


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``."""
    if not uri.startswith("s3://"):
        message = f"not an S3 URI: {uri!r}"
        raise TransferError(message)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@contextmanager
def _explained(action: str, uri: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        said = f"{code}: {message}" if action in message else f"{code} when calling {action}: {message}"
        hint = f" Ensure that the role may {action} on it." if code in _DENIED else ""
        raise TransferError(f"{uri}: {said}{hint}") from error
    except (BotoCoreError, OSError) as error:
        raise TransferError(f"{uri}: {error}") from error


def download(s3: S3Client, uri: str, folder: Path) -> None:
    """Copy an object, or everything under a prefix, into a folder.

    SageMaker matches an S3Prefix as text: ``s3://b/train`` also finds ``s3://b/training.csv``.

    Raises:
        TransferError: When nothing is there or access is denied.
    """
    bucket, prefix = split_uri(uri)
    folder.mkdir(parents=True, exist_ok=True)
    with _explained("s3:ListBucket", uri):
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    if not keys:
        raise TransferError(f"No S3 objects found under S3 URL {uri!r}")
    for key in keys:
        relative = _relative(key, prefix)
        if relative and not relative.endswith("/"):
            download_object(s3, f"s3://{bucket}/{key}", folder / relative)


def _relative(key: str, prefix: str) -> str:
    if key == prefix:
        return "" if key.endswith("/") else key.rsplit("/", 1)[-1]
    if prefix.endswith("/") or not prefix:
        return key.removeprefix(prefix)
    rest = key.removeprefix(prefix)
    return rest.removeprefix("/") if rest.startswith("/") else prefix.rsplit("/", 1)[-1] + rest


def download_object(s3: S3Client, uri: str, file: Path) -> None:
    """Copy one object into a file.

    Raises:
        TransferError: When it is not there or access is denied.
    """
    bucket, key = split_uri(uri)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _explained("s3:GetObject", uri):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        with file.open("wb") as out:
            shutil.copyfileobj(body, out)


def read_object(s3: S3Client, uri: str) -> str:
    """Return the text of one object.

    Raises:
        TransferError: When it is not there or access is denied.
    """
    bucket, key = split_uri(uri)
    with _explained("s3:GetObject", uri):
        return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def upload_folder(s3: S3Client, folder: Path, uri: str, kms_key: str = "") -> None:
    """Copy every file of a folder below an S3 prefix.

    Raises:
        TransferError: When access is denied.
    """
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        upload_object(s3, file, f"{uri.rstrip('/')}/{file.relative_to(folder).as_posix()}", kms_key)


def upload_object(s3: S3Client, file: Path, uri: str, kms_key: str = "") -> None:
    """Copy one file to S3, encrypted with a key of the customer when one is named.

    Raises:
        TransferError: When access is denied.
    """
    bucket, key = split_uri(uri)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    with _explained("s3:PutObject", uri), file.open("rb") as body:
        s3.put_object(Bucket=bucket, Key=key, Body=body, **encryption)


def upload_archive(s3: S3Client, folder: Path, uri: str, kms_key: str = "") -> None:
    """Copy a folder to S3 as one ``tar.gz``, as SageMaker does with ``/opt/ml/model``.

    Raises:
        TransferError: When access is denied.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        archive = Path(scratch) / "archive.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
            for entry in sorted(folder.iterdir()):
                tar.add(entry, entry.name)
        upload_object(s3, archive, uri, kms_key)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a model archive, which is hostile input: nothing may leave the folder, be a device or link out of it.

    The standard library's own filters are not in every Python that we run on (3.11.4 has the first).

    Raises:
        TransferError: When it is not a ``tar.gz``, or a member is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    top = folder.resolve()
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                _unpack_member(tar, member, top)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise TransferError(f"the model data is not a tar.gz archive: {error}") from error


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, top: Path) -> None:
    target = top / member.name
    _require_inside(target.parent, top, member)
    if member.isdir():
        _require_inside(target, top, member)
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # a link of that name would lead the content elsewhere
    if member.issym():
        _require_inside(target.parent / member.linkname, top, member)
        target.symlink_to(member.linkname)
    elif member.islnk():
        _require_inside(top / member.linkname, top, member)
        target.hardlink_to(top / member.linkname)
    elif (content := tar.extractfile(member)) is not None:
        with content, target.open("xb") as out:
            shutil.copyfileobj(content, out)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
    else:
        raise TransferError(f"the model data holds {member.name!r}, which is neither a file, a folder nor a link")


def _require_inside(path: Path, top: Path, member: tarfile.TarInfo) -> None:
    if not path.resolve().is_relative_to(top):
        raise TransferError(f"the model data would leave its folder: {member.name!r} leads outside")
