"""What keeps keys out of the repository that a configuration lies in: names that git ignores, and a hook."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final, Literal

from mlops_foundation.core.errors import ConfigError

IGNORED: Final = (".aws/", "credentials", ".env", ".mlops/", ".mlops-assembly/", ".mlops-demo/")
"""Files that keys are usually in, and what commands leave beside the configuration: the local cloud keeps keys too."""

Hook = Literal["written", "there", "other", "none"]
"""Written now; there already, ours; somebody else's; no repository, or its hooks are shared with others."""

_MARK: Final = "check secrets --staged"
_HOOK: Final = """\
#!/bin/sh
# Written by mlops: no commit takes a key along.
mlops={mlops}
[ -x "$mlops" ] || mlops=$(command -v mlops) || {{
    echo "pre-commit: mlops is not found, so nothing looked for secrets" >&2
    echo "  fix  put mlops on PATH; or rm .git/hooks/pre-commit, then mlops check secrets --hook" >&2
    exit 1
}}
exec "$mlops" check secrets --staged
"""


def ignore(folder: Path) -> list[str]:
    """Let git ignore what holds keys; what is ignored already is left as it is.

    Args:
        folder: Of the configuration.

    Returns:
        The lines that were added to its ``.gitignore``.
    """
    file = folder / ".gitignore"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    missing = [name for name in IGNORED if name not in text.splitlines()]
    if missing:
        before = text if not text or text.endswith("\n") else f"{text}\n"
        file.write_text(before + "\n".join(missing) + "\n", encoding="utf-8")
    return missing


def install_hook(folder: Path) -> Hook:
    """Let git look for secrets before each commit, unless the repository has a hook of its own.

    Args:
        folder: Of the configuration.
    """
    # All worktrees of a repository have its hooks.
    asked = ("--git-path", "hooks/pre-commit", "--git-common-dir")
    done = subprocess.run(["git", "rev-parse", *asked], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return "none"
    path, home = done.stdout.splitlines()
    hook = (folder / path).resolve()
    if not hook.is_relative_to((folder / home).resolve()):
        return "none"
    if hook.exists():
        return "there" if _MARK in hook.read_text(encoding="utf-8", errors="replace") else "other"
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(_HOOK.format(mlops=shlex.quote(str(Path(sys.executable).with_name("mlops")))), encoding="utf-8")
    hook.chmod(0o755)
    return "written"


def require_hook(folder: Path) -> None:
    """Let git look for secrets before each commit.

    Args:
        folder: In the repository.

    Raises:
        ConfigError: When there is none, or it has a hook of somebody else.
    """
    found = install_hook(folder)
    if found == "none":
        raise ConfigError(
            "there is no git repository here with hooks of its own",
            where=str(folder.resolve()),
            expected="a repository without core.hooksPath outside of it",
            fix="git init, or let your own hook run: mlops check secrets --staged",
        )
    if found == "other":
        raise ConfigError(
            "git has a pre-commit hook already",
            where=str(folder.resolve()),
            expected="a hook that looks for secrets too",
            fix="add to it: mlops check secrets --staged",
        )
