"""Whom a policy statement trusts, read strictly: what is not understood is refused.

A statement may trust a service; or accounts that are ours, each narrowed by ``aws:PrincipalArn`` to named roles of that
same account. Anything else is a fault: everybody, another account, an operator that widens (``Not``, ``IfExists``), a
pattern that leaves the account or the role's name open.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_ROOT = re.compile(r"^arn:aws:iam::(?P<account>\d{12}|\$\{\w+\}):root$")
_ROLE = re.compile(
    r"^arn:aws:iam::(?P<account>\d{12}|\$\{\w+\}):role/(?P<path>([^*?/]+/[^?]*)?)(?<![^/])(?P<name>[^/]+)$"
)
_NARROWING = ("ArnEquals", "ArnLike", "StringEquals")


def text(value: Any, values: Mapping[str, str]) -> str:
    """Return a template's value as text; a reference that has no known value stays ``${Name}``."""
    match value:
        case str():
            found = value
        case {"Ref": name}:
            found = f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            found = f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(sub)}:
            found = sub
        case {"Fn::Join": [separator, parts]}:
            found = str(separator).join(text(part, values) for part in parts)
        case _:
            found = json.dumps(value)
    return re.sub(r"\$\{([\w:]+)\}", lambda name: values.get(name[1], name[0]), found)


def texts(value: Any, values: Mapping[str, str]) -> list[str]:
    """Return one value, or each of a list, as text."""
    return [text(item, values) for item in (value if isinstance(value, list) else [value])]


def faults(statement: Mapping[str, Any], ours: Collection[str], values: Mapping[str, str]) -> Iterator[str]:
    """Yield each reason why a statement trusts more than services and named roles.

    Args:
        statement: With a principal.
        ours: Accounts that may be trusted: ids, or parameters such as ``${ProdAccount}``.
        values: What references stand for, by name.
    """
    principal = statement.get("Principal")
    if not isinstance(principal, dict) or len(principal) != 1 or set(principal) - {"Service", "AWS"}:
        yield f"the principal is {principal}"
        return
    if "Service" in principal:
        return
    trusted = set()
    for arn in texts(principal["AWS"], values):
        found = _ROOT.match(arn)
        if found and found["account"] in ours:
            trusted.add(found["account"])
        else:
            yield f"{arn} is no account of ours"
    yield from _faults_of_the_narrowing(statement.get("Condition", {}), trusted, values)


def _faults_of_the_narrowing(
    condition: Mapping[str, Any], trusted: Collection[str], values: Mapping[str, str]
) -> Iterator[str]:
    roles = [role for key in _NARROWING for role in texts(condition.get(key, {}).get("aws:PrincipalArn", []), values)]
    if not roles:
        yield "nothing narrows it by aws:PrincipalArn"
    for role in roles:
        found = _ROOT.match(role) or _ROLE.match(role)
        if not found or not re.search(r"[a-z]{3}", found.groupdict().get("name") or "root"):
            yield f"{role} names no role"
        elif found["account"] not in trusted:
            yield f"{role} is of another account than the principal"


def is_own_account_in_a_key(type_: str, statement: Mapping[str, Any], account: str, values: Mapping[str, str]) -> bool:
    """Return whether it is a key policy's first statement: without it nobody could ever change the policy again."""
    principal = statement.get("Principal")
    return (
        type_ == "AWS::KMS::Key"
        and statement["Action"] == "kms:*"
        and isinstance(principal, dict)
        and set(principal) == {"AWS"}
        and texts(principal["AWS"], values) == [f"arn:aws:iam::{account}:root"]
    )
