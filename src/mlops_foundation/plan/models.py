"""Frozen data: what a stack and a template are, and the plan made of them."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_foundation.config.models import Config
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.errors import ConfigError, PluginError
from mlops_foundation.core.names import STAGES, Environment, PlatformNames, Stage


def load_builder(path: str, owner: str) -> Any:  # noqa: ANN401  the caller knows the builder's signature
    """Import a builder when it is needed, so that planning never loads the CDK.

    Args:
        path: ``package.module:function``.
        owner: Stack or template that names it, for the error.

    Raises:
        PluginError: When there is no such function.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        what = f"the builder of {owner} cannot be loaded: {error}"
        raise PluginError(what, owner, path, "package.module:function", "correct its builder path") from error


def _always(config: Config) -> bool:
    del config
    return True


def _nowhere_else(config: Config) -> tuple[Environment, ...]:
    del config
    return ()


@dataclass(frozen=True)
class StackSpec:
    """What the platform knows of a stack before building it.

    Attributes:
        name: Folder below ``stacks/`` and middle part of the CloudFormation name.
        description: One sentence, shown by ``mlops plan`` and in CloudFormation.
        environments: Where it is made.
        builder: ``package.module:function``, called with the CDK stage and a ``StackContext``.
        execution: ``package.module:function``, called with an ``ExecutionScope``; returns what CloudFormation may do to
            deploy the stack.
        needs: Stacks of the same account that must be there before.
        config_section: Section of ``mlops.yaml`` it reads, empty when none.
        exports: SSM parameters it writes; ``{prefix}`` stands for the prefix.
        wanted: Whether a configuration asks for it; every one does, unless a stack says otherwise.
        also_in: Environments where a configuration asks for it besides.
    """

    name: str
    description: str
    environments: tuple[Environment, ...]
    builder: str
    execution: str
    needs: tuple[str, ...] = ()
    config_section: str = ""
    exports: tuple[str, ...] = ()
    wanted: Callable[[Config], bool] = _always
    also_in: Callable[[Config], tuple[Environment, ...]] = _nowhere_else


@dataclass(frozen=True)
class TemplateSpec:
    """A project template: one version of the product "SageMaker Project".

    Attributes:
        name: Folder below ``templates/`` and name of the product version.
        description: One sentence, shown to who creates a project.
        builder: ``package.module:function``, called with scope, id and a ``ProductContext``; returns a
            ``ProductStack``.
        seeds: Folders below the template's own that become archives, by the name the builder asks for.
    """

    name: str
    description: str
    builder: str
    seeds: Mapping[str, str]


@dataclass(frozen=True)
class StackPlan:
    """One stack in one account."""

    name: str
    stack_name: str
    description: str
    needs: tuple[str, ...]
    exports: tuple[str, ...]


@dataclass(frozen=True)
class Foundation:
    """What one account and region gets; environments with the same account and region share it.

    Attributes:
        environments: The environments it serves, in their fixed order.
        account: Account id.
        region: Region.
        stacks: In the order of deployment.
    """

    environments: tuple[Environment, ...]
    account: AccountId
    region: Region
    stacks: tuple[StackPlan, ...]

    @property
    def name(self) -> Environment:
        """The environment that names its stacks: the first stage, or governance where there is none."""
        return next((stage for stage in STAGES if stage in self.environments), self.environments[0])

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages among its environments."""
        return tuple(stage for stage in STAGES if stage in self.environments)


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
    """Everything that will be made."""

    sets: tuple[SetPlan, ...]

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
