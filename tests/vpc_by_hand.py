"""A VPC as a company's network team makes it, with boto3: what an import needs, and ways to break it."""

from dataclasses import dataclass, field
from typing import Any

REGION = "eu-west-1"


@dataclass
class HandmadeVpc:
    """A private VPC with two subnets, endpoints and security groups.

    Attributes:
        ec2: Client in its account.
        services: Endpoint names that are made.
        way_out: Whether the subnets have a NAT gateway.
        prefix_length: Of each subnet.
    """

    ec2: Any
    services: list[str]
    way_out: bool = False
    prefix_length: int = 24
    endpoint_ids: dict[str, str] = field(default_factory=dict)

    def make(self) -> "HandmadeVpc":
        """Make it all."""
        self.vpc_id = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.vpc_id, **{attribute: {"Value": True}})
        self.table_id = self.ec2.create_route_table(VpcId=self.vpc_id)["RouteTable"]["RouteTableId"]
        self.subnet_ids = [self._subnet(number) for number in (0, 1)]
        self.group_id = self._group("workloads")
        self.endpoint_group_id = self._group("endpoints")
        self._rules()
        for service in self.services:
            self.make_endpoint(service)
        if self.way_out:
            self.make_way_out()
        return self

    def _subnet(self, number: int) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc_id,
            CidrBlock=f"10.20.{number}.0/{self.prefix_length}",
            AvailabilityZone=f"{REGION}{'ab'[number]}",
        )
        subnet_id = str(made["Subnet"]["SubnetId"])
        self.ec2.associate_route_table(RouteTableId=self.table_id, SubnetId=subnet_id)
        return subnet_id

    def _group(self, name: str) -> str:
        return str(self.ec2.create_security_group(VpcId=self.vpc_id, GroupName=name, Description=name)["GroupId"])

    def _rules(self) -> None:
        among = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": self.group_id}]}
        self.ec2.authorize_security_group_ingress(GroupId=self.group_id, IpPermissions=[among])
        self.ec2.authorize_security_group_ingress(GroupId=self.endpoint_group_id, IpPermissions=self.https_by_workloads)

    @property
    def https_by_workloads(self) -> list[dict[str, Any]]:
        """What the endpoints let in."""
        https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        return [{**https, "UserIdGroupPairs": [{"GroupId": self.group_id}]}]

    def make_endpoint(self, service: str) -> None:
        """Make one endpoint."""
        name = {"sagemaker.studio": f"aws.sagemaker.{REGION}.studio"}.get(service, f"com.amazonaws.{REGION}.{service}")
        if service == "s3":
            kind: dict[str, Any] = {"VpcEndpointType": "Gateway", "RouteTableIds": [self.table_id]}
        else:
            groups = {"SecurityGroupIds": [self.endpoint_group_id], "PrivateDnsEnabled": True}
            kind = {"VpcEndpointType": "Interface", "SubnetIds": self.subnet_ids, **groups}
        made = self.ec2.create_vpc_endpoint(VpcId=self.vpc_id, ServiceName=name, **kind)
        self.endpoint_ids[service] = made["VpcEndpoint"]["VpcEndpointId"]

    def remove_endpoint(self, service: str) -> None:
        """Remove one endpoint."""
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[self.endpoint_ids.pop(service)])

    def make_group(self, name: str) -> str:
        """Make a further security group, which opens nothing."""
        return self._group(name)

    def open_endpoints(self) -> None:
        """Let in at the endpoints whoever is in the VPC, whatever group it has."""
        block = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]}
        self.ec2.authorize_security_group_ingress(GroupId=self.endpoint_group_id, IpPermissions=[block])

    def make_way_out(self) -> None:
        """Lead the subnets to a NAT gateway."""
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.ec2.create_nat_gateway(SubnetId=self.subnet_ids[0], AllocationId=address)["NatGateway"]
        way = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat["NatGatewayId"]}
        self.ec2.create_route(RouteTableId=self.table_id, **way)

    def as_import(self) -> dict[str, Any]:
        """Return it as ``network.import`` of a stage."""
        return {
            "vpc_id": self.vpc_id,
            "private_subnet_ids": self.subnet_ids,
            "security_group_id": self.group_id,
        }
