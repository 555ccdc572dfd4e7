"""Frozen data: what one account and region gets, and the stacks in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mlops_foundation.config.network import Vpc
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import STAGES, Environment, Stage
from mlops_foundation.plan.specs import Claim, Workload


@dataclass(frozen=True)
class StackPlan:
    """One stack in one account, with what it takes there.

    Attributes:
        name: Folder below ``stacks/``.
        stack_name: CloudFormation name.
        description: One sentence.
        needs: Stacks of the account that are there before.
        exports: SSM parameters that it writes.
        builder: ``package.module:function`` that builds it, as its spec says.
        execution: ``package.module:function`` that says what CloudFormation may do to deploy it.
        keys: What the KMS keys that it makes encrypt.
        services: AWS services that the region must have for it.
        claims: Names that it takes.
        quotas: What it takes of the account's quotas at most, by the quota's name.
        owner_first: Whether it waits, where endpoints are shared, for the one of the account that owns them.
    """

    name: str
    stack_name: str
    description: str
    needs: tuple[str, ...]
    exports: tuple[str, ...]
    builder: str
    execution: str
    keys: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)
    owner_first: bool = False


def naming(environments: Sequence[Environment]) -> Environment:
    """Return the environment that names what several share: the first stage, or governance where there is none."""
    return next(iter(stages_of(environments)), environments[0])


def stages_of(environments: Sequence[Environment]) -> tuple[Stage, ...]:
    """Return the stages among environments, in their order."""
    return tuple(stage for stage in STAGES if stage in environments)


@dataclass(frozen=True)
class Foundation:
    """What one account and region gets; environments with the same account and region share it.

    Attributes:
        environments: The environments it serves, in their fixed order.
        account: Account id.
        region: Region.
        stacks: In the order of deployment.
        vpc: Its network, after every fallback of the configuration.
        tags: Tags of everything in it.
        workloads: What runs in its VPC, with the AWS services that are called from there.
    """

    environments: tuple[Environment, ...]
    account: AccountId
    region: Region
    stacks: tuple[StackPlan, ...]
    vpc: Vpc
    tags: Mapping[str, str]
    workloads: tuple[Workload, ...]

    @property
    def name(self) -> Environment:
        """The environment that names its stacks: the first stage, or governance where there is none."""
        return naming(self.environments)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages among its environments."""
        return stages_of(self.environments)

    def has_vpc(self, shared: "Owning | None") -> bool:
        """Return whether it has a VPC: every stage has, and governance when it owns the endpoints that are shared."""
        return bool(self.stages) or (shared is not None and shared.owned_by(self))


class Owning(Protocol):
    """Who owns endpoints that several accounts share."""

    def owned_by(self, foundation: Foundation) -> bool:
        """Return whether an account has them."""
