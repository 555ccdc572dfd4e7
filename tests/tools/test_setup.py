"""tools/setup.sh: what it refuses before anything is made, and what it repairs.

A program of a few lines takes the place of Python and of uv, so that nothing is downloaded: the script
is what is tried.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEGABYTES = 50_000
PYTHON = r"""#!/bin/sh
# A Python that knows its version, makes environments of itself and installs a uv that logs what it is asked.
case "$*" in
"-V") echo "Python 3.$MINOR.1" ;;
*"sys.version_info[1]"*) echo "$MINOR" ;;
*"sys._base_executable"*) echo "$FAKE_PYTHON" ;;
"-m venv --without-pip .venv")
    mkdir -p .venv/bin && cp "$FAKE_PYTHON" .venv/bin/python ;;
"-m pip --python .venv/bin/python install --quiet uv=="*)
    version=${6#uv==}
    printf '#!/bin/sh\necho "uv %s" "$@" >>uv.log\n[ "$1" = --version ] && echo "uv %s"\n' >.venv/bin/uv
    sed -i "s/%s/${version:-none}/g" .venv/bin/uv
    printf 'case "$*" in *editable*) echo mlops >.venv/bin/mlops; chmod +x .venv/bin/mlops ;; esac\n' >>.venv/bin/uv
    chmod +x .venv/bin/uv ;;
*) exit 3 ;;
esac
"""


class Checkout:
    """A folder with the script and what it reads, a HOME and programs of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "the clone"  # with a space, as many have
        (self.folder / "tools").mkdir(parents=True)
        shutil.copytree(ROOT / "requirements", self.folder / "requirements")
        shutil.copy(ROOT / "tools" / "setup.sh", self.folder / "tools")
        shutil.copy(ROOT / "pyproject.toml", self.folder)
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        for name in ("bwrap", "python3"):
            self.program(name, PYTHON)
        self.environment = {"MINOR": "12", "FAKE_PYTHON": str(self.programs / "python3")}

    def program(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(text)
        file.chmod(0o755)

    def run(self, level: str = "run", **environment: str) -> tuple[int, str]:
        variables = {"PATH": f"{self.programs}:{os.defpath}", "HOME": str(self.home), "LC_ALL": "C"}
        done = subprocess.run(
            ["sh", self.folder / "tools" / "setup.sh", level],
            env={**variables, **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def asked(self) -> list[str]:
        """What uv was asked since it was looked at last, apart from its version."""
        log = self.folder / "uv.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if "--version" not in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_each_step_is_a_line_with_its_seconds_and_the_second_run_does_nothing(checkout: Checkout) -> None:
    code, said = checkout.run()
    assert code == 0, said
    steps = [line for line in said.splitlines() if line.endswith(" s")]
    assert [line[2:20].split("  ")[0].strip() for line in steps] == [
        "Python environment", "uv, which installs", f"{packages('run')} packages", "the platform itsel"
    ]  # fmt: skip
    assert "GB" in said.splitlines()[0]
    assert checkout.run() == (0, "")


def packages(level: str) -> int:
    lines = (ROOT / "requirements" / f"{level}.txt").read_text().splitlines()
    return sum("==" in line and not line.startswith(" ") for line in lines)


def test_developers_get_their_tools_on_top_and_keep_them(checkout: Checkout) -> None:
    checkout.run()
    assert any("requirements/run.txt" in line for line in checkout.asked)
    checkout.run("dev")
    assert any("requirements/dev.txt" in line for line in checkout.asked)
    assert checkout.run() == (0, "")
    assert checkout.asked == []


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.run()
    with (checkout.folder / "requirements" / "run.txt").open("a") as lock:
        lock.write("# another\n")
    checkout.asked  # noqa: B018  forgets what was asked before
    _, said = checkout.run()
    assert len(checkout.asked) == 2
    assert "Python environment" not in said


def test_a_clone_that_was_moved_is_repaired(checkout: Checkout) -> None:
    """Its scripts named the old place: ``make: .venv/bin/mlops: No such file or directory``, for ever."""
    checkout.run()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    code, said = checkout.run()
    assert code == 0
    assert "made anew" in said
    assert checkout.run() == (0, "")


@pytest.mark.parametrize("lost", ["python", "mlops", "uv"])
def test_an_environment_that_lost_a_part_is_repaired(checkout: Checkout, lost: str) -> None:
    checkout.run()
    (checkout.folder / ".venv" / "bin" / lost).unlink()
    if lost == "uv":  # needed only when there is something to install
        (checkout.folder / ".venv" / ".complete").unlink()
    code, said = checkout.run()
    assert code == 0, said
    assert all((checkout.folder / ".venv" / "bin" / name).exists() for name in ("python", "mlops", "uv"))


def test_a_set_up_that_was_ended_goes_on(checkout: Checkout) -> None:
    (checkout.folder / ".venv" / "bin").mkdir(parents=True)
    assert checkout.run()[0] == 0


def test_another_python_that_is_asked_for_makes_another_environment(checkout: Checkout) -> None:
    checkout.run()
    other = PYTHON.replace("$MINOR", "13").replace("$FAKE_PYTHON", str(checkout.programs / "other"))
    checkout.program("other", other)
    _, said = checkout.run(PYTHON=str(checkout.programs / "other"))
    assert "made anew" in said
    assert "Python 3.13.1" in said


@pytest.mark.parametrize("minor", ["10", "14", "9"])
def test_a_python_that_is_too_old_or_too_new_is_refused_at_once(checkout: Checkout, minor: str) -> None:
    code, said = checkout.run(MINOR=minor, PATH=f"{checkout.programs}:{tools(checkout)}")
    assert code == 1
    assert f"Python 3.{minor}.1" in said
    assert "CPython 3.11 to 3.13" in said
    assert not (checkout.folder / ".venv").exists()


def tools(checkout: Checkout) -> Path:
    """Return a folder with the system's programs and none of its Pythons."""
    folder = checkout.programs.with_name("tools")
    folder.mkdir()
    for name in ("sh", "cat", "cksum", "dirname", "mkdir", "rm", "df", "awk", "sed", "cut", "grep", "date", "cp", "id"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def test_another_python_on_the_path_is_taken_when_the_usual_one_is_no_use(checkout: Checkout) -> None:
    checkout.program("python3.13", PYTHON.replace("$MINOR", "13"))
    code, said = checkout.run(MINOR="14")
    assert code == 0, said
    assert "Python 3.13.1" in said


def test_a_home_that_cannot_be_written_is_one_clear_error(checkout: Checkout) -> None:
    code, said = checkout.run(HOME="/dev/null")
    assert code == 1
    assert len(said.splitlines()) == 4
    assert "/dev/null/.cache" in said
    assert "XDG_CACHE_HOME" in said
    assert checkout.run(HOME="/dev/null", XDG_CACHE_HOME=str(checkout.home))[0] == 0


def test_too_little_room_is_said_before_anything_is_made(checkout: Checkout) -> None:
    checkout.program("df", "#!/bin/sh\necho header\necho disk 100 90 10 90% /\n")
    code, said = checkout.run()
    assert code == 1
    assert "10 MB free" in said
    assert not (checkout.folder / ".venv").exists()


def test_a_step_that_fails_shows_what_it_said_and_how_to_go_on(checkout: Checkout) -> None:
    checkout.program("python3", PYTHON.replace("mkdir -p .venv/bin &&", "echo no space left >&2; exit 1;"))
    code, said = checkout.run()
    assert code == 1
    assert "no space left" in said
    assert "goes on from here" in said
