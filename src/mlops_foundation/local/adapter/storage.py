"""S3 objects under customer keys, and keys of other accounts."""

import contextvars
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import kms, s3

from mlops_foundation.core.arns import Arn
from mlops_foundation.local.contract import Check
from mlops_foundation.local.wire_errors import Answer

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Answer]]
Authorize = Callable[[Mapping[str, str], Check], None]
"""``(request headers, check)``; raises ServiceError."""

_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
_by_root: contextvars.ContextVar[bool] = contextvars.ContextVar("signed_by_root", default=True)


def find_keys_by_arn(_cloud: object) -> None:
    """Let a key be found by its ARN from another account, with its owner; the key's policy decides who may use it."""
    resolve_key = kms._resolve_key

    def resolve(key_id_or_arn: str) -> Any:
        if not key_id_or_arn or not key_id_or_arn.startswith("arn:"):
            return resolve_key(key_id_or_arn)
        arn = Arn.parse(key_id_or_arn)
        with request_scope(arn.account, arn.region):
            return resolve_key(key_id_or_arn)

    def key_policy_for_arn(resource_arn: str) -> tuple[str, str] | None:
        record = resolve(resource_arn)
        return (record.get("Policy") or "", Arn.parse(record["Arn"]).account) if record else None

    kms._resolve_key = resolve
    kms.key_policy_for_arn = key_policy_for_arn


def decide_by_principal(_cloud: object) -> None:
    """Let a bucket policy decide about the very principal of another account, not about that account's root."""
    own_policy, allows = s3.bucket_policy_for_arn, s3._foreign_bucket_allows

    def bucket_policy_for_arn(resource_arn: str) -> tuple[str, str] | None:
        if not resource_arn.startswith("arn:aws:s3:::"):
            found: tuple[str, str] | None = own_policy(resource_arn)
            return found
        bucket = resource_arn.removeprefix("arn:aws:s3:::").split("/", 1)[0]
        owner = s3._bucket_owner_account(bucket)
        return None if owner is None else (s3._bucket_policies.get_scoped(owner, None, bucket) or "", owner)

    def foreign_bucket_allows(*request: Any) -> bool:
        # A user or role has passed the identity check before, which asked the bucket's policy as well. Root has not.
        return bool(allows(*request)) if _by_root.get() else True

    s3.bucket_policy_for_arn = bucket_policy_for_arn
    s3._foreign_bucket_allows = foreign_bucket_allows


def encrypted_objects(handler: Handler, authorize: Authorize, denied: Callable[[Exception], Answer]) -> Handler:
    """Wrap the S3 handler: under a customer key, writing needs ``kms:GenerateDataKey`` and reading ``kms:Decrypt``.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        _by_root.set(_signed_by_root_or_nobody(headers))
        headers = _with_own_key(path, headers)
        check = _key_check(method, path, headers, query)
        if check is not None:
            try:
                authorize(headers, check)
            except Exception as error:  # noqa: BLE001  whatever it is, the object is not handed out
                return denied(error)
        return await handler(method, path, headers, body, query)

    return handle


def _with_own_key(path: str, headers: dict[str, str]) -> dict[str, str]:
    """Name the key of a write that asks for KMS and names none: the bucket's, else the one that S3 keeps itself."""
    if headers.get(_ENCRYPTION_HEADER) != "aws:kms" or headers.get(_KEY_HEADER):
        return headers
    default = s3._bucket_default_sse_headers(unquote(path).lstrip("/").partition("/")[0]).get(_KEY_HEADER)
    own = f"arn:aws:kms:{get_region()}:{get_account_id()}:{_OWN_KEY}"
    return {**headers, _KEY_HEADER: default or own}


def checks_to_read(bucket: str, key: str) -> Iterator[Check]:
    """Yield what reading an object has to be allowed to do: the object's own right, and that to its key."""
    yield Check("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    decrypt = _key_check("GET", f"/{bucket}/{key}", {}, {}) if bucket in s3._buckets else None
    if decrypt is not None:
        yield decrypt


def _signed_by_root_or_nobody(headers: Mapping[str, str]) -> bool:
    match = _CREDENTIAL.search(headers.get("authorization", ""))
    return match is None or iam_evaluator.is_root_access_key(match.group(1))


def _key_check(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> Check | None:
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    owner = s3._bucket_owner_account(bucket) if key else None
    if owner is None or method not in {"GET", "PUT", "POST"} or _SUBRESOURCES & query.keys():
        return None
    with request_scope(owner, get_region()):
        key_id = _key_of_object(bucket, key) if method == "GET" else _key_for_write(bucket, headers)
        if not key_id or key_id.endswith(f":{_OWN_KEY}"):
            return None
        record = kms._resolve_key(key_id)
    action = "kms:Decrypt" if method == "GET" else "kms:GenerateDataKey"
    context = {"kms:ViaService": f"s3.{get_region()}.amazonaws.com", "kms:CallerAccount": get_account_id()}
    return Check(action, record["Arn"] if record else key_id, context)


def _key_of_object(bucket: str, key: str) -> str | None:
    stored = s3._buckets[bucket]["objects"].get(key)
    found: str | None = s3._stored_sse_headers(stored).get(_KEY_HEADER) if stored else None
    return found


def _key_for_write(bucket: str, headers: Mapping[str, str]) -> str | None:
    found: str | None = headers.get(_KEY_HEADER) or s3._bucket_default_sse_headers(bucket).get(_KEY_HEADER)
    return found


_ENCRYPTION_HEADER = "x-amz-server-side-encryption"
_OWN_KEY = "alias/aws/s3"
"""The key of S3's own in every account: whoever may use the bucket may use it."""
_SUBRESOURCES = frozenset({"tagging", "acl", "uploadId", "uploads", "retention", "legal-hold", "attributes"})


def current_scope() -> tuple[str, str]:
    """Return account and region of the request under way."""
    return get_account_id(), get_region()
