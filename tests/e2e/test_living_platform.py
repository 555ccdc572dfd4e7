"""A platform that lives: deployments that are killed go on, and an account that is added later changes nothing else."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from mlops_foundation.local import process
from mlops_foundation.usecases import local
from mlops_foundation.usecases.init import Answers, write_config
from ports import free_port

from .conftest import MLOPS

pytestmark = pytest.mark.e2e
REGION = "eu-west-1"
DEV, PREPROD, PROD = "222222222222", "333333333333", "444444444444"
ACCOUNTS = ("111111111111", DEV, PREPROD, PROD)
STATEFUL = {
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::UserProfile",
    "AWS::ServiceCatalog::Portfolio",
}
PRODUCT = "AWS::ServiceCatalog::CloudFormationProduct"


class Living:
    """A folder with a configuration, and its cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_file = folder / "mlops.yaml"
        self.state_dir = folder / ".mlops"
        self.running = process.start(self.state_dir, free_port())

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [MLOPS, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def mlops(self, *arguments: str) -> Any:
        """Run a command to its end and return what it says as JSON."""
        done = subprocess.run(
            [MLOPS, *arguments, "--json"], cwd=self.folder, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def client(self, service: str, account: str) -> Any:
        """Return a client of an account's root."""
        found = process.sign_in(self.running, account).credentials
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.running.endpoint_url,
            aws_access_key_id=found.access_key_id,
            aws_secret_access_key=found.secret_access_key,
        )

    def stacks(self, account: str) -> dict[str, str]:
        """Return the status of every stack of an account."""
        found = self.client("cloudformation", account).describe_stacks()["Stacks"]
        return {each["StackName"]: each["StackStatus"] for each in found}

    def resources(self, account: str) -> list[tuple[str, str, str, str]]:
        """Return stack, logical id, type and physical id of everything in an account's stacks."""
        client = self.client("cloudformation", account)
        return [
            (stack, each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])
            for stack in self.stacks(account)
            for each in client.describe_stack_resources(StackName=stack)["StackResources"]
        ]

    def made(self, account: str, *types: str) -> set[str]:
        """Return the physical ids of an account's stacks, of these types."""
        return {physical_id for _, _, kind, physical_id in self.resources(account) if kind in types}


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """A cloud with nothing in it and the configuration of three accounts: preprod and prod are one."""
    folder = tmp_path_factory.mktemp("living")
    write_config(folder / "mlops.yaml", Answers(prod=PREPROD))
    made = Living(folder)
    try:
        yield made
    finally:
        local.reset(made.state_dir)


def kill_when(living: Living, reached: Callable[[], bool], *arguments: str) -> None:
    """Start a command, kill it without any warning as soon as a point is reached, and wait until its CLI is gone."""
    started = living.start(*arguments)
    deadline = time.monotonic() + 120
    while not reached():
        assert started.poll() is None, started.communicate()[0]
        assert time.monotonic() < deadline, "the point was never reached"
        time.sleep(0.01)
    children = _children(started.pid)
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "the cdk CLI outlives the command that was killed"
        time.sleep(0.05)


def _children(pid: int) -> list[str]:
    threads = Path(f"/proc/{pid}/task")
    return [child for task in threads.glob("*/children") for child in task.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_a_deployment_killed_at_three_points_goes_on_and_leaves_nothing_behind(living: Living) -> None:
    def exists(account: str, stack: str) -> Callable[[], bool]:
        return lambda: stack in living.stacks(account)

    kill_when(living, exists(DEV, "mlops-toolkit"), "bootstrap")
    living.mlops("bootstrap")
    kill_when(living, exists(DEV, "mlops-network-dev"), "deploy")
    kill_when(living, exists(DEV, "mlops-studio-dev"), "deploy")
    done = living.mlops("deploy")
    assert {each["status"] for each in done} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert Counter(each["account"] for each in done) == {DEV: 4, PREPROD: 2}
    for account in ACCOUNTS[:3]:
        no_orphans(living, account)
    assert all(each["status"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} for each in living.mlops("deploy"))


def no_orphans(living: Living, account: str) -> None:
    """Everything in the account belongs to one of its stacks, and nothing is under way."""
    cloudformation = living.client("cloudformation", account)
    stacks = living.stacks(account)
    assert set(stacks.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, stacks
    for stack in stacks:
        pending = cloudformation.list_change_sets(StackName=stack)["Summaries"]
        assert [each for each in pending if each["ExecutionStatus"] == "AVAILABLE"] == []
    ec2 = living.client("ec2", account)
    vpcs = {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]}
    assert vpcs == living.made(account, "AWS::EC2::VPC")
    addresses = {each["PublicIp"] for each in ec2.describe_addresses()["Addresses"]}
    assert addresses == living.made(account, "AWS::EC2::EIP")
    roles = {each["RoleName"] for each in living.client("iam", account).list_roles()["Roles"]}
    assert {each for each in roles if not each.startswith("AWSServiceRole")} == living.made(account, "AWS::IAM::Role")
    kms = living.client("kms", account)
    keys = {each["KeyId"] for each in kms.list_keys()["Keys"]}
    enabled = {key for key in keys if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"}
    assert enabled == living.made(account, "AWS::KMS::Key")
    buckets = {each["Name"] for each in living.client("s3", account).list_buckets()["Buckets"]}
    assert buckets == living.made(account, "AWS::S3::Bucket")
    domains = living.client("sagemaker", account).list_domains()["Domains"]
    assert {each["DomainId"] for each in domains} == living.made(account, "AWS::SageMaker::Domain")


def test_an_account_added_later_touches_nothing_that_keeps_state(living: Living) -> None:
    """Prod gets an account of its own; before it shared that of preprod."""
    before = {account: (living.resources(account), definitions(living, account)) for account in (DEV, PREPROD)}
    (domain,) = living.client("sagemaker", DEV).list_domains()["Domains"]
    config = yaml.safe_load(living.config_file.read_text())
    config["sets"][0]["accounts"]["prod"] = PROD
    living.config_file.write_text(json.dumps(config))
    living.mlops("bootstrap")
    done = living.mlops("deploy")
    assert {each["status"] for each in done} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert set(living.stacks(PROD)) == {
        "mlops-bootstrap-policies", "mlops-network-prod", "mlops-targets-prod", "mlops-toolkit",
    }  # fmt: skip
    for account, (resources, templates) in before.items():
        stateful = {each for each in resources if each[2] in STATEFUL}
        kept = stateful | {each for each in resources if each[2] == PRODUCT}
        assert kept <= set(living.resources(account)), "none was replaced or removed"
        changed = {key for key, value in definitions(living, account).items() if templates.get(key) != value}
        assert changed, "the new account is known in the others"
        assert changed.isdisjoint({each[:2] for each in stateful})
    assert living.client("sagemaker", DEV).list_domains()["Domains"] == [domain]


def definitions(living: Living, account: str) -> dict[tuple[str, str], Any]:
    """Return every resource as its stack's template has it, by stack and logical id."""
    client = living.client("cloudformation", account)
    found = {}
    for stack in living.stacks(account):
        template = client.get_template(StackName=stack)["TemplateBody"]
        resources = (template if isinstance(template, dict) else yaml.safe_load(template))["Resources"]
        found |= {(stack, logical_id): resource for logical_id, resource in resources.items()}
    return found
