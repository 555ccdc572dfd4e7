"""Join a VPC to the interface endpoints of another account: the code of two CloudFormation custom resources.

``Custom::EndpointOwner`` waits until the owner has made its endpoints, and says what its VPC is. Properties:
``OwnerRoleArn``, ``Zones`` (names).

``Custom::EndpointLink`` associates the owner's private hosted zones with this VPC, and makes the routes back from the
owner's private subnets. Properties: ``OwnerRoleArn``, ``Zones``, ``VpcId``, ``Cidr``, ``PeeringConnectionId`` (empty
where a transit gateway has the routes). When it is deleted, both are taken back; what is gone already is no error.

Every request is answered, in time: what goes wrong fails the stack with its reason. AWS lets only the account of a zone
authorize an association and only the account of the VPC make it, which is why CloudFormation has no type for it.
"""

import json
import os
import signal
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ANSWER_S = 10
"""Seconds kept for the answer to CloudFormation."""
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
    seconds = max(1, context.get_remaining_time_in_millis() / 1000 - ANSWER_S)
    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        physical_id, data = apply(event, time.monotonic() + seconds - ANSWER_S)
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": physical_id, "Data": data}
    except Exception as error:  # whatever it is, CloudFormation has to hear of it
        reason = f"{type(error).__name__}: {error}"[:1000]
        failed = event.get("PhysicalResourceId", NOT_MADE)
        answer |= {"Status": "FAILED", "PhysicalResourceId": failed, "Reason": reason}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps({key: answer.get(key) for key in ("LogicalResourceId", "Status", "Reason")}))
    send(event["ResponseURL"], answer)


def too_late(signum, frame):
    """Stop what takes longer than the function may run."""
    raise TimeoutError("AWS did not answer within the time of the function")


def apply(event, deadline):
    """Do what one request asks for; return the physical id and the attributes."""
    wanted = event["ResourceProperties"]
    if event["ResourceType"] == "Custom::EndpointOwner":
        if event["RequestType"] == "Delete":
            return event["PhysicalResourceId"], {}
        owner = wait_for_owner(wanted, deadline)
        return wanted["OwnerRoleArn"], {"VpcId": owner.vpc_id}
    physical_id = f"{wanted['VpcId']}|{wanted['PeeringConnectionId']}"
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
    gone = set(event.get("OldResourceProperties", {}).get("Zones", [])) - set(wanted["Zones"])
    disassociate(wanted["VpcId"], sorted(gone))
    return physical_id, {}


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
    """Let every zone answer in this VPC."""
    route53 = boto3.client("route53", config=CALLS)
    vpc = this_vpc(wanted["VpcId"])
    for name in sorted(set(wanted["Zones"]) - set(associated(wanted["VpcId"]))):
        zone = {"HostedZoneId": owner.zones[name], "VPC": vpc}
        owner.route53.create_vpc_association_authorization(**zone)
        route53.associate_vpc_with_hosted_zone(**zone)
        # AWS advises to take the authorization back: the association stays.
        owner.route53.delete_vpc_association_authorization(**zone)


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
        call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise


def send(url, answer):
    """Put the answer where CloudFormation waits for it."""
    body = json.dumps(answer).encode()
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=ANSWER_S) as response:
        response.read()
