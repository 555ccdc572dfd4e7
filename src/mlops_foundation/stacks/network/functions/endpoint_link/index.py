"""Join a VPC to the interface endpoints of another account: the code of two CloudFormation custom resources.

``Custom::EndpointOwner`` waits until the owner has made its endpoints, and says what its VPC is. Properties:
``OwnerRoleArn``, ``Zones`` (names), ``OwnerCidr`` (another block is another VPC, to be asked for again).

``Custom::EndpointLink`` associates the owner's private hosted zones with this VPC, and makes the routes back from the
owner's private subnets. Properties: ``OwnerRoleArn``, ``Zones``, ``VpcId``, ``Cidr``, ``PeeringConnectionId`` (empty
where a transit gateway has the routes). When it is deleted, both are taken back; what is gone already is no error.

Every request is answered, in time: what goes wrong fails the stack with its reason. AWS lets only the account of a zone
authorize an association and only the account of the VPC make it, which is why CloudFormation has no type for it.
"""

import os
import time

import boto3
from answer import respond
from botocore.config import Config
from botocore.exceptions import ClientError

CLEAN_UP_S = 10
"""Seconds kept for taking back what a create that failed has done."""
POLL_S = 3
CALLS = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 8})
NOT_MADE = "endpoint-link-not-made"
VPC_ID, SUBNETS, ZONES = "/vpc/id", "/vpc/subnets/private/ids", "/vpc/endpoints/zones"
GONE = {"NoSuchHostedZone", "VPCAssociationNotFound", "VPCAssociationAuthorizationNotFound", "InvalidRoute.NotFound",
        "InvalidRouteTableID.NotFound", "ParameterNotFound"}  # fmt: skip


class OwnerNotReadyError(Exception):
    """The account that owns the endpoints has not made them yet."""


def handler(event, context):
    """Do what CloudFormation asks, and answer it."""
    respond(event, context, apply, NOT_MADE)


def apply(event, seconds):
    """Do what one request asks for; return the physical id and the attributes."""
    deadline = time.monotonic() + seconds - CLEAN_UP_S
    wanted = event["ResourceProperties"]
    if event["ResourceType"] == "Custom::EndpointOwner":
        if event["RequestType"] == "Delete":
            return event["PhysicalResourceId"], {}
        owner = wait_for_owner(wanted, deadline)
        return wanted["OwnerRoleArn"], {"VpcId": owner.vpc_id}
    if event["RequestType"] == "Delete":
        if event["PhysicalResourceId"] != NOT_MADE:
            take_back(wanted, wanted["Zones"])
        return event["PhysicalResourceId"], {}
    owner = wait_for_owner(wanted, deadline)
    try:
        associate(owner, wanted)
        add_routes(owner, wanted)
    except Exception:
        if event["RequestType"] == "Create":
            clean_up(wanted)
        raise
    leave_behind(wanted, event.get("OldResourceProperties", wanted))
    # Another VPC is another link, which CloudFormation deletes with its old properties; all else is an update of this.
    return wanted["VpcId"], {}


def leave_behind(wanted, before):
    """Undo what the same VPC's link had before an update and has no more."""
    if before["VpcId"] != wanted["VpcId"]:
        return
    disassociate(wanted["VpcId"], sorted(set(before["Zones"]) - set(wanted["Zones"])))
    if before["OwnerRoleArn"] != wanted["OwnerRoleArn"]:
        remove_routes(before)


class Owner:
    """The account that owns the endpoints, as its role for other accounts sees it."""

    def __init__(self, role_arn):
        taken = boto3.client("sts", config=CALLS).assume_role(RoleArn=role_arn, RoleSessionName="endpoint-link")
        keys = taken["Credentials"]
        session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        self.ec2 = session.client("ec2", config=CALLS)
        self.route53 = session.client("route53", config=CALLS)
        ssm = session.client("ssm", config=CALLS)
        told = {name: ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in (ZONES, VPC_ID, SUBNETS)}
        self.vpc_id = told[VPC_ID]
        self.subnet_ids = told[SUBNETS].split(",")
        self.zones = dict(pair.split("=") for pair in told[ZONES].split(","))

    def route_tables(self):
        """Return the route tables of the subnets that hold the endpoints."""
        filters = [{"Name": "association.subnet-id", "Values": self.subnet_ids}]
        return self.ec2.describe_route_tables(Filters=filters)["RouteTables"]


def wait_for_owner(wanted, deadline):
    """Return the owner once it has every zone that is wanted."""
    while True:
        try:
            owner = Owner(wanted["OwnerRoleArn"])
            missing = sorted(set(wanted["Zones"]) - set(owner.zones))
            if not missing:
                return owner
            reason = f"it has no zone for {', '.join(missing)}"
        except ClientError as error:
            # The role is made with the endpoints; until then nobody can take it.
            if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException", "ParameterNotFound"}:
                raise
            reason = str(error)
        if time.monotonic() > deadline:
            account = wanted["OwnerRoleArn"].split(":")[4]
            raise OwnerNotReadyError(
                f"account {account} owns the shared endpoints and did not make them in time: {reason}. "
                "Deploy its network, then this one again."
            )
        time.sleep(POLL_S)


def associate(owner, wanted):
    """Let every zone answer in this VPC; one of a former owner gives its name up for it."""
    route53 = boto3.client("route53", config=CALLS)
    vpc, there = this_vpc(wanted["VpcId"]), associated(wanted["VpcId"])
    for name in sorted(wanted["Zones"]):
        if there.get(name) == owner.zones[name]:
            continue
        if name in there:
            disassociate(wanted["VpcId"], [name])
        zone = {"HostedZoneId": owner.zones[name], "VPC": vpc}
        one_at_a_time(owner.route53.create_vpc_association_authorization, **zone)
        try:
            one_at_a_time(route53.associate_vpc_with_hosted_zone, **zone)
        finally:
            # AWS advises to take the authorization back: the association stays.
            one_at_a_time(owner.route53.delete_vpc_association_authorization, **zone)


def one_at_a_time(call, **request):
    """Call again while Route 53 works on the same zone for somebody else: several accounts join it at once."""
    for seconds in (1, 2, 4, 8, 8, 8):
        try:
            return call(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConcurrentModification":
                raise
        time.sleep(seconds)
    return call(**request)


def disassociate(vpc_id, names):
    """Let zones answer in this VPC no more."""
    route53 = boto3.client("route53", config=CALLS)
    zones = associated(vpc_id) if names else {}
    for name in names:
        if name in zones:
            call = {"HostedZoneId": zones[name], "VPC": this_vpc(vpc_id)}
            unless_gone(route53.disassociate_vpc_from_hosted_zone, **call)


def associated(vpc_id):
    """Return the private zones of a VPC, of whatever account: name -> id."""
    route53, found, token = boto3.client("route53", config=CALLS), {}, {}
    while True:
        answer = route53.list_hosted_zones_by_vpc(VPCId=vpc_id, VPCRegion=os.environ["AWS_REGION"], **token)
        for each in answer["HostedZoneSummaries"]:
            found[each["Name"].rstrip(".")] = each["HostedZoneId"]
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


def this_vpc(vpc_id):
    """Return a VPC of this region as Route 53 names it."""
    return {"VPCRegion": os.environ["AWS_REGION"], "VPCId": vpc_id}


def add_routes(owner, wanted):
    """Lead the answers of the endpoints back to this VPC; with a transit gateway the owner's stack does."""
    connection = wanted["PeeringConnectionId"]
    for table in owner.route_tables() if connection else ():
        there = [each for each in table["Routes"] if each.get("DestinationCidrBlock") == wanted["Cidr"]]
        if there and there[0].get("VpcPeeringConnectionId") == connection:
            continue
        if there:
            owner.ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=wanted["Cidr"])
        owner.ec2.create_route(
            RouteTableId=table["RouteTableId"], DestinationCidrBlock=wanted["Cidr"], VpcPeeringConnectionId=connection
        )


def take_back(wanted, names):
    """Undo what a link has made, as far as it is still there."""
    disassociate(wanted["VpcId"], names)
    remove_routes(wanted)


def remove_routes(wanted):
    """Take the routes back that a link has made in the owner's tables."""
    try:
        owner = Owner(wanted["OwnerRoleArn"]) if wanted["PeeringConnectionId"] else None
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException", "ParameterNotFound"}:
            raise
        owner = None  # The owner's stack is gone, and its routes with it.
    for table in owner.route_tables() if owner else ():
        for route in table["Routes"]:
            if route.get("VpcPeeringConnectionId") == wanted["PeeringConnectionId"]:
                destination = route["DestinationCidrBlock"]
                unless_gone(
                    owner.ec2.delete_route, RouteTableId=table["RouteTableId"], DestinationCidrBlock=destination
                )


def clean_up(wanted):
    """Take back what a create that failed has done so far; its own reason matters more than one from here."""
    try:
        take_back(wanted, wanted["Zones"])
    except Exception as error:
        print(f"could not clean up: {type(error).__name__}: {error}")


def unless_gone(call, **request):
    """Call, and take it well when there is nothing left to remove."""
    try:
        one_at_a_time(call, **request)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
