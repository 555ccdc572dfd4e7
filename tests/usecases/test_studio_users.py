"""Studio on a living platform: a user more is a profile more and nothing else, and sign-in can never be changed."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from mlops_foundation.local import process

pytestmark = [pytest.mark.cloud, pytest.mark.story]

MLOPS = str(Path(sys.executable).with_name("mlops"))
ACCOUNT, REGION = "555555555555", "eu-west-1"
USERS = 'prefix: "ds"\nusers:\n  - user_profile_name: "alice"\n'


class Studio:
    """One account with Studio, its configuration, and what is deployed."""

    def __init__(self, folder: Path, running: process.Running) -> None:
        self.folder = folder
        self.running = running
        (folder / "data_scientists.yml").write_text(USERS)
        self.configure(users_from={"data_scientists": "data_scientists.yml"})

    def configure(self, **studio: Any) -> None:
        accounts = dict.fromkeys(("governance", "dev", "preprod", "prod"), ACCOUNT)
        sets = [{"name": "default", "accounts": accounts}]
        config = {"region": REGION, "sets": sets, "studio": studio, "tags": {"CostCenter": "1"}}
        (self.folder / "mlops.yaml").write_text(json.dumps(config))

    def mlops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MLOPS, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=600
        )

    def deploy(self) -> subprocess.CompletedProcess[str]:
        return self.mlops("deploy", "--stack", "network", "--stack", "studio")

    def client(self, service: str) -> Any:
        keys = process.sign_in(self.running, ACCOUNT).credentials
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, keys.session_token, REGION)
        return session.client(service, endpoint_url=self.running.endpoint_url)

    def resources(self) -> dict[tuple[str, str], str]:
        """Return the physical id of every resource of the stacks."""
        cloudformation = self.client("cloudformation")
        return {
            (stack, each["LogicalResourceId"]): str(each["PhysicalResourceId"])
            for stack in ("mlops-network-dev", "mlops-studio-dev")
            for each in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        }

    def template(self) -> dict[str, Any]:
        """Return the resources of the deployed Studio stack."""
        found = self.client("cloudformation").get_template(StackName="mlops-studio-dev")["TemplateBody"]
        resources: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)["Resources"]
        return resources

    def changed(self) -> dict[str, str]:
        """Return when the domain and each profile were last changed."""
        sagemaker = self.client("sagemaker")
        profiles = sagemaker.list_user_profiles()["UserProfiles"]
        times = {each["UserProfileName"]: each["LastModifiedTime"] for each in profiles}
        times |= {each["DomainName"]: each["LastModifiedTime"] for each in sagemaker.list_domains()["Domains"]}
        return {name: str(time) for name, time in times.items()}

    def profiles(self) -> set[str]:
        return {each["UserProfileName"] for each in self.client("sagemaker").list_user_profiles()["UserProfiles"]}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = process.start(folder / ".mlops", port)
    try:
        made = Studio(folder, running)
        for done in (made.mlops("bootstrap"), made.deploy()):
            assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        process.stop(folder / ".mlops")


def test_an_entry_more_is_one_profile_more_and_touches_nothing_else(studio: Studio) -> None:
    assert studio.profiles() == {"ds-admin", "ds-alice"}
    before, template, changed = studio.resources(), studio.template(), studio.changed()
    (studio.folder / "data_scientists.yml").write_text(USERS + '  - user_profile_name: "bob"\n')
    shown = studio.mlops("deploy", "--stack", "network", "--stack", "studio", "--dry-run", "--json")
    assert (studio.resources(), studio.changed()) == (before, changed), "a dry run changes nothing"
    assert {each["stack"]: len(each["changes"]) for each in json.loads(shown.stdout)} == {
        "mlops-network-dev": 0, "mlops-studio-dev": 1,
    }  # fmt: skip
    done = studio.deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    after = studio.resources()
    assert studio.profiles() == {"ds-admin", "ds-alice", "ds-bob"}
    assert {key: value for key, value in after.items() if key in before} == before
    (new,) = after.keys() - before.keys()
    assert after[new] == "ds-bob"
    assert {name: each for name, each in studio.template().items() if name != new[1]} == template
    assert {name: time for name, time in studio.changed().items() if name != "ds-bob"} == changed


def test_an_entry_less_is_one_profile_less_and_touches_nothing_else(studio: Studio) -> None:
    before, changed = studio.profiles(), studio.changed()
    assert before == {"ds-admin", "ds-alice", "ds-bob"}, "as the test before left them"
    (studio.folder / "data_scientists.yml").write_text(USERS)
    done = studio.deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert studio.profiles() == {"ds-admin", "ds-alice"}
    assert {name: time for name, time in changed.items() if name in studio.changed()} == studio.changed()


def test_another_way_to_sign_in_is_one_error_and_changes_nothing(studio: Studio) -> None:
    before = studio.resources()
    people = [{"name": "alice", "sso_user": "alice@example.com"}]
    studio.configure(auth_mode="sso", admin_sso_user="root@example.com", data_scientists=people)
    done = studio.mlops("deploy", "--json")
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert "auth_mode cannot be changed" in error["what"]
    assert error["expected"].startswith("auth_mode: iam")
    assert studio.resources() == before


def test_a_domain_that_outlived_its_stack_is_one_error_before_anything_is_changed(studio: Studio) -> None:
    cloudformation = studio.client("cloudformation")
    cloudformation.delete_stack(StackName="mlops-studio-dev")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="mlops-studio-dev", WaiterConfig={"Delay": 1})
    (domain,) = studio.client("sagemaker").list_domains()["Domains"]
    studio.configure()
    done = studio.mlops("deploy", "--json")
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert "that no stack of ours has" in error["what"]
    assert f"--domain-id {domain['DomainId']}" in error["fix"]
    found = json.loads(studio.mlops("check", "accounts", "--json").stdout)["findings"]
    (taken,) = [each for each in found if each["status"] != "ok"]
    assert (taken["check"], taken["got"]) == ("names", "Studio domain eu-west-1-studio-domain")
