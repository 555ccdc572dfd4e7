"""Buckets and their policies."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mlops_foundation.local.contract import Json
from mlops_foundation.local.resource_types.called import CalledType, Name, Put, Request, Step, Target, as_text, members

_HOME: Final = "us-east-1"
"""The region whose buckets name no location."""


def _create(target: Target, properties: Json) -> Request:
    del properties
    region = target.stack.call.region
    place = {} if region == _HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    return Request("create_bucket", {"Bucket": target.id, **place})


def _setting(
    name: str,
    put: str,
    member: str,
    convert: Callable[[Any], Any] = lambda value: value,
    remove: str = "",
    empty: object = None,
) -> Step:
    """Return the step of one property that one operation sets.

    Args:
        name: The property.
        put: The operation that sets it.
        member: The member of the operation that takes it.
        convert: From the template's spelling to the API's.
        remove: The operation that takes it away; left out, ``empty`` is set.
        empty: What stands for none.
    """

    def set_it(target: Target, properties: Json) -> Request:
        value = convert(properties[name]) if name in properties else empty
        return Request(put, {"Bucket": target.id, member: value})

    gone = (lambda target: Request(remove, {"Bucket": target.id})) if remove else None
    return Put((name,), set_it, gone)


def _renamed(names: Mapping[str, str]) -> Callable[[object], object]:
    """Return what spells members in the API's way, at every depth."""

    def spell(value: object) -> object:
        if isinstance(value, dict):
            return {names.get(key, key): spell(item) for key, item in value.items()}
        return [spell(item) for item in value] if isinstance(value, list) else value

    return spell


_ENCRYPTION: Final = _renamed(
    {
        "ServerSideEncryptionConfiguration": "Rules",
        "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    }
)
_CORS: Final = _renamed(
    {"MaxAge": "MaxAgeSeconds", "Id": "ID", "ExposedHeaders": "ExposeHeaders"}
)  # fmt: skip


def _lifecycle(value: Json) -> Json:
    return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}


def _lifecycle_rule(rule: Json) -> Json:
    """Return a rule in the API's spelling, in which days and dates stand inside what they are of."""
    made = members(rule, "Status", ID="Id")
    made["Filter"] = _filter(rule)
    expiration = members(rule, Days="ExpirationInDays", Date="ExpirationDate")
    expiration |= members(rule, "ExpiredObjectDeleteMarker")
    if expiration:
        made["Expiration"] = expiration
    transitions = rule.get("Transitions") or ([rule["Transition"]] if "Transition" in rule else [])
    if transitions:
        made["Transitions"] = [
            members(each, "StorageClass", Days="TransitionInDays", Date="TransitionDate") for each in transitions
        ]
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if noncurrent:
        made["NoncurrentVersionExpiration"] = members(noncurrent, "NoncurrentDays", "NewerNoncurrentVersions")
    moved = rule.get("NoncurrentVersionTransitions") or []
    if moved:
        made["NoncurrentVersionTransitions"] = [
            members(each, "StorageClass", "NewerNoncurrentVersions", NoncurrentDays="TransitionInDays")
            for each in moved
        ]
    return made | members(rule, "AbortIncompleteMultipartUpload")


def _filter(rule: Json) -> Json:
    parts: Json = members(rule, "Prefix")
    sizes = members(rule, "ObjectSizeGreaterThan", "ObjectSizeLessThan")
    parts |= {name: int(value) for name, value in sizes.items()}
    tags = rule.get("TagFilters") or []
    if len(tags) + len(parts) > 1:
        return {"And": parts | ({"Tags": tags} if tags else {})}
    return parts or ({"Tag": tags[0]} if tags else {"Prefix": ""})


def _tags() -> Step:
    return _setting("Tags", "put_bucket_tagging", "Tagging", lambda tags: {"TagSet": tags}, "delete_bucket_tagging")


def _named(suffix: str) -> Callable[[Target], str]:
    return lambda target: f"{target.id}.{suffix.format(region=target.stack.call.region)}"


BUCKET = CalledType(
    "AWS::S3::Bucket",
    "s3",
    create=_create,
    delete=lambda target: Request("delete_bucket", {"Bucket": target.id}),
    name=Name("BucketName", 63, lower=True),
    attributes={
        "Arn": lambda target: f"arn:aws:s3:::{target.id}",
        "DomainName": _named("s3.amazonaws.com"),
        "RegionalDomainName": _named("s3.{region}.amazonaws.com"),
        "DualStackDomainName": _named("s3.dualstack.{region}.amazonaws.com"),
        "WebsiteURL": lambda target: f"http://{target.id}.s3-website-{target.stack.call.region}.amazonaws.com",
    },
    steps=(
        _setting(
            "OwnershipControls", "put_bucket_ownership_controls", "OwnershipControls",
            remove="delete_bucket_ownership_controls",
        ),
        _setting(
            "PublicAccessBlockConfiguration", "put_public_access_block", "PublicAccessBlockConfiguration",
            remove="delete_public_access_block",
        ),
        _setting(
            "BucketEncryption", "put_bucket_encryption", "ServerSideEncryptionConfiguration", _ENCRYPTION,
            "delete_bucket_encryption",
        ),
        _setting(
            "VersioningConfiguration", "put_bucket_versioning", "VersioningConfiguration",
            empty={"Status": "Suspended"},
        ),
        _setting(
            "LifecycleConfiguration", "put_bucket_lifecycle_configuration", "LifecycleConfiguration", _lifecycle,
            "delete_bucket_lifecycle",
        ),
        _setting("CorsConfiguration", "put_bucket_cors", "CORSConfiguration", _CORS, "delete_bucket_cors"),
        _setting(
            "LoggingConfiguration", "put_bucket_logging", "BucketLoggingStatus",
            lambda value: {"LoggingEnabled": {
                "TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", ""),
            }},
            empty={},
        ),
        _tags(),
    ),
)  # fmt: skip

BUCKET_POLICY = CalledType(
    "AWS::S3::BucketPolicy",
    "s3",
    create=lambda _target, properties: Request(
        "put_bucket_policy", {"Bucket": properties["Bucket"], "Policy": as_text(properties["PolicyDocument"])}
    ),
    delete=lambda target: Request("delete_bucket_policy", {"Bucket": target.id}),
    made_with=("Bucket",),
    physical_id=lambda target, _answer: str(target.properties["Bucket"]),
    steps=(
        Put(
            ("PolicyDocument",),
            lambda target, properties: Request(
                "put_bucket_policy", {"Bucket": target.id, "Policy": as_text(properties["PolicyDocument"])}
            ),
            on_create=False,
        ),
    ),
)

TYPES = (BUCKET, BUCKET_POLICY)
