"""SSM parameters: how stacks share values, so that none imports another's outputs."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct


def publish(scope: Construct, construct_id: str, name: str, value: str) -> None:
    """Write a parameter."""
    ssm.StringParameter(scope, construct_id, parameter_name=name, string_value=value)


def publish_list(scope: Construct, construct_id: str, name: str, values: Sequence[str]) -> Construct:
    """Write a list parameter."""
    return ssm.StringListParameter(scope, construct_id, parameter_name=name, string_list_value=list(values))


def read(scope: Construct, construct_id: str, name: str) -> str:
    """Read a parameter when the stack is deployed."""
    parameter = cdk.CfnParameter(scope, construct_id, type="AWS::SSM::Parameter::Value<String>", default=name)
    return parameter.value_as_string


def read_list(scope: Construct, construct_id: str, name: str) -> list[str]:
    """Read a list parameter when the stack is deployed."""
    parameter = cdk.CfnParameter(scope, construct_id, type="AWS::SSM::Parameter::Value<List<String>>", default=name)
    return parameter.value_as_list
