"""From a request to an operation of one of our services, and back.

Reads the request by the botocore model, asks :mod:`authorize` for everything the operation declares, calls the method
and writes the answer. The same way serves HTTP requests and :meth:`Cloud.invoke`.
"""

import asyncio
import inspect
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_foundation.core.arns import Region
from mlops_foundation.local import wire
from mlops_foundation.local.adapter import iam
from mlops_foundation.local.contract import (
    Call,
    Check,
    Cloud,
    Json,
    Principal,
    Reply,
    Scope,
    Service,
    ServiceError,
)
from mlops_foundation.local.members import tag_pairs, texts_at
from mlops_foundation.local.operations import Offered, not_offered, operation_table
from mlops_foundation.local.wire_errors import Answer, write_error

log = logging.getLogger(__name__)

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/")


def checks(service: Service, offered: Offered, call: Call, request: Json) -> Iterator[Check]:
    """Yield everything a call has to be allowed to do, in the order AWS asks."""
    declared = offered.declared
    context: Json = dict(declared.context(service, call, request)) if declared.context else {}
    context |= request_tags(request)
    resource = declared.resource(service, call, request) if declared.resource else "*"
    yield Check(declared.action or f"{service.namespace}:{offered.name}", resource, context)
    if declared.more:
        yield from declared.more(service, call, request)
    for path, passed_to in declared.passes.items():
        for role_arn in texts_at(request, path):
            yield Check("iam:PassRole", role_arn, {"iam:PassedToService": passed_to})


def request_tags(request: Json) -> Json:
    """Return ``aws:RequestTag/*`` and ``aws:TagKeys`` of the tags in a request."""
    pairs = tag_pairs(request.get("Tags", request.get("tags")))
    context: Json = {f"aws:RequestTag/{key}": value for key, value in pairs.items()}
    removed: list[str] = request.get("TagKeys") or request.get("tagKeys") or []
    keys = [*pairs, *removed]
    return context | ({"aws:TagKeys": keys} if keys else {})


class Dispatcher:
    """Takes the requests of one service."""

    def __init__(self, cloud: Cloud, service: Service) -> None:
        self._cloud = cloud
        self._service = service
        self._table = operation_table(type(service))

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """Answer one HTTP request; ministack has checked its signature."""
        try:
            route = self._route(method, path, headers)
            offered = self.offered(route.operation.name)
            principal, region = _caller(headers)
            call = Call(self._cloud, principal, Scope(principal.account, region))
            request = wire.read_request(route, headers, body, query)
            return self._write(route, await self._answer(offered, call, request))
        except ServiceError as error:
            return write_error(error, "json")
        except Exception:
            log.exception("%s failed", headers.get("x-amz-target", path))
            return write_error(
                ServiceError("InternalFailure", "An internal error of the local cloud; see its log", 500), "json"
            )

    def _route(self, method: str, path: str, headers: Mapping[str, str]) -> wire.Route:
        target = headers.get("x-amz-target", "")
        route = wire.route(self._service.models, method, path, target)
        if route is None:
            raise not_offered(type(self._service), target.rpartition(".")[2] or f"{method} {path}", self._table)
        return route

    def offered(self, name: str) -> Offered:
        """Return an operation of the service.

        Raises:
            ServiceError: When the local cloud does not offer it; it says what it offers.
        """
        offered = self._table.get(name)
        if offered is None:
            raise not_offered(type(self._service), name, self._table)
        return offered

    async def _answer(self, offered: Offered, call: Call, request: Json) -> Any:  # noqa: ANN401  JSON or a Reply
        if inspect.iscoroutinefunction(offered.handler):
            self._authorize(offered, call, request)
            return await offered.handler(self._service, call, request)
        return await asyncio.to_thread(self._run, offered, call, request)

    def invoke(self, name: str, call: Call, request: Json) -> Any:  # noqa: ANN401  JSON or a Reply
        """Validate, authorize and run one operation on this thread."""
        offered = self.offered(name)
        if offered.model and offered.model.input_shape:
            wire.validate(offered.model.input_shape, request)
        return self._run(offered, call, request)

    def _run(self, offered: Offered, call: Call, request: Json) -> Any:  # noqa: ANN401  JSON or a Reply
        self._authorize(offered, call, request)
        result = offered.handler(self._service, call, request)
        return asyncio.run(result) if inspect.iscoroutine(result) else result

    def _authorize(self, offered: Offered, call: Call, request: Json) -> None:
        for check in checks(self._service, offered, call, request):
            self._cloud.authorize(call.principal, check, region=call.region)

    @staticmethod
    def _write(route: wire.Route, result: Any) -> Answer:  # noqa: ANN401  JSON or a Reply
        if isinstance(result, Reply):
            return result.status, dict(result.headers), result.body
        version = route.operation.service_model.metadata.get("jsonVersion")
        content_type = f"application/x-amz-json-{version}" if version else "application/json"
        return 200, {"Content-Type": content_type}, wire.write_response(route.operation, result)


def _caller(headers: Mapping[str, str]) -> tuple[Principal, Region]:
    match = _CREDENTIAL.search(headers.get("authorization", ""))
    principal = iam.principal_for(match.group(1), headers.get("x-amz-security-token")) if match else None
    if match is None or principal is None:
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
    return principal, Region(match.group(2))
