"""Builds in a VPC: which services they call is recorded, and without a way out they reach nothing but the cloud."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from code_clients import allow, make_role, wait_for

from mlops_foundation.local import process

pytestmark = pytest.mark.cloud
SHOW = 'echo "proxy=$HTTPS_PROXY"'
LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


@pytest.fixture
def vpc(cloud: Any, account: str) -> Callable[..., dict[str, Any]]:
    """Return a function that makes a VPC with one subnet, with a way out or endpoints."""

    def make(*endpoints: str, way_out: bool = False) -> dict[str, Any]:
        ec2 = cloud.client("ec2", account)
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(VpcId=vpc_id, GroupName="g", Description="g")["GroupId"]
        table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        for name in endpoints:
            interface = {"VpcEndpointType": "Interface", "SubnetIds": [subnet], "PrivateDnsEnabled": True}
            gateway = {"VpcEndpointType": "Gateway", "RouteTableIds": [table]}
            ec2.create_vpc_endpoint(
                VpcId=vpc_id, ServiceName=f"com.amazonaws.eu-west-1.{name}", **(gateway if name == "s3" else interface)
            )
        if way_out:
            address = ec2.allocate_address(Domain="vpc")["AllocationId"]
            nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        return {"vpcId": vpc_id, "subnets": [subnet], "securityGroupIds": [group]}

    return make


def run(cloud: Any, account: str, *commands: str, role: str = "", **project: Any) -> tuple[str, str]:
    """Run a build and return its status and log."""
    builds = cloud.client("codebuild", account)
    rights = allow(*LOGS, "sts:GetCallerIdentity", "sts:AssumeRole", "ssm:GetParameters")
    role = role or make_role(cloud.client("iam", account), "builder", rights)
    buildspec = json.dumps({"version": 0.2, "phases": {"build": {"commands": list(commands)}}}) + "\n# inline\n"
    builds.create_project(
        name="demo",
        source={"type": "NO_SOURCE", "buildspec": buildspec},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=role,
        **project,
    )
    build_id = builds.start_build(projectName="demo")["build"]["id"]

    def done() -> Any:
        build = builds.batch_get_builds(ids=[build_id])["builds"][0]
        return build if build["buildComplete"] else None

    build = wait_for(done)
    place = build["logs"]
    events = cloud.client("logs", account).get_log_events(
        logGroupName=place["groupName"], logStreamName=place["streamName"], startFromHead=True
    )["events"]
    return build["buildStatus"], "\n".join(event["message"] for event in events)


def calls(cloud: Any, account: str) -> dict[str, int]:
    found = process.service_calls(cloud.running)
    return {each["service"]: each["calls"] for each in found if each["account"] == account}


def test_a_build_without_a_way_out_has_no_index_and_a_dead_proxy(cloud: Any, account: str, vpc: Any) -> None:
    status, log = run(cloud, account, SHOW, "pip download --no-deps anything", vpcConfig=vpc("logs"))
    assert status == "FAILED"
    assert "proxy=http://127.0.0.1:9" in log
    assert "no way out" in log


def test_a_build_with_nat_has_what_the_machine_has(cloud: Any, account: str, vpc: Any) -> None:
    status, log = run(cloud, account, SHOW, vpcConfig=vpc(way_out=True))
    assert status == "SUCCEEDED"
    assert "127.0.0.1:9" not in log


def test_the_record_of_a_build_in_a_vpc(cloud: Any, account: str, vpc: Any) -> None:
    commands = ["aws sts get-caller-identity", "aws ssm get-parameters --names /none"]
    status, log = run(cloud, account, *commands, vpcConfig=vpc("logs", "sts", "ssm"))
    assert status == "SUCCEEDED", log
    assert calls(cloud, account) == {"logs": calls(cloud, account)["logs"], "sts": 1, "ssm": 1}


def test_a_session_that_a_build_takes_is_the_build(cloud: Any, account: str, vpc: Any) -> None:
    iam = cloud.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="other", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    take = (
        "set -- $(aws sts assume-role --role-arn " + arn + " --role-session-name test --query "
        '"Credentials.[AccessKeyId,SecretAccessKey,SessionToken]" --output text)'
    )
    use = "AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3 aws kms list-keys || echo refused"
    status, log = run(cloud, account, f"({take}; {use})", vpcConfig=vpc("logs", "sts", "kms"))
    assert status == "SUCCEEDED", log
    assert {"sts", "kms"} <= set(calls(cloud, account)), log


def test_builds_outside_a_vpc_and_people_are_not_recorded(cloud: Any, account: str) -> None:
    status, _ = run(cloud, account, "aws sts get-caller-identity")
    assert status == "SUCCEEDED"
    cloud.client("sts", account).get_caller_identity()
    assert calls(cloud, account) == {}


NOWHERE = "from where nothing leads to {}: no endpoint and no way out"


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("sts", "aws sts get-caller-identity"),
        ("s3", "aws s3api list-buckets"),
        ("s3", "echo x | aws s3 cp - s3://bucket/key"),
        ("ssm", "aws ssm get-parameters --names /none"),
        ("lambda", "aws lambda list-functions"),
        ("sagemaker.runtime", "aws sagemaker-runtime invoke-endpoint --endpoint-name e --body Cg== /dev/null"),
        ("sagemaker.api", "aws sagemaker list-endpoints"),
        ("cloudformation", "aws cloudformation list-stacks"),
        ("codeartifact.api", "aws codeartifact list-domains"),
    ],
)
def test_a_service_without_a_way_gives_no_answer(
    cloud: Any, account: str, vpc: Any, service: str, command: str
) -> None:
    status, log = run(cloud, account, command, vpcConfig=vpc("logs"))
    assert status == "FAILED"
    assert "(Unreachable) when calling" in log, log
    assert NOWHERE.format(service) in log
    assert service in calls(cloud, account)


def test_a_repository_without_a_way_is_not_cloned(cloud: Any, account: str, vpc: Any) -> None:
    cloud.client("codecommit", account).create_repository(repositoryName="code")
    url = f"{cloud.running.endpoint_url}/v1/repos/code"
    helper = "!f() { aws codecommit credential-helper get --ignore-host-check; }; f"
    command = f"git -c credential.helper='{helper}' -c credential.UseHttpPath=true clone {url}"
    rights = allow(*LOGS, "codecommit:GitPull")
    role = make_role(cloud.client("iam", account), "builder", rights)
    status, log = run(cloud, account, command, role=role, vpcConfig=vpc("logs"))
    assert status == "FAILED"
    assert "403" in log
    assert "git-codecommit" in calls(cloud, account), log


def test_a_way_that_is_taken_away_is_gone_at_once(cloud: Any, account: str, vpc: Any) -> None:
    made = vpc("logs", "sts")
    ec2 = cloud.client("ec2", account)
    name = [{"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.sts"]}]
    mine = [each for each in ec2.describe_vpc_endpoints(Filters=name)["VpcEndpoints"] if each["VpcId"] == made["vpcId"]]
    status, log = run(cloud, account, "aws sts get-caller-identity", vpcConfig=made)
    assert status == "SUCCEEDED", log
    ec2.delete_vpc_endpoints(VpcEndpointIds=[mine[0]["VpcEndpointId"]])
    builds = cloud.client("codebuild", account)
    build_id = builds.start_build(projectName="demo")["build"]["id"]

    def ended() -> Any:
        build = builds.batch_get_builds(ids=[build_id])["builds"][0]
        return build if build["buildComplete"] else None

    assert wait_for(ended)["buildStatus"] == "FAILED"


def test_a_gateway_serves_only_the_route_tables_it_is_in(cloud: Any, account: str, vpc: Any) -> None:
    made = vpc("logs", "s3")
    ec2 = cloud.client("ec2", account)
    table = ec2.create_route_table(VpcId=made["vpcId"])["RouteTable"]["RouteTableId"]
    other = ec2.create_subnet(VpcId=made["vpcId"], CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=other)
    status, log = run(cloud, account, "aws s3api list-buckets", vpcConfig={**made, "subnets": [other]})
    assert status == "FAILED"
    assert NOWHERE.format("s3") in log
