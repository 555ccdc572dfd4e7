"""An existing VPC, made by hand on the local cloud, as the check sees it: each thing taken away is named."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from mlops_foundation.aws.network import describe, trust_lacks
from mlops_foundation.config.network import ImportedVpc
from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local import process
from mlops_foundation.plan.findings import Finding
from mlops_foundation.plan.network_check import Place, check_network
from mlops_foundation.plan.workloads import workloads
from mlops_foundation.templates import TEMPLATES
from vpc_by_hand import REGION, HandmadeVpc

pytestmark = pytest.mark.cloud
WORKLOADS = workloads(TEMPLATES, ("dev",), "codeartifact")
ACCOUNTS = itertools.count(200000000001)
SERVICES = sorted({service for each in WORKLOADS for service in each.services})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state_dir = tmp_path_factory.mktemp("networks")
    yield process.start(state_dir, port)
    process.stop(state_dir)


@pytest.fixture
def client(running: process.Running) -> Callable[[str], Any]:
    """Return a function that makes clients in an account of the test's own."""
    import boto3

    account = str(next(ACCOUNTS))
    keys = process.sign_in(running, account).credentials
    session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, keys.session_token, REGION)
    return lambda service: session.client(service, endpoint_url=running.endpoint_url)


@pytest.fixture
def vpc(client: Callable[[str], Any]) -> HandmadeVpc:
    return HandmadeVpc(client("ec2"), SERVICES).make()


def look(vpc: HandmadeVpc, **changes: Any) -> list[Finding]:
    imported = ImportedVpc.model_validate({**vpc.as_import(), **changes})
    place = Place("dev", AccountId("2" * 12), Region(REGION), ("dev",), 3, WORKLOADS)
    return check_network(place, describe(vpc.ec2, imported))


def red(vpc: HandmadeVpc, **changes: Any) -> list[Finding]:
    return [each for each in look(vpc, **changes) if not each.green]


def test_everything_is_there(vpc: HandmadeVpc) -> None:
    assert {each.status for each in look(vpc)} == {"ok"}


@pytest.mark.parametrize("service", ["s3", "sts", "codeartifact.repositories", "sagemaker.studio"])
def test_an_endpoint_is_missing(vpc: HandmadeVpc, service: str) -> None:
    vpc.remove_endpoint(service)
    (finding,) = red(vpc)
    callers = [each.name for each in WORKLOADS if service in each.services]
    assert f"{', '.join(callers)} cannot reach {service}" in finding.what
    vpc.make_endpoint(service)
    assert red(vpc) == []


def test_an_endpoint_lets_nobody_in(vpc: HandmadeVpc) -> None:
    vpc.ec2.revoke_security_group_ingress(GroupId=vpc.endpoint_group_id, IpPermissions=vpc.https_by_workloads)
    found = red(vpc)
    assert {each.check for each in found} == {"service"}
    assert all("do not let the workloads in" in each.got for each in found)


def test_the_route_to_the_gateway_is_missing(vpc: HandmadeVpc) -> None:
    vpc.ec2.modify_vpc_endpoint(VpcEndpointId=vpc.endpoint_ids["s3"], RemoveRouteTableIds=[vpc.table_id])
    (finding,) = red(vpc)
    assert "s3" in finding.what
    assert "no route to the gateway endpoint" in finding.got


def test_the_way_out_is_missing(client: Callable[[str], Any]) -> None:
    vpc = HandmadeVpc(client("ec2"), ["s3"], way_out=True).make()
    assert red(vpc) == []
    vpc.ec2.delete_route(RouteTableId=vpc.table_id, DestinationCidrBlock="0.0.0.0/0")
    named = {each.what.split(" cannot reach ")[1] for each in red(vpc)}
    assert named == set(SERVICES) - {"s3"}


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_dns_is_off(vpc: HandmadeVpc, attribute: str) -> None:
    vpc.ec2.modify_vpc_attribute(VpcId=vpc.vpc_id, **{attribute: {"Value": False}})
    (finding,) = red(vpc)
    assert finding.check == "dns"
    assert attribute[0].lower() + attribute[1:] in finding.what


def test_addresses_are_missing(client: Callable[[str], Any]) -> None:
    vpc = HandmadeVpc(client("ec2"), SERVICES, prefix_length=28).make()
    (finding,) = red(vpc)
    assert finding.check == "addresses"
    assert vpc.subnet_ids[0] in finding.what


def test_a_subnet_of_another_vpc(vpc: HandmadeVpc) -> None:
    other = vpc.ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = vpc.ec2.create_subnet(VpcId=other, CidrBlock="10.30.0.0/24")["Subnet"]["SubnetId"]
    found = [each for each in red(vpc, private_subnet_ids=[*vpc.subnet_ids, subnet]) if each.check == "belonging"]
    assert [(each.got, subnet in each.what) for each in found] == [(other, True)]


def test_a_security_group_of_another_vpc(vpc: HandmadeVpc) -> None:
    other = vpc.ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    group = vpc.ec2.create_security_group(VpcId=other, GroupName="o", Description="o")["GroupId"]
    found = [each for each in red(vpc, extra_security_group_ids=[group]) if each.check == "belonging"]
    assert [(each.got, group in each.what) for each in found] == [(other, True)]


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("vpc_id", "vpc-00000000", "VPC"),
        ("private_subnet_ids", ["subnet-00000000"], "subnet"),
        ("security_group_id", "sg-00000000", "security group"),
    ],
)
def test_an_id_that_does_not_exist(vpc: HandmadeVpc, key: str, value: Any, kind: str) -> None:
    (finding,) = red(vpc, **{key: value})
    assert finding.what == f"the {kind} does not exist"
    assert finding.got in value


def test_the_platforms_own_group_when_none_is_named(vpc: HandmadeVpc) -> None:
    found = red(vpc, security_group_id=None)
    assert {each.check for each in found} == {"service"}  # the endpoints let in the named group only
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]}
    vpc.ec2.authorize_security_group_ingress(GroupId=vpc.endpoint_group_id, IpPermissions=[https])
    assert red(vpc, security_group_id=None) == []


def test_a_group_that_lets_nothing_out(vpc: HandmadeVpc) -> None:
    rules = vpc.ec2.describe_security_groups(GroupIds=[vpc.group_id])["SecurityGroups"][0]["IpPermissionsEgress"]
    vpc.ec2.revoke_security_group_egress(GroupId=vpc.group_id, IpPermissions=rules)
    assert {each.check for each in red(vpc)} == {"security-groups"}


def test_subnets_without_a_table_of_their_own_have_the_main_one(vpc: HandmadeVpc) -> None:
    subnet = vpc.ec2.create_subnet(VpcId=vpc.vpc_id, CidrBlock="10.20.9.0/24")["Subnet"]["SubnetId"]
    (finding,) = red(vpc, private_subnet_ids=[subnet])
    assert "s3" in finding.what


def test_what_the_trust_of_a_role_lacks(client: Callable[[str], Any]) -> None:
    iam = client("iam")
    wanted = ("sts:AssumeRole", "sts:SetSourceIdentity")

    def make(name: str, service: str, *actions: str) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": list(actions)}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)

    make("studio", "sagemaker.amazonaws.com", *wanted)
    make("nobody", "sagemaker.amazonaws.com", "sts:AssumeRole")
    make("other", "ec2.amazonaws.com", *wanted)
    names = ("studio", "nobody", "other", "none")
    found = [trust_lacks(iam, name, "sagemaker.amazonaws.com", wanted) for name in names]
    assert found == [[], ["sts:SetSourceIdentity"], list(wanted), None]
