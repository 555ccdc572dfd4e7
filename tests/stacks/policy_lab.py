"""Policies of the platform as statements that IAM decides about, without a cloud: of stacks, and of a project's roles.

What imports the CDK is imported when it is used: a test module that is only collected starts no Node.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iam_in_process import decision
from mlops_foundation.config import load_text
from mlops_foundation.core import node
from mlops_foundation.local.contract import Principal
from mlops_foundation.plan import Plan, build
from mlops_foundation.plan.foundations import Foundation, StackPlan
from mlops_foundation.stacks import STACKS
from mlops_foundation.templates import TEMPLATES

FOUR = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
DEV, PREPROD, PROD = FOUR["dev"], FOUR["preprod"], FOUR["prod"]
REGION, PROJECT = "eu-west-1", "churn"
Statement = dict[str, Any]
NOTHING: Mapping[str, str] = {}
Row = tuple[str, str, Mapping[str, Any]]
"""An action, a resource, and the condition keys of the request."""


def arn(service: str, resource: str, account: str = DEV, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def role(name: str, account: str = DEV) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def rows(actions: str, *resources: str, when: Mapping[str, Any] = NOTHING) -> list[Row]:
    """Return each action on each resource; the first word is the service."""
    service, *names = actions.split()
    return [(f"{service}:{name}", resource, when) for resource in resources for name in names]


def assert_well_formed(statements: Sequence[Statement]) -> None:
    """Each statement has a name of its own, of words, and conditions whose truth is written as AWS reads it.

    A refusal is looked for by the name. The local cloud takes every text for a truth value; AWS only two.
    """
    names = [each.get("Sid", "") for each in statements]
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z0-9]+)+", name) or "None" in name] == []
    assert len(set(names)) == len(names), names
    for each in statements:
        for operator in {"Null", "Bool"} & set(each.get("Condition", {})):
            assert set(each["Condition"][operator].values()) <= {"true", "false"}, each


def assert_holds(who: Principal, may: Sequence[Row], may_not: Sequence[Row], never: Sequence[Row]) -> None:
    """Compare with what is decided.

    Args:
        who: Whose rights.
        may: Allowed.
        may_not: Not allowed.
        never: Denied, whatever else a role is given.
    """
    assert [row for row in may if decision(who, *row) != "Allow"] == []
    assert [row for row in may_not if decision(who, *row) == "Allow"] == []
    assert [row for row in never if decision(who, *row) != "Deny"] == []


def plan(only: Sequence[str] = (), **sections: Any) -> Plan:
    """Return the plan of four accounts, with the named stacks alone where some are named."""
    given = {"region": REGION, "sets": [{"name": "default", "accounts": FOUR}], "tags": {"CostCenter": "0"}}
    chosen = tuple(replace(spec, needs=()) for spec in STACKS if spec.name in only) if only else STACKS
    return build(load_text(json.dumps({**given, **sections})), chosen, TEMPLATES)


def foundation(made: Plan, account: str) -> Foundation:
    return next(each for each in made.sets[0].foundations if each.account == account)


def context(stack: str, account: str = DEV, **sections: Any) -> Any:
    """Return what the builder of a stack is given in an account."""
    node.use()
    from mlops_foundation.constructs.context import StackContext

    made = plan(**sections)
    place = foundation(made, account)
    planned: StackPlan = next(each for each in place.stacks if each.name == stack)
    return StackContext(made.settings, made.sets[0], place, planned, TEMPLATES)


def written(statements: Sequence[Any]) -> list[Statement]:
    """Return statements of the CDK as they stand in a policy."""
    return [each.to_json() for each in statements]


def of_rights(rights: Sequence[Any]) -> list[Statement]:
    """Return rights of templates, which are plain data, as they stand in a policy."""
    return [
        {
            "Sid": each.sid,
            "Effect": each.effect,
            "Action": list(each.actions),
            "Resource": list(each.resources),
            "Condition": dict(each.conditions),
        }
        for each in rights
    ]


@dataclass(frozen=True)
class Role:
    """A role of a project as the product's template has it, for one project.

    Attributes:
        properties: With every reference resolved.
    """

    properties: Mapping[str, Any]

    @property
    def statements(self) -> list[Statement]:
        return [each for policy in self.properties["Policies"] for each in policy["PolicyDocument"]["Statement"]]

    @property
    def trust(self) -> list[Statement]:
        return list(self.properties["AssumeRolePolicyDocument"]["Statement"])

    @property
    def tags(self) -> dict[str, str]:
        return {each["Key"]: each["Value"] for each in self.properties["Tags"]}


def product(folder: Path) -> dict[str, Any]:
    """Return the template of a project, with everything in it as it is for the project ``churn`` in dev."""
    node.use()
    from mlops_foundation.constructs.assembly import build_app

    build_app(plan(["catalog"]), folder / "out").synth()
    (path,) = (folder / "out").rglob("*Realtime*.product.template.json")
    template = json.loads(path.read_text(encoding="utf-8"))
    return resolved(template, {"SageMakerProjectName": PROJECT, "SageMakerProjectId": "p-1"})


def resolved(template: Mapping[str, Any], given: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """Return a template's resources as they are in dev, by logical id.

    Args:
        template: As it was synthesized.
        given: Values of its parameters; the others have their defaults.
    """
    values = {name: each.get("Default", "x") for name, each in template.get("Parameters", {}).items()}
    values |= {**given, "AWS::AccountId": DEV, "AWS::Region": REGION, "AWS::Partition": "aws"}
    values |= {"AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "stack", "AWS::StackId": "stack/1"}
    resources = template["Resources"]
    resolve = Resolver(values, resources)
    return {name: {**each, "Properties": resolve(each.get("Properties", {}))} for name, each in resources.items()}


def roles(template: Mapping[str, Any]) -> dict[str, Role]:
    found = [Role(each["Properties"]) for each in template.values() if each["Type"] == "AWS::IAM::Role"]
    return {each.properties["RoleName"].removeprefix(f"{PROJECT}-"): each for each in found}


class Resolver:
    """Puts values in the place of a template's functions."""

    def __init__(self, values: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
        self._values = values
        self._resources = resources

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref":
                return self._values.get(argument) or self._reference(argument)
            if name.startswith("Fn::"):
                return getattr(self, f"_{name[4:].lower()}")(argument)
        return {key: self(each) for key, each in value.items()}

    def _reference(self, name: str) -> str:
        properties = self._resources[name]["Properties"]
        names = [
            key for key in ("BucketName", "RoleName", "Name", "LogGroupName", "RepositoryName") if key in properties
        ]
        return str(self(properties[names[0]])) if names else name

    def _getatt(self, path: Sequence[str]) -> str:
        name, attribute = path
        resource = self._resources[name]
        if attribute != "Arn":
            return f"{name}.{attribute}"
        if resource["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self._reference(name)}"
        if resource["Type"] == "AWS::IAM::Role":
            return f"arn:aws:iam::{DEV}:role{self(resource['Properties'].get('Path', '/'))}{self._reference(name)}"
        service = resource["Type"].split("::")[1].lower()
        kind = {"kms": "key/", "codebuild": "project/", "logs": "log-group:"}.get(service, "")
        return f"arn:aws:{service}:{REGION}:{DEV}:{kind}{self._reference(name)}"

    def _sub(self, argument: Any) -> str:
        text, more = (argument, {}) if isinstance(argument, str) else argument
        values = {**self._values, **self(more)}
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", str(value))
        return str(text)

    def _join(self, argument: Sequence[Any]) -> str:
        separator, parts = argument
        return str(separator.join(map(str, self(parts))))

    def _select(self, argument: Sequence[Any]) -> str:
        return f"selected-{argument[0]}"

    def _split(self, argument: Sequence[Any]) -> list[str]:
        return str(self(argument[1])).split(argument[0])
