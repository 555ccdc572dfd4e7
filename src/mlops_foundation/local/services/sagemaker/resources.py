"""What all SageMaker resources share: names and ARNs, tags, answers by the botocore model, lists with filters."""

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from botocore.model import ListShape, StructureShape

from mlops_foundation.core import clock
from mlops_foundation.core.arns import AccountId, Arn, Region
from mlops_foundation.local import wire
from mlops_foundation.local.contract import Call, Check, Json, Scope, Service, ServiceError, not_supported
from mlops_foundation.local.sandbox import Running
from mlops_foundation.local.services.sagemaker.vpc import vpc_of

SERVICE_PRINCIPAL: Final = "sagemaker.amazonaws.com"
_LIST_CONTROLS: Final = {"MaxResults", "NextToken", "SortBy", "SortOrder"}
_TIME_FILTERS: Final = {
    "CreationTimeAfter": ("CreationTime", 1),
    "CreationTimeBefore": ("CreationTime", -1),
    "CreatedAfter": ("CreationTime", 1),
    "CreatedBefore": ("CreationTime", -1),
    "LastModifiedTimeAfter": ("LastModifiedTime", 1),
    "LastModifiedTimeBefore": ("LastModifiedTime", -1),
}
_SORT_KEYS: Final = {
    "CreationTime": "CreationTime",
    "CreatedTime": "CreationTime",
    "LastModifiedTime": "LastModifiedTime",
}

Resource = Callable[[Any, Call, Json], str]


def timestamp() -> float:
    """Return now as records keep it: epoch seconds."""
    return clock.now().timestamp()


@dataclass(frozen=True)
class Kind:
    """One kind of resource: records say ``Name``, ``Arn``, ``Status``; the wire says ``ModelName``, ``ModelArn``...

    Attributes:
        prefix: What the wire's names start with.
        path: Where its ARNs begin, and the kind of its records.
    """

    prefix: str
    path: str

    def arn(self, call: Call, name: str) -> str:
        """Return the ARN of the resource of this name in the addressed account."""
        return call.arn("sagemaker", f"{self.path}/{name}")

    def named(self, member: str = "") -> Resource:
        """Return the ``resource`` of an operation whose request names it in ``member``."""
        return lambda _service, call, request: self.arn(call, request[member or f"{self.prefix}Name"])

    def answer(self, operation: str, record: Json) -> Json:
        """Return what an operation's answer has of a record."""
        shape = wire.operation_model("sagemaker", operation).output_shape
        return self.members(shape, record) if isinstance(shape, StructureShape) else {}

    def members(self, shape: StructureShape, record: Json) -> Json:
        """Return the members of a shape that a record has a value for."""
        wired = record | {f"{self.prefix}{part}": record.get(part) for part in ("Name", "Arn", "Status")}
        return {name: wired[name] for name in shape.members if wired.get(name) is not None}

    def page(self, operation: str, request: Json, records: Sequence[Json], *, ascending: bool = False) -> Json:
        """Answer a list operation: filters, sorting and paging as the request asks, summaries by the model.

        Args:
            operation: For example ``ListModels``.
            request: The list request.
            records: All records, oldest first.
            ascending: The order of this operation when the request names none.
        """
        output = wire.operation_model("sagemaker", operation).output_shape
        lists = {name: shape for name, shape in output.members.items() if isinstance(shape, ListShape)}
        ((member, summaries),) = lists.items()
        passing = [record for record in records if _passes(operation, request, record)]
        by = request.get("SortBy", "CreationTime")
        key = _SORT_KEYS.get(by) or ("Status" if by == "Status" else "Name")
        passing.sort(key=lambda record: record[key])
        if request.get("SortOrder", "Ascending" if ascending else "Descending") == "Descending":
            passing.reverse()
        start, size = int(request.get("NextToken", 0)), request.get("MaxResults", 100)
        page: Json = {member: [self.members(summaries.member, record) for record in passing[start : start + size]]}
        return page | ({"NextToken": str(start + size)} if len(passing) > start + size else {})


def adds_tags(resource: Resource) -> Callable[[Any, Call, Json], Iterable[Check]]:
    """Return the further check of an operation that creates: tags in the request need ``sagemaker:AddTags`` as well.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html#grant-tagging-permissions
    """

    def checks(service: object, call: Call, request: Json) -> Iterable[Check]:
        if request.get("Tags"):
            context: Json = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in request["Tags"]}
            context["aws:TagKeys"] = [tag["Key"] for tag in request["Tags"]]
            yield Check("sagemaker:AddTags", resource(service, call, request), context)

    return checks


def refuse_other(operation: str, request: Json, supported: Iterable[str]) -> None:
    """Refuse a request that asks for what the local cloud would have to ignore."""
    for member in request.keys() - set(supported):
        raise not_supported(f"{operation} with {member}")


def check_only(what: str, given: Json, only: Mapping[str, str]) -> None:
    """Refuse members whose value is another than the one the local cloud has."""
    for member, value in only.items():
        if given.get(member, value) != value:
            raise not_supported(f"{what} with {member} {given[member]}")


def scope_of(arn: str) -> Scope:
    """Return the account and region of an ARN."""
    parts = Arn.parse(arn)
    return Scope(AccountId(parts.account), Region(parts.region))


def job_context(request: Json) -> Json:
    """Return SageMaker's condition keys of a request that starts a job or makes a model."""
    vpc = vpc_of(request) or {}
    network = request.get("NetworkConfig", request)
    resources = request.get("ResourceConfig") or request.get("ProcessingResources", {}).get("ClusterConfig") or {}
    output = request.get("OutputDataConfig") or request.get("ProcessingOutputConfig") or {}
    keys = {
        "sagemaker:VpcSubnets": vpc.get("Subnets"),
        "sagemaker:VpcSecurityGroupIds": vpc.get("SecurityGroupIds"),
        "sagemaker:NetworkIsolation": str(bool(network.get("EnableNetworkIsolation"))).lower(),
        "sagemaker:InstanceTypes": [resources["InstanceType"]] if "InstanceType" in resources else None,
        "sagemaker:VolumeKmsKey": resources.get("VolumeKmsKeyId"),
        "sagemaker:OutputKmsKey": output.get("KmsKeyId"),
    }
    return {key: value for key, value in keys.items() if value is not None}


class Resources(Service):
    """Base of the groups of operations that make up the service."""

    name: ClassVar[str] = "sagemaker"
    models: ClassVar[tuple[str, ...]] = ("sagemaker", "sagemaker-runtime")
    namespace: ClassVar[str] = "sagemaker"

    running: dict[str, Running]
    """Child processes by the ARN of their job."""
    stopping: set[str]
    """ARNs of jobs and executions that somebody asked to stop."""
    changed: threading.Condition
    """Notified whenever a job or an execution ends."""
    closing: threading.Event
    """Set once the cloud stops: nothing is started any more."""

    def create(self, call: Call, kind: Kind, key: str, record: Json) -> Json:
        """Keep a new record under a key, with its name, ARN, times and tags, and return it."""
        arn, now, name = kind.arn(call, key), timestamp(), record.get(f"{kind.prefix}Name", key)
        tags = record.get("Tags")
        kept = {key: value for key, value in record.items() if key not in {"Tags", f"{kind.prefix}Name"}}
        kept |= {"Name": name, "Arn": arn, "CreationTime": now, "LastModifiedTime": now}
        self.records.put(call.scope, kind.path, key, kept)
        if tags:
            self.set_tags(arn, {tag["Key"]: tag["Value"] for tag in tags})
        return kept

    def change(self, scope: Scope, kind: Kind, key: str, changes: Json) -> Json:
        """Change members of a record, and its time of change."""
        changes = changes | {"LastModifiedTime": timestamp()}
        return self.records.change(scope, kind.path, key, lambda record: record.update(changes))

    def remove(self, scope: Scope, kind: Kind, key: str) -> None:
        """Remove a record and its tags."""
        record = self.records.pop(scope, kind.path, key)
        if record is not None:
            self.records.pop(scope, "tags", record["Arn"])

    def created_by(self, call: Call) -> Json:
        """Return who made a resource, as SageMaker's UserContext; only Studio users have a profile."""
        return {"IamIdentity": {"Arn": call.principal.arn, "PrincipalId": call.principal.arn.rsplit(":", 1)[-1]}}

    def tags(self, arn: str) -> dict[str, str]:
        """Return a resource's own tags."""
        return dict(self.records.get(scope_of(arn), "tags", arn) or {})

    def set_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Replace a resource's tags."""
        self.records.put(scope_of(arn), "tags", arn, dict(tags))


def could_not_find(what: str, arn: str) -> ServiceError:
    """Return SageMaker's answer for a hosting resource that does not exist."""
    return ServiceError("ValidationException", f'Could not find {what} "{arn}".')


def _passes(operation: str, request: Json, record: Json) -> bool:
    filters = {member: wanted for member, wanted in request.items() if member not in _LIST_CONTROLS}
    return all(_passes_one(operation, member, wanted, record) for member, wanted in filters.items())


def _passes_one(operation: str, member: str, wanted: object, record: Json) -> bool:
    if member in _TIME_FILTERS:
        field, sign = _TIME_FILTERS[member]
        limit = wanted.timestamp() if isinstance(wanted, dt.datetime) else float(str(wanted))
        return bool(sign * (record[field] - limit) >= 0)
    if member == "NameContains":
        return str(wanted).lower() in record["Name"].lower()
    if member == "StatusEquals":
        return record.get("Status") == wanted
    if member not in record:
        raise not_supported(f"{operation} with {member}")
    return bool(record[member] == wanted)
