"""Read ``mlops.yaml``: every error at once, each with its file, line, value, what is allowed and the fix."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mlops_foundation.config import yaml_nodes
from mlops_foundation.config.models import Config
from mlops_foundation.core.errors import ConfigError, Problem

CONFIG_FILE: Final = "mlops.yaml"
_UNION_TAGS: Final = {"scalar", "list", "mapping", "[key]"}
_SHOWN_VALUE_MAX: Final = 80


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Args:
        path: The YAML file.

    Raises:
        ConfigError: With every problem found, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        what = "there is no configuration file"
        raise ConfigError(what, str(path), expected="a file written by mlops init", fix="mlops init") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the configuration file cannot be read: {error}", str(path), expected="UTF-8 text"
        ) from error
    return load_text(text, str(path))


def load_text(text: str, file: str = CONFIG_FILE) -> Config:
    """Check the text of a configuration file.

    Args:
        text: The YAML.
        file: Name shown in errors.

    Raises:
        ConfigError: With every problem found, each with its line.
    """
    document = _document(text, file)
    problems = [
        Problem(
            what=f"the key {each.key} is there twice",
            where=f"{file}:{each.line}",
            got=each.key,
            expected="each key once",
            fix=f"remove it here or in line {each.first_line}",
        )
        for each in document.duplicates
    ]
    config = None
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        problems += [_problem(details, document, file) for details in error.errors(include_url=False)]
    if problems or config is None:
        what = f"{file} has {len(problems)} error{'s' if len(problems) > 1 else ''}"
        raise ConfigError(what, problems=sorted(problems, key=lambda problem: int(problem.where.rsplit(":", 1)[1])))
    return config


def _document(text: str, file: str) -> yaml_nodes.Document:
    try:
        document = yaml_nodes.read(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = f"not YAML: {error.problem or error.context}"
        raise ConfigError(what, f"{file}:{line}", expected="YAML 1.1", fix="check indentation and quotes") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {error}", f"{file}:1", expected="YAML 1.1") from error
    if not isinstance(document.data, Mapping):
        got = "nothing" if document.data is None else type(document.data).__name__
        what = "the configuration is not a mapping of keys to values"
        raise ConfigError(what, f"{file}:1", got, "keys such as region and sets", "mlops init --force writes a new one")
    return document


def _problem(details: ErrorDetails, document: yaml_nodes.Document, file: str) -> Problem:
    path = tuple(part for part in details["loc"] if part not in _UNION_TAGS)
    where = f"{file}:{document.line_of(path)}"
    key = ".".join(str(part) for part in path)
    match details["type"]:
        case "missing":
            what = f"the key {key} is missing"
            return Problem(what, where, expected=_purpose(path), fix=f"add {path[-1]}:")
        case "extra_forbidden":
            return _unknown_key(path, where)
        case "mlops":
            context = details["ctx"]
            what = f"{key}: {context['what']}" if key else str(context["what"])
            return Problem(what, where, _shown(details["input"]), context["expected"], context["fix"])
        case _:
            expected = details["msg"].removeprefix("Input should be ").removeprefix("Value should ")
            return Problem(f"{key}: not a usable value", where, _shown(details["input"]), expected)


def _unknown_key(path: tuple[str | int, ...], where: str) -> Problem:
    model = _model_at(path[:-1])
    known = list(_keys(model)) if model else []
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    fix = f"did you mean {close[0]}?" if close else "remove it"
    key = ".".join(str(part) for part in path)
    return Problem(f"the key {key} is unknown", where, str(path[-1]), ", ".join(known), fix)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _purpose(path: tuple[str | int, ...]) -> str:
    model = _model_at(path[:-1])
    if model is None:
        return "a value"
    for name, field in model.model_fields.items():
        if path[-1] in (name, field.alias):
            return field.description or "a value"
    return "a value"


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the model that a path of keys leads to, from the root."""
    model: type[BaseModel] | None = Config
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


def _shown(value: Any) -> str:  # noqa: ANN401  what the user wrote, of any type
    if isinstance(value, BaseModel):
        return ""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_VALUE_MAX else text[: _SHOWN_VALUE_MAX - 3] + "..."
