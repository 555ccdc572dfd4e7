"""Principals, sessions and policy decisions: ministack's IAM and STS behind our own types."""

import dataclasses
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, s3, sts, tagging

from mlops_foundation.core import clock
from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.local.contract import Check, Credentials, Json, Principal, ServiceError
from mlops_foundation.local.wire_errors import write_error

SESSION_S = 12 * 3600
"""How long a session made for a service's role lasts: longer than any job or build may run here."""

ResourcePolicy = tuple[str, AccountId]


def name_the_role(_cloud: object) -> None:
    """Let ``aws:PrincipalArn`` of a session be its role."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() == "aws:principalarn":
            return role_of_session(ctx.principal_arn) or ctx.principal_arn
        return resolve(key, ctx)

    iam_evaluator._resolve_condition_key = resolve_condition_key


def know_policy_variables(_cloud: object) -> None:
    """Put the request's values in the place of policy variables, in resources and in condition values.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    first_match, conditions_met = iam_evaluator._first_match, iam_evaluator._conditions_met

    def first_match_with_variables(ctx: Any, statements: list[Any], effect: str) -> Any:
        return first_match(ctx, [_with_variables(statement, ctx) for statement in statements], effect)

    def conditions_met_with_variables(conditions: Any, ctx: Any) -> Any:
        return conditions_met(_in_values(conditions, ctx) if "${" in f"{conditions}" else conditions, ctx)

    iam_evaluator._first_match = first_match_with_variables
    iam_evaluator._conditions_met = conditions_met_with_variables


def _with_variables(statement: Any, ctx: Any) -> Any:
    if "${" not in f"{statement.resources}{statement.not_resources}":
        return statement
    return dataclasses.replace(
        statement,
        resources=[_substitute(text, ctx) for text in statement.resources],
        not_resources=[_substitute(text, ctx) for text in statement.not_resources],
    )


def _in_values(value: Any, ctx: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_values(item, ctx) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_values(item, ctx) for item in value]
    return _substitute(value, ctx) if isinstance(value, str) else value


def _substitute(text: str, ctx: Any) -> str:
    def value_of(match: re.Match[str]) -> str:
        if match["special"]:
            return match["special"]
        value = iam_evaluator._resolve_condition_key(match["key"], ctx)
        if isinstance(value, str):
            return value
        return _NO_VALUE if match["default"] is None else match["default"]

    return _VARIABLE.sub(value_of, text)


_VARIABLE = re.compile(r"\$\{(?:(?P<special>[*?$])|(?P<key>[^,}]+)(?:,\s*'(?P<default>[^']*)')?)\}")
_NO_VALUE = "\N{NULL}"
"""Stands for a variable that the request has no value for: nothing matches it."""


def refuse_unknown_policies(_cloud: object) -> None:
    """Refuse to attach a managed policy that does not exist."""
    for kind in ("Role", "User", "Group"):
        iam._IAM_HANDLERS[f"Attach{kind}Policy"] = _attaching(iam._IAM_HANDLERS[f"Attach{kind}Policy"])


def _attaching(attach: Any) -> Any:
    def attach_known(parameters: Any) -> Any:
        arn = iam._p(parameters, "PolicyArn")
        if iam._policy_exists(arn):
            return attach(parameters)
        message = f"Policy {arn} does not exist or is not attachable."
        return write_error(ServiceError("NoSuchEntity", message, 404), "query")

    return attach_known


def built_in_tags(arn: str) -> Json:
    """Return the tags of a resource that ministack itself serves."""
    found: Json | None = tagging.resource_tags(arn)
    return found or {}


def role_of_session(arn: str) -> str | None:
    """Return the ARN of the role, with its path, that an assumed-role ARN is a session of."""
    if ":assumed-role/" not in arn:
        return None
    account = arn.split(":")[4]
    role = iam._roles.get_scoped(account, None, arn.split("/")[1])
    return None if role is None else str(role["Arn"])


def principal_for(access_key_id: str, session_token: str | None) -> Principal | None:
    """Return who an access key belongs to; the session token is checked when one is given."""
    account = _account_of(access_key_id)
    if account is None:
        return None
    tokens = () if session_token is None else (session_token,)
    credential = iam_evaluator.resolve_credential(access_key_id, account, *tokens)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return None
    credentials = Credentials(credential.access_key_id, credential.secret_access_key, credential.session_token)
    return Principal(credential.principal_arn, AccountId(credential.account_id), credential.principal_type, credentials)


def taken_by(access_key_id: str) -> str:
    """Return the access key that took a session by AssumeRole, empty when there is none."""
    session = sts._sessions.get(access_key_id) or {}
    return str(session.get("SourceAccessKeyId") or "")


def _account_of(access_key_id: str) -> str | None:
    if access_key_id.isdigit():
        return access_key_id
    session = sts._sessions.get(access_key_id)
    if session is not None:
        # The sessions that functions run with say their account in their ARN only.
        return str(session.get("AccountId") or session["Arn"].split(":")[4])
    found: str | None = iam_evaluator.find_iam_access_key_account(access_key_id)
    return found


def accounts_of(access_key_id: str, resource: str) -> tuple[str, str]:
    """Return the account of who holds a key and that of a resource; what has none is the caller's own."""
    caller = _account_of(access_key_id) or ""
    arn = resource.split(":", 5)
    if arn[:3] == ["arn", "aws", "s3"]:
        return caller, str(s3._bucket_owner_account(arn[5].partition("/")[0]) or caller)
    return caller, (arn[4] if len(arn) == 6 else "") or caller  # noqa: PLR2004  parts of an ARN


def root_of(account: AccountId) -> Principal:
    """Return the root of an account."""
    return Principal(f"arn:aws:iam::{account}:root", account, "Root", Credentials(account, "test"))


def decide(principal: Principal, check: Check, region: Region, policy: ResourcePolicy | None) -> str:
    """Evaluate identity policies, boundary, session policies and the resource's own policy.

    Args:
        principal: Who asks.
        check: What for; the context holds the request's condition keys, ``aws:ResourceTag`` and the like included.
        region: Where the request goes.
        policy: The resource's policy and owner, or None where the resource can have none.

    Returns:
        ``Allow``, ``Deny`` (explicit) or ``ImplicitDeny``.
    """
    info = iam_evaluator.resolve_principal(principal.credentials.access_key_id, principal.account)
    if isinstance(info, iam_evaluator.AuthError):
        return "ImplicitDeny"
    owner = policy[1] if policy else _owner(check.resource)
    if info.policies is None and owner in (None, principal.account):
        return "Allow"
    context = iam_evaluator.EvalContext(
        principal_arn=info.arn,
        principal_type=info.type,
        principal_account=info.account,
        action=check.action,
        resource_arn=check.resource,
        region=region,
        secure_transport=True,
        service_context={key.lower(): value for key, value in check.context.items()},
        principal_keys=info.keys,
    )
    context.service_context.setdefault("aws:tagkeys", None)
    if info.policies is None:
        identity = iam_evaluator.EvalResult("Allow", info.arn)
    else:
        identity = iam_evaluator.evaluate(context, info.policies, *info.limits)
    if policy is None and owner in (None, principal.account):
        return str(identity.decision)
    document = policy[0] if policy else ""
    combined = iam_evaluator.combine_resource_policy(
        identity, context, document, owner, required=check.action.startswith("kms:"), limits=tuple(info.limits)
    )
    return str(combined.decision)


def _owner(arn: str) -> str | None:
    try:
        return Arn.parse(arn).account or None
    except ValueError:
        return None


def built_in_policy(arn: str) -> ResourcePolicy | None:
    """Return the policy and owner of a resource that ministack itself serves (bucket, key, queue...)."""
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    found = iam_evaluator._resource_policy(service, arn)
    if found is None:
        return None
    policy, owner = found
    return (policy if isinstance(policy, str) else json.dumps(policy or {})), AccountId(owner or "")


def denial(principal: Principal, check: Check, explicit: bool) -> str:
    """Return AWS's sentence for a refused call."""
    message = iam_actions.identity_denial_message(check.action, principal.arn, check.resource, explicit)
    return str(message)


def start_session(role_arn: str, session_name: str, source: str, tags: Mapping[str, str] | None = None) -> Principal:
    """Register a session of a role, with session tags, without asking its trust policy; the caller decided that."""
    arn = Arn.parse(role_arn)
    token = clock.new_token(64)
    credentials = Credentials(
        "ASIA" + clock.new_token(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), clock.new_token(40), token
    )
    session_arn = f"arn:aws:sts::{arn.account}:assumed-role/{arn.name}/{session_name[:64]}"
    record = {
        "Arn": session_arn,
        "UserId": f"{sts._role_id(role_arn)}:{session_name[:64]}",
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": token,
        "Expiration": time.time() + SESSION_S,
        "AccountId": arn.account,
        "PrincipalType": "AssumedRole",
        "SourceAccessKeyId": "",
        "SourcePrincipalArn": source,
        "SessionTags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        "SessionPolicies": None,
    }
    sts.register_session(credentials.access_key_id, record)
    return Principal(session_arn, AccountId(arn.account), "AssumedRole", credentials)


def role(role_arn: str) -> Json | None:
    """Return IAM's record of a role, or None; the path in the ARN has to be right."""
    try:
        arn = Arn.parse(role_arn)
    except ValueError:
        return None
    found: Json | None = iam._roles.get_scoped(arn.account, None, arn.name)
    return found if found is not None and found["Arn"] == role_arn else None


def assume_as_service(role_arn: str, service: str, session_name: str, source_arn: str, region: Region) -> Principal:
    """Start a session of a role as an AWS service, when the role's trust policy lets that service in.

    Raises:
        ServiceError: ``AccessDeniedException`` naming the role and what is missing.
    """
    record = role(role_arn)
    if record is None:
        raise ServiceError("AccessDeniedException", f"{service} cannot assume {role_arn}: the role does not exist")
    account = Arn.parse(source_arn).account if source_arn else Arn.parse(role_arn).account
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=region,
        service_context={"aws:sourcearn": source_arn or None, "aws:sourceaccount": account},
    )
    if not _trusts_service(record["AssumeRolePolicyDocument"], service, context):
        raise ServiceError(
            "AccessDeniedException",
            f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn} "
            "because the role's trust policy does not allow it",
        )
    return start_session(role_arn, session_name, service)


def _trusts_service(trust: str | Json, service: str, context: Any) -> bool:
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    applicable = [
        {key: value for key, value in statement.items() if key != "Principal"} | {"Resource": "*"}
        for statement in (statements if isinstance(statements, list) else [statements])
        if service in _as_list((statement.get("Principal") or {}).get("Service", []))
    ]
    parsed = iam_evaluator.parse_policy_document({"Statement": applicable})
    return bool(iam_evaluator.evaluate(context, [parsed]).decision == "Allow")


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def role_named(account: AccountId, name: str) -> str | None:
    """Return the ARN of a role by its name, or None."""
    record = iam._roles.get_scoped(account, None, name)
    return None if record is None else str(record["Arn"])
