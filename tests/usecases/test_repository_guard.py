"""Keys land in no repository: what git ignores, and what the hook of ``mlops init`` stops, with git itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.usecases import repository_guard, secrets
from mlops_foundation.usecases.secrets import Secret

MLOPS = str(Path(sys.executable).with_name("mlops"))
KEY = "AKIA" + "Z" * 16


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    return subprocess.run(
        ["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """A repository in which ``mlops init`` has run."""
    git(tmp_path, "init", "--quiet")
    done = subprocess.run([MLOPS, "init", "--yes"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ".gitignore" in done.stdout
    assert "pre-commit" in done.stdout
    return tmp_path


def test_a_key_is_not_committed_and_what_is_harmless_is(platform: Path) -> None:
    git(platform, "add", "--all")
    assert git(platform, "commit", "--message", "the platform").returncode == 0
    (platform / "notes.txt").write_text(f"first\naws_access_key_id = {KEY}\n")
    git(platform, "add", "--all")
    refused = git(platform, "commit", "--message", "a key")
    assert refused.returncode != 0
    assert "notes.txt:2" in refused.stdout + refused.stderr
    assert KEY not in refused.stdout + refused.stderr
    assert git(platform, "log", "--format=%s").stdout.splitlines() == ["the platform"]
    # What counts is what is staged, not what lies there.
    (platform / "notes.txt").write_text("first\n")
    assert git(platform, "commit", "--message", "still staged").returncode != 0
    git(platform, "add", "--all")
    assert git(platform, "commit", "--message", "no key").returncode == 0


@pytest.mark.parametrize("path", [".aws/credentials", "credentials", ".env", ".mlops/state.json", ".mlops-demo/x"])
def test_git_takes_no_file_that_keys_are_usually_in(platform: Path, path: str) -> None:
    (platform / path).parent.mkdir(exist_ok=True, parents=True)
    (platform / path).write_text("x")
    git(platform, "add", "--all")
    assert git(platform, "ls-files", path).stdout == ""
    assert "mlops.yaml" in git(platform, "ls-files").stdout


def test_a_second_time_nothing_is_written_twice(platform: Path) -> None:
    before = (platform / ".gitignore").read_text()
    assert repository_guard.ignore(platform) == []
    assert repository_guard.install_hook(platform) == "there"
    assert (platform / ".gitignore").read_text() == before


def test_what_somebody_ignores_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n.env")
    added = repository_guard.ignore(tmp_path)
    assert ".env" not in added
    assert (tmp_path / ".gitignore").read_text().splitlines() == ["mine", ".env", *added]


def test_a_hook_of_somebody_is_left_and_named(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    hook = tmp_path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 0\n")
    done = subprocess.run([MLOPS, "init", "--yes"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "let it run too" in done.stdout
    with pytest.raises(ConfigError, match="a pre-commit hook already"):
        repository_guard.require_hook(tmp_path)
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_hooks_that_all_repositories_share_are_left_alone(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "mine")
    shared = tmp_path / "shared"
    git(tmp_path / "mine", "config", "core.hooksPath", str(shared))
    assert repository_guard.install_hook(tmp_path / "mine") == "none"
    assert not shared.exists()


def test_a_linked_worktree_has_the_hook_of_its_repository(tmp_path: Path) -> None:
    """Finds hooks that are looked for beside a worktree's own files, where git has none."""
    main, linked = tmp_path / "main", tmp_path / "linked"
    git(tmp_path, "init", "--quiet", "main")
    git(main, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(main, "worktree", "add", "--quiet", str(linked))
    assert repository_guard.install_hook(linked) == "written"
    assert (main / ".git/hooks/pre-commit").is_file()
    assert repository_guard.install_hook(main) == "there"
    (linked / "notes.txt").write_text(f"{KEY}\n")
    git(linked, "add", "--all")
    assert git(linked, "commit", "--message", "a key").returncode != 0


def test_a_link_is_not_what_it_leads_to(tmp_path: Path) -> None:
    """Finds a key of another folder that is read, and named, as if it stood in this repository."""
    (tmp_path / "credentials").write_text(f"{KEY}\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/key.txt").write_text(f"{KEY}\n")
    mine = tmp_path / "mine"
    git(tmp_path, "init", "--quiet", "mine")
    (mine / "absolute.txt").symlink_to(tmp_path / "credentials")
    (mine / "relative.txt").symlink_to("../credentials")
    (mine / "folder").symlink_to(tmp_path / "elsewhere")
    assert secrets.in_files([mine]) == []
    git(mine, "add", "--all")
    assert secrets.staged(mine) == []
    (mine / "own.txt").write_text(f"{KEY}\n")
    git(mine, "add", "--all")
    assert [each.path for each in secrets.staged(mine)] == ["own.txt"]
    assert [Path(each.path).name for each in secrets.in_files([mine])] == ["own.txt"]


def test_outside_of_a_repository_there_is_no_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert repository_guard.install_hook(tmp_path) == "none"
    with pytest.raises(ConfigError, match="no git repository here"):
        repository_guard.require_hook(tmp_path)
    with pytest.raises(ConfigError, match="git does not know this folder"):
        secrets.in_files([tmp_path])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"key: {KEY}", "AWS Access Key"),
        ("aws_secret_access_key = " + "k" * 40, "AWS Access Key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "Private Key"),  # pragma: allowlist secret
        ("token: ghp_" + "a" * 36, "GitHub Token"),
        ("https://user:hunter22@example.com", "Basic Auth Credentials"),  # pragma: allowlist secret
    ],
)
def test_what_is_found(tmp_path: Path, text: str, kind: str) -> None:
    (tmp_path / "file").write_text(f"\n{text}\n")
    assert secrets.in_files([tmp_path / "file"]) == [Secret(str(tmp_path / "file"), 2, kind)]
    (tmp_path / "file").write_text(f"\n{text}  # {secrets.ALLOWED}\n")
    assert secrets.in_files([tmp_path / "file"]) == []


def test_an_account_id_an_arn_and_a_hash_are_no_secrets(tmp_path: Path) -> None:
    harmless = f"dev: '222222222222'\narn:aws:iam::222222222222:role/x\n--hash=sha256:{'0a' * 32}\npassword: <yours>\n"
    (tmp_path / "file").write_text(harmless)
    assert secrets.in_files([tmp_path / "file"]) == []


def test_nothing_in_this_repository_is_a_secret() -> None:
    assert secrets.in_files([Path(__file__).parents[2]]) == []


def test_a_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [MLOPS, "check", "secrets", "none"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
