"""Mutation testing of what decides: change one thing in a function, and see whether its tests notice.

``python tools/mutation.py plan`` takes a sample, chosen by the commit, and fails when fewer are noticed than
``docs/mutation.md`` says. ``--sample 0`` takes every mutant; ``--write`` writes the group's rows of the page anew.

mutmut makes the mutants, finds the tests that reach each function, and runs them, in a copy of the repository.
"""

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import marked
import samples

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "mutation.md"
PACKAGE: Final = "src/mlops_foundation"
COPIED: Final = ("src", "tests", "tools", "bench", "examples", "docs", "requirements", "changes")
COPIED_FILES: Final = ("pyproject.toml", "Makefile", "README.md", "mkdocs.yml")
MESSAGES: Final = r"\b(what|where|got|expected|fix)="
"""The wording of an error, which no test repeats."""
SAME_IDS: Final = ("-o", "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=true")
"""A process that collects again, as each worker does, would escape line ends in ids once more, and not find them."""
_SHOW_ALL: Final = "import sys; from mutmut.__main__ import show; [show.callback(name) for name in sys.argv[1:]]"
"""Its command shows one mutant, after a second of imports."""
QUICK: Final = "not cloud and not e2e and not long and not aws"
KILLED, SURVIVED, UNREACHED, ENDLESS = "killed", "survived", "no test", "no end"


@dataclass(frozen=True)
class Group:
    """Modules that are mutated together, and the tests that are to notice.

    Attributes:
        modules: Patterns below the package.
        tests: Files and folders below ``tests``.
        without: Parts of the names of tests left out: those that synthesize a whole platform, or try thousands.
        sample: How many mutants; such that the group takes at most six minutes on two cores.
        together: The tests share what is made once, so that all of them are asked about each mutant, not only the one
            that happened to make it.
        caseless: What is mutated is IAM's, which compares actions and condition keys without regard to case: a mutant
            that changes nothing else makes no difference, and is left out.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    sample: int = 100
    together: bool = False
    caseless: bool = False


GROUPS: Final[Mapping[str, Group]] = {
    "plan": Group(("plan/*",), ("plan", "usecases/test_plan.py"), ("templates_are",), 120),
    "config": Group(("config/*",), ("config",), ("broken_file_is_told",)),
    "accounts": Group(("aws/accounts",), ("aws/test_accounts.py",)),
    "preflight": Group(("usecases/preflight",), ("usecases/test_preflight_checks.py",)),
    "boundary": Group(
        ("stacks/targets/boundary", "constructs/project/boundary_rights", "constructs/policies"),
        ("stacks/test_boundary.py",),
        together=True,
        caseless=True,
    ),
    "policies": Group(
        (
            "constructs/packages",
            "constructs/project/deployment_rights",
            "constructs/project/launch_rights",
            "stacks/catalog/launch",
            "stacks/studio/approvals",
            "stacks/studio/personas",
            "stacks/studio/signin",
            "stacks/studio/working",
            "stacks/targets/policies",
            "templates/*/rights",
        ),
        ("stacks/test_persona_rights.py", "stacks/test_project_makers.py"),
        sample=70,
        together=True,
        caseless=True,
    ),
    "project-roles": Group(
        ("constructs/project/policies", "constructs/project/roles"),
        ("stacks/test_project_roles.py",),
        sample=40,
        together=True,
        caseless=True,
    ),
    "endpoint-policies": Group(
        ("stacks/network/endpoint_policies",),
        ("stacks/test_endpoint_policies.py",),
        sample=30,
        together=True,
        caseless=True,
    ),
    "bootstrap": Group(
        ("constructs/execution", "constructs/bootstrap/*", "stacks/*/execution"),
        ("stacks/test_execution.py", "test_bootstrap_templates.py"),
        caseless=True,
    ),
    "authorize": Group(("local/authorize", "local/adapter/iam"), ("local/test_decisions.py",)),
    "dispatch": Group(("local/dispatch", "local/operations", "local/members"), ("local/test_dispatch.py",)),
}


@dataclass(frozen=True)
class Result:
    """What became of the mutants of a module.

    Attributes:
        module: Its file below the package.
        made: How many mutants there are.
        outcomes: How many of those that were tried ended in which way.
        commit: Of which commit they are: its date and the beginning of its hash.
    """

    module: str
    made: int
    outcomes: Mapping[str, int]
    commit: str = ""

    @property
    def tried(self) -> int:
        """How many were tried."""
        return sum(self.outcomes.values())

    @property
    def score(self) -> float:
        """Share of those tried that a test noticed, in percent."""
        return 100 * self.outcomes.get(KILLED, 0) / self.tried if self.tried else 100.0


class Copy:
    """A copy of the repository in which mutmut works.

    Args:
        folder: Empty.
        group: What is mutated.
    """

    def __init__(self, folder: Path, group: Group) -> None:
        self._folder = folder
        self._group = group
        ignored = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in COPIED_FILES:
            shutil.copy(ROOT / name, folder / name)
        # Python looks once whether a folder of PYTHONPATH exists.
        (folder / "mutants" / "src").mkdir(parents=True)
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
            settings.write(_settings(group))

    def mutants(self) -> list[str]:
        """Make the mutants, and find which tests reach them; return their names."""
        # mutmut has no command for this part alone: a run of a mutant that there is not ends when it is over.
        self._mutmut("run", "nothing", ends_with="nothing matches")
        if self._group.together:
            self._ask_all_tests()
        made = [name for _, codes in self._codes() for name in codes]
        alike = _alike(self._shown(made)) if self._group.caseless else frozenset()
        return [name for name in made if name not in alike]

    def _ask_all_tests(self) -> None:
        """Let every function that any test reached be a matter of all tests."""
        path = self._folder / "mutants" / "mutmut-stats.json"
        stats = json.loads(path.read_text(encoding="utf-8"))
        tests = sorted(stats["duration_by_test"])
        reached = stats["tests_by_mangled_function_name"]
        stats["tests_by_mangled_function_name"] = {name: tests for name, reaching in reached.items() if reaching}
        path.write_text(json.dumps(stats), encoding="utf-8")

    def run(self, names: Sequence[str], workers: int) -> list[Result]:
        """Run the tests of each mutant, and return what became of them by module."""
        self._mutmut("run", "--max-children", str(workers), *names)
        wanted, commit = set(names), _commit()
        return [
            Result(
                module,
                len(codes),
                Counter(_outcome(code) for name, code in codes.items() if name in wanted and code is not None),
                commit,
            )
            for module, codes in self._codes()
        ]

    def survivors(self) -> str:
        """Return what was changed in each mutant that no test noticed."""
        names = [
            name
            for _, codes in self._codes()
            for name, code in codes.items()
            if code is not None and _outcome(code) in (SURVIVED, UNREACHED)
        ]
        return self._shown(names)

    def _shown(self, names: Sequence[str]) -> str:
        return self._run([sys.executable, "-c", _SHOW_ALL, *names])

    def _codes(self) -> Iterator[tuple[str, dict[str, int | None]]]:
        for path in sorted((self._folder / "mutants").rglob("*.meta")):
            found = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
            if found:
                yield str(path.relative_to(self._folder / "mutants" / PACKAGE)).removesuffix(".meta"), found

    def _mutmut(self, *arguments: str, ends_with: str = "") -> str:
        program = str(Path(sys.executable).with_name("mutmut"))
        return self._run([program, *arguments], ends_with)

    def _run(self, command: Sequence[str], ends_with: str = "") -> str:
        """Run a program of mutmut in the copy and return what it said.

        Raises:
            SystemExit: When it fails for another reason than the one it is to end with, with what it said.
        """
        source = self._folder / "mutants" / "src"  # for programs that a test starts
        environment = {**os.environ, "PYTHONPATH": str(source), "MUTMUT_RUNNING": "1"}
        done = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and not (ends_with and ends_with in done.stderr):
            raise SystemExit(f"mutmut failed: {command[1]}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout


def _commit() -> str:
    command = ["git", "log", "-1", "--format=%cs %h"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()  # nothing without git


def _settings(group: Group) -> str:
    left_out = ["-k", f"not ({' or '.join(group.without)})"] if group.without else []
    lists = {
        "source_paths": ["src/"],
        "only_mutate": [f"{PACKAGE}/{module}.py" for module in group.modules],
        "also_copy": [*(name for name in COPIED if name not in ("src", "tests")), *COPIED_FILES],
        "do_not_mutate_patterns": [MESSAGES],
        "pytest_add_cli_args": ["-p", "no:randomly", "-p", "no:xdist", "-m", QUICK, *SAME_IDS, *left_out],
        "pytest_add_cli_args_test_selection": [f"tests/{name}" for name in group.tests],
    }
    lines = [f"{name} = {json.dumps(values)}" for name, values in lists.items()]
    # A process that has run no test forks the workers: nothing that a test started is in them.
    own = 'process_isolation = "forkserver"\nuse_git_change_detection = false\ntimeout_constant = 60.0'
    return "\n".join(["", "[tool.mutmut]", own, *lines, ""])


def _outcome(code: int) -> str:
    """Return what an exit code of mutmut says; a mutant that had no end, or ended the interpreter, is not noticed."""
    return {0: SURVIVED, 1: KILLED, 3: KILLED, 5: UNREACHED, 33: UNREACHED}.get(code, ENDLESS)


def _alike(shown: str) -> frozenset[str]:
    """Return the mutants, of those that are shown, that differ from what they were in upper and lower case only."""
    found = set()
    for part in re.split(r"^# ", shown, flags=re.MULTILINE)[1:]:
        lines = [line for line in part.splitlines()[1:] if not line.startswith(("---", "+++"))]
        before, after = ([line[1:].lower() for line in lines if line.startswith(sign)] for sign in "-+")
        if before == after:
            found.add(part.partition(":")[0])
    return frozenset(found)


def table(results: Sequence[Result]) -> str:
    """Return the table of the page."""
    rows = [
        f"| {each.module} | {each.made} | {each.tried} | {each.outcomes.get(KILLED, 0)} "
        f"| {each.outcomes.get(SURVIVED, 0)} | {each.outcomes.get(UNREACHED, 0)} | {each.outcomes.get(ENDLESS, 0)} "
        f"| {each.score:.0f} | {each.commit} |"
        for each in sorted(results, key=lambda each: each.module)
        if each.tried
    ]
    head = "| module | mutants | tried | noticed | survived | reached by no test | no end | score, % | commit |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


def published(page: str) -> dict[str, Result]:
    """Return what the page says of each module."""
    found = {}
    for line in page.splitlines():
        row = re.fullmatch(r"\| (\S+\.py) \| (\d+) \| \d+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| \d+ \| (.*) \|", line)
        if row:
            counts = dict(zip((KILLED, SURVIVED, UNREACHED, ENDLESS), map(int, row.groups()[2:6]), strict=True))
            found[row[1]] = Result(row[1], int(row[2]), counts, row[7])
    return found


def fallen(results: Sequence[Result], before: Mapping[str, Result]) -> str:
    """Return what to say when the score is lower than the published one by more than a sample explains, else nothing.

    Args:
        results: Of the modules of a group.
        before: What the page says; modules that it does not know count for nothing.
    """
    known = [each for each in results if each.module in before and each.tried and before[each.module].tried]
    tried = sum(each.tried for each in known)
    noticed = sum(each.outcomes.get(KILLED, 0) for each in known)
    expected = sum(each.tried * before[each.module].score / 100 for each in known)
    whole = all(each.tried == each.made for each in known)
    tried_before = sum(before[each.module].tried for each in known)
    noticed_before = sum(before[each.module].outcomes.get(KILLED, 0) for each in known)
    # A small sample of which all were noticed is no proof that all are: the rule of succession.
    share = (noticed_before + 1) / (tried_before + 2)
    # Three standard deviations of the difference of two samples: one false alarm in seven hundred.
    allowed = 0.5 if whole else 3 * math.sqrt(share * (1 - share) * tried * (1 + tried / tried_before))
    if noticed >= expected - allowed:
        return ""
    return (
        f"fewer mutants are noticed than docs/mutation.md says: {noticed} of {tried}, expected about {expected:.0f}; "
        "fix: test what survived, which is shown above"
    )


def examine(group: Group, sample: int, workers: int) -> tuple[list[Result], str]:
    """Return what became of a sample of a group's mutants, 0 for all, and what survived."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Copy(Path(folder), group)
        names = copy.mutants()
        chosen = samples.shuffled(names)[: sample or None]
        return copy.run(chosen, workers), copy.survivors()


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("--sample", type=int, help="how many mutants; 0 for all; the group's own if left out")
    parser.add_argument("--workers", type=int, default=2, help="how many are tried at the same time")
    parser.add_argument("--write", action="store_true", help="write the group's rows of docs/mutation.md anew")
    given = parser.parse_args()
    group = GROUPS[given.group]
    results, survivors = examine(group, group.sample if given.sample is None else given.sample, given.workers)
    before = published(PAGE.read_text(encoding="utf-8"))
    print(survivors)
    print(table(results))
    if given.write:
        marked.write(PAGE, table(list({**before, **{each.module: each for each in results}}.values())))
        return 0
    wrong = fallen(results, before)
    print(
        wrong or f"{given.group}: as many noticed as before; {samples.VARIABLE}={samples.seed()} takes the same sample"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
