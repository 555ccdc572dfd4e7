"""Keys and passwords in files, looked for before they land in a repository."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from mlops_foundation.core.errors import ConfigError

_DETECTORS: Final = (
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SlackDetector",
)
"""Only what has a form of its own: a word beside ``password`` is no finding, and nothing is asked of anybody."""
_SETTINGS: Final = {"plugins_used": [{"name": name} for name in _DETECTORS]}
ALLOWED: Final = "pragma: allowlist secret"
"""What a line has that is known to be no secret."""


@dataclass(frozen=True, order=True)
class Secret:
    """A secret that stands in a file; never the secret itself.

    Attributes:
        path: The file.
        line: Counted from 1.
        kind: For example ``AWS Access Key``.
    """

    path: str
    line: int
    kind: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for ``--json``."""
        return dict(vars(self))


def in_files(paths: Sequence[Path]) -> list[Secret]:
    """Return the secrets in files, and in what git knows below folders, in order.

    Args:
        paths: Files or folders.

    Raises:
        ConfigError: When a path is not there.
    """
    for path in paths:
        if not path.exists():
            raise ConfigError("there is no such file", where=str(path), fix="correct the path")
    return _found({str(file): file for path in paths for file in _files(path)})


def staged(folder: Path) -> list[Secret]:
    """Return the secrets in what the next commit would have, as it is staged and not as it lies there.

    Args:
        folder: In the repository.

    Raises:
        ConfigError: When it is in none.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    names = [name for name in _git(top, "diff", "--cached", "--name-only", "--diff-filter=d", "-z").split("\0") if name]
    if not names:
        return []
    with tempfile.TemporaryDirectory() as copy:
        _git(top, "checkout-index", f"--prefix={copy}/", "--", *names)
        return _found({name: Path(copy, name) for name in names if _own(Path(copy, name))})


def _found(files: dict[str, Path]) -> list[Secret]:
    found = []
    with transient_settings(_SETTINGS):
        for name, file in files.items():
            secrets = SecretsCollection()
            secrets.scan_file(str(file))
            found += [
                Secret(name, secret.line_number, secret.type) for _, secret in secrets if not _allowed(file, secret)
            ]
    return sorted(set(found))


def _allowed(file: Path, secret: PotentialSecret) -> bool:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return ALLOWED in "".join(lines[secret.line_number - 1 : secret.line_number])


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    listed = _git(path, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    yield from (path / name for name in listed if name and _own(path / name))


def _own(file: Path) -> bool:
    """Return whether git keeps a file's content: of a symbolic link it keeps where it leads, whatever is there."""
    return file.is_file() and not file.is_symlink()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, check=False, text=True, errors="surrogateescape"
    )
    if done.returncode:
        raise ConfigError(
            "git does not know this folder",
            where=str(folder),
            got=done.stderr.strip(),
            expected="a folder in a git repository, or files by name",
            fix="git init, or mlops check secrets FILE",
        )
    return done.stdout
