"""Write ``docs/cli.md`` from the commands themselves, and the exit codes of ``docs/troubleshooting.md``.

    python tools/commands.py

``tests/test_docs.py`` fails when a page differs from what this would write.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import marked

from mlops_foundation.cli.app import COMMANDS, LazyCommand
from mlops_foundation.core import errors

PAGE: Final = Path(__file__).parents[1] / "docs" / "cli.md"
_SHARED_BY: Final = 5
"""Options with the same words in more commands than this are told once."""


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name, ``local start``, and each group before its commands."""
    for name, command in COMMANDS.items():
        loaded = LazyCommand(name, command).load()
        yield name, loaded
        for part, each in getattr(loaded, "commands", {}).items():
            yield f"{name} {part}", each


def render() -> str:
    """Return a section for each command, below what they share."""
    shared = _shared()
    lines = ["## Options that many commands have", "", "| option | what |", "|---|---|"]
    lines += [f"| {names} | {what} |" for names, what in shared]
    for name, command in commands():
        is_group = hasattr(command, "commands")
        lines += [
            "",
            f"{'##' if is_group or ' ' not in name else '###'} mlops {name}",
            "",
            _one_line(command.help or COMMANDS[name].help),
        ]
        if not is_group:
            lines += ["", *_details(name, command, shared)]
    return "\n".join(lines)


def _details(name: str, command: Any, shared: list[tuple[str, str]]) -> Iterator[str]:  # noqa: ANN401  typer's commands share no public base
    rows = [(_names(each), _what(each)) for each in command.params]
    arguments = " ".join(
        each.name if each.required else f"[{each.name}]" for each in command.params if not _is_option(each)
    )
    if arguments:
        yield f"    mlops {name} {arguments}"
    own = [row for row in rows if row not in shared]
    if own:
        yield from ("", "| | what |", "|---|---|", *(f"| {names} | {what} |" for names, what in own))
    also = [names.split(",")[0].split(" ")[0].strip("`") for names, what in rows if (names, what) in shared]
    if also:
        yield from ("", f"Also: {', '.join(f'`{each}`' for each in also)}.")
    yield from ("", *(f"    {example}" for example in _examples(command)))


def _shared() -> list[tuple[str, str]]:
    counted = Counter(
        (_names(each), _what(each)) for _, command in commands() for each in command.params if _is_option(each)
    )
    return sorted(row for row, count in counted.items() if count > _SHARED_BY)


def _examples(command: Any) -> list[str]:  # noqa: ANN401  typer's commands share no public base
    # A pipe stands between two examples; behind an echo it is the shell's.
    text = _one_line(command.epilog or "").removeprefix("Examples: ").removeprefix("Example: ")
    return re.split(r"(?<!\.\.\.) \| (?=mlops |eval |echo |cdk )", text) if text else []


def _is_option(parameter: Any) -> bool:  # noqa: ANN401  typer's parameters share no public base
    return bool(parameter.opts[0].startswith("-"))


def _names(parameter: Any) -> str:  # noqa: ANN401  typer's parameters share no public base
    if not _is_option(parameter):
        return f"`{parameter.name}`"
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    kind = parameter.type_descriptor.annotation
    if getattr(parameter, "is_flag", False):
        return names
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return f"{names} {' or '.join(f'`{choice}`' for choice in choices) or _kind(kind)}"


def _kind(annotation: Any) -> str:  # noqa: ANN401  what stands behind a colon
    if annotation is Path:
        return "path"
    return "number" if annotation in {int, float} else "text"


def _what(parameter: Any) -> str:  # noqa: ANN401  typer's parameters share no public base
    told = _one_line(parameter.help or "").replace("|", "\\|")
    hidden = not parameter.show_default or parameter.required or getattr(parameter, "is_flag", False)
    default = "" if hidden or parameter.default in (None, "", [], ()) else f" Default: `{parameter.default}`."
    variable = f" Variable: `{parameter.envvar}`." if parameter.envvar else ""
    return f"{told}{default}{variable}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def exit_codes() -> str:
    """Return a table of the errors, by exit code."""
    lines = ["| exit code | `code` in `--json` | what |", "|---|---|---|"]
    lines.append("| 0 | | it worked, and there was nothing to complain about |")
    kinds = {each.code: each for each in _kinds(errors.FoundationError)}
    for kind in sorted(kinds.values(), key=lambda each: each.exit_code):
        what = _one_line((kind.__doc__ or "").partition("\n\n")[0]).removesuffix(".")
        lines.append(f"| {kind.exit_code} | `{kind.code}` | {what.replace('``', '`')} |")
    return "\n".join(lines)


def _kinds(root: type[errors.FoundationError]) -> Iterator[type[errors.FoundationError]]:
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from _kinds(kind)


if __name__ == "__main__":
    marked.write(PAGE, render())
    marked.write(PAGE.with_name("troubleshooting.md"), exit_codes())
