"""Every shape of accounts at once, deployed by one command, and the main path through each of them."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from mlops_foundation.core.errors import ConfigError
from mlops_foundation.core.names import persona_role
from mlops_foundation.local import process
from mlops_foundation.plan.workloads import workloads
from mlops_foundation.templates import TEMPLATES
from mlops_foundation.usecases import endpoints, local, models, pipelines, project_remains, projects
from mlops_foundation.usecases.workspace import Workspace, open_workspace
from once import Once
from ports import free_port
from resource_tags import READERS, tags_of_stack
from vpc_by_hand import REGION, HandmadeVpc

from . import golden
from .conftest import MLOPS, last

pytestmark = pytest.mark.e2e

# The project's name begins the names of buckets, which are everybody's: one for each set.
FOUR = {"governance": "111111111111", "dev": "222222222222", "preprod": "333333333333", "prod": "444444444444"}
SETS: dict[str, dict[str, Any]] = {
    "merged": {"accounts": {**FOUR, "dev": "222222222223", "preprod": "333333333334", "prod": "333333333334"}},
    "single": {"accounts": dict.fromkeys(FOUR, "555555555555")},
    "manual": {"accounts": {"dev": "222222222225", "preprod": "333333333335", "prod": "444444444445"}},
    "europe": {
        "accounts": FOUR,
        "stages": {"dev": {"network": {"azs": 2}}, "prod": {"network": {"nat_gateways": 2}, "tags": {"Class": "high"}}},
    },
    "america": {"accounts": FOUR, "region": "us-east-1"},
    "imported": {"accounts": {**FOUR, "dev": "222222222226", "preprod": "333333333336", "prod": "444444444446"}},
}
"""Preprod and prod in one account; all in one; without governance; settings by stage; all in a second region; each
stage in a VPC that was there before, with other things that were there before in each."""
BRANCH = "trunk"
"""The branch that the pipelines follow: any main that is written down somewhere fails every main path."""
ASKED = {"Team": "retention"}
"""A tag that every project is made with."""
BUILD_DIFFERS = ("america", "imported")
"""In another region, and in another network. The build of the others is that of the golden platform, whatever accounts
come after it: they begin with the version that it registered."""
PATHS = ("america", "imported", "merged", "single", "manual")
"""Whose main path is gone, those that build first. In the accounts of ``europe`` the golden platform's model goes to
production, whatever their networks are: only a project is made there."""


class Fleet:
    """The deployed sets, and how their main paths went."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_file = folder / "mlops.yaml"
        self.state_dir = folder / ".mlops"
        running = process.start(self.state_dir, free_port())
        self.imports = Imports(running, SETS["imported"]["accounts"])
        own = {"imported": {"stages": self.imports.stages}}
        sets = [{"name": name, "prefix": name, **each, **own.get(name, {})} for name, each in SETS.items()]
        common = {"region": "eu-west-1", "tags": {"CostCenter": "0"}, "source": {"branch": BRANCH}}
        self.config_file.write_text(json.dumps({"sets": sets, **common}))
        self.mlops("bootstrap")
        self.deployed = self.mlops("deploy")
        self.paths: Mapping[str, Future[str]] = {}

    def mlops(self, *arguments: str) -> Any:
        """Run a command to its end and return what it says as JSON."""
        command = [MLOPS, *arguments, "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def workspace(self, name: str) -> Workspace:
        """Return the workspace of a set, in its project."""
        return open_workspace(self.config_file, name, "local", self.state_dir, f"churn-{name}")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Iterator[Fleet]:
    """All sets deployed; their main paths are under way, some at a time."""
    folder = tmp_path_factory.mktemp("fleet")
    try:
        made = Fleet(folder)
        with ThreadPoolExecutor(3) as pool:
            made.paths = {name: pool.submit(main_path, made.workspace(name), once) for name in ("europe", *PATHS)}
            yield made
    finally:
        local.reset(folder / ".mlops")


class Imports:
    """What a company has in three accounts before the platform comes, and how a configuration names it.

    In dev a VPC with a group, one more group and a role for Studio; in preprod a VPC without a group for workloads; in
    prod a VPC with a group and one more. Each has a NAT gateway and every endpoint, and subnets of its own.
    """

    def __init__(self, running: process.Running, accounts: Mapping[str, str]) -> None:
        self._running = running
        self.vpcs = {stage: self._vpc(accounts[stage]) for stage in ("dev", "preprod", "prod")}
        self.extra = {stage: self.vpcs[stage].make_group("databases") for stage in ("dev", "prod")}
        self.vpcs["preprod"].open_endpoints()
        self.role_arn = self._role(accounts["dev"])
        named = {stage: vpc.as_import() for stage, vpc in self.vpcs.items()}
        for stage, group in self.extra.items():
            named[stage]["extra_security_group_ids"] = [group]
        del named["preprod"]["security_group_id"]
        named["dev"]["execution_role_arn"] = self.role_arn
        self.stages = {stage: {"network": {"import": each}} for stage, each in named.items()}

    def _client(self, service: str, account: str) -> Any:
        keys = process.sign_in(self._running, account).credentials
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, keys.session_token, REGION)
        return session.client(service, endpoint_url=self._running.endpoint_url)

    def _vpc(self, account: str) -> HandmadeVpc:
        services = {each for one in workloads(TEMPLATES, ("dev", "preprod", "prod"), "public") for each in one.services}
        return HandmadeVpc(self._client("ec2", account), sorted(services), way_out=True).make()

    def _role(self, account: str) -> str:
        actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": actions}
        made = self._client("iam", account).create_role(
            RoleName="company-studio",
            Path="/company/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        return str(made["Role"]["Arn"])


def main_path(workspace: Workspace, once: Once) -> str:
    """Make a project and take its model to production, where the path of its set is gone; return what that says."""
    name = f"churn-{workspace.set_plan.name}"
    new = projects.NewProject(name, cost_center="0", description=f"who leaves {name}", tags=ASKED)
    projects.create(workspace, new, "admin", lambda line: None)
    if workspace.set_plan.name not in PATHS:
        stop_build(workspace, name)
        return ""
    if workspace.set_plan.name in BUILD_DIFFERS:
        build = last(pipelines.watch(workspace, name, "build", "data-scientist"))
        pipelines.check(workspace, build, "data-scientist")
    else:
        stop_build(workspace, name)
        # Nothing is approved yet: the execution that a new project starts with ends, instead of taking this version.
        last(pipelines.watch(workspace, name, "deploy", "lead"))
        register(workspace, name, golden.version(once))
    before = pipelines.executions(workspace, name, "deploy", "lead")
    models.decide(workspace, name, "latest", "Approved", "", "lead")
    follow(workspace, name, "ApprovePreprod", before)
    pipelines.put_approval(workspace, name, "preprod", approve=True, summary="", persona="lead")
    follow(workspace, name, "ApproveProd")
    pipelines.put_approval(workspace, name, "prod", approve=True, summary="", persona="approver-prod")
    follow(workspace, name, "")
    row = ",".join(["1"] * 30).encode()
    role = workspace.project(name).test_role("prod")
    return endpoints.invoke(workspace, name, "prod", row, "text/csv", "application/json", role)


def stop_build(workspace: Workspace, name: str) -> None:
    """Stop the build that a new project starts with."""
    codebuild = workspace.client("codebuild", "dev")
    deadline = time.monotonic() + 120
    while not (ids := codebuild.list_builds_for_project(projectName=f"{name}-build")["ids"]):
        assert time.monotonic() < deadline, f"{name} never began its first build"
        time.sleep(0.1)
    codebuild.stop_build(id=ids[0])


def register(workspace: Workspace, name: str, version: golden.Version) -> None:
    """Register the version that the project's build would make, as a data scientist by hand."""
    bucket, key = workspace.project(name).artifact_bucket(workspace.account("dev")), "by-hand/model.tar.gz"
    workspace.client("s3", "dev", "data-scientist").put_object(Bucket=bucket, Key=key, Body=version.artifact)
    container = {**version.specification["Containers"][0], "ModelDataUrl": f"s3://{bucket}/{key}"}
    workspace.client("sagemaker", "dev", "data-scientist").create_model_package(
        ModelPackageGroupName=name,
        InferenceSpecification={**version.specification, "Containers": [container]},
        ModelApprovalStatus="PendingManualApproval",
    )


def follow(workspace: Workspace, name: str, until: str, before: Sequence[str] = ()) -> None:
    """Follow the deploy pipeline to an approval, or to its end; one that was given is passed over."""
    while True:
        state = last(pipelines.watch(workspace, name, "deploy", "lead", before))
        pipelines.check(workspace, state, "lead")
        waiting = state.waiting.name if state.waiting else ""
        if waiting == until:
            assert waiting or state.status == "Succeeded"
            return
        assert waiting, f"{name} ended before {until}: {state.status} {state.reason}"


def test_every_stack_of_every_set_is_complete(fleet: Fleet) -> None:
    assert {each["status"] for each in fleet.deployed} == {"CREATE_COMPLETE"}
    accounts = {name: {each["account"] for each in fleet.deployed if each["set"] == name} for name in SETS}
    assert accounts == {
        "merged": {"222222222223", "333333333334"},
        "single": {"555555555555"},
        "manual": {"222222222225", "333333333335", "444444444445"},
        "europe": {"222222222222", "333333333333", "444444444444"},
        "america": {"222222222222", "333333333333", "444444444444"},
        "imported": {"222222222226", "333333333336", "444444444446"},
    }


def test_each_of_four_accounts_has_its_part(fleet: Fleet) -> None:
    """Finds a project, a catalog or a network in the account of the tools, and stages that are not apart."""
    workspace = fleet.workspace("europe")
    found = {}
    for environment in ("governance", "dev", "preprod", "prod"):
        stacks = workspace.client("cloudformation", environment).describe_stacks()["Stacks"]
        mine = {each["StackName"].removeprefix("europe-") for each in stacks if each["StackName"].startswith("europe-")}
        found[environment] = mine - {"bootstrap-policies", "toolkit"}
        assert mine - found[environment] == {"bootstrap-policies", "toolkit"}
    assert found == {
        "governance": set(),
        "dev": {"network-dev", "targets-dev", "studio-dev", "catalog-dev"},
        "preprod": {"network-preprod", "targets-preprod"},
        "prod": {"network-prod", "targets-prod"},
    }
    assert workspace.client("codecommit", "governance").list_repositories()["repositories"] == []


def test_a_stage_has_its_own_network_and_tags(fleet: Fleet) -> None:
    found = {}
    for stage in ("dev", "preprod", "prod"):
        ec2 = fleet.workspace("europe").client("ec2", stage)
        (vpc,) = (each for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"])
        mine = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        nats = ec2.describe_nat_gateways(Filters=mine)["NatGateways"]
        zones = {each["AvailabilityZone"] for each in ec2.describe_subnets(Filters=mine)["Subnets"]}
        classes = [tag["Value"] for tag in vpc["Tags"] if tag["Key"] == "Class"]
        found[stage] = (len(zones), len(nats), classes)
    assert found == {"dev": (2, 1, []), "preprod": (2, 1, []), "prod": (2, 2, ["high"])}


def test_two_regions_of_an_account_share_nothing(fleet: Fleet) -> None:
    vpcs = {
        name: fleet.workspace(name).client("ssm", "prod").get_parameter(Name="/vpc/id")["Parameter"]["Value"]
        for name in ("europe", "america")
    }
    assert len(set(vpcs.values())) == 2


def test_each_stage_runs_in_the_vpc_that_was_imported_for_it(fleet: Fleet) -> None:
    """Finds an import that reaches another stage, and groups that only the template of a stack knows."""
    workspace, imports = fleet.workspace("imported"), fleet.imports
    fleet.paths["imported"].result()
    made = workspace.client("ssm", "preprod").get_parameter(Name="/vpc/sg/id")["Parameter"]["Value"]
    groups = {stage: [imports.vpcs[stage].group_id, extra] for stage, extra in imports.extra.items()}
    groups["preprod"] = [made]
    assert made not in {imports.vpcs["preprod"].group_id, imports.vpcs["preprod"].endpoint_group_id}
    for stage, vpc in imports.vpcs.items():
        there = [each["VpcId"] for each in vpc.ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]]
        assert there == [vpc.vpc_id], "none was made beside it"
        sagemaker = workspace.client("sagemaker", stage)  # type: ignore[arg-type]
        (model,) = (each["ModelName"] for each in sagemaker.list_models()["Models"])
        config = {"Subnets": vpc.subnet_ids, "SecurityGroupIds": groups[stage]}
        assert sagemaker.describe_model(ModelName=model)["VpcConfig"] == config, stage
    sagemaker = workspace.client("sagemaker", "dev")
    (job,) = (each["TrainingJobName"] for each in sagemaker.list_training_jobs()["TrainingJobSummaries"])
    config = {"Subnets": imports.vpcs["dev"].subnet_ids, "SecurityGroupIds": groups["dev"]}
    assert sagemaker.describe_training_job(TrainingJobName=job)["VpcConfig"] == config
    (build,) = workspace.client("codebuild", "dev").batch_get_projects(names=["churn-imported-build"])["projects"]
    assert (build["vpcConfig"]["vpcId"], build["vpcConfig"]["securityGroupIds"]) == (
        imports.vpcs["dev"].vpc_id,
        groups["dev"],
    )


def test_studio_has_the_role_and_the_groups_that_were_imported(fleet: Fleet) -> None:
    """Finds a role that is named in a configuration, and made anew or left out when it is deployed."""
    workspace, imports = fleet.workspace("imported"), fleet.imports
    sagemaker = workspace.client("sagemaker", "dev")
    (domain,) = sagemaker.list_domains()["Domains"]
    found = sagemaker.describe_domain(DomainId=domain["DomainId"])
    settings = found["DefaultUserSettings"]
    assert (found["VpcId"], settings["ExecutionRole"]) == (imports.vpcs["dev"].vpc_id, imports.role_arn)
    assert settings["SecurityGroups"] == [imports.vpcs["dev"].group_id, imports.extra["dev"]]
    published = workspace.client("ssm", "dev").get_parameter(Name="/imported/role/execution")["Parameter"]["Value"]
    assert published == imports.role_arn
    names, region = workspace.set_plan.names, workspace.set_plan.region
    roles = {each["RoleName"] for each in workspace.client("iam", "dev").list_roles()["Roles"]}
    assert {"company-studio", persona_role("data-scientist", region, workspace.account("dev"))} <= roles
    assert roles.isdisjoint({names.studio_execution_role(region), names.studio_lead_role(region)})


def test_description_and_tags_reach_everything_of_a_project(fleet: Fleet) -> None:
    """Finds a type of resource of a project that does not get the tags that somebody gave the project."""
    fleet.paths["europe"].result()
    workspace = fleet.workspace("europe")
    found = workspace.client("sagemaker", "dev", "admin").describe_project(ProjectName="churn-europe")
    assert found["ProjectDescription"] == "who leaves churn-europe"
    product = found["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
    resources = tags_of_stack(
        lambda service: workspace.client(service, "dev"), f"SC-{workspace.account('dev')}-{product}"
    )
    assert {kind for kind, _, _ in resources} == set(READERS)
    assert [(kind, name) for kind, name, tags in resources if not ASKED.items() <= tags.items()] == []


@pytest.mark.parametrize("name", PATHS)
def test_the_main_path_goes_through(fleet: Fleet, name: str) -> None:
    assert json.loads(fleet.paths[name].result())["predictions"]
    found = endpoints.list_endpoints(fleet.workspace(name), f"churn-{name}")
    assert [(each.stage, each.status) for each in found] == [
        ("dev", "InService"), ("preprod", "InService"), ("prod", "InService"),
    ]  # fmt: skip
    accounts = fleet.workspace(name).set_plan.accounts
    assert [each.account for each in found] == [accounts[stage] for stage in ("dev", "preprod", "prod")]


def test_a_deleted_project_leaves_its_data_versions_and_endpoints_until_they_are_purged(fleet: Fleet) -> None:
    fleet.paths["merged"].result()
    workspace = fleet.workspace("merged")
    account = workspace.account("dev")
    projects.delete(workspace, "churn-merged", "admin", lambda line: None)
    listed = {each.name: each.status for each in projects.list_projects(workspace, "admin")}
    assert listed.get("churn-merged", "DeleteCompleted") == "DeleteCompleted"
    assert [each.version for each in models.list_versions(workspace, "churn-merged", "lead")] == [1]
    buckets = {each["Name"] for each in workspace.client("s3", "dev").list_buckets()["Buckets"]}
    assert {f"churn-merged-{account}", f"churn-merged-pipeline-{account}"} <= buckets
    assert {each.status for each in endpoints.list_endpoints(workspace, "churn-merged")} == {"InService"}
    repositories = workspace.client("codecommit", "dev").list_repositories()["repositories"]
    assert [each["repositoryName"] for each in repositories if each["repositoryName"].startswith("churn-merged")] == []
    with pytest.raises(ConfigError, match="what an earlier project churn-merged left is in the way"):
        projects.create(workspace, projects.NewProject("churn-merged", cost_center="1"), "admin", lambda line: None)
    left = project_remains.find(workspace, "churn-merged")
    assert not [each for each in left if each.foreign]
    project_remains.purge(workspace, "churn-merged", left, lambda line: None)
    assert project_remains.find(workspace, "churn-merged") == []
    project_remains.require_free(workspace, "churn-merged")


def test_one_stage_or_one_stack_is_deployed_alone(fleet: Fleet) -> None:
    """What is deployed has a tag that everything in the configuration has by now."""
    config = json.loads(fleet.config_file.read_text())
    (manual,) = (each for each in config["sets"] if each["name"] == "manual")
    manual["stages"] = {stage: {"tags": {"Round": "second"}} for stage in ("dev", "preprod", "prod")}
    fleet.config_file.write_text(json.dumps(config))
    workspace = fleet.workspace("manual")

    def of_the_second_round() -> set[str]:
        stacks = [
            stack
            for stage in ("dev", "preprod", "prod")
            for stack in workspace.client("cloudformation", stage).describe_stacks()["Stacks"]  # type: ignore[arg-type]
        ]
        return {each["StackName"] for each in stacks if {"Key": "Round", "Value": "second"} in each.get("Tags", [])}

    assert of_the_second_round() == set()
    fleet.mlops("deploy", "--set", "manual", "--stage", "prod", "--stack", "targets")
    assert of_the_second_round() == {"manual-targets-prod"}
    fleet.mlops("deploy", "--set", "manual", "--stage", "preprod")
    assert of_the_second_round() == {"manual-targets-prod", "manual-network-preprod", "manual-targets-preprod"}
