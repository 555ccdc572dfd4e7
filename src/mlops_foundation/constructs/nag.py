"""Acknowledged cdk-nag findings: each with the reason why it is right as it is."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")


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
    findings = {finding: None for statement in statements for finding in _wildcards(statement)}
    acknowledgments = [
        cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-IAM5[{finding}]", reason=reason) for finding in findings
    ]
    cdk.Validations.of(construct).acknowledge(*acknowledgments)


def _wildcards(statement: iam.PolicyStatement) -> Iterable[str]:
    if statement.effect == iam.Effect.ALLOW:
        yield from (f"Action::{action}" for action in statement.actions if "*" in action)
        # cdk-nag writes a policy variable ${x} as <x>.
        resources = [_VARIABLE.sub(r"<\1>", resource) for resource in statement.resources]
        yield from (f"Resource::{resource}" for resource in resources if "*" in resource)
