"""Route 53 across accounts: what ministack, whose zones know one account only, decides differently from AWS.

A private zone answers in VPCs of other accounts: its owner authorizes the association, the VPC's account makes it.
Source: "Associating an Amazon VPC and a private hosted zone that you created with different AWS accounts" in the
Route 53 developer guide.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from ministack.core.responses import get_account_id
from ministack.services import ec2, route53

from mlops_foundation.local.adapter import storage
from mlops_foundation.local.contract import Json, ServiceError
from mlops_foundation.local.wire_errors import Answer, write_error

_ROUTE: Final = re.compile(
    r"/2013-04-01/hostedzone/([^/]+)/(associatevpc|disassociatevpc|authorizevpcassociation|deauthorizevpcassociation)"
)
_OF_VPC: Final = "/2013-04-01/hostedzonesbyvpc"


def across_accounts(handler: storage.Handler) -> storage.Handler:
    """Wrap ministack's handler: associations and authorizations are decided here, the rest there.

    A new zone is refused too where another account's zone has its name in the VPC already.
    """
    route53._same_name_zone_with_vpc = _of_name

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        if method == "GET" and path == _OF_VPC:
            listed: Answer = _zones_of_vpc(query)
            return listed
        match = _ROUTE.fullmatch(path)
        if method != "POST" or match is None:
            return await handler(method, path, headers, body, query)
        vpc, _, error = route53._parse_vpc_request(body)
        zone_id, verb = match.groups()
        answer: Answer = error or _VERBS[verb](zone_id, vpc)
        return answer

    return handle


def _find(zone_id: str) -> tuple[str, Json] | None:
    """Return the account and the record of a zone, of whatever account."""
    for (account, key), zone in list(route53._zones._data.items()):
        if key == zone_id:
            return str(account), zone
    return None


def _error(code: str, message: str, status: int = 400) -> Answer:
    return write_error(ServiceError(code, message, status), "rest-xml")


def _no_zone(zone_id: str) -> Any:
    return _error("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)


def _authorize(zone_id: str, vpc: Json) -> Any:
    zone = route53._zones.get(zone_id)
    if zone is None:
        return _no_zone(zone_id)
    if vpc not in zone.setdefault("authorizations", []):
        zone["authorizations"].append(vpc)

    def build(root: Element) -> None:
        SubElement(root, "HostedZoneId").text = zone_id
        route53._build_vpc_el(root, vpc)

    return route53._xml_response("CreateVPCAssociationAuthorizationResponse", build)


def _deauthorize(zone_id: str, vpc: Json) -> Any:
    zone = route53._zones.get(zone_id)
    if zone is None:
        return _no_zone(zone_id)
    if vpc not in zone.get("authorizations", []):
        message = f"The VPC that you specified, {vpc['VPCId']}, is not authorized for association."
        return _error("VPCAssociationAuthorizationNotFound", message, 404)
    zone["authorizations"].remove(vpc)
    return route53._xml_response("DeleteVPCAssociationAuthorizationResponse", Element.clear)


def _associate(zone_id: str, vpc: Json) -> Any:
    found = _find(zone_id)
    if found is None:
        return _no_zone(zone_id)
    account, zone = found
    if ec2._vpcs.get_scoped(get_account_id(), vpc["VPCRegion"], vpc["VPCId"]) is None:
        return _error("InvalidVPCId", f"The VPC ID '{vpc['VPCId']}' is not valid.")
    if not zone.get("private"):
        message = "You can't associate a VPC with a public hosted zone."
        return _error("PublicZoneVPCAssociation", message)
    if account != get_account_id() and vpc not in zone.get("authorizations", []):
        message = f"The VPC: {vpc['VPCId']} has not authorized to associate with your hosted zone."
        return _error("NotAuthorizedException", message, 401)
    if _of_name(zone["name"], vpc):
        message = f"The VPC {vpc['VPCId']} is already associated with a hosted zone named {zone['name']}"
        return _error("ConflictingDomainExists", message)
    zone.setdefault("vpcs", []).append(vpc)
    return _changed("AssociateVPCWithHostedZoneResponse")


def _disassociate(zone_id: str, vpc: Json) -> Any:
    place = _find(zone_id)
    here = ec2._vpcs.get_scoped(get_account_id(), vpc["VPCRegion"], vpc["VPCId"]) is not None
    if place is None or not (here or place[0] == get_account_id()):
        return _no_zone(zone_id)
    vpcs = place[1].get("vpcs", [])
    if vpc not in vpcs:
        message = f"The VPC {vpc['VPCId']} is not associated with the hosted zone."
        return _error("VPCAssociationNotFound", message, 404)
    if len(vpcs) == 1:
        message = "A private hosted zone must stay associated with at least one VPC."
        return _error("LastVPCAssociation", message)
    vpcs.remove(vpc)
    return _changed("DisassociateVPCFromHostedZoneResponse")


def _changed(root_tag: str) -> Any:
    change = route53._new_change()
    return route53._xml_response(root_tag, lambda root: route53._build_change_info_el(root, change))


def _of_name(name: str, vpc: Json, exclude_id: str | None = None) -> Json | None:
    """Return the zone that answers to a name in a VPC, of whatever account, other than one."""
    zones = [zone for (_, zone_id), zone in list(route53._zones._data.items()) if zone_id != exclude_id]
    return next((zone for zone in zones if zone["name"] == name and vpc in zone.get("vpcs", [])), None)


def _zones_of_vpc(query: Mapping[str, list[str]]) -> Any:
    """List the zones of a VPC with the accounts that own them; all on one page."""
    vpc = {"VPCRegion": query["vpcregion"][0], "VPCId": query["vpcid"][0]}
    if ec2._vpcs.get_scoped(get_account_id(), vpc["VPCRegion"], vpc["VPCId"]) is None:
        return _error("InvalidVPCId", f"The VPC ID '{vpc['VPCId']}' is not valid.")

    def build(root: Element) -> None:
        summaries = SubElement(root, "HostedZoneSummaries")
        for (account, zone_id), zone in list(route53._zones._data.items()):
            if vpc in zone.get("vpcs", []):
                item = SubElement(summaries, "HostedZoneSummary")
                SubElement(item, "HostedZoneId").text = zone_id
                SubElement(item, "Name").text = zone["name"]
                SubElement(SubElement(item, "Owner"), "OwningAccount").text = str(account)
        SubElement(root, "MaxItems").text = "100"

    return route53._xml_response("ListHostedZonesByVPCResponse", build)


_VERBS: Final[Mapping[str, Callable[[str, Json], Any]]] = {
    "associatevpc": _associate,
    "authorizevpcassociation": _authorize,
    "deauthorizevpcassociation": _deauthorize,
    "disassociatevpc": _disassociate,
}
