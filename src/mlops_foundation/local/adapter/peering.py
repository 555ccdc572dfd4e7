"""VPC peering: what ministack lets happen that EC2 refuses.

Only the account of the accepting VPC accepts; a connection to a VPC that does not exist, or whose addresses overlap,
fails. Source: "VPC peering connection lifecycle" in the VPC peering guide.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

from mlops_foundation.local.adapter.ec2_answers import ec2_error
from mlops_foundation.local.contract import Json

Action = Callable[[Any], Any]
"""One of ministack's calls: the request's parameters to its answer."""


def refuse_impossible_peering(_cloud: object) -> None:
    """Correct the two calls that make a connection."""
    create, accept = ec2._create_vpc_peering_connection, ec2._accept_vpc_peering_connection
    ec2._ACTION_MAP["CreateVpcPeeringConnection"] = lambda parameters: _create(create, parameters)
    ec2._ACTION_MAP["AcceptVpcPeeringConnection"] = lambda parameters: _accept(accept, parameters)


def _create(create: Action, parameters: Any) -> Any:
    vpc_id = ec2._p(parameters, "VpcId")
    if vpc_id not in ec2._vpcs:
        return ec2_error("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
    before = set(ec2._vpc_peering)
    answer = create(parameters)
    for made in set(ec2._vpc_peering) - before:
        reason = _refused(ec2._vpc_peering[made])
        if reason:
            ec2._set_vpc_peering_status(ec2._vpc_peering[made], "failed", reason)
    return answer


def _accept(accept: Action, parameters: Any) -> Any:
    peering = ec2._vpc_peering.get(ec2._p(parameters, "VpcPeeringConnectionId"))
    if peering is None:
        return accept(parameters)
    here, accepter = (get_account_id(), get_region()), peering["AccepterVpcInfo"]
    if (accepter["OwnerId"], accepter["Region"]) != here:
        message = f"User {here[0]} cannot accept peering {peering['VpcPeeringConnectionId']}"
        return ec2_error("OperationNotPermitted", message)
    if peering["Status"]["Code"] not in {"pending-acceptance", "active"}:
        message = f"The peering is {peering['Status']['Code']}: {peering['Status']['Message']}"
        return ec2_error("InvalidStateTransition", message)
    return accept(parameters)


def _refused(peering: Json) -> str:
    """Return why a connection cannot be, empty when it can."""
    sides = [peering["RequesterVpcInfo"], peering["AccepterVpcInfo"]]
    vpcs = [ec2._vpcs.get_scoped(side["OwnerId"], side["Region"], side["VpcId"]) for side in sides]
    if vpcs[1] is None:
        return "the accepting VPC does not exist"
    first, second = (ipaddress.IPv4Network(vpc["CidrBlock"]) for vpc in vpcs)
    return f"{first} and {second} overlap" if first.overlaps(second) else ""
