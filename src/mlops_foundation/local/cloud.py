"""The local cloud in one process: what the contract promises to services, put together."""

import contextvars
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials

from mlops_foundation.core import clock
from mlops_foundation.core.arns import Region
from mlops_foundation.local.adapter import clone_addresses, events, iam, vpc
from mlops_foundation.local.authorize import authorize
from mlops_foundation.local.call_record import CallRecord, VpcCall
from mlops_foundation.local.contract import (
    Call,
    Check,
    Json,
    Principal,
    ResourceType,
    Scope,
    Service,
    ServiceError,
    Store,
    VpcWorkload,
)
from mlops_foundation.local.dispatch import Dispatcher
from mlops_foundation.local.store import RECORDS, Database

log = logging.getLogger(__name__)

_CLIENTS_KEPT = 64
_INDEX_VARIABLES = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY",
                    "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS",
                    "npm_config_")  # fmt: skip


_CLIENT_CONFIG = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"})
_acting: contextvars.ContextVar[Principal] = contextvars.ContextVar("acting_principal")


class _CurrentCredentials(Credentials):  # type: ignore[misc]
    """The credentials of whoever acts in this thread: making a client for each takes longer than its calls."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        found = _acting.get().credentials
        return ReadOnlyCredentials(found.access_key_id, found.secret_access_key, found.session_token)


def _session_of_current_principal() -> botocore.session.Session:
    session = botocore.session.Session()
    session._credentials = _CurrentCredentials("set", "for each call")  # noqa: SLF001  no other way past its search
    return session


class LocalCloud:
    """Implements :class:`mlops_foundation.local.contract.Cloud`.

    Args:
        state_dir: Where everything is kept.
        port: Port of the endpoint on 127.0.0.1.
        services: The services of ours, in order.
    """

    def __init__(self, state_dir: Path, port: int, services: Sequence[type[Service]]) -> None:
        self._state_dir = state_dir
        self.endpoint_url = f"http://localhost:{port}"
        self._database = Database(state_dir / RECORDS)
        self.calls = CallRecord(self.store("calls"), iam.taken_by)
        self._ready = threading.Event()
        # One session reads each service model once; a session for each client would take a quarter of a second.
        self._session = boto3.session.Session()
        self._shared_session = boto3.session.Session(botocore_session=_session_of_current_principal())
        self._clients: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
        self._clients_lock = threading.Lock()
        self.services: Mapping[str, Service] = {service.name: service(self) for service in services}
        self.dispatchers = {name: Dispatcher(self, service) for name, service in self.services.items()}

    @property
    def resource_types(self) -> dict[str, ResourceType]:
        """CloudFormation types of all services."""
        return {name: made for service in self.services.values() for name, made in service.resource_types.items()}

    def service_of(self, arn: str) -> Service | None:
        """Return the service of ours that an ARN belongs to."""
        name = arn.split(":")[2] if arn.startswith("arn:") else ""
        return next((service for service in self.services.values() if service.namespace == name), None)

    def start(self) -> None:
        """Let the services take up what was under way, at the address of now."""
        clone_addresses.follow(self.endpoint_url)
        for service in self.services.values():
            service.start()
        self._ready.set()

    @property
    def ready(self) -> bool:
        """Whether every service has taken up what was under way: what it says before then is of the last run."""
        return self._ready.is_set()

    def stop(self) -> None:
        """End the services' child processes and close the records."""
        for service in self.services.values():
            service.stop()
        self.calls.write()
        self._database.close()

    # --- the contract -------------------------------------------------------------------------------------------------

    def store(self, service: str) -> Store:
        """Return the records of one service."""
        return self._database.of(service)

    def folder(self, *parts: str) -> Path:
        """Return a folder below the state directory, made when missing."""
        path = self._state_dir.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def authorize(self, principal: Principal, check: Check, *, region: Region) -> None:
        """Decide one check; see :func:`mlops_foundation.local.authorize.authorize`."""
        authorize(principal, check, region, self.service_of)
        self.acted(principal.credentials.access_key_id, check.action, check.resource)

    def acted(self, access_key_id: str, action: str, resource: str) -> None:
        """Take note of an action that was allowed, for the record of what workloads call."""
        if self.calls.is_workload(access_key_id):
            caller, owner = iam.accounts_of(access_key_id, resource)
            self.calls.acted(access_key_id, action, caller, owner)

    def invoke(self, principal: Principal, service: str, name: str, request: Json, *, scope: Scope) -> Json:
        """Call an operation of one of our own services in process."""
        result: Json = self.dispatchers[service].invoke(name, Call(self, principal, scope), request)
        return result

    def assume_service_role(
        self,
        role_arn: str,
        service: str,
        session_name: str,
        *,
        source_arn: str = "",
        region: Region,
        workload: VpcWorkload | None = None,
    ) -> Principal:
        """Start a session of a role as an AWS service."""
        principal = iam.assume_as_service(role_arn, service, session_name, source_arn, region)
        if workload:
            self.calls.enter(principal, workload, role_arn, region)
        return principal

    def leads_out(self, scope: Scope, subnet_ids: Sequence[str]) -> bool:
        """Return whether what runs in these subnets reaches the internet."""
        return vpc.leads_out(scope, subnet_ids)

    def vpc_fault(self, scope: Scope, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> str:
        """Return what is wrong with the subnets and security groups of a workload, empty when nothing is."""
        return vpc.fault(scope, subnet_ids, group_ids)

    def admit_call(self, principal: Principal, service: str) -> None:
        """Let in a call that is no signed request, and take note of it."""
        _require_way(self.calls.note_call(principal, service))

    def admit_request(self, request: Mapping[str, Any]) -> None:
        """Let in an HTTP request, and take note of it.

        Raises:
            ServiceError: When it is of a workload whose VPC has no way to the service.
        """
        _require_way(self.calls.note_request(request))

    def assume_role(self, principal: Principal, role_arn: str, session_name: str, *, region: Region) -> Principal:
        """Start a session of a role as ``principal``, by STS."""
        sts = self.client(principal, "sts", region)
        try:
            made = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64])["Credentials"]
        except sts.exceptions.ClientError as error:
            raise ServiceError("AccessDeniedException", error.response["Error"]["Message"]) from error
        found = iam.principal_for(made["AccessKeyId"], made["SessionToken"])
        if found is None:
            raise ServiceError("ExpiredTokenException", f"the session of {role_arn} ended at once")
        return found

    def principal_for(self, access_key_id: str, session_token: str | None = None) -> Principal | None:
        """Return who an access key belongs to."""
        return iam.principal_for(access_key_id, session_token)

    def client(self, principal: Principal, service: str, region: Region) -> Any:  # noqa: ANN401  boto3 clients
        """Return a boto3 client of this cloud; clients are thread safe and the newest ones are kept."""
        credentials = principal.credentials
        key = (credentials.access_key_id, service, region)
        with self._clients_lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id=credentials.access_key_id,
                    aws_secret_access_key=credentials.secret_access_key,
                    aws_session_token=credentials.session_token,
                    config=_CLIENT_CONFIG,
                )
                if len(self._clients) > _CLIENTS_KEPT:
                    self._clients.popitem(last=False)
            self._clients.move_to_end(key)
            return self._clients[key]

    def request(self, principal: Principal, service: str, operation: str, members: Json, region: Region) -> Json:
        """Call one operation over HTTP as ``principal``, by a client that all principals share."""
        key = ("", service, region)
        with self._clients_lock:
            if key not in self._clients:
                self._clients[key] = self._shared_session.client(
                    service, region_name=region, endpoint_url=self.endpoint_url, config=_CLIENT_CONFIG
                )
            client = self._clients[key]
            self._clients.move_to_end(key)
        token = _acting.set(principal)
        try:
            answer: Json = getattr(client, operation)(**members)
        finally:
            _acting.reset(token)
        return answer

    def environment(self, principal: Principal, region: Region) -> dict[str, str]:
        """Return the AWS_* variables of a child process that acts as ``principal``."""
        credentials = principal.credentials
        variables = {
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token or "",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return {name: value for name, value in variables.items() if value}

    def machine_environment(self) -> dict[str, str]:
        """Return what a build needs of this machine: package index, proxies, CA bundles and PATH."""
        found = {name: value for name, value in os.environ.items() if name.startswith(_INDEX_VARIABLES)}
        return found | {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}

    def emit(self, scope: Scope, source: str, detail_type: str, detail: Json, resources: Sequence[str] = ()) -> None:
        """Put an AWS service event on the default bus of an account."""
        events.emit(scope, source, detail_type, detail, resources)

    def deliver(self, scope: Scope, target: Json, event: Json) -> None:
        """Hand an event to the service that a rule's target names, with the rights of the target's role."""
        self.spawn(f"event-{clock.new_token()}", lambda: self._deliver(scope, target, event))

    def _deliver(self, scope: Scope, target: Json, event: Json) -> None:
        service = self.service_of(target["Arn"])
        if service is None:
            raise ServiceError("ResourceNotFoundException", f"no service takes events for {target['Arn']}")
        principal = self.assume_service_role(
            target.get("RoleArn", ""),
            "events.amazonaws.com",
            "EventBridge",
            source_arn=target["RuleArn"],
            region=scope.region,
        )
        service.receive_event(Call(self, principal, scope), target, event)

    def spawn(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` on a background thread; an exception it lets out is logged with its traceback."""
        context = contextvars.copy_context()

        def run() -> None:
            try:
                context.run(work)
            except Exception:
                log.exception("background work %s failed", name)

        threading.Thread(target=run, name=name, daemon=True).start()


def _require_way(call: VpcCall | None) -> None:
    """Refuse what gets no answer on AWS: a call from a VPC that has no way to the service."""
    if call is None or vpc.reaches(call.scope, call.workload.subnet_ids, call.service):
        return
    raise ServiceError(
        "Unreachable",
        f"{call.workload.kind} {call.workload.name} runs in {', '.join(call.workload.subnet_ids)}, from where nothing "
        f"leads to {call.service}: no endpoint and no way out. On AWS it waits for an answer until it gives up. "
        "What is missing: mlops check network",
    )
