"""A CloudFormation type said as the operations that it calls.

What a type needs to be allowed is then what it calls: every operation goes to the service's own API, signed with the
stack's rights, as any client's. A type is data where it can be: which operation makes it, which carry a property
afterwards, which ends it, and where its identifier and attributes stand in the answers.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Protocol

import jmespath
from botocore.exceptions import ClientError

from mlops_foundation.core.clock import new_token
from mlops_foundation.local.contract import (
    Json,
    Provisioned,
    ResourceType,
    ServiceError,
    StackCall,
    not_supported,
)
from mlops_foundation.local.members import tag_pairs
from mlops_foundation.local.resource_types.schemas import Schema, schema_of

_NAME_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True)
class Request:
    """One operation to call.

    Attributes:
        operation: botocore's name of it, for example ``put_role_policy``.
        members: Its request.
        service: Of another service than the type's own; empty for that one.
    """

    operation: str
    members: Json
    service: str = ""


@dataclass(frozen=True)
class Target:
    """The resource that an operation is on.

    Attributes:
        stack: The operation on the stack, with its rights.
        id: Physical id: what ``Ref`` gives; the name that it will have, before it exists.
        properties: The properties it has, or is about to have.
        call: Calls an operation and returns its answer, for a step that has to look first.
    """

    stack: StackCall
    id: str
    properties: Json
    call: Callable[["Request"], Json]

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in the stack's account and region."""
        return self.stack.call.arn(service, resource)


class Step(Protocol):
    """What carries some properties into force after the resource exists, and back."""

    @property
    def on_create(self) -> bool:
        """Whether it is still to do after the resource was made; False where the operation that makes it does it."""

    @property
    def on_delete(self) -> bool:
        """Whether it has to be undone before the resource can go."""

    @property
    def properties(self) -> Sequence[str]:
        """The properties it carries."""

    def changes(self, target: Target, old: Json, new: Json) -> Iterator[Request]:
        """Yield the operations that lead from the old properties to the new ones; without a change there are none."""


@dataclass(frozen=True)
class Put:
    """Properties that one operation sets as a whole.

    Attributes:
        properties: Which.
        put: The operation, when one of them is set.
        remove: The operation, when none of them is set any more; None where ``put`` sets the default again.
    """

    properties: Sequence[str]
    put: Callable[[Target, Json], Request]
    remove: Callable[[Target], Request] | None = None
    on_create: bool = True
    on_delete: bool = False

    def changes(self, target: Target, old: Json, new: Json) -> Iterator[Request]:
        """Yield one operation, or none."""
        before = {name: old[name] for name in self.properties if name in old}
        after = {name: new[name] for name in self.properties if name in new}
        if before == after:
            return
        if after or self.remove is None:
            yield self.put(target, new)
        else:
            yield self.remove(target)


@dataclass(frozen=True)
class Items:
    """What is set and removed one by one: the items of a list property, or what several properties amount to.

    Attributes:
        properties: The properties it is said by.
        put: The operation that sets an item.
        remove: The operation that takes an item away.
        key: What tells an item from another; an item with the same key is put again, not removed first.
        items: The items that properties amount to; left out, they are the items of the one property.
    """

    properties: Sequence[str]
    put: Callable[[Target, Any], Request]
    remove: Callable[[Target, Any], Request]
    key: Callable[[Any], object] = lambda item: item
    items: Callable[[Json], Sequence[Any]] | None = None
    on_create: bool = True
    on_delete: bool = False

    def changes(self, target: Target, old: Json, new: Json) -> Iterator[Request]:
        """Yield the removals, then what is new or other than before."""
        before, after = self._by_key(old), self._by_key(new)
        for key, item in before.items():
            if key not in after:
                yield self.remove(target, item)
        for key, item in after.items():
            if key not in before or before[key] != item:
                yield self.put(target, item)

    def _by_key(self, properties: Json) -> dict[str, Any]:
        found = self.items(properties) if self.items else properties.get(self.properties[0]) or ()
        return {_frozen(self.key(item)): item for item in found}


@dataclass(frozen=True)
class Tags:
    """The tags, in whichever shape the property has.

    Attributes:
        put: The operation that sets tags, of a map.
        remove: The operation that takes tags away, of their keys.
        name: The property.
    """

    put: Callable[[Target, dict[str, str]], Request]
    remove: Callable[[Target, list[str]], Request]
    name: str = "Tags"
    on_create: bool = False
    on_delete: bool = False

    @property
    def properties(self) -> Sequence[str]:
        """The one property."""
        return (self.name,)

    def changes(self, target: Target, old: Json, new: Json) -> Iterator[Request]:
        """Yield a removal and a setting, each only when there is something to do."""
        before, after = tag_pairs(old.get(self.name)), tag_pairs(new.get(self.name))
        gone = sorted(before.keys() - after.keys())
        if gone:
            yield self.remove(target, gone)
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        if changed:
            yield self.put(target, changed)


def _frozen(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


@dataclass(frozen=True)
class Name:
    """How a resource gets its name.

    Attributes:
        property: The property that may give it.
        longest: Limit of a made name, which is ``<stack>-<logical id>-<12 characters>``.
        lower: Whether a made name is in small letters.
    """

    property: str
    longest: int
    lower: bool = False

    def of(self, stack: StackCall, properties: Json) -> str:
        """Return the name that the template gives, or a new one."""
        given = properties.get(self.property)
        if given:
            return str(given)
        made = stack.physical_name(self.longest, new_token(12, _NAME_ALPHABET))
        return made.lower() if self.lower else made


@dataclass(frozen=True)
class CalledType:
    """One type.

    Attributes:
        type_name: CloudFormation's name of it, whose schema is in ``schemas/``.
        service: botocore's name of the service.
        create: The operation that makes it; None where its steps do.
        delete: The operation that ends it; None where undoing its steps does.
        made_with: The properties that ``create`` carries. What is neither here nor in a step is refused.
        name: How it gets its name, where it has one before it exists.
        physical_id: Where its identifier stands in the answer of ``create``; left out, it is the name.
        steps: What is called after ``create``, and on updates.
        read: The operation that says what it is; called when an attribute is not in the answer of ``create``.
        attributes: Attribute -> where it stands in the answers of ``create`` or ``read``; or what makes it.
        gone: Matches the error codes which say that it does not exist.
        stable: Waits until it is what was asked for; raises when it will not be.
        before_delete: Further operations, which empty or detach it.
        also_replaced_by: Properties whose change makes a new resource, though the schema does not say so.
        heeded_later: Those of ``made_with`` that are read when the resource goes, so that a change calls nothing.
        without_effect: Properties that are taken though nothing here heeds them -> why; ``docs/local-cloud.md`` has
            the list.
    """

    type_name: str
    service: str
    create: Callable[[Target, Json], Request] | None = None
    delete: Callable[[Target], Request] | None = None
    made_with: Sequence[str] = ()
    name: Name | None = None
    physical_id: str | Callable[[Target, Json], str] = ""
    steps: Sequence[Step] = ()
    read: Callable[[Target], Request] | None = None
    attributes: Mapping[str, str | Callable[[Target], str]] = field(default_factory=dict)
    gone: str = r"NotFound|NoSuch|NonExist|DoesNotExist"
    stable: Callable[[Target], None] | None = None
    before_delete: Callable[[Target], Iterator[Request]] | None = None
    also_replaced_by: frozenset[str] = frozenset()
    heeded_later: frozenset[str] = frozenset()
    without_effect: Mapping[str, str] = field(default_factory=dict)

    @property
    def properties(self) -> frozenset[str]:
        """The properties that a template may set."""
        named = {self.name.property} if self.name else set()
        steps = {name for step in self.steps for name in step.properties}
        return frozenset({*self.made_with, *named, *steps, *self.without_effect})

    @cached_property
    def schema(self) -> Schema:
        """What AWS publishes of the type."""
        found = schema_of(self.type_name)
        if found is None:
            raise LookupError(f"there is no schema of {self.type_name}; tools/schemas.py cuts it out")
        return found

    def resource_type(self) -> ResourceType:
        """Return the type as the contract has it."""
        name, shape = self.schema.tags or ("Tags", "")
        return ResourceType(
            create=self._create,
            delete=self._delete,
            update=self._update,
            replaced_by=self.schema.create_only | self.also_replaced_by,
            tags=shape,
            tag_property=name,
        )

    # --- the three verbs ----------------------------------------------------------------------------------------------

    def _create(self, stack: StackCall, properties: Json) -> Provisioned:
        self._refuse_unknown(properties)
        target = self._target(stack, self.name.of(stack, properties) if self.name else "", properties)
        answer = self._call(stack, self.create(target, properties)) if self.create else {}
        target = self._target(stack, self._identifier(target, answer), properties)
        try:
            for step in self.steps:
                if step.on_create:
                    self._apply(target, step, {}, properties)
            return self._finished(target, answer)
        except Exception:
            with suppress(Exception):  # the first failure is the reason; what stays behind is what AWS leaves too
                self._end(target)
            raise

    def _update(self, stack: StackCall, physical_id: str, old: Json, new: Json) -> Provisioned:
        self._refuse_unknown(new)
        self._refuse_fixed(old, new)
        target = self._target(stack, physical_id, new)
        begun: list[Step] = []
        try:
            for step in self.steps:
                begun.append(step)
                self._apply(target, step, old, new)
            return self._finished(target, None)
        except Exception:
            for step in reversed(begun):
                with suppress(Exception):
                    self._apply(self._target(stack, physical_id, old), step, new, old)
            raise

    def _delete(self, stack: StackCall, physical_id: str, properties: Json) -> None:
        self._end(self._target(stack, physical_id, properties))

    def _end(self, target: Target) -> None:
        for step in self.steps:
            if step.on_delete:
                self._unless_gone(target, step.changes(target, target.properties, {}))
        if self.before_delete:
            self._unless_gone(target, self.before_delete(target))
        if self.delete:
            self._unless_gone(target, iter((self.delete(target),)))
        if self.stable:
            with suppress(_GoneError):
                self.stable(target)

    # --- their parts --------------------------------------------------------------------------------------------------

    def _target(self, stack: StackCall, physical_id: str, properties: Json) -> Target:
        return Target(stack, physical_id, properties, lambda request: self._call(stack, request))

    def _refuse_unknown(self, properties: Json) -> None:
        unknown = sorted(properties.keys() - self.properties)
        if unknown:
            raise not_supported(f"{', '.join(unknown)} of {self.type_name}")

    def _refuse_fixed(self, old: Json, new: Json) -> None:
        """Refuse a change of what AWS would change in place and nothing here can."""
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        carried = {name for step in self.steps for name in step.properties}
        fixed = sorted(changed - carried - self.heeded_later - self.without_effect.keys())
        if fixed:
            raise not_supported(f"a change of {', '.join(fixed)} of {self.type_name}")

    def _apply(self, target: Target, step: Step, old: Json, new: Json) -> None:
        for request in step.changes(target, old, new):
            target.call(request)

    def _unless_gone(self, target: Target, requests: Iterator[Request]) -> None:
        for request in requests:
            with suppress(_GoneError):
                target.call(request)

    def _identifier(self, target: Target, answer: Json) -> str:
        if callable(self.physical_id):
            return self.physical_id(target, answer)
        return str(jmespath.search(self.physical_id, answer)) if self.physical_id else target.id

    def _finished(self, target: Target, answer: Json | None) -> Provisioned:
        if self.stable:
            self.stable(target)
        values = self._values(target, answer or {})
        if self.read and None in values.values():
            values = self._values(target, target.call(self.read(target)))
        return Provisioned(target.id, {name: value for name, value in values.items() if value is not None})

    def _values(self, target: Target, answer: Json) -> Json:
        """Return the attributes as far as an answer says them, None for those that it does not."""
        values: Json = {}
        for name, place in self.attributes.items():
            value = place(target) if callable(place) else jmespath.search(place, answer)
            values[name] = value.isoformat() if isinstance(value, dt.datetime) else value
        return values

    def _call(self, stack: StackCall, request: Request) -> Json:
        service = request.service or self.service
        try:
            return stack.request(service, request.operation, request.members)
        except ClientError as error:
            raise self._refused(error, service) from error

    def _refused(self, error: ClientError, service: str) -> ServiceError:
        code = error.response["Error"]["Code"]
        message = handler_message(error, service)
        if re.search(self.gone, code):
            return _GoneError(code, message)
        return ServiceError(code, message)


class _GoneError(ServiceError):
    """The resource does not exist (any more)."""


_HANDLER_CODES: Final = (
    (r"AccessDenied|UnauthorizedOperation|NotAuthorized", "AccessDenied"),
    (r"NotFound|NoSuch|NonExist|DoesNotExist", "NotFound"),
    (r"AlreadyExists|Duplicate|AlreadyOwned", "AlreadyExists"),
    (r"LimitExceeded|Quota", "ServiceLimitExceeded"),
    (r"Throttl|RequestLimit", "Throttling"),
    (r"Conflict|InUse|NotEmpty|DependencyViolation", "ResourceConflict"),
    (r"Validation|Invalid|Malformed|Missing|Unsupported|NotSupported", "InvalidRequest"),
)


def handler_message(error: ClientError, service: str) -> str:
    """Return the reason that a stack event gives for a refused operation, in CloudFormation's form.

    Source: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
    """
    found = error.response["Error"]
    metadata = error.response.get("ResponseMetadata") or {}
    code = next((handler for pattern, handler in _HANDLER_CODES if re.search(pattern, found["Code"])), "")
    said = (
        f"{found.get('Message') or found['Code']} (Service: {service.capitalize()}, "
        f"Status Code: {metadata.get('HTTPStatusCode', 400)}, Request ID: {metadata.get('RequestId', '')})"
    )
    return (
        f'Resource handler returned message: "{said}" (RequestToken: {new_token(32, "0123456789abcdef")}, '
        f"HandlerErrorCode: {code or 'GeneralServiceException'})"
    )


def members(properties: Json, *same: str, **renamed: str) -> Json:
    """Return what is set of some properties as members of a request: ``members(p, "Path", roleName="RoleName")``."""
    given = {name: properties[name] for name in same if name in properties}
    return given | {name: properties[source] for name, source in renamed.items() if source in properties}


def as_text(document: Json | str) -> str:
    """Return a policy document as the APIs take it: JSON text."""
    return document if isinstance(document, str) else json.dumps(document)


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[Json]:
    """Return tags as a list of pairs."""
    return [{key: name, value: text} for name, text in tags.items()]
