"""A YAML file against its model: every problem at once, each with file, line, value, what is allowed and the fix."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mlops_foundation.config import yaml_nodes
from mlops_foundation.core.errors import ConfigError, Problem

MadeT = TypeVar("MadeT")

_UNION_TAGS: Final = {"scalar", "list", "mapping", "[key]"}
_SHOWN_VALUE_MAX: Final = 80
_SHAPES: Final = {
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "union_tag_invalid": "text, or a mapping of keys to values",
}
"""pydantic's words for a type -> what to write in YAML."""


def read_text(path: Path, missing: Problem) -> str:
    """Return the text of a file.

    Args:
        path: The file.
        missing: The problem when there is none.

    Raises:
        ConfigError: When there is no such file, or it is no text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(missing.what, problems=[missing]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"the file cannot be read: {error.reason}"
        got = f"the byte 0x{error.object[error.start]:02x}"
        raise ConfigError(what, f"{path}:{line}", got, "UTF-8 text", "save it as UTF-8") from error
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise ConfigError(what, missing.where, str(path), "a file that you may read", f"look at {path}") from error


def read(
    text: str, file: str, fix: str, root: type | tuple[type, ...] = Mapping
) -> tuple[yaml_nodes.Document, list[Problem]]:
    """Read YAML.

    Args:
        text: The YAML.
        file: Name shown in errors.
        fix: What to do when it is something else altogether.
        root: What the file is as a whole: a mapping, or something else too.

    Returns:
        The document, and the keys that are there twice.

    Raises:
        ConfigError: When it is not YAML, or not what ``root`` says.
    """
    try:
        document = yaml_nodes.read(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _not_yaml(str(error.problem or error.context), file, text, line) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        why = f"the character #x{error.character:04x} is not allowed"
        raise _not_yaml(why, file, text, line) from error
    if not isinstance(document.data, root):
        got = "nothing" if document.data is None else type(document.data).__name__
        what = "the file is not a mapping of keys to values"
        raise ConfigError(what, f"{file}:1", got, "keys and their values", fix)
    return document, [_twice(each, file) for each in document.duplicates]


def checked(
    document: yaml_nodes.Document, file: str, model: type[BaseModel], validate: Callable[[Any], MadeT]
) -> tuple[MadeT | None, list[Problem]]:
    """Check a document against its model.

    Args:
        document: The document.
        file: Name shown in errors.
        model: The model of the whole, for the words about its keys.
        validate: Makes it.

    Returns:
        What was made, or None, and every problem.
    """
    try:
        return validate(document.data), []
    except ValidationError as error:
        return None, [_problem(details, document, file, model) for details in error.errors(include_url=False)]


def failed(file: str, problems: list[Problem]) -> ConfigError:
    """Return the error with all problems, in the order of their files and lines."""
    what = f"{file} has {len(problems)} error{'s' if len(problems) > 1 else ''}"
    return ConfigError(what, problems=sorted(problems, key=lambda problem: _place(problem, file)))


def shown(value: Any) -> str:  # noqa: ANN401  what the user wrote, of any type
    """Return a value as an error shows it."""
    if isinstance(value, BaseModel):
        return ""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_VALUE_MAX else text[: _SHOWN_VALUE_MAX - 3] + "..."


def _place(problem: Problem, file: str) -> tuple[bool, str, int]:
    name, _, line = problem.where.rpartition(":")
    return name != file, name, int(line)


def _not_yaml(why: str, file: str, text: str, line: int) -> ConfigError:
    lines = text.split("\n")
    found = lines[line - 1] if line <= len(lines) else ""
    got = shown(repr(found)) if found else "the end of the file"
    tab = "\t" in found[: len(found) - len(found.lstrip())]
    fix = "indent with spaces; YAML takes no tab there" if tab else "check indentation, quotes and aliases there"
    return ConfigError(f"not YAML: {why}", f"{file}:{line}", got, "YAML 1.1", fix)


def _twice(each: yaml_nodes.Duplicate, file: str) -> Problem:
    return Problem(
        what=f"the key {shown(each.key)} is there twice",
        where=f"{file}:{each.line}",
        got=shown(each.key),
        expected="each key once",
        fix=f"remove it here or in line {each.first_line}",
    )


def _problem(details: ErrorDetails, document: yaml_nodes.Document, file: str, root: type[BaseModel]) -> Problem:
    path = tuple(part for part in details["loc"] if part not in _UNION_TAGS)
    where = f"{file}:{document.line_of(path)}"
    key = shown(".".join(str(part) for part in path))
    match details["type"]:
        case "missing":
            what = f"the key {key} is missing"
            return Problem(what, where, "nothing", _purpose(path, root), f"add {path[-1]}:")
        case "extra_forbidden":
            return _unknown_key(path, where, root)
        case "mlops":
            context = details["ctx"]
            what = f"{key}: {context['what']}" if key else str(context["what"])
            fix = context["fix"] or f"use {context['expected']}"
            return Problem(what, where, context["got"] or shown(details["input"]), context["expected"], fix)
        case kind:
            expected = _expected(kind, details)
            return Problem(f"{key}: not a usable value", where, shown(details["input"]), expected, f"use {expected}")


def _expected(kind: str, details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match kind:
        case "string_pattern_mismatch":
            return f"text that matches {context['pattern']}"
        case "too_short":
            return f"at least {_items(context['min_length'])}"
        case "too_long":
            return f"at most {_items(context['max_length'])}"
        case _:
            said = details["msg"].removeprefix("Input should be ").removeprefix("Value should ")
            return _SHAPES.get(kind) or said


def _items(count: int) -> str:
    return f"{count} item{'s' if count > 1 else ''}"


def _unknown_key(path: tuple[str | int, ...], where: str, root: type[BaseModel]) -> Problem:
    model = _model_at(path[:-1], root)
    known = list(_keys(model)) if model else []
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    fix = f"did you mean {close[0]}?" if close else "remove it"
    key = shown(".".join(str(part) for part in path))
    return Problem(f"the key {key} is unknown", where, shown(str(path[-1])), ", ".join(known), fix)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _purpose(path: tuple[str | int, ...], root: type[BaseModel]) -> str:
    model = _model_at(path[:-1], root)
    if model is None:
        return "a value"
    for name, field in model.model_fields.items():
        if path[-1] in (name, field.alias):
            return field.description or "a value"
    return "a value"


def _model_at(path: tuple[str | int, ...], root: type[BaseModel]) -> type[BaseModel] | None:
    """Return the model that a path of keys leads to, from the root."""
    model: type[BaseModel] | None = root
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        # A key of a dict (such as the stage of an imported VPC) is no field: stay with the dict's own value model.
        if part in fields:
            model = next(_models_in(fields[part].annotation), None)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  a type expression has no type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
