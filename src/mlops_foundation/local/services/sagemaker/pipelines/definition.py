"""A pipeline definition (schema 2020-12-01): read, checked, its parameters given values."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mlops_foundation.local.contract import Json, ServiceError, not_supported
from mlops_foundation.local.services.sagemaker.pipelines.steps import RUN

VERSION: Final = "2020-12-01"
STEP_TYPES: Final = RUN.keys() | {"Condition"}
_STEP_REFERENCE: Final = re.compile(r"^Steps\.([A-Za-z0-9_-]+)")
_CASTS: Final = {"String": str, "Integer": int, "Float": float}


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", f"Unable to parse pipeline definition. {message}")


@dataclass(frozen=True)
class Definition:
    """A checked definition.

    Attributes:
        content: The parsed JSON.
        steps: Every step by name, those inside conditions too, in order.
    """

    content: Json
    steps: Mapping[str, Json]

    @classmethod
    def parse(cls, text: str) -> "Definition":
        """Read a definition.

        Raises:
            ServiceError: ``ValidationException`` for what cannot be run on AWS either, ``NotSupportedException`` for
                step types the local cloud lacks.
        """
        try:
            content = json.loads(text)
        except ValueError as error:
            raise _invalid(f"Invalid JSON: {error}") from error
        if not isinstance(content, dict) or content.get("Version") != VERSION:
            raise _invalid(f"Version must be {VERSION}")
        steps: dict[str, Json] = {}
        for step in _all_steps(content.get("Steps") or []):
            if step.get("Type") not in STEP_TYPES:
                raise not_supported(f"a pipeline step of type {step.get('Type')}")
            if step["Name"] in steps:
                raise _invalid(f"Step names must be unique: {step['Name']}")
            steps[step["Name"]] = step
        if not steps:
            raise _invalid("A pipeline needs at least one step")
        found = cls(content, steps)
        found._check_references()
        return found

    def top_level(self) -> list[Json]:
        """Return the steps that are not inside a condition's branch."""
        return list(self.content["Steps"])

    def _check_references(self) -> None:
        parameters = {parameter["Name"] for parameter in self.content.get("Parameters") or ()}
        for name, step in self.steps.items():
            for unknown in dependencies(step) - self.steps.keys():
                raise _invalid(f"Step {name} refers to step {unknown}, which does not exist")
            for path in _gets(step.get("Arguments", {})):
                if path.startswith("Parameters.") and path.removeprefix("Parameters.") not in parameters:
                    raise _invalid(f"Step {name} refers to undefined parameter {path}")

    def parameters(self, given: Mapping[str, str]) -> Json:
        """Return every parameter's value, of its type.

        Raises:
            ServiceError: For a parameter that is unknown, missing, of another type or not among its allowed values.
        """
        declared = {parameter["Name"]: parameter for parameter in self.content.get("Parameters") or ()}
        if unknown := given.keys() - declared.keys():
            message = f"Assigned parameters [{', '.join(sorted(unknown))}] are not defined in the pipeline"
            raise ServiceError("ValidationException", message)
        values: Json = {}
        for name, parameter in declared.items():
            if name not in given and "DefaultValue" not in parameter:
                message = f"Parameters [{name}] do not have default or assigned values"
                raise ServiceError("ValidationException", message)
            values[name] = _value(parameter, given.get(name, parameter.get("DefaultValue")))
        return values


def dependencies(step: Json) -> set[str]:
    """Return the steps that have to succeed first: named in DependsOn, or read anywhere in its arguments.

    The steps inside a condition's branches depend for themselves.
    """
    arguments = {key: value for key, value in step.get("Arguments", {}).items() if key not in {"IfSteps", "ElseSteps"}}
    read = {match.group(1) for path in _gets(arguments) if (match := _STEP_REFERENCE.match(path))}
    return read | set(step.get("DependsOn") or ())


def _all_steps(steps: list[Json]) -> Iterator[Json]:
    for step in steps:
        yield step
        if step.get("Type") == "Condition":
            arguments = step.get("Arguments", {})
            yield from _all_steps([*arguments.get("IfSteps", ()), *arguments.get("ElseSteps", ())])


def _gets(value: object) -> Iterator[str]:
    """Yield the path of every ``Get`` in an expression."""
    if isinstance(value, list):
        for item in value:
            yield from _gets(item)
    elif isinstance(value, dict):
        if isinstance(path := value.get("Get"), str):
            yield path
        for item in value.values():
            yield from _gets(item)


def _value(parameter: Json, value: object) -> object:
    kind, name = parameter["Type"], parameter["Name"]
    try:
        typed = str(value).lower() == "true" if kind == "Boolean" else _CASTS[kind](value)
    except (ValueError, TypeError) as error:
        message = f"Parameter {name} has value {value!r}, which is no {kind}"
        raise ServiceError("ValidationException", message) from error
    allowed = parameter.get("EnumValues")
    if allowed and typed not in allowed:
        message = f"Parameter {name} has value {typed!r}, which is not one of {allowed}"
        raise ServiceError("ValidationException", message)
    return typed
