"""The base of every platform stack."""

import aws_cdk as cdk
import jsii
from constructs import Construct

from mlops_foundation.constructs.context import StackContext
from mlops_foundation.constructs.nag import acknowledge_inline_policies


class FoundationStack(cdk.Stack):
    """A stack with the platform's name, tags and bootstrap, which never looks anything up.

    Args:
        scope: The CDK stage of the set and environment.
        context: What the stack is built from.
    """

    def __init__(self, scope: Construct, context: StackContext) -> None:
        self._zones = context.network.azs
        super().__init__(
            scope,
            context.stack.name.capitalize(),
            stack_name=context.stack.stack_name,
            description=context.stack.description,
            env=cdk.Environment(account=context.account, region=context.region),
            synthesizer=cdk.DefaultStackSynthesizer(qualifier=context.names.qualifier),
            analytics_reporting=False,
        )
        acknowledge_inline_policies(self)
        for key, value in {**context.tags, "mlops:prefix": context.names.prefix}.items():
            cdk.Tags.of(self).add(key, value)

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        """The configured zones, or the account's first ones, chosen by CloudFormation and not by a lookup at synth."""
        if isinstance(self._zones, int):
            return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(self._zones)]
        return list(self._zones)
