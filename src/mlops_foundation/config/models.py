"""The frozen models of ``mlops.yaml``: what a platform is made of, and the checks that need no AWS account."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from mlops_foundation.config.endpoints import ENDPOINTS, EndpointName
from mlops_foundation.config.fields import (
    AccountIdField,
    Cidr,
    Prefix,
    Principal,
    RegionField,
    SetName,
    TagKey,
    TagValue,
    UserName,
    Zone,
    invalid,
    once,
    vpc_cidr,
)
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.core.names import ENVIRONMENTS, STAGES, Environment, Stage

DOMAIN_ADMIN_PROFILE: Final = "ds-admin"
MANDATORY_TAG: Final = "CostCenter"
MAX_AZS: Final = 3
BASE_CIDR_MAX_LENGTH: Final = 22
"""A base is cut in four; a quarter may be a /24 at the smallest."""

Persona = Literal["admin", "data-scientist", "lead", "approver-prod", "platform-engineer", "auditor"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True)


class Accounts(_Model):
    """The account of each environment; any of them may be equal."""

    governance: AccountIdField
    """Where the platform engineer signs in; deploys all the others."""
    dev: AccountIdField
    """Studio, the catalog, projects with their repositories and pipelines."""
    preprod: AccountIdField
    """Endpoints before production."""
    prod: AccountIdField
    """Production endpoints."""

    def of(self, environment: Environment) -> AccountId:
        """Return the account of an environment."""
        account: AccountId = getattr(self, environment)
        return account


class AccountSet(_Model):
    """One whole platform: four accounts that belong together."""

    name: SetName
    """Unique; part of the names in the cloud assembly, of no AWS resource."""
    accounts: Accounts
    prefix: Prefix | None = None
    """Instead of the global prefix; needed when two sets share an account."""
    region: RegionField | None = None
    """Instead of the global region."""


class StageCidrs(_Model):
    """One block for each stage's VPC."""

    dev: Annotated[Cidr, AfterValidator(vpc_cidr)]
    """Block of dev's VPC, /16 to /24."""
    preprod: Annotated[Cidr, AfterValidator(vpc_cidr)]
    """Block of preprod's VPC, /16 to /24."""
    prod: Annotated[Cidr, AfterValidator(vpc_cidr)]
    """Block of prod's VPC, /16 to /24."""

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        blocks = {stage: ipaddress.IPv4Network(getattr(self, stage)) for stage in STAGES}
        for index, first in enumerate(STAGES):
            for second in STAGES[index + 1 :]:
                if blocks[first].overlaps(blocks[second]):
                    what = f"the blocks of {first} ({blocks[first]}) and {second} ({blocks[second]}) overlap"
                    raise invalid(what, "blocks that share no address", "give each stage its own /18 of one /16")
        return self


def _base_cidr(value: str) -> str:
    length = ipaddress.IPv4Network(value).prefixlen
    if length > BASE_CIDR_MAX_LENGTH:
        what = f"a /{length} is too small to be cut into one VPC for each stage"
        raise invalid(what, f"at most a /{BASE_CIDR_MAX_LENGTH}", "use a /16, or one block for each stage")
    return value


def _shape(value: Any) -> str:  # noqa: ANN401  what YAML gave, not yet checked
    if isinstance(value, Mapping | BaseModel):
        return "by_stage"
    return "list" if isinstance(value, list | tuple) else "scalar"


class ImportedVpc(_Model):
    """An existing VPC instead of a new one."""

    vpc_id: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    """Id of the VPC."""
    private_subnet_ids: Annotated[
        tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...], Field(min_length=1)
    ]
    """Its private subnets."""
    security_group_id: Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
    """Security group of the workloads."""


class FlowLogs(_Model):
    """VPC flow logs in an encrypted log group."""

    enabled: bool = True
    """Off saves the log group; the security checks want it on."""
    retention_days: Literal[30, 60, 90, 180, 365, 731] = 90
    """Days that the logs are kept."""


class Network(_Model):
    """The VPC of dev, preprod and prod."""

    cidr: Annotated[
        Annotated[Cidr, AfterValidator(_base_cidr), Tag("scalar")] | Annotated[StageCidrs, Tag("by_stage")],
        Discriminator(_shape),
    ] = "10.0.0.0/16"
    """One base that is cut into equal VPCs, or one block for each stage."""
    azs: Annotated[
        Annotated[int, Field(ge=1, le=MAX_AZS, strict=True), Tag("scalar")]
        | Annotated[tuple[Zone, ...], Field(min_length=1, max_length=MAX_AZS), Tag("list")],
        Discriminator(_shape),
    ] = 3
    """How many availability zones (the account's first ones), or their names."""
    nat_gateways: Annotated[int, Field(ge=0, le=MAX_AZS, strict=True)] = 1
    """0 means no internet: packages then come from a private index."""
    endpoints: tuple[EndpointName, ...] = tuple(ENDPOINTS)
    """Services that are reached without leaving the VPC."""
    flow_logs: FlowLogs = FlowLogs()
    imported: Annotated[dict[Stage, ImportedVpc], Field(alias="import")] = Field(default_factory=dict)
    """Existing VPCs by stage; not in this version."""

    @property
    def az_count(self) -> int:
        """Number of availability zones, which is the number of private subnets."""
        return self.azs if isinstance(self.azs, int) else len(self.azs)

    def vpc_cidr(self, stage: Stage) -> str:
        """Return the block of a stage's VPC; a base is cut in four, the last quarter stays free."""
        if isinstance(self.cidr, StageCidrs):
            return str(getattr(self.cidr, stage))
        quarters = list(ipaddress.IPv4Network(self.cidr).subnets(prefixlen_diff=2))
        return str(quarters[STAGES.index(stage)])

    @field_validator("endpoints")
    @classmethod
    def _endpoints_once(cls, value: tuple[EndpointName, ...]) -> tuple[EndpointName, ...]:
        once(value, "endpoint")
        return value

    @model_validator(mode="after")
    def _nat_fits(self) -> Self:
        if self.nat_gateways > self.az_count:
            what = f"{self.nat_gateways} NAT gateways in {self.az_count} availability zones"
            raise invalid(what, "at most one NAT gateway for each zone", f"set nat_gateways to {self.az_count} or less")
        return self


class Studio(_Model):
    """SageMaker Studio's users, in dev; ``ds-admin`` is always there."""

    data_scientists: tuple[UserName, ...] = ()
    """One user profile each."""
    lead_data_scientists: tuple[UserName, ...] = ()
    """One user profile each; the same in Studio, they approve as the lead's role."""

    @model_validator(mode="after")
    def _users_once(self) -> Self:
        users = (*self.data_scientists, *self.lead_data_scientists)
        once(users, "Studio user")
        if DOMAIN_ADMIN_PROFILE in users:
            raise invalid(
                f"the profile {DOMAIN_ADMIN_PROFILE} is always made", "other names", "remove it from the list"
            )
        return self


class Source(_Model):
    """Where the projects' repositories are."""

    provider: Literal["codecommit"] = "codecommit"
    """CodeCommit only in this version."""
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,100}$")] = "main"
    """The branch that starts the pipelines."""

    @field_validator("provider", mode="before")
    @classmethod
    def _only_codecommit(cls, value: object) -> object:
        if value != "codecommit":
            raise invalid("this source provider is not in this version", "codecommit", "set provider: codecommit")
        return value


class Builds(_Model):
    """How CodeBuild runs the projects' builds."""

    in_vpc: bool = True
    """In the private subnets, behind the endpoints."""


class SignIn(_Model):
    """Who may take a persona's role, besides the root session of its own account."""

    principals: dict[Persona, tuple[Principal, ...]] = Field(default_factory=dict)
    """Role or user ARNs by persona, for example the roles of IAM Identity Center's permission sets."""


class Config(_Model):
    """The whole of ``mlops.yaml``."""

    prefix: Prefix = "mlops"
    """First part of the names, path of the roles and CDK bootstrap qualifier."""
    region: RegionField
    """Where everything is, unless a set says otherwise."""
    sets: Annotated[tuple[AccountSet, ...], Field(json_schema_extra={"minItems": 1})]
    """Sets of accounts; each is a whole platform."""
    network: Network = Network()
    studio: Studio = Studio()
    source: Source = Source()
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


def environments_of(accounts: Accounts, account: AccountId) -> tuple[Environment, ...]:
    """Return the environments that an account holds, in their fixed order."""
    return tuple(environment for environment in ENVIRONMENTS if accounts.of(environment) == account)
