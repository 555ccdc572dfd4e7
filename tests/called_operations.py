"""What a CloudFormation type calls and asks for, recorded without a cloud: answers are made up by the API's model."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlencode, urlparse

import boto3
from botocore.config import Config
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from ministack.core import iam_actions
from ministack.core.responses import request_scope

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.adapter import dependent_actions, resource_names
from mlops_foundation.local.contract import Call, Check, Credentials, Principal, Scope, StackCall
from mlops_foundation.local.resource_types import CALLED_TYPES

Json = dict[str, Any]
BY_NAME = {each.type_name: each for each in CALLED_TYPES}
_IDS = {
    "VpcId": "vpc-1", "SubnetId": "subnet-1", "GroupId": "sg-1", "RouteTableId": "rtb-1", "AllocationId": "eipalloc-1",
    "InternetGatewayId": "igw-1", "NatGatewayId": "nat-1", "VpcEndpointId": "vpce-1", "AssociationId": "rtbassoc-1",
    "FlowLogIds": "fl-1", "VpcPeeringConnectionId": "pcx-1", "KeyId": "1", "VersionId": "v1", "Id": "/hostedzone/Z1",
    "LastUpdateStatus": "Successful", "Version": "1",
}  # fmt: skip


def install(monkeypatch: Any) -> None:
    """Name resources and condition keys as the local cloud does, until the test ends."""
    for name in ("extract_resource_arn", "request_tag_context", "_tag_operations", "_lambda_action"):
        monkeypatch.setattr(iam_actions, name, getattr(iam_actions, name))
    resource_names.name_resources(None)
    resource_names.name_lambda_actions(None)
    dependent_actions.know_condition_keys(None)


def checks(
    verb: str, type_name: str, properties: Json, account: str, region: str, physical_id: str = "x"
) -> list[Check]:
    """Return all that IAM is asked when a resource is made or ended.

    Args:
        verb: ``create`` or ``delete``.
        type_name: CloudFormation's name of the type.
        properties: Resolved.
        account: Where.
        region: Where.
        physical_id: Of what is ended.
    """
    asked: list[Check] = []
    who = Principal(f"arn:aws:iam::{account}:root", AccountId(account), "Root", Credentials(account, "test"))
    cloud = Mock()
    cloud.request = lambda _who, service, operation, members, _region: getattr(
        _client(service, account, region, asked), operation
    )(**members)
    stack = StackCall(Call(cloud, who, Scope(AccountId(account), Region(region))), "stack", "stack/1", "It")
    called = BY_NAME[type_name].resource_type()
    given = BY_NAME[type_name].schema.coerced(properties)
    with request_scope(account, region):
        if verb == "create":
            called.create(stack, given)
        else:
            called.delete(stack, physical_id, given)
    return asked


def _client(service: str, account: str, region: str, asked: list[Check]) -> Any:
    client = boto3.client(
        service,
        region_name=region,
        endpoint_url="http://localhost:1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(s3={"addressing_style": "path"}),
    )

    def before_call(model: OperationModel, params: Json, **_: Any) -> tuple[Any, Json]:
        asked.extend(_asked(service, model, params, account, region))
        answer = _made_up(model.output_shape, "") if model.output_shape else {}
        return Mock(status_code=200), {**answer, "ResponseMetadata": {}}

    client.meta.events.register("before-call", before_call)
    return client


def _asked(service: str, model: OperationModel, params: Json, account: str, region: str) -> Iterator[Check]:
    body = params["body"]
    form = {name: [str(value)] for name, value in body.items()} if isinstance(body, dict) else {}
    if isinstance(body, dict):
        body = urlencode(body).encode()
    elif isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = b""
    headers = {name.lower(): str(value) for name, value in params["headers"].items()}
    path, _, flag = params["url_path"].partition("?")
    method = params["method"]
    query = {
        **{name: [str(value)] for name, value in (params.get("query_string") or {}).items()},
        **form,
        **({flag: [""]} if flag else {}),
    }
    action = f"{_NAMESPACES.get(service, service)}:{_ACTIONS.get(model.name, model.name)}"
    resource = iam_actions.extract_resource_arn(service, method, path, headers, body, query, region, account)
    if service == "s3":
        resource = f"arn:aws:s3:::{urlparse(params['url']).path.strip('/')}"
    context = iam_actions.request_tag_context(service, action, body, query)
    yield Check(action, resource, context)
    dependent = dependent_actions.DEPENDENT.get(action)
    if dependent is not None:
        yield from dependent_actions.checks_of(dependent, action, (method, path, headers, body, query))


_NAMESPACES = {"cloudwatch": "cloudwatch"}
_ACTIONS = {
    "PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls", "DeleteBucketTagging": "PutBucketTagging",
    "PutBucketCors": "PutBucketCORS", "DeleteBucketCors": "PutBucketCORS",
}  # fmt: skip
"""Operations of S3 whose action has another name."""


def _made_up(shape: Shape, name: str, depth: int = 6) -> Any:
    if isinstance(shape, StructureShape):
        return {key: _made_up(member, key, depth - 1) for key, member in shape.members.items() if depth}
    if isinstance(shape, ListShape):
        return [_made_up(shape.member, name, depth - 1)] if depth else []
    if shape.type_name == "map":
        return {}
    if shape.type_name in ("integer", "long", "float", "double"):
        return 1
    if shape.type_name == "boolean":
        return True
    if name in _IDS:
        return _IDS[name]
    enum = shape.metadata.get("enum") or ()
    if name == "State":
        return "Active" if "Active" in enum else "available"
    return "active" if "active" in enum else "x"
