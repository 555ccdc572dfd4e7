"""The VpcConfig of jobs and models is in force: what does not exist is refused, and it decides what a job reaches."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from workbench import IMAGE, REGION, Workbench, allow, processing_output, until

pytestmark = pytest.mark.cloud
READS = [
    "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]  # fmt: skip
WRITES = ["ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"]
STORE = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
IDENTITY = "import boto3\nprint(boto3.client('sts').get_caller_identity()['Arn'])\n"
ELSEWHERE = "import os, urllib.request\nurllib.request.urlopen('http://example.invalid/', timeout=5)\n"


@pytest.fixture
def vpc(bench: Workbench) -> Callable[..., dict[str, list[str]]]:
    """Return a function that makes a VPC with a subnet, a group and these endpoints, as a VpcConfig."""

    def make(*endpoints: str, way_out: bool = False) -> dict[str, list[str]]:
        ec2 = bench.client("ec2")
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(VpcId=vpc_id, GroupName="g", Description="g")["GroupId"]
        table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        interface = {"VpcEndpointType": "Interface", "SubnetIds": [subnet], "PrivateDnsEnabled": True}
        gateway = {"VpcEndpointType": "Gateway", "RouteTableIds": [table]}
        for name in endpoints:
            kind = gateway if name == "s3" else interface
            ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=f"com.amazonaws.{REGION}.{name}", **kind)
        if way_out:
            address = ec2.allocate_address(Domain="vpc")["AllocationId"]
            nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        return {"Subnets": [subnet], "SecurityGroupIds": [group]}

    return make


@pytest.fixture
def networked(bench: Workbench) -> str:
    """A role that may have network interfaces."""
    return bench.make_role("networked", allow([*READS, *WRITES, *STORE, *LOGS, "sts:GetCallerIdentity"]))


def reason(bench: Workbench, name: str, script: str, role: str, vpc_config: dict[str, list[str]]) -> str:
    """Run a job in a VPC and return why it failed, empty when it did not."""
    done = bench.process(name, script, RoleArn=role, NetworkConfig={"VpcConfig": vpc_config})
    assert done["NetworkConfig"]["VpcConfig"] == vpc_config, "Describe says where it ran"
    return str(done.get("FailureReason", ""))


def test_a_job_reaches_what_its_vpc_has_an_endpoint_for_and_nothing_else(
    bench: Workbench, vpc: Any, networked: str
) -> None:
    """Finds a VpcConfig that is kept and limits nothing: sts has an endpoint in one of the two VPCs only."""
    assert reason(bench, "reaches", IDENTITY, networked, vpc("s3", "logs", "sts")) == ""
    assert "nothing leads to sts" in reason(bench, "does-not", IDENTITY, networked, vpc("s3", "logs"))


def test_a_job_whose_vpc_has_no_way_to_s3_gets_no_input(bench: Workbench, vpc: Any, networked: str) -> None:
    """Finds input that is fetched past the job's VPC."""
    assert "nothing leads to s3" in reason(bench, "no-s3", "print()", networked, vpc("logs", "sts"))


def test_without_a_way_out_the_proxy_of_a_job_is_closed(bench: Workbench, vpc: Any, networked: str) -> None:
    """Finds a job that calls the internet from a VPC that leads nowhere; with NAT it gets as far as the name."""
    assert "Connection refused" in reason(bench, "closed", ELSEWHERE, networked, vpc("s3", "logs"))
    show = "import os\nassert os.environ.get('HTTPS_PROXY') != 'http://127.0.0.1:9'\n"
    assert reason(bench, "open", show, networked, vpc("s3", "logs", way_out=True)) == ""


@pytest.mark.parametrize("missing", [*READS, *WRITES])
def test_a_role_that_may_not_have_interfaces_fails_its_job(bench: Workbench, vpc: Any, missing: str) -> None:
    """Finds a role that works here and on AWS waits for a network interface that nobody may make."""
    role = bench.make_role("limited", allow([each for each in (*READS, *WRITES, *STORE, *LOGS) if each != missing]))
    found = reason(bench, "limited", "print()", role, vpc("s3", "logs"))
    assert found.startswith("ClientError: AccessDenied")
    assert missing in found


def _unknown_subnet(right: dict[str, list[str]]) -> dict[str, list[str]]:
    return right | {"Subnets": ["subnet-0123456789abcdef0"]}


def _unknown_group(right: dict[str, list[str]]) -> dict[str, list[str]]:
    return right | {"SecurityGroupIds": ["sg-0123456789abcdef0"]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (_unknown_subnet, "The subnet ID 'subnet-0123456789abcdef0' does not exist"),
        (_unknown_group, "The security group 'sg-0123456789abcdef0' does not exist"),
    ],
)
def test_jobs_and_models_in_a_network_that_is_not_there_are_refused(
    bench: Workbench, vpc: Any, networked: str, wrong: Any, message: str
) -> None:
    """Finds ids that are taken unseen: one that was mistyped would be found on AWS only."""
    config = wrong(vpc())
    sagemaker, image = bench.sagemaker, {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    resources = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
    train = {
        "TrainingJobName": "train",
        "RoleArn": networked,
        "AlgorithmSpecification": image,
        "ResourceConfig": resources,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bench.bucket}/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "VpcConfig": config,
    }
    model = {
        "ModelName": "model",
        "ExecutionRoleArn": networked,
        "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"s3://{bench.bucket}/model.tar.gz"},
        "VpcConfig": config,
    }
    for create, request in ((sagemaker.create_training_job, train), (sagemaker.create_model, model)):
        with pytest.raises(ClientError, match=message) as refused:
            create(**request)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match=message):
        bench.process("process", "print()", RoleArn=networked, NetworkConfig={"VpcConfig": config})
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_group_of_another_vpc_is_refused(bench: Workbench, vpc: Any, networked: str) -> None:
    """Finds subnets and groups that are looked at one by one, and never together."""
    config = vpc() | {"SecurityGroupIds": vpc()["SecurityGroupIds"]}
    with pytest.raises(ClientError, match="belong to different networks"):
        bench.process("mixed", "print()", RoleArn=networked, NetworkConfig={"VpcConfig": config})


def test_a_policy_decides_by_subnets_and_groups(bench: Workbench, vpc: Any, networked: str) -> None:
    """Finds a condition key that is left out of a request: jobs outside of these subnets are then anybody's."""
    inside, outside = vpc("s3", "logs"), vpc("s3", "logs")
    condition = {"ForAllValues:StringEquals": {"sagemaker:VpcSubnets": inside["Subnets"]},
                 "Null": {"sagemaker:VpcSubnets": "false"}}  # fmt: skip
    role = bench.make_person("scientist", allow("sagemaker:CreateProcessingJob", **condition), allow("iam:PassRole"))
    request = {
        "RoleArn": networked,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
    }
    sagemaker = bench.client("sagemaker", role)
    sagemaker.create_processing_job(ProcessingJobName="in", NetworkConfig={"VpcConfig": inside}, **request)
    for name, network in (("out", {"VpcConfig": outside}), ("none", {})):
        with pytest.raises(ClientError, match="AccessDenied"):
            sagemaker.create_processing_job(ProcessingJobName=name, NetworkConfig=network, **request)


# --- a platform with endpoints of its own in each VPC -----------------------------------------------------------------

CALLS = {
    "cloudformation": ("cloudformation", "list_stacks"),
    "codeartifact.api": ("codeartifact", "list_domains"),
    "codebuild": ("codebuild", "list_projects"),
    "codecommit": ("codecommit", "list_repositories"),
    "codepipeline": ("codepipeline", "list_pipelines"),
    "ecr.api": ("ecr", "describe_repositories"),
    "events": ("events", "list_rules"),
    "kms": ("kms", "list_keys"),
    "lambda": ("lambda", "list_functions"),
    "logs": ("logs", "describe_log_groups"),
    "monitoring": ("cloudwatch", "list_metrics"),
    "s3": ("s3", "list_buckets"),
    "sagemaker.api": ("sagemaker", "list_models"),
    "servicecatalog": ("servicecatalog", "search_products"),
    "ssm": ("ssm", "describe_parameters"),
    "sts": ("sts", "get_caller_identity"),
    "sns": ("sns", "list_topics"),
    "sqs": ("sqs", "list_queues"),
}
"""A call to each service that the job's runtime has a client of; for the last two the platform makes no endpoint."""
ASK = """
import json, boto3, botocore.exceptions
found = {}
for name, (service, operation) in json.loads(%r).items():
    try:
        getattr(boto3.client(service), operation)()
        found[name] = "answered"
    except botocore.exceptions.ClientError as error:
        found[name] = error.response["Error"]["Code"]
with open("/opt/ml/processing/out/found.json", "w") as out:
    json.dump(found, out)
"""


def asked(bench: Workbench, name: str, role: str, vpc_config: dict[str, list[str]]) -> dict[str, str]:
    """Call every service from a job in a VPC and return how each answered."""
    place = f"s3://{bench.bucket}/{name}"
    output = {"Outputs": [processing_output("out", place, "/opt/ml/processing/out")]}
    script = ASK % json.dumps(CALLS)
    network = {"VpcConfig": vpc_config}
    done = bench.process(name, script, RoleArn=role, NetworkConfig=network, ProcessingOutputConfig=output)
    assert done["ProcessingJobStatus"] == "Completed", done["FailureReason"]
    return dict(json.loads(bench.read(f"{place}/found.json")))


def test_in_the_platforms_own_network_a_job_reaches_the_endpoints_of_its_account_and_nothing_else(
    bench: Workbench, private_assembly: Any
) -> None:
    """Finds the form without shared endpoints that leads nowhere: deployed as synthesized, and used from inside."""
    template = json.dumps(private_assembly.stack("mlops-network-dev"))
    url = bench.put("network.json", template).replace(
        f"s3://{bench.bucket}", f"{bench.cloud.endpoint_url}/{bench.bucket}"
    )
    bench.client("ssm").put_parameter(Name="/cdk-bootstrap/mlops/version", Type="String", Value="30")
    stacks = bench.client("cloudformation")
    stacks.create_stack(StackName="network", TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])
    made = until(
        lambda: stacks.describe_stacks(StackName="network")["Stacks"][0]["StackStatus"],
        lambda status: not status.endswith("IN_PROGRESS"),
    )
    assert made == "CREATE_COMPLETE"
    names = {"Subnets": "/vpc/subnets/private/ids", "SecurityGroupIds": "/vpc/sg/ids"}
    ssm, ec2 = bench.client("ssm"), bench.client("ec2")
    network = {key: ssm.get_parameter(Name=name)["Parameter"]["Value"].split(",") for key, name in names.items()}
    role = bench.make_role("everything", allow("*"))
    found = asked(bench, "before", role, network)
    assert {name for name, answer in found.items() if answer == "Unreachable"} == {"sns", "sqs"}, found
    kms = [{"Name": "service-name", "Values": [f"com.amazonaws.{REGION}.kms"]}]
    (endpoint,) = ec2.describe_vpc_endpoints(Filters=kms)["VpcEndpoints"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    found = asked(bench, "after", role, network)
    assert {name for name, answer in found.items() if answer == "Unreachable"} == {"kms", "sns", "sqs"}, found
