"""The frozen models of ``mlops.yaml``: what a platform is made of, and the checks that need no AWS account."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from mlops_foundation.config.base import Section
from mlops_foundation.config.fields import (
    AccountIdField,
    Branch,
    NewRegion,
    Prefix,
    Principal,
    RegionField,
    SetName,
    TagKey,
    TagValue,
    invalid,
    once,
)
from mlops_foundation.config.network import Network, StageNetwork, Vpc
from mlops_foundation.config.packages import Packages
from mlops_foundation.config.studio import Studio
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import ENVIRONMENTS, Environment, Stage

MANDATORY_TAG: Final = "CostCenter"

Persona = Literal["admin", "data-scientist", "lead", "approver-prod", "platform-engineer", "auditor"]


class Accounts(Section):
    """The account of each environment; any of them may be equal."""

    governance: AccountIdField | None = None
    """Where the platform engineer signs in; deploys all the others. Without it each account deploys itself."""
    dev: AccountIdField
    """Studio, the catalog, projects with their repositories and pipelines."""
    preprod: AccountIdField
    """Endpoints before production."""
    prod: AccountIdField
    """Production endpoints."""

    def by_environment(self) -> Mapping[Environment, AccountId]:
        """Return the account of each environment that there is, in their fixed order."""
        given = {each: getattr(self, each) for each in ENVIRONMENTS}
        return {environment: account for environment, account in given.items() if account is not None}


class StageSettings(Section):
    """What one stage has of its own; what is left out is dev's, and else the global value."""

    network: StageNetwork = StageNetwork()
    tags: dict[TagKey, TagValue] = Field(default_factory=dict)
    """Further tags of everything in the stage's account, beside the global ones."""


class AccountSet(Section):
    """One whole platform: four accounts that belong together."""

    name: SetName
    """Unique; part of the names in the cloud assembly, of no AWS resource."""
    accounts: Accounts
    prefix: Prefix | None = None
    """Instead of the global prefix; needed when two sets share an account."""
    region: RegionField | None = None
    """Instead of the global region."""
    stages: dict[Stage, StageSettings] = Field(default_factory=dict)
    """Settings of single stages."""

    def settings(self, environment: Environment) -> StageSettings:
        """Return what an environment has of its own."""
        return self.stages.get(environment, StageSettings()) if environment != "governance" else StageSettings()


class Source(Section):
    """Where the projects' repositories are."""

    provider: Literal["codecommit"] = "codecommit"
    """CodeCommit only in this version."""
    branch: Branch = "main"
    """The branch that the seeds are on, that a clone has, and whose pushes start the pipelines."""

    @field_validator("provider", mode="before")
    @classmethod
    def _only_codecommit(cls, value: object) -> object:
        if value != "codecommit":
            raise invalid("this source provider is not in this version", "codecommit", "set provider: codecommit")
        return value


class Builds(Section):
    """How CodeBuild runs the projects' builds."""

    in_vpc: bool = True
    """In the private subnets, behind the endpoints."""


class SignIn(Section):
    """Who may take a persona's role, besides the root session of its own account."""

    principals: dict[Persona, tuple[Principal, ...]] = Field(default_factory=dict)
    """Role or user ARNs by persona, for example the roles of IAM Identity Center's permission sets."""


class Config(Section):
    """The whole of ``mlops.yaml``."""

    prefix: Prefix = "mlops"
    """First part of the names, path of the roles and CDK bootstrap qualifier."""
    region: RegionField
    """Where everything is, unless a set says otherwise."""
    new_regions: tuple[NewRegion, ...] = ()
    """Regions of AWS that are newer than this version of the platform, which else takes them for mistakes."""
    sets: Annotated[tuple[AccountSet, ...], Field(json_schema_extra={"minItems": 1})]
    """Sets of accounts; each is a whole platform."""
    other_platforms: tuple[Prefix, ...] = ()
    """Prefixes of platforms that the same accounts deploy from another mlops.yaml."""
    network: Network = Network()
    studio: Studio = Studio()
    source: Source = Source()
    packages: Packages = Packages()
    builds: Builds = Builds()
    sign_in: SignIn = SignIn()
    tags: dict[TagKey, TagValue]
    """Tags of everything the platform makes; CostCenter is mandatory."""

    @field_validator("sets")
    @classmethod
    def _sets_once(cls, value: tuple[AccountSet, ...]) -> tuple[AccountSet, ...]:
        if not value:
            raise invalid("there is no set of accounts", "at least one set", "mlops init --force writes one")
        once([each.name for each in value], "set")
        return value

    @field_validator("tags")
    @classmethod
    def _cost_center(cls, value: dict[str, str]) -> dict[str, str]:
        if MANDATORY_TAG not in value:
            raise invalid(
                f"the tag {MANDATORY_TAG} is missing", f"at least {MANDATORY_TAG}", f"add {MANDATORY_TAG}: <id>"
            )
        return value

    def prefix_of(self, account_set: AccountSet) -> str:
        """Return the prefix that a set uses."""
        return account_set.prefix or self.prefix

    def region_of(self, account_set: AccountSet) -> Region:
        """Return the region that a set is in."""
        return account_set.region or self.region

    def account_set(self, name: str) -> AccountSet:
        """Return the set with this name."""
        return next(each for each in self.sets if each.name == name)

    def vpc_of(self, account_set: AccountSet, environment: Environment) -> Vpc:
        """Return an environment's network: its own settings, else dev's, else the global ones."""
        own, dev = account_set.settings(environment).network, account_set.settings("dev").network
        return self.network.resolved(environment, own, dev, self.region_of(account_set))

    def tags_of(self, account_set: AccountSet, environment: Environment) -> Mapping[str, str]:
        """Return the tags in an environment's account: global ones, dev's over them, its own over both."""
        return {**self.tags, **account_set.settings("dev").tags, **account_set.settings(environment).tags}
