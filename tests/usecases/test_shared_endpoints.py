"""Endpoints of every VPC's own, then of one VPC for all: four accounts on the local cloud, looked at with boto3."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from mlops_foundation.config.endpoints import ENDPOINTS
from mlops_foundation.local import process

pytestmark = [pytest.mark.cloud, pytest.mark.story]
MLOPS = str(Path(sys.executable).with_name("mlops"))
REGION = "eu-west-1"
ACCOUNTS = {"governance": "1" * 12, "dev": "2" * 12, "preprod": "3" * 12, "prod": "4" * 12}
STAGES = ("dev", "preprod", "prod")
ZONES = {zone for name, each in ENDPOINTS.items() if name != "s3" for zone in each.zones(REGION)}


@dataclass
class Platform:
    """Four accounts on a local cloud, and the configuration of their networks."""

    folder: Path
    running: process.Running

    def mlops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MLOPS, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=420
        )

    def configure(self, **network: Any) -> None:
        """Write a configuration with these networks."""
        config = {
            "region": REGION,
            "sets": [{"name": "default", "accounts": ACCOUNTS}],
            "network": {"nat_gateways": 0, **network},
            "packages": {"provider": "codeartifact"},
            "tags": {"CostCenter": "1"},
        }
        (self.folder / "mlops.yaml").write_text(json.dumps(config))

    def deploy(self) -> dict[str, Any]:
        """Bootstrap and deploy the networks."""
        for arguments in (("bootstrap",), ("deploy", "--stack", "network")):
            done = self.mlops(*arguments, "--json")
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def client(self, service: str, environment: str) -> Any:
        keys = process.sign_in(self.running, ACCOUNTS[environment]).credentials
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, keys.session_token, REGION)
        return session.client(service, endpoint_url=self.running.endpoint_url)

    def told(self, environment: str, name: str) -> str:
        answer = self.client("ssm", environment).get_parameter(Name=name)
        return str(answer["Parameter"]["Value"])

    def interfaces(self, environment: str) -> list[dict[str, Any]]:
        found = self.client("ec2", environment).describe_vpc_endpoints()["VpcEndpoints"]
        return [each for each in found if each["VpcEndpointType"] == "Interface"]

    def zones(self, environment: str) -> dict[str, str]:
        """Return the zones that answer in an environment's VPC: name -> owner's account."""
        listed = self.client("route53", environment).list_hosted_zones_by_vpc(
            VPCId=self.told(environment, "/vpc/id"), VPCRegion=REGION
        )
        return {each["Name"].rstrip("."): each["Owner"]["OwningAccount"] for each in listed["HostedZoneSummaries"]}

    def routes(self, environment: str, block: str) -> list[str]:
        """Return where the private subnets' route tables lead a block to."""
        subnets = self.told(environment, "/vpc/subnets/private/ids").split(",")
        filters = [{"Name": "association.subnet-id", "Values": subnets}]
        tables = self.client("ec2", environment).describe_route_tables(Filters=filters)["RouteTables"]
        assert len(tables) == 3
        found = [route for table in tables for route in table["Routes"] if route.get("DestinationCidrBlock") == block]
        return [str(route.get("VpcPeeringConnectionId")) for route in found]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("shared")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = process.start(folder / ".mlops", port)
    made = Platform(folder, running)
    made.configure(shared_endpoints={"owner": "governance"})
    made.deploy()
    yield made
    process.stop(folder / ".mlops")


BLOCKS = {"dev": "10.0.0.0/18", "preprod": "10.0.64.0/18", "prod": "10.0.128.0/18", "governance": "10.0.192.0/18"}


def test_only_the_owner_has_interfaces(platform: Platform) -> None:
    assert len(platform.interfaces("governance")) == 24
    assert not any(each["PrivateDnsEnabled"] for each in platform.interfaces("governance"))
    assert [len(platform.interfaces(stage)) for stage in STAGES] == [0, 0, 0]
    for environment in ACCOUNTS:
        gateways = platform.client("ec2", environment).describe_vpc_endpoints()["VpcEndpoints"]
        assert [each["ServiceName"] for each in gateways if each["VpcEndpointType"] == "Gateway"] == [
            f"com.amazonaws.{REGION}.s3"
        ]


def test_every_name_leads_to_the_owners_endpoint_in_every_vpc(platform: Platform) -> None:
    for environment in ACCOUNTS:
        assert platform.zones(environment) == dict.fromkeys(ZONES, ACCOUNTS["governance"]), environment
    route53 = platform.client("route53", "governance")
    ids = {each["VpcEndpointId"] for each in platform.interfaces("governance")}
    records: dict[str, str] = {}
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] == "A":
                records[record["Name"].replace("\\052", "*").rstrip(".")] = record["AliasTarget"]["DNSName"]
    assert set(records) == {
        name for key, each in ENDPOINTS.items() if key != "s3" for name in each.private_names(REGION)
    }
    assert {target.split(".")[0] for target in records.values()} == ids


def test_no_authorization_is_left_over(platform: Platform) -> None:
    zone_id = platform.told("governance", "/vpc/endpoints/zones").split(",")[0].split("=")[1]
    route53 = platform.client("route53", "governance")
    vpc = {"VPCRegion": REGION, "VPCId": platform.told("dev", "/vpc/id")}
    with pytest.raises(route53.exceptions.VPCAssociationAuthorizationNotFound):
        route53.delete_vpc_association_authorization(HostedZoneId=zone_id, VPC=vpc)


def test_a_name_has_one_zone_in_a_vpc(platform: Platform) -> None:
    route53 = platform.client("route53", "dev")
    vpc = {"VPCRegion": REGION, "VPCId": platform.told("dev", "/vpc/id")}
    zone = {"Name": f"kms.{REGION}.amazonaws.com", "CallerReference": "again", "VPC": vpc}
    with pytest.raises(route53.exceptions.ConflictingDomainExists):
        route53.create_hosted_zone(**zone)


def test_peerings_and_routes_both_ways(platform: Platform) -> None:
    for stage in STAGES:
        (peering,) = platform.client("ec2", stage).describe_vpc_peering_connections()["VpcPeeringConnections"]
        assert peering["Status"]["Code"] == "active"
        assert peering["AccepterVpcInfo"]["VpcId"] == platform.told("governance", "/vpc/id")
        assert peering["RequesterVpcInfo"]["VpcId"] == platform.told(stage, "/vpc/id")
        there, back = platform.routes(stage, BLOCKS["governance"]), platform.routes("governance", BLOCKS[stage])
        assert there == back == [peering["VpcPeeringConnectionId"]] * 3


def test_the_owners_endpoints_let_the_others_in(platform: Platform) -> None:
    groups = {each["Groups"][0]["GroupId"] for each in platform.interfaces("governance")}
    (group,) = platform.client("ec2", "governance").describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    blocks = [block["CidrIp"] for rule in group["IpPermissions"] for block in rule["IpRanges"]]
    assert sorted(blocks) == sorted(BLOCKS[stage] for stage in STAGES)
    assert all((rule["FromPort"], rule["ToPort"]) == (443, 443) for rule in group["IpPermissions"])


def test_a_second_deployment_changes_nothing(platform: Platform) -> None:
    before = {stage: platform.client("ec2", stage).describe_vpc_peering_connections() for stage in STAGES}
    deployed = platform.deploy()
    assert deployed
    after = {stage: platform.client("ec2", stage).describe_vpc_peering_connections() for stage in STAGES}
    for stage in STAGES:
        assert [each["VpcPeeringConnectionId"] for each in before[stage]["VpcPeeringConnections"]] == [
            each["VpcPeeringConnectionId"] for each in after[stage]["VpcPeeringConnections"]
        ]


def everything_but(*left_out: str) -> list[str]:
    return [name for name in ENDPOINTS if name not in left_out]


def test_an_endpoint_less_takes_its_zone_from_all(platform: Platform) -> None:
    name = f"lambda.{REGION}.amazonaws.com"
    platform.configure(shared_endpoints={"owner": "governance"}, endpoints=everything_but("lambda"))
    platform.deploy()
    assert [set(platform.zones(each)) for each in ACCOUNTS] == [ZONES - {name}] * 4


def test_an_endpoint_more_and_a_new_vpc_of_the_owner_are_joined_again(platform: Platform) -> None:
    before = platform.told("governance", "/vpc/id")
    assert set(platform.zones("governance")) != ZONES, "what the test before took away comes back here"
    moved = {**BLOCKS, "governance": "10.8.0.0/18"}
    platform.configure(shared_endpoints={"owner": "governance"}, cidr=moved)
    platform.deploy()
    assert set(platform.zones("governance")) == ZONES
    vpc_id = platform.told("governance", "/vpc/id")
    assert vpc_id != before
    for stage in STAGES:
        assert set(platform.zones(stage)) == ZONES
        found = platform.client("ec2", stage).describe_vpc_peering_connections()["VpcPeeringConnections"]
        (peering,) = (each for each in found if each["Status"]["Code"] == "active")
        assert peering["AccepterVpcInfo"]["VpcId"] == vpc_id
        there, back = platform.routes(stage, moved["governance"]), platform.routes("governance", BLOCKS[stage])
        assert there == back == [peering["VpcPeeringConnectionId"]] * 3


def test_without_sharing_nothing_of_it_is_left(platform: Platform) -> None:
    platform.configure(endpoints=["s3"])
    # Without the bootstrap, which would take away the right to delete what sharing has made.
    done = platform.mlops("deploy", "--stack", "network", "--json")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for stage in STAGES:
        assert platform.zones(stage) == {}
        assert platform.routes(stage, BLOCKS["governance"]) == []
        found = platform.client("ec2", stage).describe_vpc_peering_connections()["VpcPeeringConnections"]
        assert [each for each in found if each["Status"]["Code"] != "deleted"] == []
