"""One resource of each CloudFormation type that calls operations: what it is made with, what around it, its changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """What a test makes of a type.

    Attributes:
        properties: It is made with these.
        changes: Property -> its next value; each is a stack update of its own, in this order.
        says: Property -> how to ask the service: ``service operation``, request with ``{id}``, jmespath of the answer.
        around: Resources that it needs, by logical id.
    """

    properties: Json
    changes: Json = field(default_factory=dict)
    says: Mapping[str, tuple[str, Json, str]] = field(default_factory=dict)
    around: Json = field(default_factory=dict)


def ref(name: str) -> Json:
    return {"Ref": name}


def tag(value: str) -> list[Json]:
    return [{"Key": "team", "Value": value}]


def trust(service: str) -> Json:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(action: str, resource: Any = "*", **more: Any) -> Json:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
        "Action": "kms:*",
        "Resource": "*",
    }],
}  # fmt: skip
VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}
OTHER_VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.8.0.0/16"}}
SUBNET = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.9.1.0/24"}}
OTHER_SUBNET = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.9.2.0/24"}}
TABLE = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc")}}
OTHER_TABLE = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc")}}
GROUP = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "around", "VpcId": ref("Vpc")}}
GATEWAY = {"Type": "AWS::EC2::InternetGateway"}
ATTACHED = {
    "Type": "AWS::EC2::VPCGatewayAttachment",
    "Properties": {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")},
}
KEY = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": KEY_POLICY}}
TOPIC = {"Type": "AWS::SNS::Topic"}
QUEUE = {"Type": "AWS::SQS::Queue"}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}}
FLOW_ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("vpc-flow-logs.amazonaws.com")}}
EVENTS_ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("events.amazonaws.com")}}
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Code": {"ZipFile": "def handler(event, context):\n    return event\n"},
    },
}
ZONE = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "zone.example.com."}}


LIFECYCLE = json.dumps({"rules": [{
    "rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
    "action": {"type": "expire"},
}]})  # fmt: skip


def _lambda(path: str) -> tuple[str, Json, str]:
    return "lambda get_function_configuration", {"FunctionName": "{id}"}, path


def _role(path: str) -> tuple[str, Json, str]:
    return "iam get_role", {"RoleName": "{id}"}, path


def _vpc(attribute: str) -> tuple[str, Json, str]:
    request = {"VpcId": "{id}", "Attribute": attribute[0].lower() + attribute[1:]}
    return "ec2 describe_vpc_attribute", request, f"{attribute}.Value"


_EC2_TAGS = (
    "ec2 describe_tags",
    {"Filters": [{"Name": "resource-id", "Values": ["{id}"]}]},
    "Tags[].{Key:Key,Value:Value}",
)
_RULE_SAID = "{CidrIp:IpRanges[0].CidrIp,FromPort:FromPort,IpProtocol:IpProtocol,ToPort:ToPort}"
_RULE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}

SAMPLES: Mapping[str, Sample] = {
    "AWS::CloudWatch::Alarm": Sample(
        {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": "m", "Namespace": "n",
         "Period": 60, "Statistic": "Sum", "Threshold": 1},
        {"Threshold": 5, "AlarmDescription": "too many", "AlarmName": "other-name"},
        {"Threshold": ("cloudwatch describe_alarms", {"AlarmNames": ["{id}"]}, "MetricAlarms[0].Threshold")},
    ),
    "AWS::EC2::EIP": Sample({"Domain": "vpc", "Tags": tag("a")}, {"Tags": tag("b")}),
    "AWS::EC2::FlowLog": Sample(
        {"ResourceId": ref("Vpc"), "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "cloud-watch-logs",  # noqa: E501
         "LogGroupName": "flows", "DeliverLogsPermissionArn": {"Fn::GetAtt": ["FlowRole", "Arn"]}},
        {"TrafficType": "REJECT", "Tags": tag("b")},
        {"TrafficType": ("ec2 describe_flow_logs", {"FlowLogIds": ["{id}"]}, "FlowLogs[0].TrafficType")},
        {"Vpc": VPC, "FlowRole": FLOW_ROLE},
    ),
    "AWS::EC2::InternetGateway": Sample({"Tags": tag("a")}, {"Tags": tag("b")}, {"Tags": _EC2_TAGS}),
    "AWS::EC2::NatGateway": Sample(
        {"SubnetId": ref("Subnet"), "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
        {"Tags": tag("b")},
        {"Tags": _EC2_TAGS},
        {"Vpc": VPC, "Subnet": SUBNET, "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
         "Gateway": GATEWAY, "Attached": ATTACHED},
    ),
    "AWS::EC2::Route": Sample(
        {"RouteTableId": ref("Table"), "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": ref("Gateway")},
        {"DestinationCidrBlock": "10.1.0.0/16"},
        {},
        {"Vpc": VPC, "Table": TABLE, "Gateway": GATEWAY, "Attached": ATTACHED},
    ),
    "AWS::EC2::RouteTable": Sample({"VpcId": ref("Vpc")}, {"Tags": tag("b")}, {"Tags": _EC2_TAGS}, {"Vpc": VPC}),
    "AWS::EC2::SecurityGroup": Sample(
        {"GroupDescription": "d", "VpcId": ref("Vpc"), "SecurityGroupIngress": [{**_RULE, "CidrIp": "10.0.0.0/8"}],
         "SecurityGroupEgress": [{**_RULE, "CidrIp": "10.0.0.0/8"}]},
        {"SecurityGroupEgress": [{**_RULE, "CidrIp": "10.1.0.0/16"}],
         "SecurityGroupIngress": [{**_RULE, "CidrIp": "10.2.0.0/16"}], "Tags": tag("b"), "GroupDescription": "other"},
        {"SecurityGroupEgress": (
            "ec2 describe_security_groups", {"GroupIds": ["{id}"]},
            f"SecurityGroups[0].IpPermissionsEgress[].{_RULE_SAID}"),
         "SecurityGroupIngress": (
            "ec2 describe_security_groups", {"GroupIds": ["{id}"]},
            f"SecurityGroups[0].IpPermissions[].{_RULE_SAID}")},
        {"Vpc": VPC},
    ),
    "AWS::EC2::SecurityGroupEgress": Sample(
        {"GroupId": {"Fn::GetAtt": ["Group", "GroupId"]}, **_RULE, "CidrIp": "10.0.0.0/8"},
        {"CidrIp": "10.1.0.0/16"}, {}, {"Vpc": VPC, "Group": GROUP},
    ),
    "AWS::EC2::SecurityGroupIngress": Sample(
        {"GroupId": {"Fn::GetAtt": ["Group", "GroupId"]}, **_RULE, "CidrIp": "10.0.0.0/8"},
        {"CidrIp": "10.1.0.0/16"}, {}, {"Vpc": VPC, "Group": GROUP},
    ),
    "AWS::EC2::Subnet": Sample(
        {"VpcId": ref("Vpc"), "CidrBlock": "10.9.3.0/24"},
        {"MapPublicIpOnLaunch": True, "Tags": tag("b"), "CidrBlock": "10.9.4.0/24"},
        {"MapPublicIpOnLaunch": ("ec2 describe_subnets", {"SubnetIds": ["{id}"]}, "Subnets[0].MapPublicIpOnLaunch"),
         "Tags": _EC2_TAGS},
        {"Vpc": VPC},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Sample(
        {"RouteTableId": ref("Table"), "SubnetId": ref("Subnet")}, {"SubnetId": ref("OtherSubnet")}, {},
        {"Vpc": VPC, "Subnet": SUBNET, "OtherSubnet": OTHER_SUBNET, "Table": TABLE, "OtherTable": OTHER_TABLE},
    ),
    "AWS::EC2::VPC": Sample(
        {"CidrBlock": "10.7.0.0/16"},
        {"EnableDnsHostnames": True, "EnableDnsSupport": False, "Tags": tag("b"), "CidrBlock": "10.6.0.0/16"},
        {"EnableDnsHostnames": _vpc("EnableDnsHostnames"), "EnableDnsSupport": _vpc("EnableDnsSupport"),
         "Tags": _EC2_TAGS},
    ),
    "AWS::EC2::VPCEndpoint": Sample(
        {"VpcId": ref("Vpc"), "ServiceName": "com.amazonaws.eu-west-1.ssm", "VpcEndpointType": "Interface",
         "SubnetIds": [ref("Subnet")], "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
         "PrivateDnsEnabled": True},
        {"PolicyDocument": allow("ssm:*", Principal="*"), "SubnetIds": [ref("Subnet"), ref("OtherSubnet")],
         "Tags": tag("b"), "ServiceName": "com.amazonaws.eu-west-1.sts"},
        {"Tags": _EC2_TAGS},
        {"Vpc": {**VPC, "Properties": {**VPC["Properties"], "EnableDnsHostnames": True}}, "Subnet": SUBNET,  # type: ignore[dict-item]
         "OtherSubnet": OTHER_SUBNET, "Group": GROUP},
    ),
    "AWS::EC2::VPCGatewayAttachment": Sample(
        {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")}, {}, {}, {"Vpc": VPC, "Gateway": GATEWAY},
    ),
    "AWS::EC2::VPCPeeringConnection": Sample(
        {"VpcId": ref("Vpc"), "PeerVpcId": ref("Other")}, {"Tags": tag("b")}, {"Tags": _EC2_TAGS},
        {"Vpc": VPC, "Other": OTHER_VPC},
    ),
    "AWS::ECR::Repository": Sample(
        {"ImageTagMutability": "MUTABLE"},
        {"ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration": {"ScanOnPush": True},
         "LifecyclePolicy": {"LifecyclePolicyText": LIFECYCLE}, "Tags": tag("b"),
         "RepositoryName": "other"},
        {"ImageTagMutability": (
            "ecr describe_repositories", {"repositoryNames": ["{id}"]}, "repositories[0].imageTagMutability")},
    ),
    "AWS::Events::Rule": Sample(
        {"EventPattern": {"source": ["aws.sagemaker"]}, "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]},  # noqa: E501
        {"State": "DISABLED", "Description": "d", "Tags": tag("b"),
         "Targets": [{"Id": "r", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}], "Name": "other"},
        {"State": ("events describe_rule", {"Name": "{id}"}, "State"),
         "Description": ("events describe_rule", {"Name": "{id}"}, "Description")},
        {"Queue": QUEUE},
    ),
    "AWS::IAM::ManagedPolicy": Sample(
        {"PolicyDocument": allow("s3:GetObject"), "Path": "/team/"},
        {"PolicyDocument": allow("s3:PutObject"), "Roles": [ref("Role")], "Path": "/other/"},
        {}, {"Role": ROLE},
    ),
    "AWS::IAM::Policy": Sample(
        {"PolicyName": "p", "PolicyDocument": allow("s3:GetObject"), "Roles": [ref("Role")]},
        {"PolicyDocument": allow("s3:PutObject"), "PolicyName": "q"}, {}, {"Role": ROLE},
    ),
    "AWS::IAM::Role": Sample(
        {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com"), "Path": "/team/",
         "PermissionsBoundary": ref("Boundary")},
        {"AssumeRolePolicyDocument": trust("events.amazonaws.com"), "Description": "d", "MaxSessionDuration": 7200,
         "Policies": [{"PolicyName": "p", "PolicyDocument": allow("s3:GetObject")}],
         "ManagedPolicyArns": [ref("Boundary")], "PermissionsBoundary": ref("OtherBoundary"), "Tags": tag("b"),
         "Path": "/other/"},
        {"Description": _role("Role.Description"), "MaxSessionDuration": _role("Role.MaxSessionDuration"),
         "Tags": _role("Role.Tags"),
         "AssumeRolePolicyDocument": _role("Role.AssumeRolePolicyDocument"),
         "ManagedPolicyArns": (
             "iam list_attached_role_policies", {"RoleName": "{id}"}, "AttachedPolicies[].PolicyArn")},
        {name: {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": allow("*")}}
         for name in ("Boundary", "OtherBoundary")},
    ),
    "AWS::KMS::Alias": Sample(
        {"AliasName": "alias/sample", "TargetKeyId": ref("Key")},
        {"TargetKeyId": ref("Other"), "AliasName": "alias/other"}, {}, {"Key": KEY, "Other": KEY},
    ),
    "AWS::KMS::Key": Sample(
        {"KeyPolicy": KEY_POLICY, "Tags": tag("a")},
        {"Description": "d", "EnableKeyRotation": True, "Tags": tag("b")},
        {"Description": ("kms describe_key", {"KeyId": "{id}"}, "KeyMetadata.Description"),
         "EnableKeyRotation": ("kms get_key_rotation_status", {"KeyId": "{id}"}, "KeyRotationEnabled"),
         "Tags": ("kms list_resource_tags", {"KeyId": "{id}"}, "Tags[].{Key:TagKey,Value:TagValue}")},
    ),
    "AWS::Lambda::Function": Sample(
        FUNCTION["Properties"],  # type: ignore[arg-type]
        {"Timeout": 7, "MemorySize": 256, "Description": "d", "Environment": {"Variables": {"NAME": "b"}}, "Tags": tag("b"),  # noqa: E501
         "Code": {"ZipFile": "def handler(event, context):\n    return 2\n"}, "FunctionName": "other"},
        {"Timeout": _lambda("Timeout"), "MemorySize": _lambda("MemorySize"), "Description": _lambda("Description"),
         "Environment": _lambda("Environment")},
        {"Role": ROLE},
    ),
    "AWS::Lambda::LayerVersion": Sample(
        {"Content": {"S3Bucket": "BUCKET", "S3Key": "layer.zip"}, "Description": "d"}, {"Description": "other"},
    ),
    "AWS::Lambda::Permission": Sample(
        {"FunctionName": ref("Function"), "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"},
        {"Principal": "s3.amazonaws.com"}, {}, {"Role": ROLE, "Function": FUNCTION},
    ),
    "AWS::Logs::LogGroup": Sample(
        {"RetentionInDays": 7, "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        {"RetentionInDays": 14, "Tags": tag("b"), "LogGroupName": "/other"},
        {"RetentionInDays": (
            "logs describe_log_groups", {"logGroupNamePrefix": "{id}"}, "logGroups[0].retentionInDays")},
        {"Key": KEY},
    ),
    "AWS::Route53::HostedZone": Sample(
        {"Name": "sample.example.com.", "VPCs": [{"VPCId": ref("Vpc"), "VPCRegion": "eu-west-1"}]},
        {"HostedZoneConfig": {"Comment": "c"},
         "VPCs": [{"VPCId": ref("Other"), "VPCRegion": "eu-west-1"}], "HostedZoneTags": tag("b")},
        {"HostedZoneTags": (
            "route53 list_tags_for_resource", {"ResourceType": "hostedzone", "ResourceId": "{id}"},
            "ResourceTagSet.Tags")},
        {"Vpc": VPC, "Other": OTHER_VPC},
    ),
    "AWS::Route53::RecordSet": Sample(
        {"HostedZoneId": ref("Zone"), "Name": "a.zone.example.com.", "Type": "A", "TTL": "300",
         "ResourceRecords": ["10.0.0.1"]},
        {"ResourceRecords": ["10.0.0.2"], "TTL": "60"}, {}, {"Zone": ZONE},
    ),
    "AWS::S3::Bucket": Sample(
        {},
        {"VersioningConfiguration": {"Status": "Enabled"},
         "BucketEncryption": {"ServerSideEncryptionConfiguration": [
             {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
         "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True,
                                            "IgnorePublicAcls": True, "RestrictPublicBuckets": True},
         "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
         "LifecycleConfiguration": {"Rules": [{"Id": "r", "Status": "Enabled", "ExpirationInDays": 3}]},
         "Tags": tag("b"), "BucketName": "BUCKET-other"},
        {"VersioningConfiguration": ("s3 get_bucket_versioning", {"Bucket": "{id}"}, "{Status:Status}"),
         "PublicAccessBlockConfiguration": (
             "s3 get_public_access_block", {"Bucket": "{id}"}, "PublicAccessBlockConfiguration"),
         "OwnershipControls": ("s3 get_bucket_ownership_controls", {"Bucket": "{id}"}, "OwnershipControls"),
         "LifecycleConfiguration": (
             "s3 get_bucket_lifecycle_configuration", {"Bucket": "{id}"},
             "{Rules:Rules[].{Id:ID,Status:Status,ExpirationInDays:Expiration.Days}}"),
         "Tags": ("s3 get_bucket_tagging", {"Bucket": "{id}"}, "TagSet")},
    ),
    "AWS::S3::BucketPolicy": Sample(
        {"Bucket": ref("Bucket"), "PolicyDocument": allow(
            "s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/*"},
            Principal={"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}})},
        {"PolicyDocument": allow(
            "s3:PutObject", {"Fn::Sub": "${Bucket.Arn}/*"},
            Principal={"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}})},
        {}, {"Bucket": {"Type": "AWS::S3::Bucket"}},
    ),
    "AWS::SNS::Subscription": Sample(
        {"TopicArn": ref("Topic"), "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}},
        {"RawMessageDelivery": True, "FilterPolicy": {"kind": ["a"]}}, {}, {"Topic": TOPIC, "Queue": QUEUE},
    ),
    "AWS::SNS::Topic": Sample(
        {}, {"DisplayName": "d", "Tags": tag("b"), "TopicName": "other"},
        {"DisplayName": ("sns get_topic_attributes", {"TopicArn": "{id}"}, "Attributes.DisplayName"),
         "Tags": ("sns list_tags_for_resource", {"ResourceArn": "{id}"}, "Tags")},
    ),
    "AWS::SNS::TopicPolicy": Sample(
        {"Topics": [ref("Topic")], "PolicyDocument": allow("sns:Publish", Principal={"Service": "events.amazonaws.com"})},  # noqa: E501
        {"PolicyDocument": allow("sns:Publish", Principal={"Service": "s3.amazonaws.com"})}, {}, {"Topic": TOPIC},
    ),
    "AWS::SQS::Queue": Sample(
        {}, {"VisibilityTimeout": 60, "Tags": tag("b"), "QueueName": "other"},
        {"VisibilityTimeout": (
            "sqs get_queue_attributes", {"QueueUrl": "{id}", "AttributeNames": ["All"]},
            "to_number(Attributes.VisibilityTimeout)")},
    ),
    "AWS::SQS::QueuePolicy": Sample(
        {"Queues": [ref("Queue")],
         "PolicyDocument": allow("sqs:SendMessage", Principal={"Service": "events.amazonaws.com"})},
        {"PolicyDocument": allow("sqs:SendMessage", Principal={"Service": "s3.amazonaws.com"})}, {}, {"Queue": QUEUE},
    ),
    "AWS::SSM::Parameter": Sample(
        {"Type": "String", "Value": "1"},
        {"Value": "2", "Description": "d", "Tags": {"team": "b"}, "Name": "/other"},
        {"Value": ("ssm get_parameter", {"Name": "{id}"}, "Parameter.Value")},
    ),
}  # fmt: skip
