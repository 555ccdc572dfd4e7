"""The network stack in each of its forms: with and without NAT, per stage, imported."""

import ipaddress
import json
from pathlib import Path

import pytest
from network_lab import networks, of_type

from mlops_foundation.config.endpoints import ENDPOINTS

OPEN_ENDS = {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP"}


@pytest.mark.parametrize("nat", [0, 1, 2, 3])
def test_nat_gateways_and_what_they_need(tmp_path: Path, nat: int) -> None:
    template = networks(tmp_path, {"nat_gateways": nat})["dev"]
    assert len(of_type(template, "AWS::EC2::NatGateway")) == len(of_type(template, "AWS::EC2::EIP")) == nat
    assert len(of_type(template, "AWS::EC2::Subnet")) == (6 if nat else 3)
    assert len(of_type(template, "AWS::EC2::InternetGateway")) == (1 if nat else 0)
    ways_out = [
        each for each in of_type(template, "AWS::EC2::Route").values() if each["DestinationCidrBlock"] == "0.0.0.0/0"
    ]
    assert len(ways_out) == (6 if nat else 0)


def test_nothing_leads_out_without_nat(tmp_path: Path) -> None:
    template = networks(tmp_path, {"nat_gateways": 0})["prod"]
    assert not {each["Type"] for each in template["Resources"].values()} & OPEN_ENDS
    assert not any(each["MapPublicIpOnLaunch"] for each in of_type(template, "AWS::EC2::Subnet").values())


def test_a_nat_gateway_that_goes_moves_no_private_subnet(tmp_path: Path) -> None:
    found = [networks(tmp_path / str(nat), {"nat_gateways": nat})["dev"] for nat in (0, 1)]
    private = [
        {name: each["CidrBlock"] for name, each in of_type(template, "AWS::EC2::Subnet").items() if "Private" in name}
        for template in found
    ]
    assert private[0] == private[1]
    assert len(private[0]) == 3


def test_subnet_masks(tmp_path: Path) -> None:
    template = networks(tmp_path, {"subnet_masks": {"private": 20, "public": 26}, "cidr": "10.0.0.0/16"})["preprod"]
    blocks = {name: each["CidrBlock"] for name, each in of_type(template, "AWS::EC2::Subnet").items()}
    sizes = {name: ipaddress.IPv4Network(block).prefixlen for name, block in blocks.items()}
    assert {name: size for name, size in sizes.items() if "Private" in name} == dict.fromkeys(
        [name for name in sizes if "Private" in name], 20
    )
    assert all(size == 26 for name, size in sizes.items() if "Public" in name)
    assert all(
        ipaddress.IPv4Network(block).subnet_of(ipaddress.IPv4Network("10.0.64.0/18")) for block in blocks.values()
    )


def test_zones_by_name_or_the_accounts_first_ones(tmp_path: Path) -> None:
    named = networks(tmp_path / "a", {"azs": ["eu-west-1a", "eu-west-1c"]})["dev"]
    zones = {json.dumps(each["AvailabilityZone"]) for each in of_type(named, "AWS::EC2::Subnet").values()}
    assert zones == {'"eu-west-1a"', '"eu-west-1c"'}
    first = networks(tmp_path / "b", {"azs": 2})["dev"]
    zones = {json.dumps(each["AvailabilityZone"]) for each in of_type(first, "AWS::EC2::Subnet").values()}
    assert zones == {json.dumps({"Fn::Select": [index, {"Fn::GetAZs": ""}]}) for index in (0, 1)}


def test_every_stage_has_its_own_settings(tmp_path: Path) -> None:
    stages = {
        "dev": {"network": {"azs": 2, "endpoints": ["s3", "sagemaker.api", "sts"]}},
        "prod": {"network": {"nat_gateways": 2, "cidr": "10.9.0.0/16", "endpoints": ["s3"], "azs": 3}},
    }
    found = networks(tmp_path, {"flow_logs": {"enabled": False}}, stages=stages)
    assert [len(of_type(found[stage], "AWS::EC2::NatGateway")) for stage in ("dev", "preprod", "prod")] == [1, 1, 2]
    assert [len(of_type(found[stage], "AWS::EC2::VPCEndpoint")) for stage in ("dev", "preprod", "prod")] == [3, 3, 1]
    (vpc,) = of_type(found["prod"], "AWS::EC2::VPC").values()
    assert vpc["CidrBlock"] == "10.9.0.0/16"
    assert not of_type(found["prod"], "AWS::EC2::FlowLog")


def test_every_endpoint_is_made_with_its_services_name(tmp_path: Path) -> None:
    template = networks(tmp_path, {})["dev"]
    made = of_type(template, "AWS::EC2::VPCEndpoint").values()
    names = {each["ServiceName"] for each in made if each["VpcEndpointType"] == "Interface"}
    assert names == {each.service_name("eu-west-1") for name, each in ENDPOINTS.items() if name != "s3"}
    assert len(names) == 24
    assert {"aws.sagemaker.eu-west-1.studio", "com.amazonaws.eu-west-1.sagemaker.metrics"} <= names
    (gateway,) = [each for each in made if each["VpcEndpointType"] == "Gateway"]
    assert len(gateway["RouteTableIds"]) >= 3
    assert all(each.get("PrivateDnsEnabled", True) for each in made)


def test_a_region_gets_the_endpoints_that_it_has(tmp_path: Path) -> None:
    template = networks(tmp_path, {}, region="eu-south-2")["prod"]
    names = {str(each["ServiceName"]) for each in of_type(template, "AWS::EC2::VPCEndpoint").values()}
    assert "com.amazonaws.eu-south-2.sagemaker.api" in names
    assert not any("codeartifact" in name or "codecommit" in name for name in names)


def test_the_workloads_group_names_nfs_and_lets_nobody_in_from_outside(tmp_path: Path) -> None:
    template = networks(tmp_path, {})["dev"]
    (group,) = [
        name for name, each in of_type(template, "AWS::EC2::SecurityGroup").items() if name.startswith("Workloads")
    ]
    own = {"Fn::GetAtt": [group, "GroupId"]}
    ingress = [each for each in of_type(template, "AWS::EC2::SecurityGroupIngress").values() if each["GroupId"] == own]
    assert all(each["SourceSecurityGroupId"] == own for each in ingress)
    assert [(each["IpProtocol"], each.get("FromPort")) for each in ingress] == [("-1", None), ("tcp", 2049)]
    egress = [each for each in of_type(template, "AWS::EC2::SecurityGroupEgress").values() if each["GroupId"] == own]
    assert all(each["DestinationSecurityGroupId"] == own for each in egress)
    assert [each.get("FromPort") for each in egress] == [None, 2049]
    (out,) = of_type(template, "AWS::EC2::SecurityGroup")[group]["SecurityGroupEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)
    assert "SecurityGroupIngress" not in of_type(template, "AWS::EC2::SecurityGroup")[group]


IMPORTED = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678", "subnet-23456789"]}


def test_an_imported_vpc_with_its_groups_is_only_told(tmp_path: Path) -> None:
    groups = {"security_group_id": "sg-12345678", "extra_security_group_ids": ["sg-23456789"]}
    template = networks(tmp_path, {}, stages={"prod": {"network": {"import": {**IMPORTED, **groups}}}})["prod"]
    assert {each["Type"] for each in template["Resources"].values()} == {"AWS::SSM::Parameter"}
    told = {each["Name"]: each["Value"] for each in of_type(template, "AWS::SSM::Parameter").values()}
    assert told == {
        "/vpc/id": "vpc-12345678",
        "/vpc/subnets/private/ids": "subnet-12345678,subnet-23456789",
        "/vpc/sg/id": "sg-12345678",
        "/vpc/sg/ids": "sg-12345678,sg-23456789",
    }


def test_an_imported_vpc_without_a_group_gets_one(tmp_path: Path) -> None:
    extra = {"extra_security_group_ids": ["sg-23456789"]}
    template = networks(tmp_path, {}, stages={"dev": {"network": {"import": {**IMPORTED, **extra}}}})["dev"]
    ((name, group),) = of_type(template, "AWS::EC2::SecurityGroup").items()
    assert group["VpcId"] == "vpc-12345678"
    told = {each["Name"]: each["Value"] for each in of_type(template, "AWS::SSM::Parameter").values()}
    assert told["/vpc/sg/id"] == {"Fn::GetAtt": [name, "GroupId"]}
    assert told["/vpc/sg/ids"] == {"Fn::Join": [",", [{"Fn::GetAtt": [name, "GroupId"]}, "sg-23456789"]]}
    assert not of_type(template, "AWS::EC2::VPC")
