"""Acknowledged cdk-nag findings: each with the reason why it is right as it is."""

import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge a finding of the AwsSolutions pack on a construct and what is below it.

    Args:
        construct: The construct that is found.
        rule: For example ``AwsSolutions-S1``, or one finding of a rule, ``AwsSolutions-IAM4[Policy::...]``.
        reason: Why it is right, in one sentence.
    """
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))


def acknowledge_wildcards(construct: IConstruct, statements: Sequence[iam.PolicyStatement], reason: str) -> None:
    """Acknowledge exactly the wildcards that a reviewed policy has (AwsSolutions-IAM5), one finding each.

    Args:
        construct: The role or policy that carries the statements.
        statements: The policy.
        reason: Why these resources can be named by pattern only.
    """
    findings: dict[str, None] = {}
    stack = cdk.Stack.of(construct)
    for statement in statements:
        if statement.effect == iam.Effect.ALLOW:
            findings |= {f"Action::{action}": None for action in statement.actions if "*" in action}
            resources = [_flatten(resource) for resource in stack.resolve(statement.resources)]
            findings |= {f"Resource::{resource}": None for resource in resources if "*" in resource}
    acknowledgments = [
        cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-IAM5[{finding}]", reason=reason) for finding in findings
    ]
    cdk.Validations.of(construct).acknowledge(*acknowledgments)


def _flatten(reference: Any) -> str:  # noqa: ANN401  a string or an intrinsic function
    """Write a resource as cdk-nag writes it in a finding: a reference or variable x as <x>."""
    match reference:
        case str():
            return reference.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [delimiter, items]}:
            return str(delimiter).join(_flatten(item) for item in items)
        case {"Fn::Sub": text}:
            return _flatten(text)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{_flatten(resource)}.{_flatten(attribute)}>"
        case {"Ref": name}:
            return f"<{name}>"
        case _:
            return json.dumps(reference, separators=(",", ":"))
