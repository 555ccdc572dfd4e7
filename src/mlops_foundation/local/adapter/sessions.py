"""STS: sessions outlive a restart, and root takes no role."""

from urllib.parse import parse_qs

import ministack.app
from ministack.core import iam_evaluator, router
from ministack.services import sts

from mlops_foundation.local.adapter.storage import Handler
from mlops_foundation.local.contract import Json, ServiceError
from mlops_foundation.local.wire_errors import Answer, protocol_of, write_error


def keep_sessions(_cloud: object) -> None:
    """Keep sessions over a restart."""

    def load(state: Json) -> None:
        for access_key_id, session in state.get("sessions", {}).items():
            sts.register_session(access_key_id, session)

    sts.get_state = lambda: {"sessions": dict(sts._sessions)}
    sts.load_persisted_state = load


def refuse_roles_to_root(_cloud: object) -> None:
    """Refuse AssumeRole to the root of an account, in AWS's words.

    Source: "AssumeRole" in the API reference: it cannot be called with the credentials of an account's root user.
    """
    ministack.app.SERVICE_HANDLERS["sts"] = _roles_to_others(ministack.app.SERVICE_HANDLERS["sts"])


def _roles_to_others(handler: Handler) -> Handler:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        form = parse_qs(body.decode("utf-8", "replace")) | query
        action = headers.get("x-amz-target", "").rpartition(".")[2] or form.get("Action", [""])[0]
        root = iam_evaluator.is_root_access_key(router.extract_access_key_id(headers, query))
        if action == "AssumeRole" and root:
            refusal = ServiceError("AccessDenied", "Roles may not be assumed by root accounts.", 403)
            return write_error(refusal, protocol_of(headers))
        return await handler(method, path, headers, body, query)

    return handle
