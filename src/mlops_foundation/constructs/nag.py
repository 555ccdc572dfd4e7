"""cdk-nag: the packs that check every stack, and acknowledged findings, each with the reason why it is right."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
import cdk_nag
from aws_cdk import aws_iam as iam
from constructs import IConstruct

NIST: Final = "NIST.800.53.R5"


@dataclass(frozen=True)
class Checks:
    """What a synth checks beside cdk-nag's AwsSolutions pack, which it always does.

    Attributes:
        schemas: Resources against CloudFormation's schemas; takes some seconds more.
        nist: cdk-nag's pack for NIST 800-53 revision 5.
    """

    schemas: bool = False
    nist: bool = False


def add_packs(app: cdk.App, checks: Checks) -> None:
    """Let cdk-nag check every stack of an app."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    if checks.nist:
        cdk.Validations.of(app).add_plugins(cdk_nag.NIST80053R5Checks(app))


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge a finding on a construct and what is below it.

    Args:
        construct: The construct that is found.
        rule: For example ``AwsSolutions-S1`` or ``NIST.800.53.R5-LambdaDLQ``, or one finding of a rule,
            ``AwsSolutions-IAM4[Policy::...]``.
        reason: Why it is right, in one sentence.
    """
    pack = rule.partition("-")[0] if rule.startswith("AwsSolutions") else NIST
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{pack}::{rule}", reason=reason))


def acknowledge_inline_policies(construct: IConstruct) -> None:
    """Acknowledge that roles carry their policies themselves."""
    reason = (
        "Each policy belongs to one role, comes and goes with it, and cannot be attached to another one by mistake; it "
        "is reviewed as code."
    )
    acknowledge(construct, f"{NIST}-IAMNoInlinePolicy", reason)


def acknowledge_function(construct: IConstruct) -> None:
    """Acknowledge how the function of a custom resource runs."""
    reasons = {
        "LambdaConcurrency": "CloudFormation calls it once a deployment; a reservation takes from the account's limit.",
        "LambdaDLQ": "Whatever goes wrong fails the stack that called it, with the reason; nobody would read a queue.",
        "LambdaInsideVPC": "It calls AWS services only, holds no data and is not reachable; in the VPC its interfaces "
        "would keep the network's stack from being deleted.",
    }
    for rule, reason in reasons.items():
        acknowledge(construct, f"{NIST}-{rule}", reason)


def acknowledge_bucket(construct: IConstruct) -> None:
    """Acknowledge that a project's bucket has no bucket of logs and no copy in another region."""
    reason = "Reads and writes are data events of the organization's trail; a second bucket of logs adds nothing."
    acknowledge(construct, "AwsSolutions-S1", reason)
    acknowledge(construct, f"{NIST}-S3BucketLoggingEnabled", reason)
    reason = "A project lives in one region, by its configuration; versions protect against deletion."
    acknowledge(construct, f"{NIST}-S3BucketReplicationEnabled", reason)


def acknowledge_vpc(construct: IConstruct) -> None:
    """Acknowledge a VPC's default security group, and its public subnets' way out."""
    reason = (
        "Nothing is ever put into the default security group: every interface names a group of its own, and closing "
        "the default one would take a function with rights on every group of the account."
    )
    acknowledge(construct, f"{NIST}-VPCDefaultSecurityGroupClosed", reason)
    reason = "Public subnets hold NAT gateways only, which let nothing in; without NAT there are none."
    acknowledge(construct, f"{NIST}-VPCNoUnrestrictedRouteToIGW", reason)


def acknowledge_own_members(construct: IConstruct) -> None:
    """Acknowledge a rule that lets in the members of its own security group, and nobody else."""
    reason = "The source is the group itself: its members reach one another, and nobody outside of it reaches them."
    acknowledge(construct, f"{NIST}-EC2RestrictedCommonPorts", reason)


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
