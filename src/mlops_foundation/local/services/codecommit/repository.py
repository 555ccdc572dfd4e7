"""One bare git repository on disk, read and written with git's plumbing."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FileMode = Literal["EXECUTABLE", "NORMAL", "SYMLINK"]
GIT_MODES: dict[FileMode, str] = {"EXECUTABLE": "100755", "NORMAL": "100644", "SYMLINK": "120000"}
FILE_MODES: dict[str, FileMode] = {mode: name for name, mode in GIT_MODES.items()}
NO_COMMIT = "0" * 40


class GitError(Exception):
    """Git refused a command; the message is what it said."""


@dataclass(frozen=True)
class Entry:
    """One entry of a git tree: a file, a link (mode 120000), a folder (040000) or a submodule (160000)."""

    mode: str
    object_id: str
    path: str


@dataclass(frozen=True)
class Author:
    """Who a commit names; ``date`` is seconds since 1970 and the zone, as git keeps it."""

    name: str
    email: str
    date: str = ""


@dataclass(frozen=True)
class Commit:
    """A commit as git stores it."""

    commit_id: str
    tree_id: str
    parents: tuple[str, ...]
    author: Author
    committer: Author
    message: str


@dataclass(frozen=True)
class Edit:
    """What a new commit changes.

    Attributes:
        put: Path -> mode and content.
        delete: Paths to remove.
        modes: Path -> new mode of a file that stays as it is.
    """

    put: Mapping[str, tuple[FileMode, bytes]] = field(default_factory=dict)
    delete: Sequence[str] = ()
    modes: Mapping[str, FileMode] = field(default_factory=dict)


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a git child process: none of this machine's git settings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
        **(extra or {}),
    }


class GitRepository:
    """A bare repository.

    Args:
        folder: The repository itself (the folder that has ``HEAD``).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> None:
        """Make an empty repository; its HEAD names a branch that does not exist yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._git("init", "--bare", "--quiet", "--initial-branch=main", ".")
        self._git("config", "http.receivepack", "true")

    def default_branch(self) -> str | None:
        """Return the branch HEAD names, or None while it does not exist."""
        branch = self._git("symbolic-ref", "--short", "HEAD").strip()
        return branch if self.branch(branch) else None

    def set_default_branch(self, branch: str) -> None:
        """Point HEAD to a branch."""
        self._git("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def references(self) -> dict[str, str]:
        """Return every reference by full name with the object it points to."""
        lines = self._git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        return {name: object_id for object_id, _, name in (line.partition(" ") for line in lines)}

    def branches(self) -> list[str]:
        """Return the names of all branches, sorted."""
        return self._git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/").splitlines()

    def branch(self, name: str) -> str | None:
        """Return the commit a branch points to, or None."""
        return self._resolve(f"refs/heads/{name}")

    def resolve(self, specifier: str) -> str | None:
        """Return the commit a branch, tag, full reference, ``HEAD`` or full commit id names, or None."""
        for name in (f"refs/heads/{specifier}", f"refs/tags/{specifier}", specifier):
            found = self._resolve(f"{name}^{{commit}}")
            if found:
                return found
        return None

    def commit_of(self, commit_id: str) -> Commit | None:
        """Return a commit by its full id, or None when there is none."""
        if self._resolve(f"{commit_id}^{{commit}}") != commit_id:
            return None
        fields = "%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B"
        parts = self._git("log", "-1", "--date=raw", f"--format={fields}", commit_id).split("\0")
        tree, parents, name, email, date, committer, committer_email, committer_date, message = parts
        return Commit(
            commit_id=commit_id,
            tree_id=tree,
            parents=tuple(parents.split()),
            author=Author(name, email, date),
            committer=Author(committer, committer_email, committer_date),
            message=message.removesuffix("\n"),
        )

    def entry(self, commit_id: str, path: str) -> Entry | None:
        """Return the entry at a path (``""`` is the root folder), or None."""
        if not path:
            return Entry("040000", self._git("rev-parse", f"{commit_id}^{{tree}}").strip(), "")
        found = self._entries(commit_id, path)
        return found[0] if found else None

    def children(self, tree_id: str) -> list[Entry]:
        """Return the direct entries of a folder."""
        return self._entries(tree_id)

    def content(self, blob_id: str) -> bytes:
        """Return the bytes of a file."""
        return self._bytes("cat-file", "blob", blob_id)

    def archive(self, commit_id: str) -> bytes:
        """Return the files of a commit as a zip archive."""
        return self._bytes("archive", "--format=zip", commit_id)

    def commit(self, branch: str, parent: Commit | None, edit: Edit, author: Author, message: str) -> Commit | None:
        """Add a commit to a branch and move the branch to it.

        Returns:
            The new commit, or None when nothing would change.

        Raises:
            GitError: When the branch has moved away from ``parent``, or a path cannot be in a tree.
        """
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if parent:
                self._git("read-tree", parent.commit_id, env=index)
            self._apply(edit, index)
            tree = self._git("write-tree", env=index).strip()
        if parent and parent.tree_id == tree:
            return None
        signed = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_COMMITTER_NAME": author.name,
            "GIT_COMMITTER_EMAIL": author.email,
        }
        parents = ("-p", parent.commit_id) if parent else ()
        commit_id = self._git("commit-tree", tree, *parents, stdin=message.encode(), env=signed).strip()
        first = not self.branches()
        self._git("update-ref", f"refs/heads/{branch}", commit_id, parent.commit_id if parent else NO_COMMIT)
        if first:
            self.set_default_branch(branch)
        return self.commit_of(commit_id)

    def _apply(self, edit: Edit, index: Mapping[str, str]) -> None:
        lines = [f"0 {NO_COMMIT}\t{path}" for path in edit.delete]
        for path, (mode, content) in edit.put.items():
            blob = self._git("hash-object", "-w", "--stdin", stdin=content).strip()
            lines.append(f"{GIT_MODES[mode]} {blob}\t{path}")
        for path, mode in edit.modes.items():
            staged = self._git("ls-files", "--stage", "--", path, env=index).split()
            lines.append(f"{GIT_MODES[mode]} {staged[1]}\t{path}")
        if lines:
            stdin = b"".join(line.encode() + b"\0" for line in lines)
            self._git("update-index", "-z", "--index-info", stdin=stdin, env=index)

    def _entries(self, tree: str, *paths: str) -> list[Entry]:
        raw = self._bytes("--literal-pathspecs", "ls-tree", "-z", tree, "--", *paths).decode("utf-8", "surrogateescape")
        return [_entry(line) for line in raw.split("\0") if line]

    def _resolve(self, name: str) -> str | None:
        done = self._run(("rev-parse", "--verify", "--quiet", "--end-of-options", name), b"", None)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def _git(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return self._bytes(*arguments, stdin=stdin, env=env).decode("utf-8", "replace")

    def _bytes(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        done = self._run(arguments, stdin, env)
        if done.returncode != 0:
            raise GitError(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def _run(
        self, arguments: Iterable[str], stdin: bytes, env: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=git_environment(env),
            input=stdin,
            capture_output=True,
            check=False,
        )


def _entry(line: str) -> Entry:
    meta, _, path = line.partition("\t")
    mode, _, object_id = meta.split(" ")
    return Entry(mode, object_id, path)
