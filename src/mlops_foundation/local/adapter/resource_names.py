"""The resource that AWS authorizes a request on, where ministack names another.

Source: the service authorization reference, "resource types" of each service's actions.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ministack.core import iam_actions
from ministack.services import iam

from mlops_foundation.local import wire

_NAMED: Final = {"PolicyName": "policy", "RoleName": "role", "InstanceProfileName": "instance-profile"}


def name_resources(_cloud: object) -> None:
    """Authorize on the resource that AWS names: a role with its path, a rule of the default bus without it, ..."""
    extract = iam_actions.extract_resource_arn

    def resource_arn(  # noqa: PLR0913, PLR0917  ministack's own signature
        service: str, method: str, path: str, headers: Any, body: bytes, params: Any, region: str, account: str
    ) -> str:
        own = _OWN.get(service)
        if own is not None:
            found = own(_Request(headers, body, params, region, account))
            if found:
                return found
        arn: str = extract(service, method, path, headers, body, params, region, account)
        return arn

    iam_actions.extract_resource_arn = resource_arn


def name_lambda_actions(_cloud: object) -> None:
    """Authorize Lambda's operations as what they are; the names are in the API's model."""
    read = iam_actions._lambda_action

    def action(method: str, path: str) -> str | None:
        found = wire.route(("lambda",), method, path, "")
        if found is None:
            unknown: str | None = read(method, path)
            return unknown
        name: str = found.operation.name
        return _ACTIONS_OF_LAMBDA.get(name, name)

    iam_actions._lambda_action = action


_ACTIONS_OF_LAMBDA: Final = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
"""Operations whose action has another name."""


class _Request:
    """What the resource is read from."""

    def __init__(
        self, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any], region: str, account: str
    ) -> None:
        self._body = body
        self._params = params
        self.target = headers.get("x-amz-target", "").rpartition(".")[2]
        self.region = region
        self.account = account

    def parameter(self, name: str) -> str:
        """Return a parameter of a form, empty when there is none."""
        value = self._params.get(name, "")
        return str(value[0] if isinstance(value, list) else value)

    def member(self, name: str) -> str:
        """Return a text of a JSON body, empty when there is none."""
        try:
            found = json.loads(self._body or b"{}").get(name, "")
        except (ValueError, AttributeError):
            return ""
        return found if isinstance(found, str) else ""


def _of_iam(request: _Request) -> str:
    for member, kind in _NAMED.items():
        name = request.parameter(member)
        if not name or (kind == "policy" and not request.parameter("Action").startswith("CreatePolicy")):
            continue
        existing = iam._roles.get_scoped(request.account, None, name) if kind == "role" else None
        if existing is not None:
            return str(existing["Arn"])
        return f"arn:aws:iam::{request.account}:{kind}{request.parameter('Path') or '/'}{name}"
    return ""


def _of_events(request: _Request) -> str:
    name = request.member("Rule") if request.target.endswith("Targets") else request.member("Name")
    bus = request.member("EventBusName").rpartition("/")[2]
    if not name or "Bus" in request.target:
        return ""
    within = "" if bus in ("", "default") else f"{bus}/"
    return f"arn:aws:events:{request.region}:{request.account}:rule/{within}{name}"


def _of_ssm(request: _Request) -> str:
    if request.target == "GetParametersByPath":
        path = request.member("Path").strip("/")
        return f"arn:aws:ssm:{request.region}:{request.account}:parameter/{path}"
    return ""


def _of_ec2(request: _Request) -> str:
    action = request.parameter("Action")
    if action.startswith("Describe"):
        return "*"
    if action in MADE_BY:
        return f"arn:aws:ec2:{request.region}:{request.account}:{MADE_BY[action]}/*"
    for name in _IDS:
        found = request.parameter(name)
        kind = _KINDS.get(found.partition("-")[0])
        if kind is not None:
            resource = "*" if found.startswith("rtbassoc-") else found
            return f"arn:aws:ec2:{request.region}:{request.account}:{kind}/{resource}"
    return ""


MADE_BY: Final = {
    "AllocateAddress": "elastic-ip", "CreateFlowLogs": "vpc-flow-log", "CreateInternetGateway": "internet-gateway",
    "CreateNatGateway": "natgateway", "CreateRouteTable": "route-table", "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet", "CreateVpc": "vpc", "CreateVpcEndpoint": "vpc-endpoint",
    "CreateVpcPeeringConnection": "vpc-peering-connection",
}  # fmt: skip
"""Operation of EC2 -> the kind of resource that it makes."""
_IDS: Final = ("ResourceId.1", "GroupId", "RouteTableId", "AssociationId", "InternetGatewayId", "NatGatewayId",
               "VpcEndpointId", "VpcEndpointId.1", "SubnetId", "AllocationId", "FlowLogId.1",
               "VpcPeeringConnectionId", "VpcId")  # fmt: skip
"""What a request is about, the first of them that it has."""
_KINDS: Final = {
    "eipalloc": "elastic-ip", "fl": "vpc-flow-log", "igw": "internet-gateway", "nat": "natgateway", "pcx":
    "vpc-peering-connection", "rtb": "route-table", "rtbassoc": "route-table", "sg": "security-group",
    "subnet": "subnet", "vpc": "vpc", "vpce": "vpc-endpoint",
}  # fmt: skip
"""What an id begins with -> kind of resource."""


def _of_kms(request: _Request) -> str:
    alias = request.member("AliasName") if request.target.endswith("Alias") else ""
    return f"arn:aws:kms:{request.region}:{request.account}:{alias}" if alias else ""


def _of_lambda(request: _Request) -> str:
    """Name a function that is made; every other operation has it in its path, as ministack knows."""
    name = request.member("FunctionName")
    return f"arn:aws:lambda:{request.region}:{request.account}:function:{name.rpartition(':')[2]}" if name else ""


_OWN: Final[Mapping[str, Callable[[_Request], str]]] = {
    "ec2": _of_ec2,
    "events": _of_events,
    "iam": _of_iam,
    "kms": _of_kms,
    "lambda": _of_lambda,
    "ssm": _of_ssm,
}
