"""A company's own VPC: the platform is deployed into it, the check is green, and names what is taken away."""

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

from mlops_foundation.local import process
from mlops_foundation.plan.workloads import workloads
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases.init import Answers, write_config
from vpc_by_hand import REGION, HandmadeVpc

pytestmark = pytest.mark.cloud
MLOPS = str(Path(sys.executable).with_name("mlops"))
ACCOUNT = "555555555555"
SERVICES = sorted(
    {each for one in workloads(TEMPLATES, ("dev", "preprod", "prod"), "codeartifact") for each in one.services}
)


@dataclass
class Company:
    """One account with a VPC of the company's own, and the platform's configuration for it."""

    folder: Path
    running: process.Running
    vpc: HandmadeVpc

    def mlops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MLOPS, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )

    def client(self, service: str) -> Any:
        keys = process.sign_in(self.running, ACCOUNT).credentials
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, keys.session_token, REGION)
        return session.client(service, endpoint_url=self.running.endpoint_url)

    def configure(self, **changes: Any) -> None:
        """Write the configuration with this import."""
        write_config(self.folder / "mlops.yaml", Answers(), force=True)
        imported = {**self.vpc.as_import(), **changes}
        accounts = dict.fromkeys(("governance", "dev", "preprod", "prod"), ACCOUNT)
        config = {
            "region": REGION,
            "sets": [{"name": "default", "accounts": accounts, "stages": {"dev": {"network": {"import": imported}}}}],
            "packages": {"provider": "codeartifact"},
            "tags": {"CostCenter": "1"},
        }
        (self.folder / "mlops.yaml").write_text(json.dumps(config))

    def red(self) -> list[dict[str, str]]:
        """Return what the check says is not right."""
        done = self.mlops("check", "network", "--json")
        report = json.loads(done.stdout)
        assert done.returncode == (0 if report["green"] else 3), done.stderr
        return [each for each in report["findings"] if each["status"] != "ok"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = process.start(folder / ".mlops", port)
    made = Company(folder, running, HandmadeVpc(None, SERVICES))
    made.vpc.ec2 = made.client("ec2")
    made.vpc.make()
    made.configure()
    try:
        done = made.mlops("bootstrap", "--json")
        assert done.returncode == 0, done.stdout
        yield made
    finally:
        process.stop(folder / ".mlops")


@pytest.fixture(autouse=True)
def whole(company: Company) -> Iterator[None]:
    """Give back after each test what it has taken away, also when it fails."""
    yield
    vpc = company.vpc
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        vpc.ec2.modify_vpc_attribute(VpcId=vpc.vpc_id, **{attribute: {"Value": True}})
    for service in set(vpc.services) - vpc.endpoint_ids.keys():
        vpc.make_endpoint(service)
    vpc.ec2.modify_vpc_endpoint(VpcEndpointId=vpc.endpoint_ids["s3"], AddRouteTableIds=[vpc.table_id])
    company.configure()
    assert company.red() == []


def test_the_platform_is_deployed_into_it(company: Company) -> None:
    assert company.red() == []
    before = company.client("ec2").describe_vpcs()["Vpcs"]
    done = company.mlops("deploy", "--stack", "network", "--stack", "studio", "--json")
    assert done.returncode == 0, done.stdout
    (domain,) = company.client("sagemaker").list_domains()["Domains"]
    found = company.client("sagemaker").describe_domain(DomainId=domain["DomainId"])
    assert (found["VpcId"], found["SubnetIds"]) == (company.vpc.vpc_id, company.vpc.subnet_ids)
    assert found["DefaultUserSettings"]["SecurityGroups"] == [company.vpc.group_id]
    assert company.client("ec2").describe_vpcs()["Vpcs"] == before
    assert company.red() == []


def test_an_endpoint_is_missing(company: Company) -> None:
    company.vpc.remove_endpoint("sagemaker.runtime")
    (finding,) = company.red()
    assert finding["what"] == "deploy-test, studio cannot reach sagemaker.runtime"
    refused = company.mlops("deploy", "--stack", "network", "--json")
    assert refused.returncode == 3
    (error,) = json.loads(refused.stdout)["errors"]
    assert error["what"] == finding["what"]


def test_a_route_is_missing(company: Company) -> None:
    endpoint = company.vpc.endpoint_ids["s3"]
    company.vpc.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[company.vpc.table_id])
    (finding,) = company.red()
    assert finding["what"].endswith("cannot reach s3")
    assert "no route to the gateway endpoint" in finding["got"]


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_dns_is_missing(company: Company, attribute: str) -> None:
    company.vpc.ec2.modify_vpc_attribute(VpcId=company.vpc.vpc_id, **{attribute: {"Value": False}})
    (finding,) = company.red()
    assert (finding["check"], finding["got"]) == ("dns", "false")


def test_addresses_are_missing(company: Company) -> None:
    small = company.vpc.ec2.create_subnet(VpcId=company.vpc.vpc_id, CidrBlock="10.20.99.0/28")["Subnet"]["SubnetId"]
    company.vpc.ec2.associate_route_table(RouteTableId=company.vpc.table_id, SubnetId=small)
    company.configure(private_subnet_ids=[small])
    found = {each["check"]: each for each in company.red()}
    assert set(found) == {"addresses", "zones"}
    assert found["addresses"]["got"] == "11 free"
    assert "Studio users" in found["addresses"]["expected"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"vpc_id": "vpc-00000000"}, "the VPC does not exist"),
        ({"private_subnet_ids": ["subnet-00000000"]}, "the subnet does not exist"),
        ({"extra_security_group_ids": ["sg-00000000"]}, "the security group does not exist"),
        ({"execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "Studio's role does not exist"),
        ({"execution_role_arn": "arn:aws:iam::111111111111:role/none"}, "Studio's role does not exist"),
    ],
)
def test_bad_ids_are_one_clear_finding(company: Company, changes: dict[str, Any], what: str) -> None:
    company.configure(**changes)
    (finding,) = company.red()
    assert finding["what"] == what
    assert finding["fix"]


def test_a_role_for_studio_has_to_let_sagemaker_take_it(company: Company) -> None:
    iam = company.client("iam")
    found = {}
    both = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    for name, service, actions in (
        ("studio-apps", "sagemaker.amazonaws.com", both),
        ("nobodys", "sagemaker.amazonaws.com", both[:1]),
        ("other", "ec2.amazonaws.com", both),
    ):
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, Path="/company/", AssumeRolePolicyDocument=document)["Role"]
        company.configure(execution_role_arn=role["Arn"])
        found[name] = [(each["what"], each["got"].partition(" lacks ")[2]) for each in company.red()]
    what = "Studio's role does not let SageMaker take it"
    assert found == {
        "studio-apps": [],
        "nobodys": [(what, "sts:SetSourceIdentity")],
        "other": [(what, "sts:AssumeRole, sts:SetSourceIdentity")],
    }


def test_without_the_cloud_nothing_is_known(company: Company) -> None:
    done = company.mlops("check", "network", "--json", "--state-dir", "nowhere")
    assert done.returncode == 3
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["check"], finding["status"], finding["fix"]) == ("access", "unknown", "mlops local start")


def test_a_deployment_says_all_that_is_wrong_at_once_and_changes_nothing(company: Company) -> None:
    ec2 = company.vpc.ec2
    other = ec2.create_vpc(CidrBlock="10.250.0.0/24")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.250.0.0/25")["Subnet"]["SubnetId"]
    ec2.modify_vpc_attribute(VpcId=company.vpc.vpc_id, EnableDnsSupport={"Value": False})
    company.configure(private_subnet_ids=[*company.vpc.subnet_ids, subnet])
    stacks = company.client("cloudformation").describe_stacks()["Stacks"]
    done = company.mlops("deploy", "--json")
    after = company.client("cloudformation").describe_stacks()["Stacks"]
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    said = {each["what"]: each for each in json.loads(done.stdout)["errors"]}
    foreign = said[f"the subnet {subnet} belongs to another VPC"]
    assert (foreign["got"], foreign["expected"]) == (other, company.vpc.vpc_id)
    assert said["the VPC has enableDnsSupport off"]["fix"].endswith("--enable-dns-support")
    assert after == stacks
