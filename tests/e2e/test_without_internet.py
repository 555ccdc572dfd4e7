"""NAT 0 and shared endpoints: the demo in VPCs without a way out and without interface endpoints of their own.

Packages come from CodeArtifact, governance's VPC owns the endpoints, and the check says that nothing is missing.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from endpoint_policies import Request, Template, passes
from mlops_foundation.config.endpoints import ENDPOINTS
from mlops_foundation.local import process
from mlops_foundation.plan.workloads import declared, workloads
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases import check_network, demo, endpoints, pipelines, service_calls
from mlops_foundation.usecases.demo_folder import DemoFolder
from mlops_foundation.usecases.synth import synth

from .conftest import Platform, last

pytestmark = pytest.mark.e2e
SHARED = "nat_gateways: 0\n  shared_endpoints: {owner: governance}"
PRIVATE = {"nat_gateways: 1": SHARED, "provider: public": "provider: codeartifact"}


class Quiet:
    """Shows nothing."""

    def line(self, text: str) -> None:
        """Take a line."""

    def pipeline(self, state: pipelines.PipelineState) -> None:
        """Take a state."""


@dataclass(frozen=True)
class Told:
    """What a demo did and said.

    Attributes:
        steps: Titles, in their order.
        answers: What prod said, one for each row.
        metrics: Of the version that was deployed.
        served: Stage, status and model package of each endpoint at the end.
    """

    steps: list[str]
    answers: list[dict[str, Any]]
    metrics: dict[str, float]
    served: list[list[str]]


def tell(running: demo.Demo, steps: list[demo.Done]) -> Told:
    """Return what a demo that is over did and said."""
    found = endpoints.list_endpoints(running.workspace, demo.PROJECT)
    served = [[each.stage, each.status, each.model_package] for each in found]
    return Told([each.step for each in steps], running.answers, running.metrics, served)


class Shown(Platform):
    """A platform that a demo made.

    Args:
        folder: Of the demo.
        told: What the demo did and said.
    """

    def __init__(self, folder: Path, told: Told) -> None:
        super().__init__(folder)
        self.told = told


def rewrite(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The demo on a platform without NAT and with shared endpoints, run to its end and kept."""
    folder = tmp_path_factory.mktemp("private")
    running = demo.Demo(DemoFolder(folder), 0, Quiet())
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        # uv keeps packages by index, and this index has another address each time.
        patch.setenv("UV_CACHE_DIR", str(folder / "uv"))
        try:
            for step in running.run():
                steps.append(step)
                if step.step == "start the local cloud":
                    rewrite(running.config_file, PRIVATE)
            yield Shown(folder, tell(running, steps))
        finally:
            running.stop()


def test_the_demo_goes_all_the_way(private: Shown) -> None:
    told = private.told
    assert told.steps[-1] == "invoke prod with unseen rows"
    assert [(stage, status) for stage, status, _ in told.served] == [
        ("dev", "InService"), ("preprod", "InService"), ("prod", "InService"),
    ]  # fmt: skip
    probabilities = [answer["probability"] for answer in told.answers]
    assert len(probabilities) == len(set(probabilities)) == 5, "an answer of its own for each row"
    assert 0 < min(probabilities) < 0.5 < max(probabilities) < 1
    assert told.metrics["accuracy"] > 0.9


def test_only_governance_has_interface_endpoints(private: Shown) -> None:
    workspace = private.workspace
    found = {}
    for environment in ("governance", "dev", "preprod", "prod"):
        made = workspace.client("ec2", environment).describe_vpc_endpoints()["VpcEndpoints"]
        found[environment] = sum(each["VpcEndpointType"] == "Interface" for each in made)
    assert found == {"governance": len(ENDPOINTS) - 1, "dev": 0, "preprod": 0, "prod": 0}


def test_the_check_is_green_with_endpoints_of_ones_own_too(private: Shown, tmp_path: Path) -> None:
    config = tmp_path / "mlops.yaml"
    config.write_text(private.config_file.read_text())
    rewrite(config, {SHARED: "nat_gateways: 0"})
    report = check_network.network(config, "", "local", private.state_dir)
    assert report.recorded
    assert [each for each in report.findings if not each.green] == []


def test_builds_had_no_way_out_and_say_no_token(private: Shown) -> None:
    done = private.mlops("pipeline", "logs", demo.PROJECT, "build")
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert "have no way out" in text
    assert "aws:" not in text.replace("arn:aws:", "")


def test_what_was_called_is_what_is_declared(private: Shown) -> None:
    recorded = service_calls.recorded(private.state_dir)
    expected = {
        each.name: set(each.services) for each in workloads(TEMPLATES, ("dev", "preprod", "prod"), "codeartifact")
    }
    assert {each.workload for each in recorded} == {"build", "deploy-build", "deploy-test", "job", "endpoint"}
    for each in recorded:
        assert each.service in expected[each.workload], each
    installs = {each.name for each in declared(TEMPLATES) if each.installs and each.name != "studio"}
    assert {each.workload for each in recorded if each.service == "codeartifact.repositories"} == installs


def network_templates(assembly: Path) -> dict[str, Template]:
    """Return the networks of an assembly by environment."""
    found = assembly.glob("assembly-default-*/*Network*.template.json")
    return {path.parent.name.rsplit("-", 1)[1]: json.loads(path.read_text(encoding="utf-8")) for path in found}


@pytest.mark.parametrize("sharing", [True, False], ids=["shared endpoints", "endpoints of its own"])
def test_every_action_of_a_workload_passes_its_endpoint(private: Shown, tmp_path: Path, *, sharing: bool) -> None:
    config = tmp_path / "mlops.yaml"
    config.write_text(private.config_file.read_text())
    if not sharing:
        rewrite(config, {SHARED: "nat_gateways: 0"})
    networks = network_templates(synth(config, tmp_path / "out").directory)
    accounts = {account: name for name, account in private.workspace.set_plan.accounts.items()}
    held_back, passed = [], set()
    for each in service_calls.recorded(private.state_dir):
        owner = "governance" if sharing and each.service != "s3" else accounts[each.account]
        for done in each.actions:
            request = Request(each.service, done["caller"], done["owner"], done["action"])
            if not passes(networks[owner], request):
                held_back.append((each.workload, request))
            passed.add((each.workload, each.service))
    assert held_back == []
    assert passed == {(each.workload, each.service) for each in service_calls.recorded(private.state_dir)}


def test_the_check_is_green_with_the_record(private: Shown) -> None:
    report = check_network.network(private.config_file, "", "local", private.state_dir)
    assert report.recorded
    assert [each for each in report.findings if not each.green] == []
    assert any("seen: " in each.what for each in report.findings)


def test_an_endpoint_taken_away_is_named_with_its_workloads(private: Shown, tmp_path: Path) -> None:
    config = tmp_path / "mlops.yaml"
    config.write_text(private.config_file.read_text())
    left = ", ".join(name for name in ENDPOINTS if name != "sagemaker.runtime")
    rewrite(config, {"nat_gateways: 0": f"nat_gateways: 0\n  endpoints: [{left}]"})
    done = private.mlops("check", "network", "--json", "--config", str(config), "--state-dir", str(private.state_dir))
    assert done.returncode == 3
    red = [each for each in json.loads(done.stdout)["findings"] if each["status"] != "ok"]
    assert {(each["check"], each["stage"]) for each in red} == {("service", "dev")}
    (finding,) = red
    assert "deploy-test" in finding["what"]
    assert "sagemaker.runtime" in finding["what"]
    assert "network.endpoints" in finding["fix"]


@contextlib.contextmanager
def without_name(private: Shown, name: str) -> Iterator[None]:
    """Take the zone that leads to a shared endpoint from the VPC of dev, and give it back."""
    running = private.running
    accounts = private.workspace.set_plan.accounts

    def client(service: str, account: str) -> Any:
        keys = process.sign_in(running, account).credentials
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, keys.session_token, "eu-west-1")
        return session.client(service, endpoint_url=running.endpoint_url)

    there, here = client("route53", accounts["governance"]), client("route53", accounts["dev"])
    (zone,) = [each["Id"] for each in there.list_hosted_zones()["HostedZones"] if each["Name"] == f"{name}."]
    vpc_id = client("ssm", accounts["dev"]).get_parameter(Name="/vpc/id")["Parameter"]["Value"]
    vpc = {"HostedZoneId": zone, "VPC": {"VPCRegion": "eu-west-1", "VPCId": vpc_id}}
    here.disassociate_vpc_from_hosted_zone(**vpc)
    try:
        yield
    finally:
        there.create_vpc_association_authorization(**vpc)
        here.associate_vpc_with_hosted_zone(**vpc)


def test_a_name_that_leads_nowhere_stops_the_build(private: Shown) -> None:
    workspace, name = private.workspace, pipelines.name_of(private.workspace, demo.PROJECT, "build")
    before = pipelines.executions(workspace, demo.PROJECT, "build", "data-scientist")
    # The first that a build calls: it ends there, before it has installed and tested anything.
    with without_name(private, "codeartifact.eu-west-1.amazonaws.com"):
        private.client("codepipeline", "dev", "data-scientist").start_pipeline_execution(name=name)
        state = last(pipelines.watch(workspace, demo.PROJECT, "build", "data-scientist", before))
    assert state.status == "Failed"
    log = private.mlops("pipeline", "logs", demo.PROJECT, "build").stdout
    assert "(Unreachable) when calling" in log
    assert "nothing leads to codeartifact.api: no endpoint and no way out" in " ".join(log.split())
