"""From ministack's router to who answers: our services, ministack's that are offered, a refusal for the rest."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import botocore.session
import ministack.app
from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local import wire
from mlops_foundation.local.adapter import cloudformation, iam, route53, storage
from mlops_foundation.local.contract import Check, Principal, ServiceError, not_supported
from mlops_foundation.local.wire_errors import Answer, protocol_of, write_error

_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
OFFERED = frozenset({
    "cloudformation", "ec2", "ecr", "events", "iam", "kms", "lambda", "logs", "monitoring", "route53", "s3",
    "secretsmanager", "sns", "sqs", "ssm", "states", "sts", "tagging",
})  # fmt: skip
"""What we offer of ministack; its other services are refused, because nobody here has checked how they behave."""

_NETWORK_ACTION = re.compile(
    r"Describe\w+|[A-Z][a-z]+\w*(Vpc|Subnet|Route|Gateway|SecurityGroup|Address|FlowLogs|Tags|NetworkAcl)\w*"
)


def secure_loopback(_cloud: object) -> None:
    """Count loopback as secure transport: what never leaves the machine needs no TLS."""
    pin = ministack.app.pin_request_origin
    ministack.app.pin_request_origin = lambda source_ip, secure: pin(source_ip, secure or source_ip == "127.0.0.1")


def offer_what_is_checked(_cloud: object) -> None:
    """Refuse ministack's other services, and of EC2 what is no network."""
    for name in ministack.app.SERVICE_HANDLERS:
        if name not in OFFERED:
            ministack.app.SERVICE_HANDLERS[name] = _refusing(name)
    ministack.app.SERVICE_HANDLERS["ec2"] = _network_only(ministack.app.SERVICE_HANDLERS["ec2"])


def know_services_by_name(_cloud: object) -> None:
    """Give the router the names of AWS's services: it would read every model of botocore, 400 MB, to find them."""
    router._KNOWN_AWS_SERVICE_NAMES = frozenset(botocore.session.get_session().get_available_services())


def _refusing(name: str) -> storage.Handler:
    """Answer every request to a service that is not offered with an error in its own protocol."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        del method, path, body, query
        return _not_supported(name, headers)

    return handle


def _network_only(handler: storage.Handler) -> storage.Handler:
    """Offer of EC2 what a network is made of: an instance that runs nowhere is not offered."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        action = parse_qs(body.decode("utf-8", "replace")).get("Action", query.get("Action", [""]))[0]
        if not _NETWORK_ACTION.fullmatch(action):
            return _not_supported(f"ec2:{action}", headers)
        return await handler(method, path, headers, body, query)

    return handle


def _not_supported(what: str, headers: Mapping[str, str]) -> Answer:
    return write_error(not_supported(what), protocol_of(headers))


def register_services(cloud: Any) -> None:
    """Send the requests for our services to their dispatchers."""
    for name, service in cloud.services.items():
        metadata = wire.service_model(service.models[0]).metadata
        ministack.app.SERVICE_HANDLERS[name] = cloud.dispatchers[name].handle
        ministack.app.SERVICE_REGISTRY[name] = {"module": name}
        router.SERVICE_PATTERNS[name] = {
            "target_prefixes": [metadata["targetPrefix"] + "."] if "targetPrefix" in metadata else [],
            "credential_scope": metadata.get("signingName", metadata["endpointPrefix"]),
        }
        # Without a namespace ministack only authenticates; the dispatcher authorizes, knowing the request's shape.
        iam_actions.SERVICE_TO_IAM_NAMESPACE.pop(name, None)


def settle_rights_of_stacks(cloud: Any) -> None:
    """Settle whose rights a stack operation has before it starts."""
    handler = ministack.app.SERVICE_HANDLERS["cloudformation"]
    ministack.app.SERVICE_HANDLERS["cloudformation"] = cloudformation.with_rights(cloud, handler, principal_of)


def join_zones_across_accounts(_cloud: object) -> None:
    """Let private hosted zones answer in VPCs of other accounts."""
    handler = ministack.app.SERVICE_HANDLERS["route53"]
    ministack.app.SERVICE_HANDLERS["route53"] = route53.across_accounts(handler)


def ask_for_keys_of_objects(cloud: Any) -> None:
    """Ask for the rights to a customer key with which objects are written and read."""

    def authorize(headers: Mapping[str, str], check: Check) -> None:
        _, region = storage.current_scope()
        cloud.authorize(principal_of(headers), check, region=Region(region))

    handler = ministack.app.SERVICE_HANDLERS["s3"]
    ministack.app.SERVICE_HANDLERS["s3"] = storage.encrypted_objects(handler, authorize, _s3_denied)


def note_actions(cloud: Any) -> None:
    """Tell the record of calls what ministack's own services have allowed."""
    decide = iam_evaluator.enforce

    def enforce(access_key_id: str, iam_action: str, service: str, region: str, *rest: Any, **named: Any) -> Any:
        denied = decide(access_key_id, iam_action, service, region, *rest, **named)
        if denied is None and access_key_id:
            resource = rest[0] if rest else named.get("resource_arn", "*")
            cloud.acted(access_key_id, iam_action, resource)
        return denied

    iam_evaluator.enforce = enforce


def refuse_unknown_actions(cloud: Any) -> None:
    """Refuse a request whose IAM action cannot be told; ministack would only check its signature."""
    authenticate_only = ministack.app._authenticate_only

    def check(service: str, headers: dict[str, str], query: dict[str, Any], request_id: str) -> Any:
        failure = authenticate_only(service, headers, query, request_id)
        if failure is not None or service in cloud.services:
            return failure
        message = f"the local cloud cannot tell which {service} action this request is, so it is refused"
        return write_error(ServiceError("AccessDeniedException", message, 403), protocol_of(headers))

    ministack.app._authenticate_only = check


def principal_of(headers: Mapping[str, str]) -> Principal:
    """Return who signed a request; the root of the account for ministack's own calls, which are not signed."""
    match = _CREDENTIAL.search(headers.get("authorization", ""))
    found = iam.principal_for(match.group(1), headers.get("x-amz-security-token")) if match else None
    return found or iam.root_of(AccountId(get_account_id()))


def _s3_denied(error: Exception) -> Answer:
    message = error.message if isinstance(error, ServiceError) else "Access Denied"
    return write_error(ServiceError("AccessDenied", message, 403), "rest-xml")
