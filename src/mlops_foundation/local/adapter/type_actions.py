"""What CloudFormation calls for the types that ministack provisions: type -> actions, by what the template sets.

A type that is missing here is refused. Sources: the ``handlers.permissions`` of each type's registry schema and the
service authorization reference; read-only calls of the handlers are left out, because ministack makes none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ministack.services import iam

from mlops_foundation.local.contract import Check, Json, ServiceError
from mlops_foundation.local.members import tag_pairs, texts_at, without_system_tags

Place = tuple[str, str, str, str]
"""Region, account, stack name, logical id."""
Resource = Callable[[Json, Place], str]


@dataclass(frozen=True)
class TypeActions:
    """The actions of one type.

    Attributes:
        service: Prefix of the actions.
        resource: ARN of the resource, from its properties.
        create: Actions of every create.
        delete: Actions of every delete.
        update: Actions of every update.
        by_property: Further actions of create and update when the property is set.
        by_removal: Further actions of an update that takes the property away.
        passes: Property paths (dots, lists are entered) of roles handed over -> service principal.
        context: Property -> condition key of the create actions.
    """

    service: str
    resource: Resource
    create: Sequence[str]
    delete: Sequence[str]
    update: Sequence[str] = ()
    by_property: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_removal: Mapping[str, Sequence[str]] = field(default_factory=dict)
    passes: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


def _arn(service: str, resource: str) -> Resource:
    """``{Name}`` takes a property; a missing one becomes ``<stack>-<logical id>``, as generated names begin."""

    def build(properties: Json, place: Place) -> str:
        region, account, stack, logical_id = place
        generated = f"{stack}-{logical_id}"
        values = _Values({key: value for key, value in properties.items() if isinstance(value, str)}, generated)
        return f"arn:aws:{service}:{region}:{account}:" + resource.format_map(values)

    return build


class _Values(dict[str, str]):
    def __init__(self, values: Mapping[str, str], generated: str) -> None:
        super().__init__(values)
        self._generated = generated

    def __missing__(self, key: str) -> str:
        return self._generated


def _bucket(properties: Json, place: Place) -> str:
    name = properties.get("BucketName") or properties.get("Bucket") or f"{place[2]}-{place[3]}".lower()
    return f"arn:aws:s3:::{name}"


def _role(properties: Json, place: Place) -> str:
    name = properties.get("RoleName") or f"{place[2]}-{place[3]}"
    return f"arn:aws:iam::{place[1]}:role{properties.get('Path', '/')}{name}"


def _managed_policy(properties: Json, place: Place) -> str:
    name = properties.get("ManagedPolicyName") or f"{place[2]}-{place[3]}"
    return f"arn:aws:iam::{place[1]}:policy{properties.get('Path', '/')}{name}"


def _first_role(properties: Json, place: Place) -> str:
    name = next(iter(properties.get("Roles") or ["*"]))
    record = iam._roles.get_scoped(place[1], None, name)
    return str(record["Arn"]) if record else f"arn:aws:iam::{place[1]}:role/{name}"


def _any(properties: Json, place: Place) -> str:
    del properties, place
    return "*"


def _key(properties: Json, place: Place) -> str:
    target = properties.get("TargetKeyId", "*")
    return target if target.startswith("arn:") else f"arn:aws:kms:{place[0]}:{place[1]}:key/{target}"


def _zone(properties: Json, place: Place) -> str:
    del place
    return f"arn:aws:route53:::hostedzone/{properties.get('HostedZoneId', '*')}"


def _ec2(
    resource: str, create: Sequence[str], delete: Sequence[str], **more: Mapping[str, Sequence[str]]
) -> TypeActions:
    tags = {"Tags": ("CreateTags",), **more.get("by_property", {})}
    return TypeActions("ec2", _arn("ec2", resource), create, delete, update=("CreateTags",), by_property=tags)


TYPES: Mapping[str, TypeActions] = {
    "AWS::EC2::VPC": _ec2(
        "vpc/*", ("CreateVpc",), ("DeleteVpc",),
        by_property={"EnableDnsHostnames": ("ModifyVpcAttribute",), "EnableDnsSupport": ("ModifyVpcAttribute",)},
    ),
    "AWS::EC2::Subnet": _ec2(
        "subnet/*", ("CreateSubnet",), ("DeleteSubnet",),
        by_property={"MapPublicIpOnLaunch": ("ModifySubnetAttribute",)},
    ),
    "AWS::EC2::RouteTable": _ec2("route-table/*", ("CreateRouteTable",), ("DeleteRouteTable",)),
    "AWS::EC2::Route": _ec2("route-table/*", ("CreateRoute",), ("DeleteRoute",)),
    "AWS::EC2::SubnetRouteTableAssociation": _ec2(
        "route-table/*", ("AssociateRouteTable",), ("DisassociateRouteTable",)
    ),
    "AWS::EC2::InternetGateway": _ec2("internet-gateway/*", ("CreateInternetGateway",), ("DeleteInternetGateway",)),
    "AWS::EC2::VPCGatewayAttachment": _ec2(
        "internet-gateway/*", ("AttachInternetGateway",), ("DetachInternetGateway",)
    ),
    "AWS::EC2::SecurityGroup": _ec2(
        "security-group/*", ("CreateSecurityGroup",), ("DeleteSecurityGroup",),
        by_property={
            "SecurityGroupIngress": ("AuthorizeSecurityGroupIngress",),
            "SecurityGroupEgress": ("AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"),
        },
    ),
    "AWS::EC2::VPCEndpoint": _ec2("vpc-endpoint/*", ("CreateVpcEndpoint",), ("DeleteVpcEndpoints",)),
    "AWS::EC2::EIP": _ec2("elastic-ip/*", ("AllocateAddress",), ("ReleaseAddress",)),
    "AWS::EC2::NatGateway": _ec2("natgateway/*", ("CreateNatGateway",), ("DeleteNatGateway",)),
    "AWS::EC2::FlowLog": TypeActions(
        "ec2", _arn("ec2", "vpc-flow-log/*"), ("CreateFlowLogs",), ("DeleteFlowLogs",),
        by_property={"Tags": ("CreateTags",)}, passes={"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    ),
    "AWS::EC2::SecurityGroupIngress": _ec2(
        "security-group/{GroupId}", ("AuthorizeSecurityGroupIngress",), ("RevokeSecurityGroupIngress",)
    ),
    "AWS::EC2::SecurityGroupEgress": _ec2(
        "security-group/{GroupId}", ("AuthorizeSecurityGroupEgress",), ("RevokeSecurityGroupEgress",)
    ),
    "AWS::EC2::VPCPeeringConnection": _ec2(
        "vpc-peering-connection/*", ("CreateVpcPeeringConnection",), ("DeleteVpcPeeringConnection",)
    ),
    "AWS::Route53::HostedZone": TypeActions(
        "route53", _zone, ("CreateHostedZone",), ("DeleteHostedZone",), update=("UpdateHostedZoneComment",),
        by_property={"VPCs": ("AssociateVPCWithHostedZone",), "HostedZoneTags": ("ChangeTagsForResource",)},
    ),
    "AWS::Route53::RecordSet": TypeActions(
        "route53", _zone, ("ChangeResourceRecordSets",), ("ChangeResourceRecordSets",),
        update=("ChangeResourceRecordSets",),
    ),
    "AWS::SSM::Parameter": TypeActions(
        "ssm",
        lambda properties, place: _arn("ssm", "parameter/" + str(properties.get("Name", "*")).lstrip("/"))({}, place),
        ("PutParameter",), ("DeleteParameter",), update=("PutParameter",), by_property={"Tags": ("AddTagsToResource",)},
    ),
    "AWS::KMS::Key": TypeActions(
        "kms", _arn("kms", "key/*"), ("CreateKey",), ("ScheduleKeyDeletion",), update=("PutKeyPolicy",),
        by_property={"EnableKeyRotation": ("EnableKeyRotation",), "Tags": ("TagResource",)},
    ),
    "AWS::KMS::Alias": TypeActions("kms", _key, ("CreateAlias",), ("DeleteAlias",), update=("UpdateAlias",)),
    "AWS::S3::Bucket": TypeActions(
        "s3", _bucket, ("CreateBucket",), ("DeleteBucket",),
        by_property={
            "BucketEncryption": ("PutEncryptionConfiguration",),
            "PublicAccessBlockConfiguration": ("PutBucketPublicAccessBlock",),
            "VersioningConfiguration": ("PutBucketVersioning",),
            "LifecycleConfiguration": ("PutLifecycleConfiguration",),
            "LoggingConfiguration": ("PutBucketLogging",),
            "OwnershipControls": ("PutBucketOwnershipControls",),
            "CorsConfiguration": ("PutBucketCORS",),
            "Tags": ("PutBucketTagging",),
        },
    ),
    "AWS::S3::BucketPolicy": TypeActions(
        "s3", _bucket, ("PutBucketPolicy",), ("DeleteBucketPolicy",), update=("PutBucketPolicy",)
    ),
    "AWS::IAM::Role": TypeActions(
        "iam", _role, ("CreateRole",), ("DeleteRole",), update=("UpdateAssumeRolePolicy",),
        by_property={
            "Policies": ("PutRolePolicy",),
            "ManagedPolicyArns": ("AttachRolePolicy",),
            "Tags": ("TagRole",),
        },
        by_removal={"PermissionsBoundary": ("DeleteRolePermissionsBoundary",), "Tags": ("UntagRole",)},
        context={"PermissionsBoundary": "iam:PermissionsBoundary"},
    ),
    "AWS::IAM::Policy": TypeActions(
        "iam", _first_role, ("PutRolePolicy",), ("DeleteRolePolicy",), update=("PutRolePolicy",)
    ),
    "AWS::IAM::ManagedPolicy": TypeActions(
        "iam", _managed_policy, ("CreatePolicy",), ("DeletePolicy",), update=("CreatePolicyVersion",)
    ),
    "AWS::Logs::LogGroup": TypeActions(
        "logs", _arn("logs", "log-group:{LogGroupName}"), ("CreateLogGroup",), ("DeleteLogGroup",),
        by_property={
            "RetentionInDays": ("PutRetentionPolicy",),
            "KmsKeyId": ("AssociateKmsKey",),
            "Tags": ("TagResource",),
        },
    ),
    "AWS::Events::Rule": TypeActions(
        "events", _arn("events", "rule/{Name}"), ("PutRule",), ("DeleteRule", "RemoveTargets"), update=("PutRule",),
        by_property={"Targets": ("PutTargets",), "Tags": ("TagResource",)},
        passes={"Targets.RoleArn": "events.amazonaws.com"},
    ),
    "AWS::ECR::Repository": TypeActions(
        "ecr", _arn("ecr", "repository/{RepositoryName}"), ("CreateRepository",), ("DeleteRepository",),
        by_property={
            "RepositoryPolicyText": ("SetRepositoryPolicy",),
            "LifecyclePolicy": ("PutLifecyclePolicy",),
            "Tags": ("TagResource",),
        },
    ),
    "AWS::Lambda::Function": TypeActions(
        "lambda", _arn("lambda", "function:{FunctionName}"), ("CreateFunction",), ("DeleteFunction",),
        update=("UpdateFunctionCode", "UpdateFunctionConfiguration"), by_property={"Tags": ("TagResource",)},
        passes={"Role": "lambda.amazonaws.com"},
    ),
    "AWS::Lambda::Permission": TypeActions(
        "lambda", _any, ("AddPermission",), ("RemovePermission",)
    ),
    "AWS::SNS::Topic": TypeActions("sns", _arn("sns", "{TopicName}"), ("CreateTopic",), ("DeleteTopic",)),
    "AWS::SNS::TopicPolicy": TypeActions("sns", _any, ("SetTopicAttributes",), ("SetTopicAttributes",)),
    "AWS::SQS::Queue": TypeActions("sqs", _arn("sqs", "{QueueName}"), ("CreateQueue",), ("DeleteQueue",)),
    "AWS::SQS::QueuePolicy": TypeActions("sqs", _any, ("SetQueueAttributes",), ("SetQueueAttributes",)),
    "AWS::CloudWatch::Alarm": TypeActions(
        "cloudwatch", _arn("cloudwatch", "alarm:{AlarmName}"), ("PutMetricAlarm",), ("DeleteAlarms",),
        update=("PutMetricAlarm",),
    ),
}  # fmt: skip

_WITHOUT_ACTIONS = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition",
                    "AWS::CloudFormation::WaitConditionHandle")  # fmt: skip


def checks_for(
    verb: str, resource_type: str, properties: Json, place: Place, previous: Json | None = None
) -> Iterator[Check]:
    """Yield what an operation on a resource has to be allowed to do.

    Args:
        verb: ``create``, ``update`` or ``delete``.
        resource_type: CloudFormation's name of the type.
        properties: Resolved properties.
        place: Region, account, stack name, logical id.
        previous: Properties before an update.

    Raises:
        ServiceError: When the type is in no table: nobody can say what it would need.
    """
    if resource_type in _WITHOUT_ACTIONS:
        return
    if resource_type == "AWS::CloudFormation::CustomResource" or resource_type.startswith("Custom::"):
        yield Check("lambda:InvokeFunction", properties["ServiceToken"])
        return
    declared = TYPES.get(resource_type)
    if declared is None:
        raise ServiceError(
            "NotSupportedException", f"{resource_type} is not supported by the local cloud: its actions are not known"
        )
    yield from _checks_of(declared, verb, properties, place, previous)


def _checks_of(
    declared: TypeActions, verb: str, properties: Json, place: Place, previous: Json | None
) -> Iterator[Check]:
    properties, before = without_system_tags(properties), without_system_tags(previous or {})
    arn = declared.resource(properties, place)
    context = _context(declared, properties) if verb != "delete" else {}
    actions = list({"create": declared.create, "update": declared.update, "delete": declared.delete}[verb])
    if verb != "delete":
        actions += [action for name, more in declared.by_property.items() if properties.get(name) for action in more]
    removed = [name for name in declared.by_removal if before.get(name) and not properties.get(name)]
    actions += [action for name in removed for action in declared.by_removal[name]]
    for action in dict.fromkeys(actions):
        yield Check(f"{declared.service}:{action}", "*" if action in _NO_RESOURCE else arn, context)
    if verb != "delete":
        for path, service in declared.passes.items():
            for role_arn in texts_at(properties, path):
                yield Check("iam:PassRole", role_arn, {"iam:PassedToService": service})


_NO_RESOURCE = frozenset({"CreateHostedZone", "CreateKey"})


def _context(declared: TypeActions, properties: Json) -> Json:
    context: Json = {key: properties[name] for name, key in declared.context.items() if properties.get(name)}
    pairs = tag_pairs(properties.get("Tags"))
    context |= {f"aws:RequestTag/{key}": value for key, value in pairs.items()}
    if pairs:
        context["aws:TagKeys"] = list(pairs)
    return context
