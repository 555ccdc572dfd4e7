"""The network section: one VPC for each stage, made or imported, with global values and settings of single stages."""

import ipaddress
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from mlops_foundation.config.base import Section, shape
from mlops_foundation.config.endpoints import GATEWAY, EndpointName, available
from mlops_foundation.config.fields import Cidr, RoleArn, Zone, invalid, once, vpc_cidr
from mlops_foundation.core.names import STAGES, Environment

MAX_AZS: Final = 3
BASE_CIDR_MAX_LENGTH: Final = 22
"""A base is cut in four; a quarter may be a /24 at the smallest."""
_QUARTERS: Final[tuple[Environment, ...]] = (*STAGES, "governance")

Azs = Annotated[
    Annotated[int, Field(ge=1, le=MAX_AZS, strict=True), Tag("scalar")]
    | Annotated[tuple[Zone, ...], Field(min_length=1, max_length=MAX_AZS), Tag("list")],
    Discriminator(shape),
]
NatGateways = Annotated[int, Field(ge=0, le=MAX_AZS, strict=True)]
VpcCidr = Annotated[Cidr, AfterValidator(vpc_cidr)]
VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
TransitGatewayId = Annotated[str, Field(pattern=r"^tgw-[0-9a-f]{8,17}$")]
EXTRA_SECURITY_GROUPS_MAX: Final = 4
"""SageMaker takes five security groups; one is the workloads' own."""


class StageCidrs(Section):
    """One block for each stage's VPC."""

    dev: VpcCidr
    """Block of dev's VPC, /16 to /24."""
    preprod: VpcCidr
    """Block of preprod's VPC, /16 to /24."""
    prod: VpcCidr
    """Block of prod's VPC, /16 to /24."""
    governance: VpcCidr | None = None
    """Block of governance's VPC, which there is when it owns the shared endpoints."""

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        given = {each: getattr(self, each) for each in _QUARTERS}
        blocks = [(each, ipaddress.IPv4Network(cidr)) for each, cidr in given.items() if cidr]
        for index, (first, block) in enumerate(blocks):
            for second, other in blocks[index + 1 :]:
                if block.overlaps(other):
                    what = f"the blocks of {first} ({block}) and {second} ({other}) overlap"
                    raise invalid(what, "blocks that share no address", "give each stage its own /18 of one /16")
        return self


def _base_cidr(value: str) -> str:
    length = ipaddress.IPv4Network(value).prefixlen
    if length > BASE_CIDR_MAX_LENGTH:
        what = f"a /{length} is too small to be cut into one VPC for each stage"
        raise invalid(what, f"at most a /{BASE_CIDR_MAX_LENGTH}", "use a /16, or one block for each stage")
    return value


class ImportedVpc(Section):
    """An existing VPC of the stage's account instead of a new one."""

    vpc_id: VpcId
    """Id of the VPC."""
    private_subnet_ids: Annotated[tuple[SubnetId, ...], Field(min_length=1)]
    """Its private subnets."""
    security_group_id: SecurityGroupId | None = None
    """Security group of the workloads; one is made in the VPC when left out."""
    extra_security_group_ids: Annotated[tuple[SecurityGroupId, ...], Field(max_length=EXTRA_SECURITY_GROUPS_MAX)] = ()
    """Further security groups of the workloads, for example the one that your databases let in."""
    execution_role_arn: RoleArn | None = None
    """An existing role for Studio's apps instead of a new one; in dev only."""

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        once(self.private_subnet_ids, "subnet")
        once([*filter(None, [self.security_group_id]), *self.extra_security_group_ids], "security group")
        return self


class FlowLogs(Section):
    """VPC flow logs in an encrypted log group."""

    enabled: bool = True
    """Off saves the log group; the security checks want it on."""
    retention_days: Literal[30, 60, 90, 180, 365, 731] = 90
    """Days that the logs are kept."""


class SubnetMasks(Section):
    """Sizes of the subnets; without them a VPC is cut into equal parts."""

    private: Annotated[int, Field(ge=16, le=28, strict=True)]
    """Mask of each private subnet, for example 20 for 4,091 addresses."""
    public: Annotated[int, Field(ge=16, le=28, strict=True)] = 26
    """Mask of each public subnet, which holds NAT gateways only."""


class SharedEndpoints(Section):
    """One VPC owns the interface endpoints, the others reach them."""

    owner: Environment
    """Whose VPC owns them."""
    connection: Literal["peering", "transit_gateway"] = "peering"
    """How the other VPCs reach it."""
    transit_gateway_id: TransitGatewayId | None = None
    """An existing transit gateway that is shared with all accounts; with connection transit_gateway."""

    @model_validator(mode="after")
    def _gateway_is_known(self) -> Self:
        if (self.connection == "transit_gateway") != (self.transit_gateway_id is not None):
            expected = "transit_gateway_id with connection: transit_gateway, and only then"
            raise invalid(
                f"connection {self.connection} and the transit gateway do not fit", expected, f"set {expected}"
            )
        return self


def _endpoints_once(value: tuple[EndpointName, ...]) -> tuple[EndpointName, ...]:
    once(value, "endpoint")
    return value


Endpoints = Annotated[tuple[EndpointName, ...], AfterValidator(_endpoints_once)]


class StageNetwork(Section):
    """What one stage's network has of its own."""

    cidr: VpcCidr | None = None
    """Block of this stage's VPC, /16 to /24."""
    azs: Azs | None = None
    """How many availability zones, or their names."""
    nat_gateways: NatGateways | None = None
    """0 means no internet."""
    endpoints: Endpoints | None = None
    """Services that are reached without leaving the VPC."""
    flow_logs: FlowLogs | None = None
    """VPC flow logs."""
    subnet_masks: SubnetMasks | None = None
    """Sizes of the subnets."""
    imported: Annotated[ImportedVpc | None, Field(alias="import")] = None
    """An existing VPC instead of a new one."""

    @model_validator(mode="after")
    def _made_or_imported(self) -> Self:
        if self.imported and self.cidr:
            what = f"a block of addresses ({self.cidr}) for an imported VPC, which has its own"
            raise invalid(what, "cidr or import", "remove cidr, or import")
        return self


class Vpc(Section):
    """The network of one account, after every fallback.

    Attributes:
        cidr: Its block; empty when it is imported.
        azs: Number of zones, or their names.
        nat_gateways: 0 to 3.
        endpoints: Names of the endpoints.
        flow_logs: VPC flow logs.
        subnet_masks: Sizes of the subnets; None for equal parts.
        imported: The existing VPC instead.
        shared_endpoints: Who owns the interface endpoints, when they are shared.
    """

    cidr: str
    azs: int | tuple[str, ...]
    nat_gateways: int
    endpoints: tuple[EndpointName, ...]
    flow_logs: FlowLogs
    subnet_masks: SubnetMasks | None
    imported: ImportedVpc | None
    shared_endpoints: SharedEndpoints | None

    @property
    def az_count(self) -> int:
        """Number of availability zones."""
        return self.azs if isinstance(self.azs, int) else len(self.azs)

    @property
    def private_subnet_count(self) -> int:
        """Number of private subnets: one in each zone, or those that are imported."""
        return len(self.imported.private_subnet_ids) if self.imported else self.az_count

    @property
    def interface_endpoints(self) -> tuple[EndpointName, ...]:
        """The endpoints that cost by the hour: all but the gateway."""
        return tuple(name for name in self.endpoints if name != GATEWAY)


class Network(Section):
    """The VPCs of dev, preprod and prod; a stage's own settings are below ``sets``."""

    cidr: Annotated[
        Annotated[Cidr, AfterValidator(_base_cidr), Tag("scalar")] | Annotated[StageCidrs, Tag("mapping")],
        Discriminator(shape),
    ] = "10.0.0.0/16"
    """One base that is cut into equal VPCs, or one block for each stage."""
    azs: Azs = 3
    """How many availability zones (the account's first ones), or their names."""
    nat_gateways: NatGateways = 1
    """0 means no internet: packages then come from a private index."""
    endpoints: Endpoints | None = None
    """Services that are reached without leaving the VPC; all that the region has when left out."""
    flow_logs: FlowLogs = FlowLogs()
    subnet_masks: SubnetMasks | None = None
    """Sizes of the subnets."""
    shared_endpoints: SharedEndpoints | None = None
    """One VPC owns the interface endpoints, the others reach them."""

    def vpc_cidr(self, environment: Environment) -> str:
        """Return the block of an environment's VPC: a base is cut in four, for the stages and then governance."""
        if isinstance(self.cidr, StageCidrs):
            return str(getattr(self.cidr, environment) or "")
        quarters = list(ipaddress.IPv4Network(self.cidr).subnets(prefixlen_diff=2))
        return str(quarters[_QUARTERS.index(environment)])

    def resolved(self, environment: Environment, own: StageNetwork, fallback: StageNetwork, region: str) -> Vpc:
        """Return an environment's network.

        Args:
            environment: Whose.
            own: Its own settings.
            fallback: Dev's; a block of addresses and an import belong to one account and are never taken from there.
            region: Where, for the endpoints that there are.
        """

        def chosen(key: str) -> Any:  # noqa: ANN401  each key has a type of its own
            for settings in (own, fallback):
                if getattr(settings, key) is not None:
                    return getattr(settings, key)
            return getattr(self, key)

        return Vpc(
            cidr="" if own.imported else own.cidr or self.vpc_cidr(environment),
            azs=chosen("azs"),
            # Governance's VPC holds endpoints that others use; nothing runs in it.
            nat_gateways=0 if environment == "governance" else chosen("nat_gateways"),
            endpoints=available(region) if chosen("endpoints") is None else chosen("endpoints"),
            flow_logs=chosen("flow_logs"),
            subnet_masks=chosen("subnet_masks"),
            imported=own.imported,
            shared_endpoints=self.shared_endpoints,
        )

    @model_validator(mode="after")
    def _nat_fits(self) -> Self:
        zones = self.azs if isinstance(self.azs, int) else len(self.azs)
        if self.nat_gateways > zones:
            what = f"{self.nat_gateways} NAT gateways in {zones} availability zones"
            raise invalid(what, "at most one NAT gateway for each zone", f"set nat_gateways to {zones} or less")
        return self
