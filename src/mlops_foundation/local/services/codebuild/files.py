"""Sources into a build and artifacts out of it, through S3 with the service role's own rights."""

import glob
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_foundation.local.contract import Json
from mlops_foundation.local.services.codebuild.buildspec import ArtifactFiles

S3_ARN = "arn:aws:s3:::"


class BuildFailed(Exception):  # noqa: N818  CodeBuild's own word for it
    """A phase cannot go on.

    Args:
        code: Status code of the phase's context, for example ``CLIENT_ERROR``.
        message: Its message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def place_of(location: str) -> tuple[str, str]:
    """Split ``bucket/key`` or ``arn:aws:s3:::bucket/key``."""
    bucket, _, key = location.removeprefix(S3_ARN).partition("/")
    return bucket, key


def fetch(s3: Any, location: str, target: Path, version: str = "") -> None:  # noqa: ANN401  a boto3 client
    """Unpack a zip archive of S3 into a new folder.

    Raises:
        BuildFailed: When the object is no zip archive.
    """
    bucket, key = place_of(location)
    which = {"VersionId": version} if version else {}
    data = s3.get_object(Bucket=bucket, Key=key, **which)["Body"].read()
    target.mkdir(parents=True)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise BuildFailed("CLIENT_ERROR", f"{S3_ARN}{bucket}/{key} is not a zip archive") from error
    with archive:
        for info in archive.infolist():
            path = Path(archive.extract(info, target))
            if (info.external_attr >> 16) & 0o100 and path.is_file():
                path.chmod(0o755)


def matching(source: Path, artifact: ArtifactFiles) -> dict[str, Path]:
    """Return the files of an artifact by their path in it.

    Raises:
        BuildFailed: When the base directory or the files are not there.
    """
    base = source / artifact.base_directory
    if not base.is_dir():
        raise BuildFailed("CLIENT_ERROR", f"no matching base directory path found for {artifact.base_directory}")
    excluded = {path for pattern in artifact.exclude for path in _glob(base, pattern)}
    files: dict[str, Path] = {}
    for pattern in artifact.files:
        for path in sorted(_glob(base, pattern)):
            if path not in excluded:
                name = PurePosixPath(path).name if artifact.discard_paths else path
                files[name] = base / path
    if not files:
        raise BuildFailed("CLIENT_ERROR", f"no matching artifact paths found: {', '.join(artifact.files)}")
    return files


def _glob(base: Path, pattern: str) -> Iterator[str]:
    if Path(pattern).is_absolute():
        root = str(base.resolve())
        pattern = pattern.removeprefix(f"{root}/")
    for path in glob.iglob(pattern, root_dir=base, recursive=True, include_hidden=True):  # noqa: PTH207  ** skips hidden
        if (base / path).is_file():
            yield path.removeprefix("./")


def pack(files: dict[str, Path]) -> bytes:
    """Return a zip archive of files by their path in it, with their modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            archive.write(path, name)
    return buffer.getvalue()


def upload(s3: Any, artifacts: Json, files: dict[str, Path], encryption: Json) -> None:  # noqa: ANN401  a boto3 client
    """Write one artifact where the build's record says.

    Args:
        s3: Client of the service role.
        artifacts: ``location`` as bucket and key; ``packaging`` NONE writes each file below it.
        files: Path in the artifact -> file.
        encryption: PutObject's encryption parameters.
    """
    bucket, key = place_of(artifacts["location"])
    if artifacts.get("packaging", "ZIP") == "ZIP":
        s3.put_object(Bucket=bucket, Key=key, Body=pack(files), **encryption)
        return
    for name, path in files.items():
        s3.put_object(Bucket=bucket, Key=f"{key}/{name}", Body=path.read_bytes(), **encryption)
