"""Shared endpoints in the templates: the owner's side, the others', peering and transit gateway."""

import json
from pathlib import Path
from typing import Any

import pytest
from network_lab import FOREIGN, FOUR, Template, networks, of_type

from mlops_foundation.config.endpoints import ENDPOINTS

GATEWAY = {"connection": "transit_gateway", "transit_gateway_id": "tgw-12345678"}
OWNER_ROLE = "arn:aws:iam::111111111111:role/mlops/mlops-endpoint-owner-eu-west-1"


@pytest.fixture(scope="module")
def peered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    return networks(tmp_path_factory.mktemp("peered"), {"shared_endpoints": {"owner": "governance"}})


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    shared = {"owner": "prod", **GATEWAY}
    return networks(tmp_path_factory.mktemp("attached"), {"shared_endpoints": shared})


def services(template: Template) -> list[str]:
    return [each["VpcEndpointType"] for each in of_type(template, "AWS::EC2::VPCEndpoint").values()]


def test_governance_has_a_vpc_only_when_it_owns_the_endpoints(peered: dict[str, Template], tmp_path: Path) -> None:
    assert set(peered) == set(FOUR)
    assert not of_type(peered["governance"], "AWS::EC2::NatGateway")
    assert set(networks(tmp_path, {"shared_endpoints": {"owner": "dev"}})) == {"dev", "preprod", "prod"}


def test_interfaces_are_the_owners_and_the_gateway_is_everybodys(peered: dict[str, Template]) -> None:
    assert services(peered["governance"]).count("Interface") == 24
    for stage in ("dev", "preprod", "prod"):
        assert services(peered[stage]) == ["Gateway"]
    assert all(
        each.get("PrivateDnsEnabled") is False
        for each in of_type(peered["governance"], "AWS::EC2::VPCEndpoint").values()
        if each["VpcEndpointType"] == "Interface"
    )


def test_each_name_has_its_zone_and_record(peered: dict[str, Template]) -> None:
    owner = peered["governance"]
    zones = {each["Name"]: each for each in of_type(owner, "AWS::Route53::HostedZone").values()}
    names = {each["Name"] for each in of_type(owner, "AWS::Route53::RecordSet").values()}
    assert names == {
        f"{name}." for key, each in ENDPOINTS.items() if key != "s3" for name in each.private_names("eu-west-1")
    }
    assert {"*.dkr.ecr.eu-west-1.amazonaws.com.", "*.d.codeartifact.eu-west-1.amazonaws.com.",
            "*.studio.eu-west-1.sagemaker.aws.", "api.sagemaker.eu-west-1.amazonaws.com."} <= names  # fmt: skip
    assert set(zones) == {name.removeprefix("*.").removesuffix(".") for name in names}
    assert all(len(each["VPCs"]) == 1 for each in zones.values())
    for each in of_type(owner, "AWS::Route53::RecordSet").values():
        assert (each["Type"], set(each["AliasTarget"])) == ("A", {"DNSName", "HostedZoneId"})


def test_the_owner_tells_its_zones_when_everything_else_is_there(peered: dict[str, Template]) -> None:
    resources = peered["governance"]["Resources"]
    (told,) = [each for each in resources.values() if each.get("Properties", {}).get("Name") == "/vpc/endpoints/zones"]
    before = set(told["DependsOn"])
    wanted = {name for name, each in resources.items() if each["Type"] == "AWS::Route53::RecordSet"}
    wanted |= {name for name in resources if name.startswith(("EndpointOwnerRole", "VpcId", "PrivateSubnetIds"))}
    assert wanted <= before


def test_the_owners_role_is_taken_by_two_named_roles_of_each_account(peered: dict[str, Template]) -> None:
    (role,) = [
        each
        for each in of_type(peered["governance"], "AWS::IAM::Role").values()
        if each["RoleName"] == "mlops-endpoint-owner-eu-west-1"
    ]
    trusted = {}
    for statement in role["AssumeRolePolicyDocument"]["Statement"]:
        account = json.dumps(statement["Principal"])
        trusted[account] = statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert len(trusted) == 3
    for stage in ("dev", "preprod", "prod"):
        (arns,) = [value for key, value in trusted.items() if FOUR[stage] in key]
        assert arns == [
            f"arn:aws:iam::{FOUR[stage]}:role/mlops/mlops-endpoint-link-eu-west-1",
            f"arn:aws:iam::{FOUR[stage]}:role/cdk-mlops-cfn-exec-role-{FOUR[stage]}-eu-west-1",
        ]
    text = json.dumps(role["Policies"])
    assert FOREIGN not in text
    assert '"route53:*"' not in text


def test_the_others_peer_with_a_vpc_that_is_known_at_deployment(peered: dict[str, Template]) -> None:
    (peering,) = of_type(peered["prod"], "AWS::EC2::VPCPeeringConnection").values()
    assert peering["PeerVpcId"] == {"Fn::GetAtt": ["EndpointOwner", "VpcId"]}
    assert (peering["PeerOwnerId"], peering["PeerRoleArn"]) == (FOUR["governance"], OWNER_ROLE)
    routes = [each for each in of_type(peered["prod"], "AWS::EC2::Route").values() if "VpcPeeringConnectionId" in each]
    assert [each["DestinationCidrBlock"] for each in routes] == ["10.0.192.0/18"] * 3
    link = peered["prod"]["Resources"]["EndpointLink"]
    assert link["Properties"]["Cidr"] == "10.0.128.0/18"
    assert len(link["Properties"]["Zones"]) == 24


def attachment(template: Template) -> dict[str, Any]:
    (found,) = of_type(template, "AWS::EC2::TransitGatewayAttachment").values()
    return found


def test_a_transit_gateway_has_routes_both_ways_and_no_peering(attached: dict[str, Template]) -> None:
    blocks = {"dev": "10.0.0.0/18", "preprod": "10.0.64.0/18", "prod": "10.0.128.0/18"}
    for stage, template in attached.items():
        assert attachment(template)["TransitGatewayId"] == "tgw-12345678"
        assert len(attachment(template)["SubnetIds"]) == 3
        assert not of_type(template, "AWS::EC2::VPCPeeringConnection")
        led = [
            each["DestinationCidrBlock"]
            for each in of_type(template, "AWS::EC2::Route").values()
            if each.get("TransitGatewayId") == "tgw-12345678"
        ]
        others = [blocks["dev"], blocks["preprod"]] if stage == "prod" else [blocks["prod"]]
        assert sorted(led) == sorted(others * 3)
    assert attached["dev"]["Resources"]["EndpointLink"]["Properties"]["PeeringConnectionId"] == ""


def test_shared_policies_let_in_every_account_that_uses_them(peered: dict[str, Template]) -> None:
    (api,) = [
        each
        for each in of_type(peered["governance"], "AWS::EC2::VPCEndpoint").values()
        if each["ServiceName"] == "com.amazonaws.eu-west-1.sagemaker.api"
    ]
    (statement,) = api["PolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == sorted(FOUR.values())


def test_an_imported_vpc_keeps_out_of_it(tmp_path: Path) -> None:
    vpc = {"vpc_id": "vpc-12345678", "private_subnet_ids": ["subnet-12345678"], "security_group_id": "sg-12345678"}
    stages = {"prod": {"network": {"import": vpc}}}
    found = networks(tmp_path, {"shared_endpoints": {"owner": "dev"}}, stages=stages)
    assert {each["Type"] for each in found["prod"]["Resources"].values()} == {"AWS::SSM::Parameter"}
    blocks = [each.get("CidrIp") for each in of_type(found["dev"], "AWS::EC2::SecurityGroupIngress").values()]
    assert [each for each in blocks if each] == ["10.0.64.0/18"]


def test_one_account_for_everything_shares_with_nobody(tmp_path: Path) -> None:
    alone = networks(tmp_path, {"shared_endpoints": {"owner": "dev"}}, accounts=dict.fromkeys(FOUR, "5" * 12))["dev"]
    assert not of_type(alone, "AWS::Route53::HostedZone")
    assert all(each.get("PrivateDnsEnabled", True) for each in of_type(alone, "AWS::EC2::VPCEndpoint").values())
