"""What CloudFormation refuses before anything is made: templates that no stack comes of, and a delete at a bad time."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, engine, handlers, helpers

from mlops_foundation.local.contract import Json

_FUNCTIONS: Final = (
    "Fn::And", "Fn::Base64", "Fn::Cidr", "Fn::Equals", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt", "Fn::If",
    "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Not", "Fn::Or", "Fn::Select", "Fn::Split", "Fn::Sub",
    "Fn::ToJsonString", "Fn::Transform",
)  # fmt: skip
_LOOP: Final = "Fn::ForEach::"


def refuse_templates(_cloud: object) -> None:
    """Refuse templates without resources, with a circle, an unknown function or a reference to nothing."""
    validate = engine.validate_template_support

    def check(template: Json, conditions: Json, params: Json | None = None) -> None:
        validate(template, conditions, params)
        if not template.get("Transform"):
            _check(template)

    changesets.validate_template_support = check
    engine.validate_template_support = check
    handlers.validate_template_support = check


def _check(template: Json) -> None:
    resources = template.get("Resources") or {}
    if not resources:
        raise ValueError("Template format error: At least one Resources member must be defined.")
    unknown = sorted(set(_functions(resources)) - set(_FUNCTIONS))
    if unknown:
        raise ValueError(
            f"Template format error: Encountered unsupported function: {unknown[0]} "
            f"Supported functions are: [{', '.join(_FUNCTIONS)}]"
        )
    missing = sorted(set(_references(resources)) - resources.keys() - (template.get("Parameters") or {}).keys())
    if missing:
        raise ValueError(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
            "in the Resources block of the template"
        )
    circle = _circle(resources)
    if circle:
        raise ValueError(f"Circular dependency between resources: [{', '.join(circle)}]")


def _functions(value: object) -> Iterator[str]:
    """Yield every function that is called, at every depth."""
    if isinstance(value, list):
        for item in value:
            yield from _functions(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.startswith("Fn::") and not key.startswith(_LOOP):
                yield key
            yield from _functions(item)


def _references(resources: Json) -> Iterator[str]:
    for definition in resources.values():
        for name, _ in engine._intrinsic_references(definition.get("Properties") or {}):
            if not name.startswith("AWS::"):
                yield name
        yield from _depends_on(definition)


def _depends_on(definition: Json) -> list[str]:
    found = definition.get("DependsOn") or []
    return [found] if isinstance(found, str) else list(found)


def _circle(resources: Json) -> list[str]:
    names = set(resources)
    needs = {
        name: (set(engine._extract_deps(each, names)) | set(_depends_on(each))) & names
        for name, each in resources.items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return sorted(set(error.args[1]))
    return []


def refuse_deletes_during_updates(_cloud: object) -> None:
    """Refuse to delete a stack that is being updated or sent back."""
    delete = handlers._ACTION_HANDLERS["DeleteStack"]

    def check(params: Any) -> Any:
        name = helpers._p(params, "StackName")
        stack = cloudformation._stacks.get(name.split("/")[1] if name.startswith("arn:") else name) or {}
        status = str(stack.get("StackStatus", ""))
        if status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS"):
            message = f"Stack [{name}] cannot be deleted while in status {status}"
            return helpers._error("ValidationError", message)
        return delete(params)

    handlers._ACTION_HANDLERS["DeleteStack"] = check
