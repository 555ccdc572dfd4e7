"""The bootstrap on the running cloud, with the official cdk CLI: who may deploy, and under which rights."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from mlops_foundation.aws import cdk_cli, stacks
from mlops_foundation.aws.sessions import Sessions
from mlops_foundation.core.errors import DeployError
from mlops_foundation.core.names import persona_role
from mlops_foundation.usecases import bootstrap, bootstrap_state, deploy, dry_run, preflight
from mlops_foundation.usecases.init import Answers, write_config
from mlops_foundation.usecases.plan import load_and_plan
from mlops_foundation.usecases.synth import Synthesized, synth
from mlops_foundation.usecases.workspace import LocalSource, Workspace

pytestmark = pytest.mark.cloud

REGION = "eu-west-1"


class Platform(NamedTuple):
    """A synthesized platform in two accounts that nobody else uses."""

    made: Synthesized
    governance: str
    target: str
    engineer: str


def cdk(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    with cdk_cli.running([*arguments, "--no-notices"], environment) as process:
        said = process.stdout.read() if process.stdout else ""
    return process.returncode, said


@pytest.fixture(scope="module")
def platform(cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Both accounts bootstrapped, by each one's administrator."""
    folder: Path = tmp_path_factory.mktemp("toolkit")
    governance, target = cloud.new_account(), cloud.new_account()
    answers = Answers(governance=governance, dev=target, preprod=target, prod=target)
    made = synth(write_config(folder / "mlops.yaml", answers).config, folder / "out")
    for each in made.bootstrap:
        client = cloud.client("cloudformation", each.account)
        template = json.dumps(json.loads((made.directory / each.policies_template).read_text()))
        stacks.deploy(client, each.account, each.policies_stack, template, {}, {})
        code, said = cdk(
            cloud.environment(each.account),
            "bootstrap",
            f"aws://{each.account}/{each.region}",
            f"--template={made.directory / each.toolkit_template}",
            f"--toolkit-stack-name={each.toolkit_stack}",
            f"--qualifier={each.qualifier}",
        )
        assert code == 0, said
    return Platform(made, governance, target, persona_role("platform-engineer", REGION, governance))


def deploy_targets(platform: Platform, environment: dict[str, str]) -> tuple[int, str]:
    options = ("--require-approval=never", "--progress=events")
    return cdk(environment, "deploy", f"--app={platform.made.directory}", *options, "default-dev/Targets")


def assume(client: Any, account: str, kind: str) -> None:
    arn = f"arn:aws:iam::{account}:role/cdk-mlops-{kind}-{account}-{REGION}"
    client.assume_role(RoleArn=arn, RoleSessionName="test")


def administrator(cloud: Any, account: str) -> str:
    """Return the name of a role that may do everything: what keeps it out is the trust of what it asks for."""
    name, iam = "administrator", cloud.client("iam", account)
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps({"Statement": [rights]}))
    return name


@pytest.mark.parametrize("kind", ["deploy-role", "file-publishing-role", "lookup-role"])
def test_only_the_platform_engineer_takes_the_cdks_roles(cloud: Any, platform: Platform, kind: str) -> None:
    assume(cloud.client("sts", platform.governance, platform.engineer), platform.target, kind)
    for account in (platform.governance, platform.target, cloud.new_account()):
        with pytest.raises(ClientError, match="AccessDenied"):
            assume(cloud.client("sts", account, administrator(cloud, account)), platform.target, kind)


def test_nobody_takes_cloudformations_role(cloud: Any, platform: Platform) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(cloud.client("sts", platform.governance, platform.engineer), platform.target, "cfn-exec-role")


def test_a_stack_deploys_under_its_scoped_rights_and_stops_at_the_one_that_is_missing(
    cloud: Any, platform: Platform
) -> None:
    iam = cloud.client("iam", platform.target)
    arn = f"arn:aws:iam::{platform.target}:policy/mlops/mlops-cfn-1"
    whole = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    less = json.loads(json.dumps(whole).replace('"iam:CreatePolicy", ', ""))
    assert less != whole
    environment = cloud.environment(platform.governance, platform.engineer)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(less), SetAsDefault=True)
    code, said = deploy_targets(platform, environment)
    assert code != 0
    assert "iam:CreatePolicy" in said
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(whole), SetAsDefault=True)
    code, said = deploy_targets(platform, environment)
    assert code == 0, said
    state = stacks.describe(cloud.client("cloudformation", platform.target), platform.target, "mlops-targets-dev")
    assert state.status == "CREATE_COMPLETE"


def test_the_administrator_of_governance_alone_cannot_deploy(cloud: Any, platform: Platform) -> None:
    role = administrator(cloud, platform.governance)
    code, said = deploy_targets(platform, cloud.environment(platform.governance, role))
    assert code != 0
    assert "sts:AssumeRole" in said or "Could not assume role" in said


def test_the_engineer_cannot_touch_the_bootstrap(cloud: Any, platform: Platform) -> None:
    sts = cloud.client("sts", platform.governance, platform.engineer)
    arn = f"arn:aws:iam::{platform.target}:role/cdk-mlops-deploy-role-{platform.target}-{REGION}"
    found = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    import boto3

    client = boto3.client(
        "cloudformation",
        region_name=REGION,
        endpoint_url=cloud.endpoint_url,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    )
    client.describe_stacks(StackName="mlops-toolkit")
    for stack in ("mlops-toolkit", "mlops-bootstrap-policies"):
        with pytest.raises(ClientError, match="not authorized"):
            client.delete_stack(StackName=stack)


def workspace(cloud: Any, platform: Platform, **sections: Any) -> Workspace:
    """Return the workspace of the platform, with other sections in its configuration."""
    config_file = platform.made.directory.parent / "changed" / "mlops.yaml"
    accounts = {"governance": platform.governance, "dev": platform.target}
    accounts |= {"preprod": platform.target, "prod": platform.target}
    config_file.parent.mkdir(exist_ok=True)
    sets = [{"name": "default", "accounts": accounts}]
    config_file.write_text(
        json.dumps({"region": REGION, "sets": sets, "tags": {"CostCenter": "0"}, **sections}), encoding="utf-8"
    )
    config, plan = load_and_plan(config_file)
    return Workspace(config, plan, plan.sets[0], "local", Sessions(LocalSource(cloud.running), plan.sets[0].region))


def policies_of(cloud: Any, account: str) -> set[str]:
    """Return the managed policies of CloudFormation's role."""
    role = f"cdk-mlops-cfn-exec-role-{account}-{REGION}"
    found = cloud.client("iam", account).list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {each["PolicyName"] for each in found}


def test_a_stack_added_after_the_bootstrap_is_refused_before_anything_changes_until_it_is_bootstrapped(
    cloud: Any, platform: Platform
) -> None:
    bootstrap_state.require([workspace(cloud, platform)])
    added = workspace(cloud, platform, packages={"provider": "codeartifact"})
    config_file = platform.made.directory.parent / "changed" / "mlops.yaml"
    for attempt in (deploy.deploy, dry_run.dry_run):
        with pytest.raises(DeployError, match="nothing was changed") as raised:
            attempt([added], config_file, [], ["packages"], [], lambda _: None)
        (problem,) = raised.value.problems
        assert "codeartifact:CreateDomain" in problem.got
        assert problem.fix == "mlops bootstrap"
    findings = {each.account: each for each in preflight.accounts_report([added]) if each.check == "bootstrap"}
    assert {account: each.status for account, each in findings.items()} == {
        platform.governance: "ok",
        platform.target: "missing",
    }
    bootstrap.bootstrap([added], config_file, lambda _: None)
    done = deploy.deploy([added], config_file, [], ["packages"], [], lambda _: None)
    assert [(each.stack, each.status) for each in done] == [("mlops-packages-dev", "CREATE_COMPLETE")]


def test_policies_that_are_wanted_no_more_stay_until_the_toolkit_has_the_new_ones(
    cloud: Any, platform: Platform
) -> None:
    made, config_file = workspace(cloud, platform), platform.made.directory.parent / "changed" / "mlops.yaml"
    bootstrap.bootstrap([made], config_file, lambda _: None)
    client = cloud.client("cloudformation", platform.target)
    iam = cloud.client("iam", platform.target)
    policies = bootstrap_state.template(client, "mlops-bootstrap-policies")
    toolkit = bootstrap_state.template(client, "mlops-toolkit")
    old = json.loads(json.dumps(policies["Resources"]["Execution1"]).replace("mlops-cfn-1", "mlops-cfn-old"))
    policies["Resources"]["ExecuteOld"] = old
    role = toolkit["Resources"]["CloudFormationExecutionRole"]["Properties"]
    role["ManagedPolicyArns"].append(f"arn:aws:iam::{platform.target}:policy/mlops/mlops-cfn-old")
    stacks.deploy(client, platform.target, "mlops-bootstrap-policies", json.dumps(policies), {}, {})
    stacks.deploy(client, platform.target, "mlops-toolkit", json.dumps(toolkit), {}, {})
    assert "mlops-cfn-old" in policies_of(cloud, platform.target)
    bootstrap.bootstrap([made], config_file, lambda _: None)
    assert policies_of(cloud, platform.target) == {"mlops-cfn-1", "mlops-cfn-2", "mlops-cfn-3"}
    assert "mlops-cfn-old" not in {each["PolicyName"] for each in iam.list_policies(Scope="Local")["Policies"]}
