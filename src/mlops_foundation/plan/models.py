"""Frozen data: the plan, made of the stacks and templates that are in use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_foundation.config.network import Vpc
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.errors import ConfigError
from mlops_foundation.core.names import STAGES, Environment, PlatformNames, Stage
from mlops_foundation.plan.specs import Claim, TemplateSpec, Workload


@dataclass(frozen=True)
class StackPlan:
    """One stack in one account, with what it takes there.

    Attributes:
        name: Folder below ``stacks/``.
        stack_name: CloudFormation name.
        description: One sentence.
        needs: Stacks of the account that are there before.
        exports: SSM parameters that it writes.
        keys: What the KMS keys that it makes encrypt.
        services: AWS services that the region must have for it.
        claims: Names that it takes.
        quotas: What it takes of the account's quotas, by the quota's name.
    """

    name: str
    stack_name: str
    description: str
    needs: tuple[str, ...]
    exports: tuple[str, ...]
    keys: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)


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


@dataclass(frozen=True)
class SetPlan:
    """One set of accounts."""

    name: str
    prefix: str
    region: Region
    accounts: Mapping[Environment, AccountId]
    foundations: tuple[Foundation, ...]

    @property
    def names(self) -> PlatformNames:
        """Names of what the set's prefix owns."""
        return PlatformNames(self.prefix)

    def account(self, environment: Environment) -> AccountId:
        """Return the account of an environment.

        Raises:
            ConfigError: When the set has no governance account.
        """
        if environment not in self.accounts:
            raise ConfigError(
                f"the set {self.name} has no {environment} account: each account deploys itself",
                where=f"sets.{self.name}.accounts",
                expected=f"one of {', '.join(self.accounts)}",
                fix=f"name one of them, or add {environment}",
            )
        return self.accounts[environment]

    def engineer_account(self, account: AccountId) -> AccountId:
        """Return the account whose platform engineer deploys an account: governance, or itself where there is none."""
        return self.accounts.get("governance", account)

    def foundation_in(self, account: str) -> Foundation:
        """Return the foundation of an account."""
        return next(each for each in self.foundations if each.account == account)

    def foundation(self, environment: Environment) -> Foundation:
        """Return the foundation that serves an environment."""
        return next(each for each in self.foundations if environment in each.environments)


@dataclass(frozen=True)
class Plan:
    """Everything that will be made.

    Attributes:
        sets: The sets of accounts.
        templates: The project templates of the catalog.
    """

    sets: tuple[SetPlan, ...]
    templates: tuple[TemplateSpec, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data, with a fixed order of everything."""
        return {"sets": [_set_as_dict(each) for each in self.sets]}

    def lines(self) -> tuple[str, ...]:
        """Return one line for each stack and account, sorted by nothing but the plan itself: what a diff compares."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[str]:
        for each in self.sets:
            for foundation in each.foundations:
                place = f"{each.name} {'+'.join(foundation.environments)} {foundation.account} {foundation.region}"
                yield f"{place} bootstrap {each.names.toolkit_stack}"
                for stack in foundation.stacks:
                    yield f"{place} {stack.name} {stack.stack_name}"

    def diff(self, earlier: "Plan") -> tuple[str, ...]:
        """Return what an earlier plan did not have (``+``) and what this one has no more (``-``)."""
        before, after = earlier.lines(), self.lines()
        gone = [f"- {line}" for line in before if line not in after]
        return (*gone, *(f"+ {line}" for line in after if line not in before))


def _set_as_dict(each: SetPlan) -> dict[str, Any]:
    return {
        "name": each.name,
        "prefix": each.prefix,
        "region": each.region,
        "environments": [
            {
                "environments": list(foundation.environments),
                "account": foundation.account,
                "region": foundation.region,
                "toolkit_stack": each.names.toolkit_stack,
                "stacks": [
                    {
                        "name": stack.name,
                        "stack_name": stack.stack_name,
                        "description": stack.description,
                        "needs": list(stack.needs),
                        "exports": list(stack.exports),
                    }
                    for stack in foundation.stacks
                ],
            }
            for foundation in each.foundations
        ],
    }
