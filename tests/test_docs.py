"""The documentation tells of everything there is, and of nothing that there is not."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mlops_foundation.cli.app import COMMANDS, LazyCommand
from mlops_foundation.local.services import SERVICES
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES
from pages import blocks

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
EVERYTHING = "\n".join(TEXTS.values())
BY_PEOPLE = "\n".join(text for page, text in TEXTS.items() if page.name != "cli.md")


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name: ``local start``."""
    for name, command in COMMANDS.items():
        loaded = LazyCommand(name, command).load()
        for part, each in getattr(loaded, "commands", {"": loaded}).items():
            yield f"{name} {part}".strip(), each


COMMAND_OF = dict(commands())


def tool(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a program of ``tools/``."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module(name)


def code_lines(text: str) -> Iterator[str]:
    """Yield the lines of code blocks, indented or fenced, without comments at their end."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()


def uses(line: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each use of ``mlops`` in a line of code: the command's full name and its options."""
    for found in re.finditer(r"(?:^|[\s(\"/|])mlops (?P<rest>[a-z-][^|#)]*)", line):
        words = shlex.split(found["rest"].split(" # ")[0].replace('"', " ").replace("'", " "))
        plain = [word for word in words if not word.startswith("-")]
        name = next(
            (n for n in (" ".join(plain[:2]), plain[0] if plain else "") if n in COMMAND_OF), " ".join(plain[:2])
        )
        yield name, [word.split("=")[0] for word in words if word.startswith("-")]


# --- everything there is, is told -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMAND_OF)
def test_every_command_is_documented(name: str) -> None:
    assert re.search(rf"mlops {name}\b", BY_PEOPLE)
    assert re.search(rf"^##+ mlops {name}$", TEXTS[ROOT / "docs/cli.md"], re.MULTILINE)


@pytest.mark.parametrize("spec", STACKS, ids=lambda spec: spec.name)
def test_every_stack_is_documented(spec: Any) -> None:
    (row,) = re.findall(rf"^\| `{spec.name}` \| (.+) \| .+ \|$", TEXTS[ROOT / "docs/architecture.md"], re.MULTILINE)
    assert row == ", ".join(spec.environments)


@pytest.mark.parametrize("spec", TEMPLATES, ids=lambda spec: spec.name)
def test_every_template_is_documented(spec: Any) -> None:
    assert f"`{spec.name}`" in TEXTS[ROOT / "docs/architecture.md"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_is_documented(service: Any) -> None:
    assert f"\n| {', '.join(service.models)} | " in TEXTS[ROOT / "docs/local-cloud.md"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("operations.render", "local-cloud.md"),
        ("configuration.render", "configuration.md"),
        ("cost.render", "cost.md"),
        ("coverage.render", "coverage.md"),
        ("commands.render", "cli.md"),
        ("commands.exit_codes", "troubleshooting.md"),
    ],
)
def test_a_written_page_is_what_the_code_says(name: str, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, _, function = name.partition(".")
    written, marked = tool(program, monkeypatch), tool("marked", monkeypatch)
    text = TEXTS[ROOT / "docs" / page]
    assert text == marked.replaced(text, getattr(written, function)()), f"write it anew: python tools/{program}.py"


def test_every_key_of_the_configuration_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = tool("configuration", monkeypatch).keys()
    assert {"prefix", "sets[].accounts.prod", "network.cidr.dev", "sign_in.principals", "tags"} <= set(keys)
    for key in keys:
        (row,) = re.findall(rf"^\| `{re.escape(key)}` \| (.*?) \|", TEXTS[ROOT / "docs/configuration.md"], re.MULTILINE)
        assert row, key


def test_get_started_says_what_room_set_up_says() -> None:
    said = (ROOT / "tools" / "setup.sh").read_text(encoding="utf-8")
    (here,), (caches,) = re.findall(r"takes (\S+ GB) here", said), re.findall(r"first demo, (\S+ GB) in", said)
    for page in ("get-started.md", "troubleshooting.md"):
        assert {here, caches} <= set(re.findall(r"\d\S* GB", TEXTS[ROOT / "docs" / page]))


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert phony == set(re.findall(r"^([a-z0-9]+):.*## ", makefile, re.MULTILINE))


# --- what is told, is there -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_in_code_exist(page: Path) -> None:
    text = TEXTS[page]
    for line in [*code_lines(text), *re.findall(r"`(mlops [^`]+)`", text)]:
        for name, options in uses(line):
            if name in COMMANDS and name not in COMMAND_OF:
                continue  # a group, as a whole
            assert name in COMMAND_OF, line
            known = {
                each for parameter in COMMAND_OF[name].params for each in (*parameter.opts, *parameter.secondary_opts)
            }
            passed_through = {"-v"} if name == "deploy" else set()
            assert set(options) <= known | passed_through | {"--help"}, line


def test_the_readme_uses_commands_at_all() -> None:
    used = {name for line in code_lines(TEXTS[README]) for name, _ in uses(line)}
    assert {"init", "deploy", "project create", "local env"} <= used


def test_get_started_has_the_readmes_commands_and_no_others() -> None:
    """The README's are run, line by line."""
    typed = [
        [line.text.split("  #")[0].rstrip() for block in blocks(page) if not block.not_run for line in block.lines]
        for page in (README, ROOT / "docs" / "get-started.md")
    ]
    assert typed[0] == typed[1]


def test_troubleshooting_has_the_words_that_are_printed() -> None:
    page = TEXTS[ROOT / "docs/troubleshooting.md"]
    told = re.findall(r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    places = [*(ROOT / "src").rglob("*.py"), ROOT / "tools" / "setup.sh"]
    printed = "\n".join(place.read_text(encoding="utf-8") for place in places)
    for name, value in {"{port}": "4566", "{CONFIG_NAME}": "mlops.yaml"}.items():
        printed = printed.replace(name, value)
    assert len(told) > 20
    assert [words for words in told if words not in printed] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_in_code_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "\n".join([*code_lines(TEXTS[page]), *re.findall(r"`(make [a-z0-9]+)`", TEXTS[page])])
    assert set(re.findall(r"(?:^|\s)make ([a-z0-9]+)", text)) <= targets


def test_fixes_and_hints_in_the_code_name_commands_that_exist() -> None:
    groups = "|".join(name for name in COMMANDS if name not in COMMAND_OF)
    single = "|".join(name for name in COMMANDS if name in COMMAND_OF)
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for found in re.finditer(rf"\bmlops (?:({groups}) ([a-z]+)|({single})\b)", path.read_text(encoding="utf-8")):
            name = found[3] or f"{found[1]} {found[2]}"
            if name not in COMMAND_OF:
                wrong.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert wrong == []


def test_coverage_has_every_row_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"000": 25, "001": 9, "002": 14, "003": 7, "004": 8}
    expected = [f"{group}-{number}" for group, count in counts.items() for number in range(1, count + 1)]
    assert list(tool("coverage", monkeypatch).rows()) == expected


def test_coverage_claims_only_what_tests_and_commands_that_exist_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is named by itself, never by its whole file; what is not shown says what is missing."""
    clauses = [clause for each in tool("coverage", monkeypatch).rows().values() for clause in each]
    assert len(clauses) > 100
    for clause in clauses:
        assert clause.tests or clause.lacks, clause
        for name in clause.tests:
            path, _, test = name.partition("::")
            assert f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), name
        program, _, command = clause.by.partition(" ")
        if program == "make":
            assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), clause.by
        elif program:
            assert command in COMMAND_OF, clause.by


def test_no_page_names_a_place_of_this_machine() -> None:
    assert not re.search(r"/work/|/home/|/root/|/Users/", EVERYTHING)
