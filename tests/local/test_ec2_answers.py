"""What EC2 says about subnets and endpoints, however they were made."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.cloud


@pytest.fixture
def ec2(cloud: Any, account: str) -> Any:
    return cloud.client("ec2", account)


def free(ec2: Any, subnet_id: str) -> int:
    return int(ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["AvailableIpAddressCount"])


def test_a_subnet_says_how_many_addresses_are_free(ec2: Any) -> None:
    vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.0.0/28")["Subnet"]
    assert made["AvailableIpAddressCount"] == free(ec2, made["SubnetId"]) == 11
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=made["SubnetId"], AllocationId=address)
    sts = {"ServiceName": "com.amazonaws.eu-west-1.sts", "VpcEndpointType": "Interface"}
    ec2.create_vpc_endpoint(VpcId=vpc_id, SubnetIds=[made["SubnetId"]], **sts)
    assert free(ec2, made["SubnetId"]) == 9


def test_an_endpoint_is_described_whole_and_found_by_filters(ec2: Any) -> None:
    vpc_id, other = (ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (2, 3))
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc_id, GroupName="endpoints", Description="e")["GroupId"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
    wanted: dict[str, Any] = {"VpcEndpointType": "Interface", "SubnetIds": [subnet], "SecurityGroupIds": [group]}
    name = "com.amazonaws.eu-west-1."
    wanted["VpcId"] = vpc_id
    made = ec2.create_vpc_endpoint(ServiceName=name + "sts", PolicyDocument=policy, **wanted)["VpcEndpoint"]
    ec2.create_vpc_endpoint(ServiceName=name + "logs", PrivateDnsEnabled=False, **wanted)
    ec2.create_vpc_endpoint(VpcId=other, ServiceName=name + "s3", VpcEndpointType="Gateway")
    assert made["Groups"] == [{"GroupId": group, "GroupName": "endpoints"}]
    assert (made["PrivateDnsEnabled"], made["PolicyDocument"]) == (True, policy)
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["VpcEndpoints"]
    private = {each["ServiceName"]: each["PrivateDnsEnabled"] for each in found}
    assert private == {name + "sts": True, name + "logs": False}
    filters = [{"Name": "service-name", "Values": [name + "s3"]}, {"Name": "vpc-id", "Values": [other]}]
    (gateway,) = ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    assert gateway["PrivateDnsEnabled"] is False


@pytest.mark.parametrize(
    "request_", [{"VpcEndpointIds": ["vpce-00000000"]}, {"Filters": [{"Name": "no-such", "Values": ["x"]}]}]
)
def test_what_is_not_there_is_refused(ec2: Any, request_: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"InvalidVpcEndpointId.NotFound|InvalidParameterValue"):
        ec2.describe_vpc_endpoints(**request_)


def test_endpoints_of_a_stack_say_the_same(cloud: Any, account: str, ec2: Any) -> None:
    vpc_id = ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.4.0.0/28")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc_id, GroupName="endpoints", Description="e")["GroupId"]
    properties = {
        "VpcId": vpc_id,
        "ServiceName": "com.amazonaws.eu-west-1.kms",
        "VpcEndpointType": "Interface",
        "SubnetIds": [subnet],
        "SecurityGroupIds": [group],
        "PrivateDnsEnabled": True,
        "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
    }
    template = {"Resources": {"Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}}}
    stacks = cloud.client("cloudformation", account)
    stacks.create_stack(StackName="endpoint", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="endpoint", WaiterConfig={"Delay": 1})
    (found,) = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["VpcEndpoints"]
    assert (found["PrivateDnsEnabled"], found["Groups"][0]["GroupId"]) == (True, group)
    assert free(ec2, subnet) == 10
