"""Which AWS services the workloads in a VPC call: what a VPC without a way to the internet needs endpoints for.

A workload is known by its session: who starts one for a build, a job or a model in a VPC says so, and sessions that
the workload takes from there (AssumeRole) count as the workload too. Every signed request is looked at; a request of
anybody else costs a look into a dictionary.

Beside each service stand the actions that were allowed there, with the accounts of the caller and of the resource: what
the policy of an endpoint has to let through. What a service asks for in the caller's name (S3 a key, SageMaker a role)
does not pass the workload's endpoints, and is left out.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from mlops_foundation.core.arns import Region
from mlops_foundation.local.contract import Json, Principal, Scope, Store, VpcWorkload

_CALL: Final = "call"
_SIGNED: Final = re.compile(rb"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/")
_PRESIGNED: Final = re.compile(rb"X-Amz-Credential=([^%/]+)(?:%2F|/)\d{8}(?:%2F|/)([^%/]+)(?:%2F|/)([^%/]+)")
_ENDPOINTS: Final[Mapping[str, str]] = {
    "sagemaker": "sagemaker.api",
    "ecr": "ecr.api",
    "codeartifact": "codeartifact.api",
}
"""Name in a signature -> name of the endpoint, where they differ."""
_ACTIONS: Final[Mapping[str, str]] = {
    "sagemaker:InvokeEndpoint": "sagemaker.runtime",
    "codeartifact:ReadFromRepository": "codeartifact.repositories",
    "codecommit:GitPull": "git-codecommit",
    "codecommit:GitPush": "git-codecommit",
    "sts:GetServiceBearerToken": "codeartifact.api",
}
"""Actions -> name of the endpoint they pass, where it is not their service's usual one."""
_NAMESPACES: Final[Mapping[str, str]] = {**_ENDPOINTS, "cloudwatch": "monitoring"}
"""Namespace of an action -> name of the endpoint, where they differ."""
_SESSIONS_KEPT: Final = 4096

_Key = tuple[Scope, str, str, str]
_Session = tuple[VpcWorkload, Scope, str]


class VpcCall(NamedTuple):
    """A workload calls a service (its endpoint's name) from where it runs."""

    workload: VpcWorkload
    scope: Scope
    service: str


class CallRecord:
    """The record, kept in memory and in the store: a new service at once, counts when they are read and at the end.

    Args:
        store: Where it is kept.
        taken_by: Returns the access key that took a session, empty when nobody's.
    """

    def __init__(self, store: Store, taken_by: Callable[[str], str]) -> None:
        self._store = store
        self._taken_by = taken_by
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session | None] = {}
        self._calls: dict[_Key, Json] = {}
        for scope in store.scopes():
            for record in store.all(scope, _CALL):
                self._calls[scope, record["kind"], record["name"], record["service"]] = record

    def enter(self, principal: Principal, workload: VpcWorkload, role_arn: str, region: Region) -> None:
        """Know a session as that of a workload in a VPC."""
        if len(self._sessions) > _SESSIONS_KEPT:
            self._sessions = {key: session for key, session in self._sessions.items() if session}
        self._sessions[principal.credentials.access_key_id] = (workload, Scope(principal.account, region), role_arn)

    def note_request(self, scope: Mapping[str, Any]) -> VpcCall | None:
        """Take note of an HTTP request, when a workload signed it, and return what it calls."""
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        signature = _SIGNED.search(header) or _PRESIGNED.search(scope.get("query_string", b""))
        if signature is None:
            return None
        session = self._session(signature[1].decode("latin-1"))
        if session is None:
            return None
        name = signature[3].decode("latin-1")
        runtime = name == "sagemaker" and scope["path"].endswith("/invocations")
        return self._note(session, "sagemaker.runtime" if runtime else _ENDPOINTS.get(name, name))

    def note_call(self, principal: Principal, service: str) -> VpcCall | None:
        """Take note of a call that is no signed request (git, a package index), when a workload made it."""
        session = self._session(principal.credentials.access_key_id)
        return self._note(session, service) if session else None

    def is_workload(self, access_key_id: str) -> bool:
        """Return whether a session is that of a workload in a VPC."""
        return self._session(access_key_id) is not None

    def acted(self, access_key_id: str, action: str, caller: str, owner: str) -> None:
        """Take note of an action that was allowed, when a workload asked its service for it.

        Args:
            access_key_id: Of the session.
            action: ``service:Operation``.
            caller: The session's account.
            owner: The account of what it was done on.
        """
        session = self._session(access_key_id)
        if session is None:
            return
        namespace = action.partition(":")[0]
        service = _ACTIONS.get(action) or _NAMESPACES.get(namespace, namespace)
        workload, scope, _ = session
        done = {"action": action, "caller": caller, "owner": owner}
        with self._lock:
            record = self._calls.get((scope, workload.kind, workload.name, service))
            if record is not None and done not in record.setdefault("actions", []):
                record["actions"].append(done)

    def all(self) -> list[Json]:
        """Return every workload and service, in the order they were first seen."""
        self.write()
        found = [{"account": key[0].account, "region": key[0].region, **record} for key, record in self._calls.items()]
        return sorted(found, key=lambda record: float(record["first"]))

    def write(self) -> None:
        """Bring the store up to date."""
        with self._lock:
            for (scope, *names), record in self._calls.items():
                self._store.put(scope, _CALL, "/".join(names), record)

    def _session(self, access_key_id: str) -> _Session | None:
        try:
            return self._sessions[access_key_id]
        except KeyError:
            source = self._taken_by(access_key_id)
            session = self._session(source) if source and source != access_key_id else None
            self._sessions[access_key_id] = session
            return session

    def _note(self, session: _Session, service: str) -> VpcCall:
        workload, scope, role_arn = session
        call = VpcCall(workload, scope, service)
        key = (scope, workload.kind, workload.name, service)
        now = time.time()
        with self._lock:
            record = self._calls.get(key)
            if record is not None:
                record["calls"] += 1
                record["last"] = now
                return call
            record = {
                "kind": workload.kind,
                "name": workload.name,
                "role": role_arn,
                "service": service,
                "actions": [],
                "calls": 1,
                "first": now,
                "last": now,
            }
            self._calls[key] = record
            self._store.put(scope, _CALL, "/".join(key[1:]), record)
        return call
